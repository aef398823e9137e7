"""Checking whole columns: text cells in, typed columns and reasons for refusal out.

Every check is one polars expression over a column; the first field that fails names the row's refusal.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from functools import partial

import polars as pl
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from app.stages.imports.rules.columns import Column
from app.stages.imports.rules.mapping import Mapping
from app.stages.imports.rules.reasons import checks, first_failed, refusals
from app.stages.imports.rules.values import MINOR_DIGITS, parse, unit_price

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
LOWERED = ("status", "commitment")
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
    columns = _text(frame, mapping, currency)
    columns |= parse(columns, mapping, currency=currency, rounds=rounds)
    rows = frame.select_seq("row", *(column.cells().alias(name) for name, column in columns.items()))
    rows = rows.with_columns_seq(unit_price()).with_columns_seq(_identity(mapping))
    listed = checks(mapping, currency)
    failed = first_failed(rows, columns, listed)
    bad = rows.with_columns(failed).filter(failed.is_not_null())
    if bad.height:
        rows, columns = rows.filter(failed.is_null()), _kept(columns, failed.is_null())
    return Checked(
        rows=_finished(rows, columns, mapping, key=key, channel=channel),
        rejects=refusals(bad, listed, headings),
    )


def _kept(columns: dict[str, Column], kept: pl.Series) -> dict[str, Column]:
    return {name: column.filter(kept) for name, column in columns.items()}


def _text(frame: pl.DataFrame, mapping: Mapping, currency: str) -> dict[str, Column]:
    """Every field as stripped text, blank as null, in our words, with constants and defaults."""
    fields = CHECKED.keys() - {"row", "goods", "unit_price_minor"} | {"unit_price", "amount", "cancelled_at"}
    ours = {"currency": currency, "status": "placed", "commitment": "paid"}
    columns = {}
    for field in sorted(fields):
        if field in frame.columns:
            column = _in_our_words(_cleaned(Column.of(frame[field])), field, mapping)
        else:
            column = Column.constant(field, mapping.constants.get(field), height=frame.height)
        defaults = [table[field] for table in (mapping.defaults, ours) if field in table]
        if defaults:
            column = column.select(pl.col(field).fill_null(defaults[0]))
        columns[field] = column.select(pl.col(field).str.to_lowercase()) if field in LOWERED else column
    return columns


def _cleaned(column: Column) -> Column:
    """The cells without blanks around them and without the ="…" that guards numbers in spreadsheets."""
    if (
        column.values.name == "name"
    ):  # is shown and nothing else: a line break is no reason to refuse an order
        return column.change(lambda cells: _stripped(_stripped(cells).str.replace_all(CONTROL, " ")))
    if column.is_plain and b"=" not in column.text and (column.values.str.len_bytes() > 0).all():
        return column
    return column.change(_stripped)


def _stripped(cells: pl.Series) -> pl.Series:
    """As it is where nothing is to be done, which lengths tell: so nothing is copied."""
    cell = pl.col(cells.name)
    stripped = cell.str.strip_chars()
    found = cells.to_frame().select_seq(
        stripped,
        shortest=stripped.str.len_bytes().min(),
        shorter=stripped.str.len_bytes().sum() < cell.str.len_bytes().sum(),
        guarded=stripped.str.starts_with('="').any(),
    )
    if found.is_empty():
        return cells
    _, shortest, shorter, guarded = found.row(0)
    if guarded:
        found = found.select(cell.str.replace(r'^="(.*)"$', "$1"))
    if guarded or shortest == 0:
        return found.select(pl.when(cell != "").then(cell)).to_series()
    return found.to_series() if shorter else cells


def _in_our_words(column: Column, field: str, mapping: Mapping) -> Column:
    """What is kept of each cell, with the channel's words as ours; a blank cell stays blank."""
    cell = pl.col(field)
    if field in mapping.extract:
        column = column.select(cell.str.extract(mapping.extract[field]))
    if field not in mapping.words and field not in mapping.otherwise:
        return column
    spoken = pl.lit(mapping.otherwise[field]) if field in mapping.otherwise else cell
    for pattern, becomes in reversed(mapping.words.get(field, ())):
        spoken = pl.when(cell.str.contains(f"^(?:{pattern})$")).then(pl.lit(becomes)).otherwise(spoken)
    return column.select(pl.when(cell.is_null()).then(None).otherwise(spoken).alias(field))


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


def _finished(
    rows: pl.DataFrame, columns: dict[str, Column], mapping: Mapping, *, key: bytes, channel: str
) -> pl.DataFrame:
    """Rows that passed as the demand pool takes them: goods and statuses told, people under pseudonyms."""
    pattern = "|".join(f"(?:{one})" for one in mapping.not_goods)
    goods = columns["sku"].select(~pl.col("sku").str.contains(pattern)).cells() if pattern else pl.lit(True)
    status = columns["status"].select(pl.col("status").replace({"returned": "cancelled"})).cells()
    if mapping.cancelled_when:
        field, mark = mapping.cancelled_when
        cancelled = columns[field].select(pl.col(field).str.contains(mark)).cells()
        status = pl.when(cancelled).then(pl.lit("cancelled")).otherwise(status)
    named = partial(_named, key=key, channel=channel)
    finished = rows.with_columns_seq(
        pl.col("identity").alias("external_id"),
        pl.col("instant").alias("ordered_at"),
        pl.col("account_instant").alias("account_created_at"),
        pl.col("min_units").alias("min_quantity"),
        pl.col("max_units").alias("max_quantity"),
        goods.alias("goods"),
        status.alias("status"),
        *(columns[field].change(named).cells().alias(field) for field in PSEUDONYMS),
    )
    return finished.select(CHECKED.keys()).cast(CHECKED)  # type: ignore[arg-type]


def _named(cells: pl.Series, *, key: bytes, channel: str) -> pl.Series:
    """HMAC-SHA-256 of channel and buyer (or device, address, payment).

    A number that went through a column of floats is the number it was: 13085.0 is buyer 13085. An address is
    the same in capitals, and with other blanks and commas.
    """
    plain, field = cells, cells.name
    if cells.null_count() == len(cells):
        return cells
    if cells.str.ends_with(".0").any():
        plain = plain.str.replace(r"^([0-9]+)\.0$", "$1")
    if field == "address":
        plain = plain.str.to_lowercase().str.replace_all(r"[\s,，.。]+", " ").str.strip_chars()
    return pseudonyms(plain, key=key, channel=channel)


def pseudonym(value: str, *, key: bytes, channel: str, field: str = "buyer") -> str:
    """32 hex digits that stand for one buyer of one channel; without the key nobody can go back.

    The same text as a buyer and as a device has two pseudonyms, so that nobody can join one to the other.
    """
    return hmac.digest(key, f"{_scope(channel, field)}{value}".encode(), "sha256").hex()[:32]


def pseudonyms(values: pl.Series, *, key: bytes, channel: str) -> pl.Series:
    """Pseudonyms of many values of the field that they are called by: the key is taken in once."""
    keyed = HMAC(key, SHA256())
    keyed.update(_scope(channel, values.name).encode())
    found: list[bytes | None] = []
    for value in values.cast(pl.Binary).to_list():
        if value is None:
            found.append(None)
            continue
        one = keyed.copy()
        one.update(value)
        found.append(one.finalize())
    return pl.Series(values.name, found, dtype=pl.Binary).bin.slice(0, 16).bin.encode("hex")


def _scope(channel: str, field: str) -> str:
    return f"{channel}\0" if field == "buyer" else f"{channel}\0{field}\0"


def plain_buyer(buyer: str) -> str:
    """A buyer that is no cell of a file, as the cell would be read."""
    return re.sub(r"^([0-9]+)\.0$", r"\1", buyer.strip())
