"""A file's first block is a small one, and no row is lost or numbered otherwise for it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.stages.imports import queries, readers
from app.stages.imports.readers import pieces
from app.stages.imports.readers.pieces import Piece

LINES = st.lists(
    st.sampled_from(['1,a"\n', '"1\n2",a\n', "1,\n", "22,bb\n", "\n", '"3""",c\r\n']), max_size=30
)


@given(lines=LINES, first=st.integers(1, 40), end=st.sampled_from(["", "1,last"]))
def test_what_is_cut_off_first_and_the_rest_are_the_piece(lines: list[str], first: int, end: str) -> None:
    whole = Piece(("".join(lines) + end).encode(), line=7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "FIRST_BYTES", first)
        parts = list(whole.begun())
    assert b"".join(part.data for part in parts) == whole.data
    assert len(parts) <= 2
    line = 7
    for part in parts:
        assert part.data
        assert part.line == line
        line += part.data.count(b"\n")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_large_file_begins_with_a_small_block(tmp_path: Path, suffix: str) -> None:
    count = 100_000
    orders = pl.select(
        pl.int_range(count).cast(pl.String).alias("external_id"),
        *(pl.lit(f"{name} of an order").alias(name) for name in ("commitment", "sku", "region", "quantity")),
        *(pl.lit(f"{name} of an order").alias(name) for name in ("unit_price", "ordered_at", "buyer")),
    )
    path = tmp_path / f"orders.{suffix}"
    orders.write_csv(path) if suffix == "csv" else orders.write_parquet(path)
    blocks = list(readers.read(path, file_name=path.name, mapping=queries.mapping("headwater")))
    assert 0 < blocks[0].height < 10_000 < blocks[1].height
    rows = pl.concat([block.rows.select("row", "external_id") for block in blocks])
    assert rows["row"].to_list() == list(range(2, count + 2))
    assert rows["external_id"].equals(orders["external_id"])
