"""The network's CSV files as checked, typed columns, with every fault found in them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from app.stages.catalog.rules import FILES, MOST_SHOWN, Column, Fault, File, Kind
from app.stages.imports.readers import text
from app.stages.imports.rules.values import minor_digits

_LARGEST_FILE = 256 * 1024 * 1024
_MOST_COLUMNS = 200


@dataclass(frozen=True, slots=True)
class NetworkFiles:
    """`tables` has a frame for every template file: `row` and its columns, null where a cell has a fault.

    Money is in minor units. An absent optional file is an empty frame.
    """

    tables: dict[str, pl.DataFrame]
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Check:
    """Where `fails` is true, the cell of `column` is refused with `code`; the cell is quoted if `shown`."""

    column: str
    code: str
    fails: pl.Expr
    why: str
    shown: bool = True


def read_network(directory: Path, *, currency: str) -> NetworkFiles:
    """Read and check all files of `directory`; nothing is raised for what is wrong in them."""
    faults: list[Fault] = []
    tables = {file.name: read_table(directory, file, currency=currency, faults=faults) for file in FILES}
    return NetworkFiles(tables, faults)


def read_table(directory: Path, file: File, *, currency: str, faults: list[Fault]) -> pl.DataFrame:
    """One file as typed columns; its faults are added to `faults`."""
    path = directory / f"{file.name}.csv"
    rows: list[list[str]] = []
    if path.is_file():
        rows = _cells(path, file, faults)
    elif file.needed:
        faults.append(_fault(file, "file_missing", f"{path.name} is missing; add it to the folder."))
    raw = _frame(rows, file)
    if file.needed and rows and not raw.height:
        faults.append(_fault(file, "file_empty", f"{path.name} has no rows; fill it in."))
    return _typed(raw, file, currency, faults)


def _cells(path: Path, file: File, faults: list[Fault]) -> list[list[str]]:
    """The headings with `row` before them, then the rows that can be split, each with its number."""
    if path.stat().st_size > _LARGEST_FILE:
        faults.append(_fault(file, "file_too_large", f"{path.name} is larger than 256 MB; split it."))
        return []
    with path.open("rb") as bytes_:
        encoding = text.encoding_of(bytes_)
        if encoding is None:
            why = f"{path.name} is neither UTF-8, UTF-16 nor GB18030 text; save it as CSV in UTF-8."
            faults.append(_fault(file, "encoding_unknown", why))
            return []
        lines = io.TextIOWrapper(bytes_, encoding=encoding, errors="replace", newline="")
        content = lines.read()
    first = next((line for line in content.splitlines() if line.strip()), "")
    delimiter = max(text.DELIMITERS, key=first.count)
    try:
        records = [one for one in text.csv_records(content, delimiter=delimiter) if not _blank(one)]
    except ValueError:
        why = f"{path.name} can't be split into rows and cells; export it again as CSV."
        faults.append(_fault(file, "file_unreadable", why))
        return []
    return _records(records, file, faults)


def _blank(record: text.Cells | text.Refused) -> bool:
    """Whether the row is one of those spreadsheets leave behind."""
    return isinstance(record, text.Cells) and not any(cell.strip() for cell in record.cells)


def _records(
    records: Sequence[text.Cells | text.Refused], file: File, faults: list[Fault]
) -> list[list[str]]:
    if not records:
        faults.append(_fault(file, "file_empty", f"{file.name}.csv is empty; fill it in."))
        return []
    head, rows = records[0], []
    if isinstance(head, text.Refused):
        faults.append(_fault(file, head.code, head.sentence, row=head.row))
        return []
    headings = [cell.strip() for cell in head.cells]
    while headings and not headings[-1]:  # spreadsheets leave empty columns behind
        headings.pop()
    if not _headings_fit(headings, file, faults):
        return []
    for record in records[1:]:
        misfit = record if isinstance(record, text.Refused) else record.misfit(len(headings))
        if misfit is not None:
            faults.append(_fault(file, misfit.code, misfit.sentence, row=misfit.row))
        elif isinstance(record, text.Cells):
            rows.append([str(record.row), *record.cells[: len(headings)]])
    return [["row", *headings], *rows]


def _headings_fit(headings: list[str], file: File, faults: list[Fault]) -> bool:
    known = [column.name for column in file.columns]
    found = len(faults)
    if len(headings) > _MOST_COLUMNS:
        why = f"The file has {len(headings):,} columns; the template has: {', '.join(known)}."
        faults.append(_fault(file, "too_many_columns", why, row=1))
        return False
    for column in file.columns:
        if column.needed and column.name not in headings:
            why = f"The column {column.name} is missing; the file has: {', '.join(headings)[:200] or 'none'}."
            faults.append(_fault(file, "column_missing", why, row=1, column=column.name))
    for heading in dict.fromkeys(headings):
        if heading not in known:
            why = f"The column {heading[:60]!r} is not known; the template has: {', '.join(known)}."
            faults.append(_fault(file, "column_unknown", why, row=1, column=heading[:60]))
        elif headings.count(heading) > 1:
            why = f"The column {heading} is there twice; remove one."
            faults.append(_fault(file, "column_twice", why, row=1, column=heading))
    return len(faults) == found


def _frame(rows: list[list[str]], file: File) -> pl.DataFrame:
    """Text columns, stripped, blank as null; optional columns that are absent are null throughout."""
    headings = rows[0] if rows else ["row"]
    columns = list(zip(*rows[1:], strict=True)) or [()] * len(headings)
    frame = pl.DataFrame(
        [pl.Series(name, cells, pl.String) for name, cells in zip(headings, columns, strict=True)]
    )
    cells = [
        _stripped(column.name) if column.name in headings else pl.lit(None, pl.String).alias(column.name)
        for column in file.columns
    ]
    return frame.select(pl.col("row").cast(pl.Int64), *cells)


def _stripped(name: str) -> pl.Expr:
    cell = pl.col(name).str.strip_chars()
    return pl.when(cell != "").then(cell).alias(name)


def _typed(raw: pl.DataFrame, file: File, currency: str, faults: list[Fault]) -> pl.DataFrame:
    """Check whole columns; a cell keeps its first fault only, and becomes null."""
    values = raw.select("row", *(_value(raw, column, currency).alias(column.name) for column in file.columns))
    for column in file.columns:
        checks = _checks(column, currency, values[column.name])
        failed = pl.lit(None, pl.Int32)
        for place in reversed(range(len(checks))):
            failed = pl.when(checks[place].fails).then(pl.lit(place, pl.Int32)).otherwise(failed)
        found = raw.select(pl.col("row"), pl.col(column.name).alias("cell"), failed.alias("failed"))
        faults += _faults(found.filter(pl.col("failed").is_not_null()), checks, file)
        values = values.with_columns(pl.when(found["failed"].is_null()).then(pl.col(column.name)))
    _refuse_twice(values, file, faults)
    return values


def _value(raw: pl.DataFrame, column: Column, currency: str) -> pl.Expr:
    """The cell's value, null where its text is no such value."""
    cell = pl.col(column.name)
    match column.kind:
        case Kind.WHOLE:
            return pl.when(cell.str.contains("^[0-9]{1,18}$")).then(cell.cast(pl.Int64, strict=False))
        case Kind.MONEY:
            return _minor(cell, minor_digits(currency))
        case Kind.PART:
            number = pl.when(cell.str.contains(r"^(0|1|0?\.[0-9]{1,9}|0\.[0-9]{1,9}|1\.0{1,9})$")).then(cell)
            return number.cast(pl.Float64, strict=False)
        case Kind.DAY:
            return pl.when(cell.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")).then(
                cell.str.to_date("%Y-%m-%d", strict=False)
            )
        case Kind.TIMEZONE:
            known = [name for name in raw[column.name].unique().drop_nulls() if _is_timezone(name)]
            return pl.when(cell.is_in(known)).then(cell)
        case Kind.WORD:
            return pl.when(cell.is_in(column.words)).then(cell)
        case _:
            return cell


def _minor(cell: pl.Expr, digits: int) -> pl.Expr:
    """Money text as minor units; null unless it is exact: 12.340 is in a currency of cents, 12.345 is not."""
    shape = rf"^([0-9]{{1,12}})(?:\.([0-9]{{0,{digits}}})0*)?$"
    kept = cell.str.extract(shape, 2).fill_null("").str.pad_end(digits, "0")
    whole = (cell.str.extract(shape, 1) + kept).cast(pl.Int64, strict=False)
    return pl.when(cell.str.contains(shape)).then(whole)


def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not known, not a key, or the name of a folder
        return False
    return True


def _checks(column: Column, currency: str, value: pl.Series) -> list[_Check]:
    """What can be wrong with a column's text, the first reason first."""
    name, cell = column.name, pl.col(column.name)
    unread = cell.is_not_null() & pl.lit(value).is_null() if len(value) else pl.lit(False)
    checks = []
    if column.needed:
        checks.append(_Check(name, "value_missing", cell.is_null(), "the cell is empty; fill it in", False))
    unusable = cell.str.contains(r"[\x00-\x1f\x7f]")
    checks.append(_Check(name, "text_unusable", unusable, "has a control character; remove it", False))
    if column.kind in (Kind.TEXT, Kind.CURRENCY):
        long = cell.str.len_chars() > column.most
        checks.append(
            _Check(name, "text_too_long", long, f"is longer than {column.most} characters; shorten it", False)
        )
    if column.kind is Kind.CURRENCY:
        why = f"is not {currency}, the currency of this installation; convert the prices"
        checks.append(_Check(name, "currency_mismatch", cell != currency, why))
    if column.kind in _UNREAD:
        code, why = _UNREAD[column.kind]
        digits = minor_digits(currency)
        listed = " or ".join(column.words)
        checks.append(_Check(name, code, unread, why.format(digits=digits, words=listed)))
    if column.kind is Kind.WHOLE:
        outside = ~pl.lit(value).is_between(column.least, column.most) if len(value) else pl.lit(False)
        why = f"is out of range; it must be from {column.least:,} to {column.most:,}"
        checks.append(_Check(name, "number_out_of_range", outside, why))
    return checks


_UNREAD = {
    Kind.WHOLE: ("number_not_whole", "is no whole number of 0 or more; write digits only, such as 300"),
    Kind.MONEY: (
        "price_invalid",
        "is no amount of 0 or more that is exact to the minor unit; write it like 19.9, "
        "with at most {digits} decimals",
    ),
    Kind.PART: ("number_not_part", "is no number from 0 to 1; write it like 0.05"),
    Kind.DAY: ("date_invalid", "is no day that exists; write it like 2026-11-11"),
    Kind.WORD: ("word_unknown", "is not known here; write {words}"),
    Kind.TIMEZONE: ("timezone_unknown", "is no time zone; write its IANA name, such as Asia/Shanghai"),
}


def _faults(found: pl.DataFrame, checks: list[_Check], file: File) -> list[Fault]:
    faults = []
    for row, cell, place in found.head(MOST_SHOWN + 1).iter_rows():
        check = checks[place]
        quoted = f"{_cut(cell)} " if check.shown else ""
        faults.append(_fault(file, check.code, f"{quoted}{check.why}.", row=row, column=check.column))
    return faults


def _refuse_twice(values: pl.DataFrame, file: File, faults: list[Fault]) -> None:
    keyed = values.drop_nulls(list(file.key))
    again = keyed.with_columns(first=pl.col("row").min().over(file.key)).filter(
        pl.col("first") < pl.col("row")
    )
    for row in again.head(MOST_SHOWN + 1).iter_rows(named=True):
        what = " / ".join(_cut(row[name]) for name in file.key)
        why = f"{what} is there twice: row {row['first']} says it first; remove one."
        faults.append(_fault(file, "row_twice", why, row=row["row"], column=file.key[0]))


def _cut(value: object) -> str:
    shown = str(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"


def _fault(
    file: File, code: str, sentence: str, *, row: int | None = None, column: str | None = None
) -> Fault:
    return Fault(f"{file.name}.csv", row, column, code, sentence)
