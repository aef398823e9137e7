"""A pledge as it was sent: looked at by the check of files, until every bad field of it is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from app.stages.demand.queries.pledges import Codes
from app.stages.imports import queries as mappings
from app.stages.imports.rules import FIELDS, check, usual

MAPPING = "headwater"
"""Pledges online are rows in our own columns."""
HARMLESS = {
    "external_id": "-",
    "commitment": "paid",
    "sku": "-",
    "region": "-",
    "quantity": "1",
    "unit_price": "0",
    "ordered_at": "2000-01-01T00:00:00+00:00",
    "status": "placed",
}
"""What stands in for a refused cell, so that the other cells of its row are still looked at."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why one field can't be used; `field` is empty where the whole row is at fault."""

    field: str
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class SentPledge:
    """A pledge as it was sent: its channel, the fields as text, and what was wrong with their form."""

    channel: str
    cells: Mapping[str, str]
    flaws: tuple[Flaw, ...] = ()


@dataclass(slots=True)
class Row:
    """One row on its way: a copy of its cells, in which refused ones are made harmless, and its flaws."""

    cells: dict[str, str]
    flaws: list[Flaw] = field(default_factory=list)
    checked: dict[str, Any] = field(default_factory=dict)

    def refuse(self, flaw: Flaw) -> None:
        self.flaws.append(flaw)
        self.cells.pop(flaw.field, None)
        if flaw.field in HARMLESS:
            self.cells[flaw.field] = HARMLESS[flaw.field]


def look_at(sent: Mapping[int, SentPledge], *, channel: str, currency: str, key: bytes) -> dict[int, Row]:
    """Check the rows of one channel, each under its number.

    Most rows are as usual. For the others, the check of files names the first bad field of a row; here it is
    made harmless and the row checked again, until no row has another.
    """
    rows, ours = {number: _row(one) for number, one in sent.items()}, mappings.mapping(MAPPING)
    todo = []
    for number, row in sorted(rows.items()):
        row.checked = usual(row.cells, ours, currency=currency, key=key, channel=channel) or {}
        if not row.checked:
            todo.append(number)
    while todo:
        frame = _frame({number: rows[number].cells for number in todo})
        checked = check(frame, ours, {}, currency=currency, key=key, channel=channel)
        for good in checked.rows.iter_rows(named=True):
            rows[good["row"]].checked = good
        for number, name, code, sentence in checked.rejects.iter_rows():
            rows[number].refuse(Flaw(name, code, sentence))
        todo = sorted(set(checked.rejects["row"]))
    return rows


def unknown_codes(row: Row, codes: Codes) -> list[Flaw]:
    """Codes that nobody described; a cell that was refused already is not looked at."""
    asked: dict[str, tuple[Mapping[str, Any], str, str]] = {
        "sku": (codes.skus, "sku_unknown", "describe it in skus.csv first"),
        "region": (codes.regions, "region_unknown", "describe it in regions.csv first"),
        "campaign": (codes.campaigns, "campaign_unknown", "create the campaign first, or leave it out"),
    }
    refused = {flaw.field for flaw in row.flaws}
    return [
        Flaw(name, code, f"{name}: “{row.checked[name]}” is unknown; {advice}.")
        for name, (known, code, advice) in asked.items()
        if name not in refused and row.checked[name] is not None and row.checked[name] not in known
    ]


def _row(sent: SentPledge) -> Row:
    row = Row(dict(sent.cells))
    for flaw in sent.flaws:
        row.refuse(flaw)
    return row


def _frame(rows: dict[int, dict[str, str]]) -> pl.DataFrame:
    numbers = pl.Series("row", list(rows), dtype=pl.Int64)
    names = [name for name in FIELDS if any(name in cells for cells in rows.values())]
    texts = [pl.Series(name, [cells.get(name) for cells in rows.values()], dtype=pl.String) for name in names]
    return pl.DataFrame([numbers, *texts])
