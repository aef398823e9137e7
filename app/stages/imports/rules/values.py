"""Text into numbers, money and instants: exactly, or null where it is none.

Columns of orders repeat few values, so the work is done once for each distinct text of a block.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import polars as pl

from app.stages.imports.rules.mapping import Mapping

_CURRENCIES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
MINOR_DIGITS = {currency: digits for digits, listed in _CURRENCIES.items() for currency in listed.split()}


def minor_digits(currency: str) -> int:
    """Decimal places of a currency's minor unit after ISO 4217: CNY 2, JPY 0, KWD 3."""
    return MINOR_DIGITS.get(currency, 2)


def parse(text: pl.DataFrame, mapping: Mapping, *, currency: str, rounds: bool = False) -> pl.DataFrame:
    """Add quantity_text, quantity, whole, unit_price_minor, instant and account_instant to text columns.

    Args:
        text: quantity, unit_price, amount, ordered_at and account_created_at as text, blank cells null.
        rounds: prices are binary floats, so that decimals beyond the minor unit carry no meaning.
    """
    rounds = rounds or mapping.round_price
    parsed = _by_distinct(
        text.with_columns(pl.col("quantity").alias("quantity_text")), "quantity_text", _quantity
    )
    for field, name in (("unit_price", "unit_minor"), ("amount", "amount_minor")):
        money = minor_units(field, mapping, digits=minor_digits(currency), rounds=rounds).alias(name)
        parsed = _by_distinct(parsed, field, _adding(money))
    for field, name in (("ordered_at", "instant"), ("account_created_at", "account_instant")):
        parsed = _by_distinct(parsed, field, partial(instants, field=field, name=name, mapping=mapping))
    return parsed.with_columns(
        _unit_price(), _units("min_quantity").alias("min_units"), _units("max_quantity").alias("max_units")
    )


def _by_distinct(
    text: pl.DataFrame, field: str, parse_cells: Callable[[pl.DataFrame], pl.DataFrame]
) -> pl.DataFrame:
    """Columns that `parse_cells` adds to the distinct texts of `field`, on every row."""
    distinct = parse_cells(text.select(field).unique())
    # Only the key is joined: a join copies all columns of its frame.
    found = text.select(field).join(distinct, on=field, how="left", nulls_equal=True, maintain_order="left")
    return text.with_columns(found.drop(field).get_columns())


def _adding(column: pl.Expr) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda cells: cells.with_columns(column)


def _quantity(cells: pl.DataFrame) -> pl.DataFrame:
    """Whole numbers in plain digits; "12.0" is one, because spreadsheets write them so."""
    cell = pl.col("quantity_text")
    whole = cell.str.contains(r"^[+-]?[0-9]+(\.0+)?$").fill_null(False)
    number = cell.str.extract(r"^\+?(-?[0-9]+)").cast(pl.Int64, strict=False)
    return cells.with_columns(pl.when(whole).then(number).alias("quantity"), whole.alias("whole"))


def _units(field: str) -> pl.Expr:
    """Whole units of at least 1 in plain digits; null where it is no such number."""
    return pl.col(field).str.extract(r"^([1-9][0-9]{0,9})(?:\.0+)?$").cast(pl.Int64, strict=False)


def minor_units(field: str, mapping: Mapping, *, digits: int, rounds: bool) -> pl.Expr:
    """Money text as whole minor units, digit by digit; null where it is no such amount.

    With `rounds`, further decimals round half away from zero; a price above 0 stays at least 1 minor unit.
    """
    cell = pl.col(field)
    if mapping.thousands:
        cell = cell.str.replace(r"^(-?)(?:[A-Z]{2,3})?[$€£¥￥]? ?", "$1").str.replace(r" [A-Z]{3}$", "")
        grouped = cell.str.contains(r"^-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?$")
        cell = pl.when(grouped).then(cell.str.replace_all(",", "", literal=True)).otherwise(cell)
    more = "[0-9]*" if rounds else "0*"
    shape = rf"^-?([0-9]{{1,12}})(?:\.([0-9]{{0,{digits}}})({more}))?$"
    kept = cell.str.extract(shape, 2).fill_null("").str.pad_end(digits, "0")
    size = (cell.str.extract(shape, 1) + kept).cast(pl.Int64, strict=False)
    if rounds:
        rest = cell.str.extract(shape, 3).fill_null("")
        size = size + rest.str.contains("^[5-9]").cast(pl.Int64)
        size = pl.when((size == 0) & rest.str.contains("[1-9]")).then(1).otherwise(size)
    return size * pl.when(cell.str.starts_with("-")).then(-1).otherwise(1)


def _unit_price() -> pl.Expr:
    """The price of one unit: given, or the row's amount ÷ quantity, rounded to the nearest minor unit."""
    amount, quantity = pl.col("amount_minor"), pl.col("quantity").abs()
    share = pl.when(quantity > 0).then((amount * 2 + quantity) // (quantity * 2))
    return pl.coalesce(pl.col("unit_minor"), share).alias("unit_price_minor")


def instants(cells: pl.DataFrame, *, field: str, name: str, mapping: Mapping) -> pl.DataFrame:
    """Add `name`: the field as UTC, by the first of the mapping's formats that fits each cell."""
    found = pl.Series(name, [None] * cells.height, dtype=pl.Datetime("us", "UTC"))
    for form in mapping.dates:
        if found.null_count() == cells[field].null_count():
            break
        now = cells.select(_in_format(pl.col(field), form, mapping.timezone)).to_series()
        found = found.to_frame().select(pl.coalesce(pl.col(name), now)).to_series()
    return cells.with_columns(found)


def _in_format(cell: pl.Expr, form: str, timezone: str) -> pl.Expr:
    if "%z" in form:
        exact = cell.str.replace(r"Z$", "+00:00").str.to_datetime(form, time_unit="us", strict=False)
        return exact.dt.convert_time_zone("UTC").alias("instant")
    naive = cell.str.to_datetime(form, time_unit="us", strict=False)
    local = naive.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    return local.dt.convert_time_zone("UTC").alias("instant")
