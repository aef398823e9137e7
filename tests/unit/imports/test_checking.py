from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.stages.imports import readers
from app.stages.imports.queries import mapping
from app.stages.imports.rules import Checked, check, values

FINE = {"region": "CN-GD", "quantity": "1", "unit_price": "9.00", "ordered_at": "2026-11-11T10:00:00+08:00"}
HEADINGS = "external_id,sku,region,quantity,unit_price,currency,ordered_at,buyer"


def test_bad_rows_of_a_long_file_are_refused_one_by_one(tmp_path: Path) -> None:
    """Read by several threads, the columns of a long file come in several chunks."""
    wrong = {17_000: "two", 17_001: "1.5", 30_000: "0"}
    lines = [
        f"A{row},MUG-{row % 70},CN-GD,{wrong.get(row, '1')},9.00,CNY,2026-11-11T10:00:00+08:00,buyer-{row}"
        for row in range(2, 40_002)
    ]
    path = tmp_path / "orders.csv"
    path.write_text("\n".join([HEADINGS, *lines]) + "\n")
    plan = mapping("headwater")
    found = [
        check(block.rows, plan, block.headings, currency="CNY", key=b"tests", channel="shop")
        for block in readers.read(path, file_name=path.name, mapping=plan)
    ]
    refused = [row[:2] for one in found for row in one.rejects.rows()]
    assert refused == [(row, "quantity") for row in wrong]
    assert sum(one.rows.height for one in found) == 40_000 - len(wrong)


def test_a_block_of_repeated_values_is_checked_as_its_rows_are() -> None:
    """Distinct texts of a long block are looked at once; of a few rows, each cell."""
    frame = pl.DataFrame(
        [
            {
                "row": row,
                "external_id": f" A{row // 3}" if row % 501 else "",
                "sku": ("MUG-\x01" if row % 700 == 9 else f"MUG-{row % 7} "),
                "region": "CN-GD" if row % 400 else None,
                "quantity": ("1", "2.0", "+3", "two", "", "99999999999999999999")[row % 31 % 6],
                "unit_price": ("9.00", "9", "-1.5", "1.234", "free")[row % 23 % 5],
                "currency": "CNY" if row % 333 else "EUR",
                "ordered_at": f"2026-11-{row % 33:02}T10:00:00+08:00",
                "buyer": f"buyer-{row % 40}" if row % 5 else '="0123"',
            }
            for row in range(3_000)
        ]
    )
    plan, headings = mapping("headwater"), {name: name for name in frame.columns}

    def checked(rows: pl.DataFrame) -> Checked:
        return check(rows, plan, headings, currency="CNY", key=b"tests", channel="shop")

    whole, parts = checked(frame), [checked(part) for part in frame.iter_slices(100)]
    assert whole.rows.equals(pl.concat([part.rows for part in parts]))
    assert whole.rejects.equals(pl.concat([part.rejects for part in parts]))
    assert 0 < whole.rejects.height < frame.height
    assert len(whole.rejects["code"].unique()) == 7


NUMBERS = ("1e5", "1.5E+7", "1e", '="7"', '="', "=", "13085.0", "Ａ１")
BLANKS = (" A\t", "A B", "A\n", "\u3000全\u3000", " ", "")
UNSEEN = ("A\x00", "\u202eA", "\ufffd", "\x7f", "é" * 121, "A" * 121)
NASTY = st.sampled_from([*NUMBERS, *BLANKS, *UNSEEN]) | st.text(max_size=8)


@settings(max_examples=50)  # of many cells each
@given(st.lists(st.tuples(NASTY, NASTY, NASTY), min_size=1, max_size=20), st.booleans())
def test_what_is_said_of_a_row_does_not_hang_on_its_neighbours(
    cells: list[tuple[str, str, str]], repeating: bool
) -> None:
    """Many cells are looked at together first, or each value once: a row alone is the measure."""
    plain = [(f"A{0 if repeating else row}", f"M{row % 3}", f"b{row % 7}") for row in range(1_500)]
    rows = [*plain[:1_200], *cells, *plain[1_200:]]
    frame = pl.DataFrame(rows, schema=["external_id", "sku", "buyer"], orient="row").with_columns(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row"),
        *(pl.lit(cell).alias(name) for name, cell in FINE.items()),
    )
    plan, headings = mapping("headwater"), {name: name for name in frame.columns}

    def checked(some: pl.DataFrame) -> Checked:
        return check(some, plan, headings, currency="CNY", key=b"tests", channel="shop")

    whole, alone = (
        checked(frame),
        [checked(part) for part in frame[1_200 : 1_200 + len(cells)].iter_slices(1)],
    )
    theirs = pl.col("row").is_between(1_200, 1_199 + len(cells))
    assert whole.rows.filter(theirs).equals(pl.concat([one.rows for one in alone]))
    assert whole.rejects.equals(pl.concat([one.rejects for one in alone]))


def _sometimes(*usual: str, odd: str) -> st.SearchStrategy[str]:
    return st.sampled_from([*usual * 4, *odd.split("|")])


DAYS = "2026-02-29|2026-13-01|0000-01-01|0001-01-01|9999-12-31"
CLOCKS = "T24:00:00|T23:59:60|T10:60:00| 10:00:00|T1:00:00| 10:00"
OFFSETS = "+24:00|+0800|+08|z|+08:60|\u221208:00|UTC|-0800|-08:00|- 08:00|-08|||||"
CLOCK = st.tuples(
    _sometimes("2026-11-11", "2024-02-29", "1999-12-31", odd=DAYS),
    _sometimes("T10:00:59", "T23:59:59", "T00:00:00", odd=CLOCKS),
    _sometimes("", ".5", ".123", ".000001", ".123456789", odd=".|.1234567891|,5"),
    _sometimes("Z", "+08:00", "-05:30", "-00:00", "+23:59", odd=OFFSETS),
).map("".join)


LOCAL = st.tuples(
    st.just("2026-11-11"), st.sampled_from(["T10:00:00", " 10:00:00", " 10:00", " 10:00:0"])
).map("".join)
TIMES = st.lists(CLOCK | st.none(), min_size=1, max_size=6) | st.lists(LOCAL | CLOCK, min_size=1, max_size=3)


@given(TIMES)
def test_instants_are_those_of_the_first_format_that_fits(few: list[str | None]) -> None:
    """Whatever is left out or read in parts where rows are many."""
    plan = mapping("headwater")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(values, "NEEDED", {})
        cells = pl.Series("ordered_at", few, dtype=pl.String)
        slow = values.instants(cells, name="instant", mapping=plan)
    assert values.instants(cells, name="instant", mapping=plan).equals(slow)
    many = pl.concat([cells] * 1_000)
    assert values.instants(many, name="instant", mapping=plan).equals(pl.concat([slow] * 1_000))
