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
WHOLE = r"^[+-]?[0-9]+(\.0+)?$"
LOOKED_AT = 1_000
"""Cells that tell whether a column repeats few values."""
MINOR_DIGITS = {currency: digits for digits, listed in _CURRENCIES.items() for currency in listed.split()}


def minor_digits(currency: str) -> int:
    """Decimal places of a currency's minor unit after ISO 4217: CNY 2, JPY 0, KWD 3."""
    return MINOR_DIGITS.get(currency, 2)


def parse(text: pl.DataFrame, mapping: Mapping, *, currency: str, rounds: bool = False) -> pl.DataFrame:
    """Add quantity_text, quantity, unit_price_minor, instant and account_instant to text columns.

    Args:
        text: quantity, unit_price, amount, ordered_at and account_created_at as text, blank cells null.
        rounds: prices are binary floats, so that decimals beyond the minor unit carry no meaning.
    """
    rounds, digits = rounds or mapping.round_price, minor_digits(currency)
    columns = [text["quantity"].alias("quantity_text"), by_distinct(text["quantity"], _quantity)]
    for field, name in (("unit_price", "unit_minor"), ("amount", "amount_minor")):
        money = minor_units(field, mapping, digits=digits, rounds=rounds).alias(name)
        columns.append(by_distinct(text[field], _of(money)))
    for field, name in (("ordered_at", "instant"), ("account_created_at", "account_instant")):
        columns.append(by_distinct(text[field], partial(instants, name=name, mapping=mapping)))
    return text.with_columns(columns).with_columns(
        _unit_price(), _units("min_quantity").alias("min_units"), _units("max_quantity").alias("max_units")
    )


def repeats(cells: pl.Series) -> bool:
    """Whether the first thousand cells are few values: else to look for the distinct ones is no gain."""
    return len(cells) >= LOOKED_AT and cells.head(LOOKED_AT).n_unique() <= LOOKED_AT * 9 // 10


def by_distinct(cells: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """`change` of the cells; where they repeat few values, of each value once."""
    if not repeats(cells):
        return change(cells)
    distinct = cells.unique()
    values = change(distinct)
    if values.n_unique() == 1:
        return values.new_from_index(0, len(cells))
    pairs = pl.DataFrame([distinct.alias("cell"), values.alias("value")])
    found = cells.alias("cell").to_frame()
    found = found.join(pairs, on="cell", how="left", nulls_equal=True, maintain_order="left")
    return found["value"].alias(values.name)


def _quantity(cells: pl.Series) -> pl.Series:
    """Whole numbers in plain digits; "12.0" is one, because spreadsheets write them so."""
    number = cells.str.extract(r"^\+?(-?[0-9]+)").cast(pl.Int64, strict=False)
    return number.zip_with(cells.str.contains(WHOLE), pl.Series([None], dtype=pl.Int64))


def _of(column: pl.Expr) -> Callable[[pl.Series], pl.Series]:
    return lambda cells: cells.to_frame().select(column).to_series()


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


def instants(cells: pl.Series, *, name: str, mapping: Mapping) -> pl.Series:
    """The cells as UTC, by the first of the mapping's formats that fits each; called `name`."""
    found = pl.repeat(None, len(cells), dtype=pl.Datetime("us", "UTC"), eager=True).alias(name)
    for form in mapping.dates:
        if found.null_count() == cells.null_count():
            break
        now = pl.select(_in_format(pl.lit(cells), form, mapping.timezone)).to_series()
        found = (
            now.alias(name) if found.null_count() == len(cells) else found.zip_with(found.is_not_null(), now)
        )
    return found


def _in_format(cell: pl.Expr, form: str, timezone: str) -> pl.Expr:
    if "%z" in form:
        exact = cell.str.replace(r"Z$", "+00:00").str.to_datetime(form, time_unit="us", strict=False)
        return exact.dt.convert_time_zone("UTC").alias("instant")
    naive = cell.str.to_datetime(form, time_unit="us", strict=False)
    local = naive.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    return local.dt.convert_time_zone("UTC").alias("instant")
