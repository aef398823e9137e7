"""A column mapping: how the headings and words of one sales channel become our own.

docs/mappings.md describes the format of the TOML files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Any

from app.core.errors import RuleBroken
from app.stages.imports.rules.paging import PullShape, parse_pull

FIELDS = (
    "external_id",
    "commitment",
    "sku",
    "name",
    "region",
    "quantity",
    "unit_price",
    "amount",
    "currency",
    "ordered_at",
    "buyer",
    "campaign",
    "status",
    "cancelled_at",
    "device",
    "address",
    "payment",
    "account_created_at",
    "min_quantity",
    "max_quantity",
    "flexible_skus",
)
REQUIRED = ("sku", "region", "quantity", "ordered_at")
_KEYS = {
    "title", "create_unknown", "timezone", "identity", "dates", "thousands", "round_price", "not_goods",
    "cancelled_when", "line_number", "fill_down", "columns", "constants",
    "defaults", "words", "otherwise", "extract", "member_name", "event", "pull",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class EventShape:
    """How the documents of a channel's webhooks are read: the headings of such a mapping are dotted paths.

    Attributes:
        type: where the document says what it is; None where a header of the request does.
        types: those that are read; of others nothing is taken.
        lines: where the lines of an order stand; None where a document is one row.
        changed_at: where it says when the change was made.
    """

    type: str | None
    types: tuple[str, ...]
    lines: str | None
    changed_at: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mapping:
    """One channel's way of writing orders.

    Attributes:
        columns: for each field the headings it may stand under, the first found wins.
        constants: fields whose value is the same for every row and stands in no column.
        defaults: what a blank cell of a field means.
        extract: for a field, the pattern whose first group is kept, so that nothing else of the cell is.
        words: for a field, patterns of the channel's words and what they become, tried in order.
        otherwise: what a cell of a field becomes when it has none of its words.
        identity: fields whose values together are the external id, where no column is.
        line_number: add the number of the row within the same identity, for exports that give lines no key.
        dates: strptime formats, tried in order; %z makes a time exact, others are local to `timezone`.
        thousands: amounts carry thousands commas.
        round_price: prices may have more decimals than the currency; above 0 they stay at least 1 minor unit.
        not_goods: patterns of SKU codes that are no goods (postage, fees, samples).
        cancelled_when: field and pattern that mark a row as taking an order back.
        fill_down: fields that are written only on the first line of an order.
        member_name: pattern with named groups that reads fields from the file name (reports split by tier).
        event: how documents are read that come one by one.
        pull: how they are asked for, where a source is asked.
        create_unknown: SKUs and regions nobody described yet become drafts; otherwise such rows are rejected.
    """

    name: str
    title: str
    create_unknown: bool
    timezone: str
    columns: Dict[str, tuple[str, ...]]
    constants: Dict[str, str]
    defaults: Dict[str, str]
    extract: Dict[str, str]
    words: Dict[str, tuple[tuple[str, str], ...]]
    otherwise: Dict[str, str]
    identity: tuple[str, ...]
    line_number: bool
    dates: tuple[str, ...]
    thousands: bool
    round_price: bool
    not_goods: tuple[str, ...]
    cancelled_when: tuple[str, str] | None
    fill_down: tuple[str, ...]
    member_name: str | None
    event: EventShape | None
    pull: PullShape | None

    @property
    def headings(self) -> frozenset[str]:
        """Every heading this mapping reads."""
        return frozenset(heading for names in self.columns.values() for heading in names)

    def choose(self, found: list[str], *, file_name: str) -> dict[str, str]:
        """The heading of each field among those found.

        Raises:
            RuleBroken: `column_missing`, naming what is missing, what it may be called, and what was found.
        """
        by_name = {heading.strip(): heading for heading in reversed(found)}
        chosen = {
            field: by_name[name]
            for field, names in self.columns.items()
            for name in [next((name for name in names if name in by_name), None)]
            if name is not None
        }
        needed = {*REQUIRED, *self.identity} | (set() if self.identity else {"external_id"})
        given = chosen.keys() | self.constants.keys() | self._in_member_name()
        missing = sorted(field for field in needed if field not in given and field not in self.defaults)
        if not given & {"unit_price", "amount"}:
            missing.append("amount" if "amount" in self.columns else "unit_price")
        if missing:
            raise RuleBroken(
                "column_missing",
                f"{file_name}: "
                + "; ".join(self._wanted(field) for field in missing)
                + f". Found: {_shown(found)}."
                f" Choose another mapping than {self.name}, or export these columns too.",
                file=file_name,
                missing=missing,
                found=_plain(found),
            )
        return chosen

    def in_name(self, file_name: str) -> dict[str, str]:
        """The fields that a file's name tells."""
        found = re.search(self.member_name, file_name) if self.member_name else None
        return {field: value for field, value in found.groupdict().items() if value} if found else {}

    def _in_member_name(self) -> set[str]:
        return set(re.compile(self.member_name).groupindex) if self.member_name else set()

    def _wanted(self, field: str) -> str:
        names = " or ".join(repr(name) for name in self.columns.get(field, (field,)))
        return f"no column for {field} (expected {names})"


def _shown(headings: list[str]) -> str:
    if any("@" in heading or len(re.findall("[0-9]", heading)) >= 7 for heading in headings):
        return f"{len(headings)} cells that look like a row, not like headings"
    shown = ", ".join(repr(heading[:40]) for heading in headings[:20])
    return shown + (f" and {len(headings) - 20} more" if len(headings) > 20 else "")


def _plain(headings: list[str]) -> list[str]:
    """The headings for machines; none where the first line is a row, which may name a buyer."""
    return [] if "look like a row" in _shown(headings) else headings[:50]


def parse_mapping(name: str, raw: Dict[str, Any]) -> Mapping:
    """A mapping from its TOML document.

    Raises:
        RuleBroken: `mapping_invalid`, with what is wrong with it.
    """
    unknown = sorted(raw.keys() - _KEYS) + sorted(
        field
        for table in ("columns", "constants", "defaults", "words", "otherwise", "extract")
        for field in raw.get(table, {}).keys() - {*FIELDS}
    )
    if unknown:
        raise RuleBroken("mapping_invalid", f"Mapping {name}: nobody knows {', '.join(unknown)}.")
    marks = raw.get("cancelled_when")
    return Mapping(
        name=name,
        title=raw["title"],
        create_unknown=raw.get("create_unknown", False),
        timezone=raw.get("timezone", "UTC"),
        columns={field: tuple(names) for field, names in raw.get("columns", {}).items()},
        constants=raw.get("constants", {}),
        defaults=raw.get("defaults", {}),
        extract=raw.get("extract", {}),
        words={
            field: tuple((word["pattern"], word["becomes"]) for word in words)
            for field, words in raw.get("words", {}).items()
        },
        otherwise=raw.get("otherwise", {}),
        identity=tuple(raw.get("identity", ())),
        line_number=raw.get("line_number", False),
        dates=tuple(raw["dates"]),
        thousands=raw.get("thousands", False),
        round_price=raw.get("round_price", False),
        not_goods=tuple(raw.get("not_goods", ())),
        cancelled_when=(marks["field"], marks["pattern"]) if marks else None,
        fill_down=tuple(raw.get("fill_down", ())),
        member_name=raw.get("member_name"),
        event=_event(raw["event"]) if "event" in raw else None,
        pull=parse_pull(name, raw["pull"]) if "pull" in raw else None,
    )


def _event(raw: Dict[str, Any]) -> EventShape:
    return EventShape(
        type=raw.get("type"),
        types=tuple(raw["types"]),
        lines=raw.get("lines"),
        changed_at=raw["changed_at"],
    )
