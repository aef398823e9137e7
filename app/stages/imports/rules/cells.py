"""Checking whole columns: text cells in, typed columns and reasons for refusal out.

Every check is one polars expression over a column; the first field that fails names the row's refusal.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from dataclasses import dataclass
from functools import reduce

import polars as pl

from app.core.limits import LARGEST_QUANTITY
from app.stages.imports.rules.mapping import Mapping

COMMITMENTS = ("paid", "deposit", "pledge", "waitlist", "vote")
STATUSES = ("placed", "cancelled", "returned", "test")
MINOR_DIGITS = {
    "JPY": 0,
    "KRW": 0,
    "VND": 0,
    "CLP": 0,
    "ISK": 0,
    "KWD": 3,
    "BHD": 3,
    "OMR": 3,
    "TND": 3,
    "JOD": 3,
}
EARLIEST, LATEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
CHECKED = {
    "row": pl.Int64,
    "external_id": pl.String,
    "commitment": pl.String,
    "sku": pl.String,
    "name": pl.String,
    "goods": pl.Boolean,
    "region": pl.String,
    "quantity": pl.Int64,
    "unit_price_minor": pl.Int64,
    "currency": pl.String,
    "ordered_at": pl.Datetime("us", "UTC"),
    "buyer": pl.String,
    "campaign": pl.String,
    "status": pl.String,
}
"""Columns of the rows that passed. `buyer` is a keyed pseudonym of 32 hex digits or null."""
REJECTED = {"row": pl.Int64, "column": pl.String, "code": pl.String, "sentence": pl.String}


@dataclass(frozen=True, slots=True)
class Checked:
    """`rows` has the columns CHECKED, `rejects` REJECTED; together they are every row that was given."""

    rows: pl.DataFrame
    rejects: pl.DataFrame


@dataclass(frozen=True, slots=True)
class _Check:
    """One reason to refuse: where `fails` is true, the row is refused for `field` with `code`."""

    field: str
    code: str
    fails: pl.Expr
    sentence: str
    shown: bool = True


def check(
    frame: pl.DataFrame,
    mapping: Mapping,
    headings: dict[str, str],
    *,
    currency: str,
    key: bytes,
    channel: str,
) -> Checked:
    """Check one block of rows.

    Args:
        frame: a column `row` (Int64, number of the row in the file) and text columns named by field.
        headings: the heading of each field in the file, for the refusals.
        currency: the channel's currency, which a row without one has.
        key: what buyers are pseudonymised with.
    """
    text = _text(frame, mapping, currency)
    parsed = text.with_columns(_parsed(mapping, currency)).with_columns(_price(mapping, currency))
    checks = _checks(mapping, currency)
    failed = reduce(
        lambda rest, one: pl.when(one[1].fails.fill_null(True)).then(pl.lit(one[0])).otherwise(rest),
        reversed(list(enumerate(checks))),
        pl.lit(None, dtype=pl.Int32),
    )
    parsed = parsed.with_columns(failed.cast(pl.Int32).alias("failed"))
    good = parsed.filter(pl.col("failed").is_null()).with_columns(
        _pseudonyms(parsed, key=key, channel=channel)
    )
    return Checked(
        rows=_finished(good, mapping).select(CHECKED.keys()).cast(CHECKED),  # type: ignore[arg-type]
        rejects=_rejects(parsed.filter(pl.col("failed").is_not_null()), checks, headings),
    )


def _text(frame: pl.DataFrame, mapping: Mapping, currency: str) -> pl.DataFrame:
    """Every field as stripped text, blank as null, in our words, with constants and defaults."""
    fields = CHECKED.keys() - {"row", "goods", "unit_price_minor"} | {"unit_price", "amount", "cancelled_at"}
    columns = []
    for field in sorted(fields):
        if field in frame.columns:
            cell = _cleaned(frame, field)
            cell = cell.str.extract(mapping.extract[field]) if field in mapping.extract else cell
            cell = _in_our_words(cell, field, mapping)
        else:
            cell = pl.lit(mapping.constants.get(field), dtype=pl.String)
        columns.append(
            cell.fill_null(mapping.defaults[field]).alias(field)
            if field in mapping.defaults
            else cell.alias(field)
        )
    text = frame.select("row", *columns)
    return text.with_columns(
        pl.col("currency").fill_null(currency),
        pl.col("status").fill_null("placed").str.to_lowercase(),
        pl.col("commitment").fill_null("paid").str.to_lowercase(),
        pl.col("buyer").str.replace(r"^([0-9]+)\.0$", "$1"),
        _external_id(mapping),
    )


def _cleaned(frame: pl.DataFrame, field: str) -> pl.Expr:
    """The cells without blanks around them and without the ="…" that guards numbers in spreadsheets."""
    cell = pl.col(field).str.strip_chars()
    if frame[field].str.starts_with('="').any():
        cell = cell.str.replace(r'^="(.*)"$', "$1")
    return pl.when(cell == "").then(None).otherwise(cell)


def _in_our_words(cell: pl.Expr, field: str, mapping: Mapping) -> pl.Expr:
    """The channel's words as ours; a blank cell stays blank."""
    spoken = pl.lit(mapping.otherwise[field]) if field in mapping.otherwise else cell
    for pattern, becomes in reversed(mapping.words.get(field, ())):
        spoken = pl.when(cell.str.contains(f"^(?:{pattern})$")).then(pl.lit(becomes)).otherwise(spoken)
    if field not in mapping.words and field not in mapping.otherwise:
        return cell
    return pl.when(cell.is_null()).then(None).otherwise(spoken)


def _external_id(mapping: Mapping) -> pl.Expr:
    if not mapping.identity:
        return pl.col("external_id")
    joined = pl.concat_str([pl.col(field).fill_null("") for field in mapping.identity], separator="|")
    if mapping.line_number:
        joined = joined + "|" + (joined.cum_count().over(joined)).cast(pl.String)
    return joined.alias("external_id")


def _parsed(mapping: Mapping, currency: str) -> list[pl.Expr]:
    quantity = pl.col("quantity")
    whole = quantity.str.contains(r"^[+-]?[0-9]+(\.0+)?$")
    number = quantity.str.extract(r"^\+?(-?[0-9]+)").cast(pl.Int64, strict=False)
    return [
        quantity.alias("quantity_text"),
        pl.when(whole).then(number).alias("quantity"),
        whole.fill_null(False).alias("whole"),
        _instant(mapping).alias("instant"),
        _minor(pl.col("unit_price"), mapping, currency).alias("unit_minor"),
        _minor(pl.col("amount"), mapping, currency).alias("amount_minor"),
    ]


def _minor(cell: pl.Expr, mapping: Mapping, currency: str) -> pl.Expr:
    """Money text as whole minor units, exactly; null where it is no such amount."""
    digits = MINOR_DIGITS.get(currency, 2)
    if mapping.thousands:
        cell = cell.str.replace_all(r",([0-9]{3})", "$1").str.replace(r"^[¥￥]", "")
    more = "[0-9]*" if mapping.round_price else "0*"
    shape = rf"^(-?)([0-9]{{1,12}})(?:\.([0-9]{{0,{digits}}})({more}))?$"
    fits = cell.str.contains(shape)
    kept = cell.str.extract(shape, 3).fill_null("").str.pad_end(digits, "0")
    size = (cell.str.extract(shape, 2) + kept).cast(pl.Int64, strict=False)
    if mapping.round_price:
        rest = cell.str.extract(shape, 4).fill_null("")
        size = size + rest.str.contains("^[5-9]").cast(pl.Int64)
        size = pl.when((size == 0) & rest.str.contains("[1-9]")).then(1).otherwise(size)
    sign = pl.when(cell.str.starts_with("-")).then(-1).otherwise(1)
    return pl.when(fits).then(size * sign)


def _price(mapping: Mapping, currency: str) -> list[pl.Expr]:
    """The price of one unit: given, or the row's amount ÷ quantity, rounded to the nearest minor unit."""
    amount, quantity = pl.col("amount_minor"), pl.col("quantity").abs()
    share = pl.when(quantity > 0).then((amount * 2 + quantity) // (quantity * 2))
    return [pl.coalesce(pl.col("unit_minor"), share).alias("unit_price_minor")]


def _instant(mapping: Mapping) -> pl.Expr:
    cell = pl.col("ordered_at")
    return pl.coalesce([_in_format(cell, form, mapping.timezone) for form in mapping.dates])


def _in_format(cell: pl.Expr, form: str, timezone: str) -> pl.Expr:
    if "%z" in form:
        exact = cell.str.replace(r"Z$", "+00:00").str.to_datetime(form, time_unit="us", strict=False)
        return exact.dt.convert_time_zone("UTC")
    naive = cell.str.to_datetime(form, time_unit="us", strict=False)
    local = naive.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    return local.dt.convert_time_zone("UTC")


def _checks(mapping: Mapping, currency: str) -> list[_Check]:
    digits = MINOR_DIGITS.get(currency, 2)
    price = "amount" if "amount" in mapping.columns and "unit_price" not in mapping.columns else "unit_price"
    return [
        *[
            _Check(field, "value_missing", pl.col(field).is_null(), "the cell is empty; it must have a value")
            for field in ("external_id", "sku", "region", "ordered_at")
        ],
        _Check("quantity", "value_missing", pl.col("quantity_text").is_null(), "the cell is empty; write whole units"),
        *[
            _Check(
                field,
                "text_unusable",
                pl.col(field).fill_null("").str.contains(r"[\x00-\x08\x0b-\x1f\x7f]")
                | (pl.col(field).fill_null("").str.len_chars() > longest),
                f"has a control character or is longer than {longest} characters; correct it at the source",
                shown=False,
            )
            for field, longest in (("external_id", 200), ("sku", 80), ("region", 80), ("campaign", 80), ("buyer", 200))
        ],
        _Check("quantity", "quantity_not_whole", ~pl.col("whole"), "is no whole number; write whole units such as 3"),
        _Check(
            "quantity",
            "quantity_out_of_range",
            (pl.col("quantity").is_null()) | (pl.col("quantity").abs() > LARGEST_QUANTITY),
            f"is out of range; one row holds at most {LARGEST_QUANTITY:,} units",
        ),
        _Check("quantity", "quantity_zero", pl.col("quantity") == 0, "asks for nothing; leave the row out"),
        _Check(
            price,
            "price_invalid",
            pl.col("unit_price_minor").is_null(),
            f"is no amount of money; write it like 19.90, with at most {digits} decimals",
        ),
        _Check(
            "currency",
            "currency_mismatch",
            pl.col("currency") != currency,
            f"is not the currency of this channel, which sells in {currency}; use another channel for it",
        ),
        _Check(
            "ordered_at",
            "date_invalid",
            pl.col("instant").is_null(),
            f"is no date and time that exists; write it like {_example(mapping)}",
        ),
        _Check(
            "ordered_at",
            "date_out_of_range",
            ~pl.col("instant").is_between(EARLIEST, LATEST, closed="left"),
            "is not between the years 2000 and 2099; correct it at the source",
        ),
        _Check(
            "commitment",
            "commitment_unknown",
            ~pl.col("commitment").is_in(COMMITMENTS),
            f"is no commitment; use one of {', '.join(COMMITMENTS)}",
        ),
        _Check(
            "status", "status_unknown", ~pl.col("status").is_in(STATUSES), f"is no status; use one of {', '.join(STATUSES)}, or leave it blank"
        ),
    ]  # fmt: skip


def _example(mapping: Mapping) -> str:
    return dt.datetime(2026, 11, 11, 9, 30, tzinfo=dt.UTC).strftime(mapping.dates[0])


def _finished(good: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """Signs, statuses and goods as the demand pool takes them."""
    pattern = "|".join(f"(?:{one})" for one in mapping.not_goods)
    goods = ~pl.col("sku").str.contains(pattern) if pattern else pl.lit(True)
    status = pl.col("status")
    if mapping.cancelled_when:
        field, mark = mapping.cancelled_when
        status = pl.when(pl.col(field).str.contains(mark)).then(pl.lit("cancelled")).otherwise(status)
    return good.with_columns(
        pl.col("instant").alias("ordered_at"), goods.alias("goods"), status.replace({"returned": "cancelled"}).alias("status")
    )  # fmt: skip


def _pseudonyms(frame: pl.DataFrame, *, key: bytes, channel: str) -> pl.Expr:
    """HMAC-SHA-256 of channel and buyer, over the distinct buyers."""
    buyers = frame["buyer"].unique().drop_nulls().to_list()
    names = {buyer: pseudonym(buyer, key=key, channel=channel) for buyer in buyers}
    return pl.col("buyer").replace_strict(names, default=None, return_dtype=pl.String).alias("buyer")


def pseudonym(buyer: str, *, key: bytes, channel: str) -> str:
    """32 hex digits that stand for one buyer of one channel; without the key nobody can go back."""
    return hmac.new(key, f"{channel}\0{buyer}".encode(), hashlib.sha256).hexdigest()[:32]


def _rejects(failed: pl.DataFrame, checks: list[_Check], headings: dict[str, str]) -> pl.DataFrame:
    """Row, heading, code and sentence. The cell is shown, unless it could name a buyer."""
    parts = [
        failed.filter(pl.col("failed") == number).select(
            "row",
            pl.lit(headings.get(one.field, one.field)).alias("column"),
            pl.lit(one.code).alias("code"),
            _sentence(one, headings.get(one.field, one.field)).alias("sentence"),
        )
        for number, one in enumerate(checks)
    ]
    return pl.concat([pl.DataFrame(schema=REJECTED), *parts]).sort("row")


def _sentence(one: _Check, heading: str) -> pl.Expr:
    if one.code == "value_missing" or not one.shown:
        return pl.lit(f"{heading}: {one.sentence}.")
    cell = "quantity_text" if one.field == "quantity" else one.field
    shown = pl.col(cell).fill_null("").str.slice(0, 60)
    return pl.format("{}: “{}” {}.", pl.lit(heading), shown, pl.lit(one.sentence))
