from __future__ import annotations

from pathlib import Path

from app.stages.imports import readers
from app.stages.imports.queries import mapping
from app.stages.imports.rules import check

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
