"""Why a row is refused: one check after the other, each with a stable code and a sentence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import polars as pl

from app.core.limits import LARGEST_QUANTITY
from app.stages.imports.rules.columns import Column
from app.stages.imports.rules.mapping import Mapping
from app.stages.imports.rules.values import WHOLE, minor_digits

LARGEST_PRICE_MINOR = 9_000_000_000
"""Minor units of one price: times the largest quantity it still fits a 64-bit integer."""

LARGEST_AMOUNT_MINOR = 10**14
"""Minor units of one row, so that 64-bit sums over tens of thousands of the largest rows hold."""

COMMITMENTS = ("paid", "deposit", "pledge", "waitlist", "vote", "wish_list", "enquiry")
STATUSES = ("placed", "cancelled", "returned", "test")
EARLIEST, LATEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
LONGEST = {"external_id": 120, "sku": 80, "region": 80, "campaign": 80, "buyer": 200}
LONGEST |= {"device": 200, "address": 400, "payment": 200}
LONGEST_IDENTITY = 200
REJECTED = {"row": pl.Int64, "column": pl.String, "code": pl.String, "sentence": pl.String}

UNSEEN = r"[\x00-\x1f\x7f-\x9f\u{200e}\u{200f}\u{2028}-\u{202e}\u{2066}-\u{2069}\u{feff}\u{fffd}]"
"""Control characters, those that turn the direction of writing, and the mark of bytes that are no text."""
NUMBER = r"^[0-9.,+ -]{0,20}$"
DATE = r"^[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}([ T][0-9:.+Z-]*)?$"
CODE = r"^[A-Z]{3}$"


@dataclass(frozen=True, slots=True)
class Check:
    """One reason to refuse: where `fails` is true (or unknown), the row is refused for `field` with `code`.

    The cell is quoted only where it looks like `shown`: a line with a cell too many can have a name or a
    telephone number in any column, and those are written nowhere.
    """

    field: str
    code: str
    fails: pl.Expr
    sentence: str
    shown: str | None = None
    passes: Callable[[Column], bool] = lambda _: False
    """Whether a look at the column as a whole shows that no cell fails: of many cells it costs less."""


@lru_cache(maxsize=32)
def checks(mapping: Mapping, currency: str) -> list[Check]:
    """All checks in the order in which they name a row's refusal."""
    return [
        *_missing(),
        *_unusable(),
        *_quantity(),
        *_price(mapping, currency),
        *_date(mapping),
        *_words(),
        *_tolerance(mapping),
    ]


def _missing() -> list[Check]:
    why = "the cell is empty; it must have a value"
    fields = {"external_id": "external_id", "sku": "sku", "region": "region", "ordered_at": "ordered_at"}
    return [
        Check(field, "value_missing", pl.col(column).is_null(), why)
        for field, column in {**fields, "quantity": "quantity_text"}.items()
    ]


def _unusable() -> list[Check]:
    texts = [_text(field, longest) for field, longest in LONGEST.items()]
    return [
        *texts,
        Check(
            "external_id",
            "identity_too_long",
            pl.col("identity").str.len_chars() > LONGEST_IDENTITY,
            f"and what else makes the line are longer than {LONGEST_IDENTITY} characters together",
        ),
        _damaged("external_id", r"^[0-9](\.[0-9]+)?[eE]\+?[0-9]+$"),
        _damaged("sku", r"^[0-9]\.[0-9]+[eE]\+[0-9]+$"),  # 3E5 may be the code of an SKU
    ]


def _damaged(field: str, looks: str) -> Check:
    why = "was shortened by a spreadsheet; export it again and open it as text"

    def passes(column: Column) -> bool:
        return bool(column.text) and b"e" not in column.text and b"E" not in column.text

    shown = r"^[0-9.]+[eE]\+?[0-9]+$"
    return Check(field, "id_damaged", pl.col(field).str.contains(looks), why, shown, passes)


def _text(field: str, longest: int) -> Check:
    cell = pl.col(field)
    fails = cell.str.contains(UNSEEN) | (cell.str.len_chars() > longest)
    why = f"has a control character or is longer than {longest} characters; correct it at the source"

    def passes(column: Column) -> bool:
        return column.is_plain and not (column.values.str.len_bytes() > longest).any()

    return Check(field, "text_unusable", fails.fill_null(False), why, passes=passes)


def _quantity() -> list[Check]:
    quantity = pl.col("quantity")
    beyond = quantity.is_null() | (quantity.abs() > LARGEST_QUANTITY)
    most = f"is out of range; one row holds at most {LARGEST_QUANTITY:,} units"
    whole = "is no whole number; write whole units such as 3"
    return [
        Check("quantity", "quantity_not_whole", ~pl.col("quantity_text").str.contains(WHOLE), whole, NUMBER),
        Check("quantity", "quantity_out_of_range", beyond, most, NUMBER),
        Check("quantity", "quantity_zero", quantity == 0, "asks for nothing; leave the row out", NUMBER),
    ]


def _price(mapping: Mapping, currency: str) -> list[Check]:
    field = "amount" if "amount" in mapping.columns and "unit_price" not in mapping.columns else "unit_price"
    price, digits = pl.col("unit_price_minor"), minor_digits(currency)
    written = f"19.{'9' * digits}" if digits else "1990"
    amount = price.cast(pl.Float64) * pl.col("quantity")
    return [
        Check(
            field,
            "price_invalid",
            price.is_null(),
            f"is no amount of money in {currency}; write it like {written}, with at most {digits} decimals",
            NUMBER,
        ),
        Check(
            field,
            "price_out_of_range",
            (price.abs() > LARGEST_PRICE_MINOR) | (amount.abs() > LARGEST_AMOUNT_MINOR),
            "is out of range for one row; check the price and the quantity",
            NUMBER,
        ),
        Check(
            "currency",
            "currency_mismatch",
            pl.col("currency") != currency,
            f"is not the currency of this channel, which sells in {currency}; use another channel for it",
            CODE,
        ),
    ]


def _date(mapping: Mapping) -> list[Check]:
    example = dt.datetime(2026, 11, 11, 9, 30, tzinfo=dt.UTC).strftime(mapping.dates[0].replace("%.f", ""))
    given, account = pl.col("account_created_at").is_not_null(), pl.col("account_instant")
    return [
        Check(
            "ordered_at",
            "date_invalid",
            pl.col("instant").is_null(),
            f"is no date and time that exists; write it like {example}",
            DATE,
        ),
        Check(
            "ordered_at",
            "date_out_of_range",
            ~pl.col("instant").is_between(EARLIEST, LATEST, closed="left"),
            "is not between the years 2000 and 2099; correct it at the source",
            DATE,
        ),
        Check(
            "account_created_at",
            "date_invalid",
            given & account.is_null(),
            f"is no date and time that exists; write it like {example}, or leave it out",
            DATE,
        ),
    ]


def _words() -> list[Check]:
    return [
        Check(
            field,
            f"{field}_unknown",
            ~pl.col(field).is_in(words),
            f"is no {field}; use {', '.join(words)}",
        )
        for field, words in (("commitment", COMMITMENTS), ("status", STATUSES))
    ]


def _tolerance(mapping: Mapping) -> list[Check]:
    """What a buyer would take instead; rows that say nothing of it pass."""
    if not mapping.columns.keys() & {"min_quantity", "max_quantity", "flexible_skus"}:
        return []
    least, most, quantity = pl.col("min_units"), pl.col("max_units"), pl.col("quantity")
    no_number = "is no whole number of units above 0; leave it out where there is none"
    unusable = [
        Check(field, "tolerance_invalid", pl.col(field).is_not_null() & units.is_null(), no_number, NUMBER)
        for field, units in (("min_quantity", least), ("max_quantity", most))
    ]
    least_above = (least > quantity).fill_null(False)
    most_below = ((most < quantity) | (most > LARGEST_QUANTITY)).fill_null(False)
    flexible = pl.col("flexible_skus")
    return [
        *unusable,
        Check("min_quantity", "tolerance_range", least_above, "is more than the quantity asked for", NUMBER),
        Check(
            "max_quantity",
            "tolerance_range",
            most_below,
            "is less than the quantity, or out of range",
            NUMBER,
        ),
        Check(
            "flexible_skus",
            "text_unusable",
            (flexible.str.contains(r"[\x00-\x1f\x7f]") | (flexible.str.len_chars() > 2000)).fill_null(False),
            "has a control character or is longer than 2,000 characters",
        ),
        Check(
            "flexible_skus",
            "tolerance_no_campaign",
            flexible.is_not_null() & pl.col("campaign").is_null(),
            "stands beside no campaign; name the campaign whose SKUs these are",
        ),
    ]


def first_failed(rows: pl.DataFrame, columns: Dict[str, Column], listed: list[Check]) -> pl.Series:
    """For each row the number in `listed` of the first check that fails; null where none does.

    Mostly nothing fails: so what a check says of one column is asked of its distinct values first, and of
    many cells whether a cheaper look at all of them shows that none fails.
    """
    failing: list[int] = []
    for asked, numbers in _asked(rows, columns, listed):
        fails = (listed[number].fails.fill_null(True).any().alias(str(number)) for number in numbers)
        failing += [int(one.name) for one in asked.select_seq(fails) if one.item()]
    first = pl.lit(None, dtype=pl.Int32)
    for number in sorted(failing, reverse=True):
        fails_here = listed[number].fails.fill_null(True)
        first = pl.when(fails_here).then(pl.lit(number, dtype=pl.Int32)).otherwise(first)
    return rows.select(pl.col("row"), first.alias("failed"))["failed"]


def _asked(
    rows: pl.DataFrame, columns: Dict[str, Column], listed: list[Check]
) -> list[tuple[pl.DataFrame, list[int]]]:
    """Numbers of the checks with what they are asked of: the values of the column that they read, or rows."""
    of_rows: list[int] = []
    of_same: dict[str, list[int]] = {}
    of_values: dict[str, list[int]] = {}
    for number, check in enumerate(listed):
        name, *others = set(check.fails.meta.root_names())
        if name not in columns or others:
            of_rows.append(number)
            continue
        if len(columns[name].values) == 1:
            of_same.setdefault(name, []).append(number)
        elif not check.passes(columns[name]):
            of_values.setdefault(name, []).append(number)
    same = pl.DataFrame([columns[name].values.alias(name) for name in of_same])
    each = [(columns[name].values.alias(name).to_frame(), numbers) for name, numbers in of_values.items()]
    return [(rows, of_rows), (same, list(chain.from_iterable(of_same.values()))), *each]


def refusals(failed: pl.DataFrame, listed: list[Check], headings: dict[str, str]) -> pl.DataFrame:
    """Row, heading, code and sentence of refused rows; `failed` is the number of the check in `listed`."""
    parts = [
        failed.filter(pl.col("failed") == number).select(
            "row",
            pl.lit(headings.get(one.field, one.field)).alias("column"),
            pl.lit(one.code).alias("code"),
            _sentence(one, headings.get(one.field, one.field)).alias("sentence"),
        )
        for number, one in enumerate(listed)
        if (failed["failed"] == number).any()
    ]
    return pl.concat([pl.DataFrame(schema=REJECTED), *parts]).sort("row")


def _sentence(check: Check, heading: str) -> pl.Expr:
    if check.code == "value_missing":
        return pl.lit(f"{heading}: {check.sentence}.")
    if check.shown is None:
        return pl.lit(f"{heading}: the value {check.sentence}.")
    cell = pl.col("quantity_text" if check.field == "quantity" else check.field).fill_null("")
    digits = cell.str.count_matches("[0-9]")
    safe = cell.str.contains(check.shown) & ((digits < 7) | pl.lit(check.field == "ordered_at"))
    shown = pl.when(safe).then(pl.format("“{}”", cell)).otherwise(pl.lit("the value"))
    return pl.format("{}: {} {}.", pl.lit(heading), shown, pl.lit(check.sentence))
