"""Text files read column by column say the same as read record by record, or are left to that."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import RuleBroken
from app.stages.imports import readers
from app.stages.imports.queries import mapping
from app.stages.imports.readers import pieces, text
from app.stages.imports.readers.pieces import Piece
from app.stages.imports.readers.text import Cells, Refused

ODD = ["", '"', '""', ",", '"a"', '","', '="1"', "\n", "\r\n", "\r", "\ufeff", "\ufffd", "\u2028", "\x00"]
PART = st.sampled_from([*ODD, "\x85", "é", "NULL", "\\", " ", "a", "12"])
CELL = st.lists(PART, max_size=3).map("".join)
QUOTED = CELL.map(lambda cell: '"' + cell.replace('"', '""') + '"')
LINES = st.lists(st.lists(CELL | QUOTED, min_size=1, max_size=4).map(",".join), min_size=1, max_size=5)


def one_by_one(content: str, *, width: int) -> list[tuple[int | str, ...]]:
    found: list[tuple[int | str, ...]] = []
    for record in text.csv_records(content, delimiter=","):
        misfit = record if isinstance(record, Refused) else record.misfit(width)
        if misfit is not None:
            found.append(("refused", misfit.row))
        elif isinstance(record, Cells):
            found.append((record.row, *record.cells[:width]))
    return found


@given(LINES, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.integers(2, 3))
def test_a_piece_is_read_by_columns_only_where_its_records_say_the_same(
    lines: list[str], between: str, ended: bool, width: int
) -> None:
    content = between.join(lines) + (between if ended else "")
    piece = Piece(content.encode(), 1)
    frame = pieces.read_csv(piece, delimiter=",", width=width, places=range(width))
    if frame is not None:
        assert frame.rows() == one_by_one(content, width=width)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('a,"1"2\nb,3\n', [("refused", 1), (2, "b", "3")]),  # was 12
        ("a\nb,,\nc,\n", [("refused", 1), (2, "b", ""), (3, "c", "")]),  # was a line with a blank cell
        ("\ufeffa,1\n", [(1, "\ufeffa", "1")]),  # of a file amid another
        ('"a","b ""x"" ,"\r\nc,"\n"\n', [(1, "a", 'b "x" ,'), (2, "c", "\n")]),
    ],
)
def test_what_polars_would_read_otherwise_is_read_record_by_record(
    content: str, told: list[tuple[int | str, ...]]
) -> None:
    assert pieces.read_csv(Piece(content.encode(), 1), delimiter=",", width=2, places=(0, 1)) is None
    assert one_by_one(content, width=2) == told


@pytest.mark.parametrize("last", ["", "x"])
@pytest.mark.parametrize("quoted", ["b", '"b,b"'])
def test_whole_lines_are_read_by_columns(last: str, quoted: str) -> None:
    content = f"a,{quoted},{last}\n" * 3
    frame = pieces.read_csv(Piece(content.encode(), 1), delimiter=",", width=3, places=(0, 1, 2))
    assert frame is not None
    assert frame.rows() == one_by_one(content, width=3)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"a": 19.90, "b": 1e3}', (1, "19.90", "1e3")),
        ('{"a": 123456.789012345678}', (1, "123456.789012345678", "")),
        ('{"a": 12345678901234567890}', (1, "12345678901234567890", "")),
        ('{"a": NaN, "b": true}', (1, "NaN", "true")),
        ('{"b": null, "c": {"d": 1}}', (1, "", "")),
        ('{"a": 1, "a": 2}', ("refused", 1)),
        ('{"a": {"b": 1}}', ("refused", 1)),
        ('{"a": [1]}', ("refused", 1)),
        ('{"a": "\\ud800"}', ("refused", 1)),
        ('{"a": "\\ud83d\\ude00"}', (1, "😀", "")),
        ("[1]", ("refused", 1)),
    ],
)  # fmt: skip
def test_an_object_of_a_line_has_one_value_a_member_as_it_is_written(
    line: str, told: tuple[int | str, ...]
) -> None:
    (record,) = text.json_records(line, keys=["a", "b"])
    assert told == (("refused", record.row) if isinstance(record, Refused) else (record.row, *record.cells))


def as_sheet(cells: list[list[object]]) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet, clock = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for row, line in enumerate(cells):
            for place, cell in enumerate(line):
                sheet.write(row, place, cell, *([clock] if isinstance(cell, dt.datetime) else []))
    return content.getvalue()


def as_zip(members: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text_ in members.items():
            archive.writestr(name, text_)
    return content.getvalue()


def cells_of(content: bytes, folder: Path) -> list[tuple[object, ...]]:
    path = folder / "orders"
    path.write_bytes(content)
    blocks = readers.read(path, file_name="orders", mapping=mapping("headwater"))
    return [row for block in blocks for row in block.rows.select("row", "external_id", "ordered_at").rows()]


LINE = "external_id,sku,region,quantity,unit_price,ordered_at"


def order(name: str, at: object = "2026-11-11") -> list[object]:
    return [name, "MUG", "CN-GD", 1, "9.00", at]


def test_an_instant_at_midnight_in_a_sheet_is_an_instant(tmp_path: Path) -> None:
    midnight, later = dt.datetime(2026, 11, 11), dt.datetime(2026, 11, 11, 23, 59, 59)
    found = cells_of(as_sheet([LINE.split(","), order("A", midnight), order("B", later)]), tmp_path)
    assert found == [(2, "A", "2026-11-11 00:00:00"), (3, "B", "2026-11-11 23:59:59")]


@pytest.mark.parametrize("mark", ["sep=;", "SEP=;", "sep=;,,,", "\r\nsep=; "])
def test_a_first_line_that_tells_the_delimiter_is_no_row(tmp_path: Path, mark: str) -> None:
    lines = [mark, LINE.replace(",", ";"), "A;MUG,CUP;CN-GD;1;9.00;2026-11-11"]
    found = cells_of("\r\n".join(lines).encode(), tmp_path)
    assert found == [(lines.index(lines[-1]) + mark.count("\n") + 1, "A", "2026-11-11")]


def test_rows_of_an_archive_are_numbered_on_whatever_ends_their_lines(tmp_path: Path) -> None:
    row = ",".join(map(str, order("A")))
    members = {"a.csv": "", "b.csv": LINE, "c.csv": f"{LINE}\r{row}\r{row}\r", "d.csv": f"{LINE}\n{row}\n"}
    found = [number for number, *_ in cells_of(as_zip(members), tmp_path)]
    assert len(found) == 3 and found == sorted(set(found))
    with pytest.raises(RuleBroken, match=r"a\.csv"):
        cells_of(as_zip({"a.csv": "", "b.csv": LINE}), tmp_path)


@pytest.mark.parametrize("quantity", [dt.timedelta(days=1), [1], b"1", {"a": 1}])
def test_a_column_of_a_kind_that_is_no_cell_is_named(tmp_path: Path, quantity: object) -> None:
    names = LINE.split(",")
    cells = dict(zip(names, order("A"), strict=True)) | {"quantity": quantity}
    content = io.BytesIO()
    pl.DataFrame([cells]).write_parquet(content)
    with pytest.raises(RuleBroken, match="'quantity'") as refused:
        cells_of(content.getvalue(), tmp_path)
    assert refused.value.code == "column_nested"
