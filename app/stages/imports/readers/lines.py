"""JSON lines read column by column: lines of one shape – the same members in the same order – by one pattern.

The pattern is JSON's grammar (RFC 8259) of an object with these members, each one value: what it finds is
what stands there. A line that it does not fit is read as a record, which says what is wrong with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

from app.stages.imports.readers import text
from app.stages.imports.readers.pieces import Piece
from app.stages.imports.readers.tables import Columns, Part, parts_of

MOST_SHAPES = 16
"""Of one piece; what has still another shape is read line by line, as is an object with very many members."""
MOST_MEMBERS = 200
BLANK = r"[ \t\r]*"
STRING = r'"(?:[^"\\\x00-\x1f\x{FFFD}]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"'
"""A replacement character is no text: whoever has one in a cell is refused."""
NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
VALUE = f"{STRING}|{NUMBER}|true|false|null"


def keys(piece: Piece) -> list[str]:
    """All members of the objects in the piece, in the order in which they are first seen."""
    lines, found = _lines(piece)["line"], dict[str, None]()
    for _ in range(MOST_SHAPES):
        if lines.is_empty():
            break
        first, lines = lines[0], lines[1:]
        found.update(dict.fromkeys(text.json_keys(first)))
        shape = _Shape.of(first)
        if shape is not None:
            lines = lines.filter(~lines.str.contains(shape.pattern(needed=())))
    found.update(dict.fromkeys(text.json_keys("\n".join(lines))))
    return list(found)


def read(piece: Piece, columns: Columns, *, needed: Sequence[str]) -> Part:
    """The rows of a piece by field, and lines that are refused.

    Args:
        columns: of cells in the order of `needed`, the members that are read.
    """
    lines, odd, parts = _lines(piece), [], []
    for _ in range(MOST_SHAPES):
        if lines.is_empty():
            break
        first = lines[:1]
        shape = _Shape.of(first["line"].item())
        if shape is not None and set(shape.members) & set(needed):
            rows, lines = _read(lines, shape, columns, needed=needed)
            parts.append(rows)
        if lines["row"].head(1).equals(first["row"]):
            odd.append(first)
            lines = lines[1:]
    records = (
        record
        for number, line in pl.concat([*odd, lines]).iter_rows()
        for record in text.json_records(line, keys=needed, line=number)
    )
    for rows, refused in parts_of(records, columns, size=piece.lines + 1):
        return pl.concat([*parts, rows]).sort("row"), refused
    return pl.concat([columns.frame([]), *parts]).sort("row"), []


@dataclass(frozen=True, slots=True)
class _Shape:
    """The members of an object, in order."""

    members: tuple[str, ...]

    @classmethod
    def of(cls, line: str) -> _Shape | None:
        """None where it is no object, or none that a pattern should be made of."""
        try:
            members = tuple(text.json_object(line))
        except (ValueError, RecursionError):
            return None
        return cls(members) if len(members) <= MOST_MEMBERS else None

    def pattern(self, *, needed: Collection[str]) -> str:
        """Captures the values of the members that are needed."""
        found = (
            f"{BLANK}(?:{_written(name)}){BLANK}:{BLANK}({'' if name in needed else '?:'}{VALUE}){BLANK}"
            for name in self.members
        )
        return rf"^{BLANK}\{{{','.join(found)}\}}{BLANK}$"


def _written(name: str) -> str:
    """With letters of all kinds as they are, or all but ASCII escaped."""
    return "|".join({re.escape(json.dumps(name, ensure_ascii=escaped)): None for escaped in (False, True)})


def _lines(piece: Piece) -> pl.DataFrame:
    """Columns `row` and `line`, of lines with anything in them."""
    content = pl.Series("line", [piece.data.decode("utf-8", errors="replace")]).str.split("\n").explode()
    numbers = pl.int_range(piece.line, piece.line + pl.len(), dtype=pl.Int64).alias("row")
    return content.to_frame().select(numbers, "line").filter(pl.col("line") != "")


def _read(
    lines: pl.DataFrame, shape: _Shape, columns: Columns, *, needed: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of lines that fit the shape, by field, and the other lines."""
    captured = [name for name in shape.members if name in needed]
    groups = lines["line"].str.extract_groups(shape.pattern(needed=needed)).struct.unnest()
    cells = {name: _cells(groups.to_series(place)) for place, name in enumerate(captured)}
    blank = pl.repeat("", lines.height, eager=True)
    fields = [cells.get(needed[place], blank).alias(field) for field, place in columns.places.items()]
    fits = pl.all_horizontal(pl.col(name).is_not_null() for name in columns.places)
    rows = pl.DataFrame([lines["row"], *fields]).with_columns(fits.alias("fits"))
    return rows.filter("fits").drop("fits"), lines.filter(~rows["fits"])


def _cells(values: pl.Series) -> pl.Series:
    """Values of one member as cells; null stays where there is none, or one that nobody can write."""
    quoted = values.str.contains("\\", literal=True).fill_null(False)
    word = (values != "null").fill_null(True)
    plain = values.str.strip_prefix('"').str.strip_suffix('"').zip_with(word, pl.Series([""]))
    if not quoted.any():
        return plain
    told = values.filter(quoted).unique()
    meant = pl.Series([_meant(value) for value in told], dtype=pl.String)
    return values.replace_strict(told, meant, default=plain, return_dtype=pl.String)


def _meant(value: str) -> str | None:
    """Text with escapes; none where it has half a character or a replacement for one."""
    meant: str = json.loads(value)
    return None if re.search("[\ud800-\udfff\ufffd]", meant) else meant
