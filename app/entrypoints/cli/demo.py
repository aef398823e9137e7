"""The sample brand: generated, imported through the same doors as real data, with a sign-in per role."""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import polars as pl

from app import intake
from app.core import access
from app.core.access import Role
from app.entrypoints.cli.output import ProgressLine, command
from app.entrypoints.door import config, db, now, operator, today
from app.sample import write_sample
from app.stages.catalog import queries as catalog
from app.stages.demand import operations as demand
from app.stages.demand import queries as votes
from app.stages.demand.operations import NewDesign, OrderFile, SentBallot
from app.stages.stock import operations as stock

SEED = 20261111
SUPPLIER = "SUP-NGB"
CHANNEL = "flagship"
PEOPLE = (
    (Role.MERCHANDISER, "merchandiser@headwater.example", "Lin Mei", "en"),
    (Role.SUPPLIER, "supplier@headwater.example", "Chen Bo", "zh_Hans_CN"),
    (Role.WAREHOUSE_PLANNER, "warehouse@headwater.example", "Zhou Yan", "en"),
    (Role.ADMINISTRATOR, "admin@headwater.example", "Wu Jun", "en"),
)


def _say(result: dict[str, Any]) -> str:
    imported = "\n".join(
        f"  {name}: {fact['read']:,} rows read, {fact['accepted']:,} accepted, "
        f"{fact['duplicate']:,} duplicate, {fact['rejected']:,} rejected"
        + (" (imported before)" if fact["unchanged"] else "")
        for name, fact in result["imports"].items()
    )
    people = "\n".join(
        f"  {one['role']:<18} {one['email']:<34} {one['password']}" for one in result["sign_ins"]
    )
    return f"Sample brand as of {result['as_of']}\n{imported}\nSign-ins\n{people}"


@command("demo-data", say=_say)
@click.option("--seed", default=SEED, show_default=True, help="Another seed makes another brand.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The brand's today; default: today.")
def demo_data(seed: int, as_of: dt.datetime | None) -> dict[str, Any]:
    """Load the sample brand. Run again, it reuses what is there."""
    folder = config().data_dir / "sample"
    day = _generate(folder, seed=seed, as_of=as_of.date() if as_of else today())
    line = ProgressLine()
    with db().transaction() as session:
        network = stock.import_network(
            session,
            directory=folder / "network",
            actor=operator(),
            now=now(),
            currency=config().currency,
            progress=line,
        )
        path = folder / "campaigns.csv"
        campaigns = demand.import_campaigns(session, path=path, actor=operator(), now=now())
    imports = {name: _import(folder / name, line) for name in ("orders.csv", "pledges.csv")}
    line.close()
    rounds = _vote(folder)
    return {
        "as_of": day.isoformat(),
        "network": asdict(network),
        "campaigns": campaigns,
        "imports": imports,
        "vote_rounds": rounds,
        "sign_ins": _sign_ins(),
    }


def _generate(folder: Path, *, seed: int, as_of: dt.date) -> dt.date:
    """Write the sample once; what an earlier run wrote is used again, with its own day."""
    note = folder / "as-of.txt"
    if note.exists():
        click.echo(f"using the sample brand in {folder}; an empty data folder gets a new one", err=True)
    else:
        click.echo("writing the sample brand", err=True)
        write_sample(folder, seed=seed, as_of=as_of)
        note.write_text(as_of.isoformat())
    return dt.date.fromisoformat(note.read_text())


def _import(path: Path, line: ProgressLine) -> dict[str, Any]:
    file = OrderFile(
        path=path,
        file_name=path.name,
        channel=CHANNEL,
        mapping="headwater",
        actor=operator(),
        pseudonym_key=config().pseudonym_key,
        currency=config().currency,
        timezone=config().timezone,
        suspicion_precision=config().suspicion_percent / 100,
    )
    return asdict(intake.import_orders(db(), file=file, now=now, progress=line.count))


def _vote(folder: Path) -> int:
    """Open the sample's vote rounds that are not there yet, and cast their ballots; returns how many."""
    frame = pl.read_csv(folder / "rounds.csv", infer_schema=False).fill_null("")
    ballots = pl.read_csv(folder / "ballots.csv", infer_schema=False).partition_by("round", as_dict=True)
    with db().reading() as session:
        known = {one.code for one in votes.list_rounds(session)}
    rounds = [(code, rows) for (code,), rows in frame.group_by("round", maintain_order=True)]
    for code, rows in rounds:
        if code not in known:
            _vote_in(rows.to_dicts(), [_ballot(row) for row in ballots[code,].to_dicts()])
    return len([code for code, _ in rounds if code not in known])


def _vote_in(rows: list[dict[str, str]], cast: list[SentBallot]) -> None:
    with db().transaction() as session:
        opened = demand.open_round(
            session,
            code=rows[0]["round"],
            name=rows[0]["name"],
            name_zh=rows[0]["name_zh"],
            opens_at=dt.datetime.fromisoformat(rows[0]["opens_at"]),
            closes_at=dt.datetime.fromisoformat(rows[0]["closes_at"]),
            designs=[
                NewDesign(
                    code=row["design"],
                    name=row["design_name"],
                    name_zh=row["design_name_zh"],
                    category=row["category"],
                )
                for row in rows
            ],
            actor=operator(),
            now=now(),
        )
        for row in rows:
            if row["skus"]:
                skus = row["skus"].split()
                demand.make_design(session, code=row["design"], skus=skus, actor=operator(), now=now())
        for start in range(0, len(cast), demand.MOST_BALLOTS):
            demand.cast_ballots(
                session,
                round_id=opened.id,
                rows=cast[start : start + demand.MOST_BALLOTS],
                actor=operator(),
                now=now(),
                key=config().pseudonym_key,
            )


def _ballot(row: dict[str, str]) -> SentBallot:
    return SentBallot(
        channel=CHANNEL,
        buyer=row["buyer"],
        design=row["design"],
        cast_at=dt.datetime.fromisoformat(row["cast_at"]),
        verified=row["verified"] == "yes",
    )


def _sign_ins() -> list[dict[str, str]]:
    """One account per role; the passwords are made once per data folder and kept there."""
    passwords = _kept_passwords(config().data_dir / "sign-ins.json")
    with db().transaction() as session:
        company = catalog.supplier_id(session, code=SUPPLIER)
        for role, email, name, locale in PEOPLE:
            if access.find_account(session, email=email) is None:
                access.create_account(
                    session,
                    email=email,
                    name=name,
                    password=passwords[email],
                    role=role,
                    now=now(),
                    supplier_id=company if role is Role.SUPPLIER else None,
                    locale=locale,
                )
    return [{"role": role, "email": email, "password": passwords[email]} for role, email, *_ in PEOPLE]


def _kept_passwords(path: Path) -> dict[str, str]:
    if not path.exists():
        made = {email: secrets.token_urlsafe(9) for _, email, _, _ in PEOPLE}
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(made, file)
    kept: dict[str, str] = json.loads(path.read_text())
    return kept


commands = [demo_data]
