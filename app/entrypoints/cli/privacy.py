"""Commands about buyers: what is kept of one, forgetting one, forgetting all that are old."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import asdict
from typing import Any

import click

from app.core.errors import RuleBroken
from app.entrypoints.cli.output import ProgressLine, command
from app.entrypoints.door import config, db, now, operator, today
from app.stages.demand import operations

who = click.option("--who", help="What names the buyer in a channel, such as an e-mail.")
pseudonym = click.option("--pseudonym", help="Or a pseudonym.")


@command("export-buyer")
@who
@pseudonym
def export_buyer(who: str | None, pseudonym: str | None) -> dict[str, Any]:
    """All that is kept of one buyer; audited, without who it is."""
    told: dict[str, Any] = {"signals": [], "ballots": []}
    line, after = ProgressLine(), 0
    while True:
        with db().transaction() as session:
            found = operations.export_buyer(
                session,
                who=who,
                pseudonym=pseudonym,
                after=after,
                key=config().pseudonym_key,
                actor=operator(),
                now=now(),
            )
        told["signals"] += map(asdict, found.signals)
        told["ballots"] += map(asdict, found.ballots)
        if found.next_after is None:
            line.close()
            return told
        after = found.next_after
        line.count("exporting", len(told["signals"]), 0)


@command("erase-buyer")
@who
@pseudonym
def erase_buyer(who: str | None, pseudonym: str | None) -> dict[str, Any]:
    """Forget one buyer; units and totals stay. Safe to stop and to repeat."""
    with db().reading() as session:
        pseudonyms = operations.pseudonyms_of(
            session, who=who, pseudonym=pseudonym, key=config().pseudonym_key
        )
    line, counts, after = ProgressLine(), Counter[str](), 0
    while True:
        with db().transaction() as session:
            fact = operations.erase_buyer(
                session, pseudonyms=pseudonyms, after=after, actor=operator(), now=now()
            )
        counts.update(signals=fact.signals, ballots=fact.ballots)
        if fact.next_after is None:
            line.close()
            return dict(counts)
        after = fact.next_after
        line.count("forgetting", counts["signals"], 0)


@command("forget-buyers")
def forget_buyers() -> dict[str, Any]:
    """Forget the buyers of signals older than RETENTION_DAYS; safe to stop and to repeat."""
    if not config().retention_days:
        raise RuleBroken("retention_off", "Buyers are kept: set RETENTION_DAYS to forget them after so long.")
    before = today() - dt.timedelta(days=config().retention_days)
    line, forgotten = ProgressLine(), 0
    while True:
        with db().transaction() as session:
            some = operations.forget_old_buyers(session, before=before, actor=operator(), now=now())
        if not some:
            line.close()
            return {"forgotten": forgotten, "before": before.isoformat()}
        forgotten += some
        line.count("forgetting", forgotten, 0)


commands = [export_buyer, erase_buyer, forget_buyers]
