"""Text into numbers, money and instants: exactly, or null where it is none."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from functools import partial

import polars as pl

from app.stages.imports.rules.columns import LOOKED_AT, Column
from app.stages.imports.rules.mapping import Mapping

_CURRENCIES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
WHOLE = r"^[+-]?[0-9]+(\.0+)?$"
INSTANT = pl.Datetime("us", "UTC")
EXACT = "%Y-%m-%dT%H:%M:%S%.f%z"
_DAY, _CLOCK = "[0-9]{4}-[0-9]{2}-[0-9]{2}", r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
EXACTLY = f"^{_DAY}T{_CLOCK}(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
"""Of this format what is written in full."""
NEEDED = {"%z": r"[+Zz\x{2212}]|-\s*[0-9]{2}\s*:?\s*[0-9]{2}$", "%dT%": "T"}
"""What a cell has in it that fits a format with this mark."""
MINOR_DIGITS = {currency: digits for digits, listed in _CURRENCIES.items() for currency in listed.split()}


def minor_digits(currency: str) -> int:
    """Decimal places of a currency's minor unit after ISO 4217: CNY 2, JPY 0, KWD 3."""
    return MINOR_DIGITS.get(currency, 2)


def parse(
    text: Dict[str, Column], mapping: Mapping, *, currency: str, rounds: bool = False
) -> dict[str, Column]:
    """quantity_text, quantity, unit_minor, amount_minor, instant, account_instant, min_units and max_units.

    Args:
        text: the fields as text, blank cells null.
        rounds: prices are binary floats, so that decimals beyond the minor unit carry no meaning.
    """
    rounds, digits = rounds or mapping.round_price, minor_digits(currency)
    found = {
        "quantity_text": text["quantity"].change(lambda cells: cells.alias("quantity_text")),
        "quantity": text["quantity"].change(_quantity),
    }
    for field, name in (("unit_price", "unit_minor"), ("amount", "amount_minor")):
        money = minor_units(field, mapping, digits=digits, rounds=rounds).alias(name)
        blank = text[field].is_blank
        found[name] = text[field].blank(name, pl.Int64) if blank else text[field].select(money)
    for field, name in (("min_quantity", "min_units"), ("max_quantity", "max_units")):
        blank, units = text[field].is_blank, _units(field).alias(name)
        found[name] = text[field].blank(name, pl.Int64) if blank else text[field].select(units)
    for field, name in (("ordered_at", "instant"), ("account_created_at", "account_instant")):
        found[name] = text[field].change(partial(instants, name=name, mapping=mapping))
    return found


def unit_price() -> pl.Expr:
    """The price of one unit: given, or the row's amount ÷ quantity, rounded to the nearest minor unit."""
    amount, quantity = pl.col("amount_minor"), pl.col("quantity").abs()
    share = pl.when(quantity > 0).then((amount * 2 + quantity) // (quantity * 2))
    return pl.coalesce(pl.col("unit_minor"), share).alias("unit_price_minor")


def _quantity(cells: pl.Series) -> pl.Series:
    """Whole numbers in plain digits; "12.0" is one, because spreadsheets write them so."""
    number = cells.str.extract(r"^\+?(-?[0-9]+)").cast(pl.Int64, strict=False)
    return number.zip_with(cells.str.contains(WHOLE), pl.Series([None], dtype=pl.Int64))


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


def instants(cells: pl.Series, *, name: str, mapping: Mapping) -> pl.Series:
    """The cells as UTC, by the first of the mapping's formats that fits each; called `name`."""
    exact = _exact(cells) if EXACT in mapping.dates and len(cells) >= LOOKED_AT else None
    if exact is not None:
        return exact.alias(name)
    found = pl.Series(name, [None], dtype=INSTANT).new_from_index(0, len(cells))
    never = [mark for mark, needed in NEEDED.items() if not cells.str.contains(needed).any()]
    for form in mapping.dates:
        if found.null_count() == cells.null_count():
            break
        if any(mark in form for mark in never):  # to try what fits nowhere costs most
            continue
        now = pl.select(_in_format(pl.lit(cells), form, mapping.timezone)).to_series()
        found = (
            now.alias(name) if found.null_count() == len(cells) else found.zip_with(found.is_not_null(), now)
        )
    return found


def _exact(cells: pl.Series) -> pl.Series | None:
    """Cells that all are in the format EXACT, in a quarter of its time; None where one is not.

    Of a local time to the second polars has a quick reader, and what follows it repeats few values.
    """
    if not cells.str.contains(EXACTLY).all():
        return None
    local = cells.str.head(19).str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="us", strict=False)
    rest = Column.of(cells.str.slice(19).alias("rest")).select(_beyond_seconds("rest"))
    found = pl.select((pl.lit(local) + rest.cells()).dt.replace_time_zone("UTC")).to_series()
    return found if found.null_count() == cells.null_count() else None


def _beyond_seconds(rest: str) -> pl.Expr:
    """What to add to a local time for what follows its seconds: .5+08:00 is half a second less 8 hours."""
    cell = pl.col(rest)
    micros = cell.str.extract(r"^\.([0-9]{1,6})").str.pad_end(6, "0").cast(pl.Int64).fill_null(0)
    hours, minutes = (
        cell.str.extract(r"[+-]([0-9]{2}):([0-9]{2})$", place).cast(pl.Int64) for place in (1, 2)
    )
    east = pl.when(cell.str.contains("+", literal=True)).then(1).otherwise(-1)
    return pl.duration(microseconds=micros, minutes=-east * (hours * 60 + minutes).fill_null(0))


def _in_format(cell: pl.Expr, form: str, timezone: str) -> pl.Expr:
    if "%z" in form:
        exact = cell.str.replace(r"Z$", "+00:00").str.to_datetime(form, time_unit="us", strict=False)
        return exact.dt.convert_time_zone("UTC").alias("instant")
    naive = cell.str.to_datetime(form, time_unit="us", strict=False)
    local = naive.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    return local.dt.convert_time_zone("UTC").alias("instant")
