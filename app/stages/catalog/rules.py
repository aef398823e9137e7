"""What a valid network is: the template's files and columns, and what their values must satisfy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

from app.core.limits import LARGEST_QUANTITY

LONGEST_LEAD_DAYS = 1000
MOST_SHOWN = 50
"""Errors listed in one answer; the rest is counted."""


class SkuState(StrEnum):
    DRAFT = "draft"  # seen in an import, not yet described
    ACTIVE = "active"
    RETIRED = "retired"


class RegionState(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"


class Kind(StrEnum):
    """How the text of a cell is read."""

    TEXT = "text"
    WHOLE = "whole"  # a whole number ≥ 0
    MONEY = "money"  # an amount ≥ 0, exact to the minor unit
    PART = "part"  # a number from 0 to 1
    DAY = "day"
    WORD = "word"  # one of a few
    TIMEZONE = "timezone"
    CURRENCY = "currency"  # the currency of this installation


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a template file. `needed`: the heading must be there and its cells filled.

    `least` and `most` bound a whole number, `most` is the longest text, `words` are the values of a WORD.
    """

    name: str
    kind: Kind = Kind.TEXT
    needed: bool = True
    least: int = 0
    most: int = LARGEST_QUANTITY
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class File:
    """One template file, `name`.csv. Rows are told apart by `key`."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one place. `row` counts the file's lines, the headings being row 1."""

    file: str
    row: int | None
    column: str | None
    code: str
    sentence: str

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def _code(name: str, most: int) -> Column:
    return Column(name, most=most)


_SKU, _SUPPLIER, _WAREHOUSE, _REGION = (
    _code("sku", 80), _code("supplier", 40), _code("warehouse", 40), _code("region", 80)
)  # fmt: skip
_NAMES = (Column("name", most=200), Column("name_zh", needed=False, most=200))
_TIMEZONE = Column("timezone", Kind.TIMEZONE, most=60)
_CAPACITY = Column("weekly_capacity", Kind.WHOLE, needed=False)
_LEAD = Column("lead_days", Kind.WHOLE, most=LONGEST_LEAD_DAYS)

FILES = (
    File(
        "skus",
        ("sku",),
        (
            _SKU,
            *_NAMES,
            Column("category", needed=False, most=80),
            Column("volume", Kind.WHOLE, needed=False, least=1),
            Column("holding_cost", Kind.MONEY, needed=False),
        ),
    ),
    File(
        "suppliers", ("supplier",), (_SUPPLIER, *_NAMES, _CAPACITY, Column("risk", Kind.PART, needed=False))
    ),
    File(
        "supply_offers",
        ("supplier", "sku"),
        (
            _SUPPLIER,
            _SKU,
            Column("moq", Kind.WHOLE),
            Column("lot_multiple", Kind.WHOLE, least=1),
            _LEAD,
            _CAPACITY,
            Column("order_cost", Kind.MONEY, needed=False),
            Column("currency", Kind.CURRENCY, needed=False, most=3),
        ),
    ),
    File(
        "price_breaks",
        ("supplier", "sku", "min_quantity"),
        (_SUPPLIER, _SKU, Column("min_quantity", Kind.WHOLE), Column("unit_price", Kind.MONEY)),
    ),
    File(
        "warehouses",
        ("warehouse",),
        (
            _WAREHOUSE,
            *_NAMES,
            _TIMEZONE,
            Column("weekly_inbound", Kind.WHOLE, needed=False),
            Column("storage", Kind.WHOLE, needed=False),
        ),
    ),
    File("regions", ("region",), (_REGION, *_NAMES, _TIMEZONE)),
    File(
        "lanes",
        ("from_kind", "from", "to_kind", "to"),
        (
            Column("from_kind", Kind.WORD, words=("supplier", "warehouse")),
            _code("from", 40),
            Column("to_kind", Kind.WORD, words=("warehouse", "region")),
            _code("to", 80),
            Column("cost_per_unit", Kind.MONEY),
            _LEAD,
        ),
    ),
    File("stock", ("sku", "warehouse"), (_SKU, _WAREHOUSE, Column("quantity", Kind.WHOLE)), needed=False),
    File(
        "calendar",
        ("date", "kind"),
        (
            Column("date", Kind.DAY),
            Column("kind", Kind.WORD, words=("promotion", "holiday")),
            Column("name", most=120),
        ),
        needed=False,
    ),
    File(
        "bom",
        ("sku", "component"),
        (_SKU, _code("component", 80), Column("quantity_per", Kind.WHOLE, least=1)),
        needed=False,
    ),
)
"""The template, in the order in which its rows are stored."""


def file_named(name: str) -> File:
    return next(file for file in FILES if file.name == name)


def smallest_order(*, moq: int, lot_multiple: int) -> int:
    """The fewest units ≥ 1 that satisfy the MOQ in whole lots."""
    return -(-max(moq, 1) // lot_multiple) * lot_multiple


def dearer_step(breaks: list[tuple[int, int]]) -> int | None:
    """The quantity of the first price break that costs more than the one before it; None when none does.

    `breaks` are (minimum quantity, unit price), ascending by quantity.
    """
    for (_, before), (quantity, price) in pairwise(breaks):
        if price > before:
            return quantity
    return None
