"""JSON lines read by columns are what they are read as one by one, whatever stands in them."""

from __future__ import annotations

import json
from unittest import mock

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.stages.imports.readers import lines, text
from app.stages.imports.readers.pieces import Piece
from app.stages.imports.readers.tables import Columns, Part, parts_of

NAMES = ["a", "b", "订单", 'q"t', "n.o", "b\\c"]
NEEDED = ["a", "b", 'q"t', "订单"]
COLUMNS = Columns({}, {"one": 0, "two": 1, "three": 3, "four": 2}, len(NEEDED))
LETTERS = st.text(st.sampled_from('ab"\\/\t\n 0é订😀\x00\x7f\u2028\ufffd\ud800,:{}'), max_size=5)
WHOLE = ["0", "-0", "1", "-12", "12345678901234567890", "01", "+", "-"]
PARTS = ["19.90", "1e3", "1E+3", "1.5e-7", "1.", ".5", "1e", "NaN", "Infinity", "-Infinity"]
NUMBERS = st.sampled_from([*WHOLE, *PARTS])
WORDS = st.sampled_from(["true", "false", "null", "True", "nul", "[]", "{}", '{"a": 1}', '["x"]', ""])
QUOTED = st.builds(json.dumps, LETTERS, ensure_ascii=st.booleans()) | st.sampled_from(
    ['"\\u12g4"',
     '"\\x"', '"\\ud83d\\ude00"', '"\\ud83d"', '"\\ufffd"', '"null"', '"\\u006eull"', '"a', "'a'", '"\\/"']
)  # fmt: skip
VALUES = QUOTED | NUMBERS | WORDS | st.just('"plain"')
SPACES = st.sampled_from(["", "", "", " ", "\t", "\r", "\x0b", "\u2003"])
MEMBERS = st.tuples(st.sampled_from(NAMES), VALUES, SPACES, st.booleans())


@st.composite
def objects(draw: st.DrawFn) -> str:
    members = draw(st.lists(MEMBERS, max_size=5))
    told = ",".join(
        f"{space}{json.dumps(name, ensure_ascii=escaped)}{space}:{space}{value}{space}"
        for name, value, space, escaped in members
    )
    return draw(SPACES) + "{" + told + "}" + draw(SPACES)


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """Lines of a few shapes, each with other values, among lines of any shape and lines that are broken."""
    found: list[str] = []
    for names in draw(st.lists(st.lists(st.sampled_from(NAMES), unique=True, min_size=1), max_size=3)):
        for values in draw(st.lists(st.lists(VALUES, min_size=len(names), max_size=len(names)), max_size=4)):
            members = (f"{json.dumps(name)}: {value}" for name, value in zip(names, values, strict=True))
            found.append("{" + ", ".join(members) + "}")
    found += draw(st.lists(objects() | st.sampled_from(["", " ", "x", "{", "[1]", "\ufeff{}"]), max_size=5))
    whole = "\n".join(draw(st.permutations(found))).encode(errors="surrogatepass")
    return whole + draw(st.sampled_from([b"", b"\n", b"\r\n", b"\xff", b'\n{"a": "\xff"}']))


def one_by_one(piece: Piece) -> Part:
    records = text.json_records(piece.data.decode(errors="replace"), keys=NEEDED, line=piece.line)
    return next(parts_of(records, COLUMNS, size=10**6), (COLUMNS.frame([]), []))


@settings(max_examples=300)
@given(content=contents(), line=st.integers(1, 9), shapes=st.sampled_from([1, 2, 16]))
@example(content=b'{"a": "1", "b": 2}\n{"a": "x", "b": 3.50}\n', line=1, shapes=16)
@example(content=b'broken\n{"a": "1"}\n{"a": "\\u0041"}\n{"a": "\\ud800"}\n{"a": null}', line=1, shapes=16)
def test_lines_read_by_columns_are_those_read_one_by_one(content: bytes, line: int, shapes: int) -> None:
    piece = Piece(content, line)
    with mock.patch.object(lines, "MOST_SHAPES", shapes):
        (rows, refused), (told, told_refused) = lines.read(piece, COLUMNS, needed=NEEDED), one_by_one(piece)
        assert rows.rows() == told.rows() and rows.schema == told.schema
        assert refused == told_refused
        assert lines.keys(piece) == text.json_keys(content.decode(errors="replace"))


def test_lines_of_few_shapes_are_not_read_one_by_one() -> None:
    content = "\n".join(
        json.dumps({"a": f"A{number}", "b": number, **({"订单": "é\n"} if number % 3 else {}), "n.o": 1.5})
        for number in range(100)
    )
    piece = Piece(content.encode(), 1)
    told = one_by_one(piece)
    with mock.patch.object(text, "json_records", return_value=iter(())) as records:
        found = lines.read(piece, COLUMNS, needed=NEEDED)
    records.assert_not_called()
    assert found[0].equals(told[0]) and found[0]["three"].str.len_chars().sum() == 66 * 2
    assert found[0].select(pl.col("one").n_unique()).item() == 100


def test_an_object_with_very_many_members_is_read_all_the_same() -> None:
    for members in (lines.MOST_MEMBERS, lines.MOST_MEMBERS + 1, 3_000):
        content = json.dumps({"a": "x"} | {f"m{number}": "é" for number in range(members - 1)})
        piece = Piece(f"{content}\n{content}".encode(), 1)
        assert lines.read(piece, COLUMNS, needed=NEEDED)[0].equals(one_by_one(piece)[0])
        assert lines.keys(piece) == text.json_keys(content)
