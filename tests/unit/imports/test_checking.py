from __future__ import annotations

from pathlib import Path

import polars as pl

from app.stages.imports import readers
from app.stages.imports.queries import mapping
from app.stages.imports.rules import Checked, check

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
