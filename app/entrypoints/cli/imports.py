"""Commands that take files in: order files, and the network's CSV files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from app import intake
from app.core.errors import RuleBroken
from app.entrypoints.cli.output import ProgressLine, command
from app.entrypoints.door import config, db, now, operator
from app.stages.demand.operations import OrderFile
from app.stages.stock import operations as stock


def _say(result: dict[str, Any]) -> str:
    if result["unchanged"]:
        return f"This file was imported before (batch {result['batch']}); nothing changed."
    text = (
        f"{result['read']:,} rows read: {result['accepted']:,} accepted, {result['duplicate']:,} duplicate, "
        f"{result['rejected']:,} rejected, in {result['seconds']:.1f} s (batch {result['batch']})"
    )
    if result["stopped"]:
        text = f"Stopped: {text}. What was read is kept; the same command goes on from there"
    return text + ("; the rejected rows are in the web app under Imports" if result["rejected"] else "")


@command("import-orders", say=_say)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--channel", required=True, help="Code of the sales channel; a new one is created.")
@click.option("--mapping", required=True, help="How the columns are read, e.g. headwater or shopify-orders.")
@click.option("--currency", help="Currency of a new channel whose files do not tell; default: CURRENCY.")
def import_orders(file: Path, channel: str, mapping: str, currency: str | None) -> dict[str, Any]:
    """Import an order FILE: CSV, XLSX, Parquet, NDJSON or ZIP.

    Ctrl-C stops behind a chunk of rows, and a killed import keeps its chunks: the same command goes on.
    """
    if not file.is_file():
        raise RuleBroken("file_missing", f"There is no file {file}.", file=str(file))
    line = ProgressLine()
    order_file = OrderFile(
        path=file,
        file_name=file.name,
        channel=channel,
        mapping=mapping,
        actor=operator(),
        pseudonym_key=config().pseudonym_key,
        currency=currency or config().currency,
        timezone=config().timezone,
        suspicion_precision=config().suspicion_percent / 100,
    )
    try:
        fact = intake.import_orders(db(), file=order_file, now=now, progress=line.count)
    finally:
        line.close()
    result = asdict(fact)
    return {"batch": result.pop("batch_id"), **result}


def _say_network(result: dict[str, Any]) -> str:
    lines = [
        f"  {name:<14} {fact['read']:>7,} rows: {fact['created']:,} new, {fact['updated']:,} changed, "
        f"{fact['unchanged']:,} the same"
        for name, fact in result["tables"].items()
    ]
    head = "Nothing changed." if result["unchanged"] else "The network was loaded."
    return "\n".join([head, *lines])


@command("import-network", say=_say_network)
@click.argument("directory", type=click.Path(path_type=Path))
def import_network(directory: Path) -> dict[str, Any]:
    """Load SKUs, suppliers, offers, warehouses, regions, lanes and stock from the CSV files in DIRECTORY."""
    if not directory.is_dir():
        raise RuleBroken("folder_missing", f"There is no folder {directory}.", folder=str(directory))
    line = ProgressLine()
    with db().transaction() as session:
        fact = stock.import_network(
            session,
            directory=directory,
            actor=operator(),
            now=now(),
            currency=config().currency,
            progress=line,
        )
    line.close()
    return asdict(fact)


commands = [import_orders, import_network]
