"""Checking whole columns: text cells in, typed columns and reasons for refusal out.

Every check is one polars expression over a column; the first field that fails names the row's refusal.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import polars as pl

from app.stages.imports.rules.mapping import Mapping
from app.stages.imports.rules.reasons import checks, first_failed, refusals
from app.stages.imports.rules.values import MINOR_DIGITS, by_distinct, parse

__all__ = ["CHECKED", "MINOR_DIGITS", "Checked", "check", "pseudonym"]

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
    "device": pl.String,
    "address": pl.String,
    "payment": pl.String,
    "account_created_at": pl.Datetime("us", "UTC"),
    "min_quantity": pl.Int64,
    "max_quantity": pl.Int64,
    "flexible_skus": pl.String,
}
"""Columns of the rows that passed. PSEUDONYMS are keyed pseudonyms of 32 hex digits or null."""
PSEUDONYMS = ("buyer", "device", "address", "payment")
CONTROL = r"[\x00-\x1f\x7f]+"


@dataclass(frozen=True, slots=True)
class Checked:
    """`rows` has the columns CHECKED, `rejects` REJECTED; together they are every row that was given."""

    rows: pl.DataFrame
    rejects: pl.DataFrame


def check(
    frame: pl.DataFrame,
    mapping: Mapping,
    headings: dict[str, str],
    *,
    currency: str,
    key: bytes,
    channel: str,
    rounds: bool = False,
) -> Checked:
    """Check one block of rows.

    Args:
        frame: a column `row` (Int64, number of the row in the file) and text columns named by field.
        headings: the heading of each field in the file, for the refusals.
        currency: the channel's currency, which a row without one has.
        key: what buyers are pseudonymised with.
        rounds: prices came as binary floats and round to the nearest minor unit.
    """
    # One chunk a column: joined text of frames in several chunks makes polars abort where a chunk is empty.
    text = _text(frame.rechunk(), mapping, currency)
    parsed = parse(text, mapping, currency=currency, rounds=rounds).with_columns(_identity(mapping))
    listed = checks(mapping, currency)
    failed = first_failed(parsed, listed)
    good = parsed.filter(failed.is_null()) if failed.null_count() < parsed.height else parsed
    bad = parsed.with_columns(failed).filter(failed.is_not_null())
    good = good.with_columns(_pseudonyms(good[field], key=key, channel=channel) for field in PSEUDONYMS)
    return Checked(
        rows=_finished(good, mapping).select(CHECKED.keys()).cast(CHECKED),  # type: ignore[arg-type]
        rejects=refusals(bad, listed, headings),
    )


def _text(frame: pl.DataFrame, mapping: Mapping, currency: str) -> pl.DataFrame:
    """Every field as stripped text, blank as null, in our words, with constants and defaults."""
    fields = CHECKED.keys() - {"row", "goods", "unit_price_minor"} | {"unit_price", "amount", "cancelled_at"}
    columns = []
    for field in sorted(fields):
        if field in frame.columns:
            frame = frame.with_columns(_cleaned(frame[field]))
            cell = pl.col(field)
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
    )


def _cleaned(cells: pl.Series) -> pl.Series:
    """The cells without blanks around them and without the ="…" that guards numbers in spreadsheets."""
    if cells.name == "name":  # is shown and nothing else: a line break in it is no reason to refuse an order
        return by_distinct(cells, lambda names: _stripped(_stripped(names).str.replace_all(CONTROL, " ")))
    return _stripped(cells)


def _stripped(cells: pl.Series) -> pl.Series:
    """As it is where nothing is to be done, which a comparison of lengths tells: so nothing is copied."""
    stripped = cells.str.strip_chars()
    if stripped.str.starts_with('="').any():
        stripped = stripped.str.replace(r'^="(.*)"$', "$1")
    length = stripped.str.len_bytes()
    if length.min() == 0:
        return stripped.set(length == 0, None)
    return cells if length.sum() == cells.str.len_bytes().sum() else stripped


def _in_our_words(cell: pl.Expr, field: str, mapping: Mapping) -> pl.Expr:
    """The channel's words as ours; a blank cell stays blank."""
    spoken = pl.lit(mapping.otherwise[field]) if field in mapping.otherwise else cell
    for pattern, becomes in reversed(mapping.words.get(field, ())):
        spoken = pl.when(cell.str.contains(f"^(?:{pattern})$")).then(pl.lit(becomes)).otherwise(spoken)
    if field not in mapping.words and field not in mapping.otherwise:
        return cell
    return pl.when(cell.is_null()).then(None).otherwise(spoken)


def _identity(mapping: Mapping) -> pl.Expr:
    """What makes a row this row and no other, from values and not from how a file happens to write them."""
    if not mapping.identity:
        return pl.col("external_id").alias("identity")
    values = {
        "quantity": pl.col("quantity").cast(pl.String),
        "unit_price": pl.col("unit_price_minor").cast(pl.String),
        "ordered_at": pl.col("instant").dt.epoch("s").cast(pl.String),
    }
    parts = [values.get(field, pl.col(field)).fill_null("") for field in mapping.identity]
    joined = pl.concat_str(parts, separator="|")
    if mapping.line_number:
        joined = joined + "|" + joined.cum_count().over(joined).cast(pl.String)
    return joined.alias("identity")


def _finished(good: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """Signs, statuses and goods as the demand pool takes them."""
    pattern = "|".join(f"(?:{one})" for one in mapping.not_goods)
    goods = ~pl.col("sku").str.contains(pattern) if pattern else pl.lit(True)
    status = pl.col("status")
    if mapping.cancelled_when:
        field, mark = mapping.cancelled_when
        status = pl.when(pl.col(field).str.contains(mark)).then(pl.lit("cancelled")).otherwise(status)
    return good.with_columns(
        pl.col("identity").alias("external_id"),
        pl.col("instant").alias("ordered_at"),
        pl.col("account_instant").alias("account_created_at"),
        pl.col("min_units").alias("min_quantity"),
        pl.col("max_units").alias("max_quantity"),
        goods.alias("goods"),
        status.replace({"returned": "cancelled"}).alias("status"),
    )


def _pseudonyms(cells: pl.Series, *, key: bytes, channel: str) -> pl.Series:
    """HMAC-SHA-256 of channel and buyer (or device, address, payment); where they come again, once for each.

    A number that went through a column of floats is the number it was: 13085.0 is buyer 13085. An address is
    the same in capitals, and with other blanks and commas.
    """
    if cells.null_count() == len(cells):
        return cells
    return by_distinct(cells, partial(_named, key=key, channel=channel))


def _named(cells: pl.Series, *, key: bytes, channel: str) -> pl.Series:
    plain, field = cells, cells.name
    if cells.str.ends_with(".0").any():
        plain = plain.str.replace(r"^([0-9]+)\.0$", "$1")
    if field == "address":
        plain = plain.str.to_lowercase().str.replace_all(r"[\s,，.。]+", " ").str.strip_chars()
    names = pseudonyms(plain.to_list(), key=key, channel=channel, field=field)
    return pl.Series(field, names, dtype=pl.String)


def pseudonym(value: str, *, key: bytes, channel: str, field: str = "buyer") -> str:
    """32 hex digits that stand for one buyer of one channel; without the key nobody can go back.

    The same text as a buyer and as a device has two pseudonyms, so that nobody can join one to the other.
    """
    scope = channel if field == "buyer" else f"{channel}\0{field}"
    return hmac.digest(key, f"{scope}\0{value}".encode(), "sha256").hex()[:32]


def pseudonyms(values: Sequence[str | None], *, key: bytes, channel: str, field: str) -> list[str | None]:
    """Pseudonyms of many values: HMAC-SHA-256 (RFC 2104) with its key taken in once, at half the time."""
    scope = channel if field == "buyer" else f"{channel}\0{field}"
    padded = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(one ^ 0x36 for one in padded) + f"{scope}\0".encode())
    outer = hashlib.sha256(bytes(one ^ 0x5C for one in padded))
    found: list[str | None] = []
    for value in values:
        if value is None:
            found.append(None)
            continue
        inside, outside = inner.copy(), outer.copy()
        inside.update(value.encode())
        outside.update(inside.digest())
        found.append(outside.hexdigest()[:32])
    return found


_BLOCK = 64
"""Bytes that SHA-256 takes in at once."""


def plain_buyer(buyer: str) -> str:
    """A buyer that is no cell of a file, as the cell would be read."""
    return re.sub(r"^([0-9]+)\.0$", r"\1", buyer.strip())
