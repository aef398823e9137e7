"""The network's CSV files: the template is right, and each mistake is named with its place."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.stages.catalog.readers import read_network
from app.stages.catalog.rules import FILES, Fault, dearer_step, smallest_order
from app.stages.catalog.translate import Known, check_between

DOCS = Path(__file__).parents[3] / "docs"
NOTHING_KNOWN = Known(frozenset(), frozenset(), frozenset(), frozenset(), frozenset())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DOCS / "network-template", tmp_path / "network"))


def faults_of(folder: Path, currency: str = "CNY", known: Known = NOTHING_KNOWN) -> list[Fault]:
    files = read_network(folder, currency=currency)
    return [*files.faults, *check_between(files.tables, known)]


def change(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_template_is_without_fault(folder: Path) -> None:
    assert faults_of(folder) == []


def test_money_becomes_minor_units_and_blank_optional_cells_become_nothing(folder: Path) -> None:
    tables = read_network(folder, currency="CNY").tables
    assert tables["price_breaks"]["unit_price"].to_list()[:2] == [3150, 2990]
    assert tables["suppliers"]["weekly_capacity"].to_list() == [4000, 2500, None]
    assert tables["supply_offers"]["order_cost"].to_list()[-1] is None


def test_currencies_without_cents_and_with_mills_are_read_to_their_own_minor_unit(folder: Path) -> None:
    (folder / "price_breaks.csv").write_text("supplier,sku,min_quantity,unit_price\nSUP-A,TEE-WHT-M,0,12.8\n")
    yen = read_network(folder, currency="JPY").faults
    assert ("price_breaks.csv", 2, "price_invalid") in [(one.file, one.row, one.code) for one in yen]
    dinar = read_network(folder, currency="KWD").tables["price_breaks"]["unit_price"].to_list()
    assert dinar == [12_800]


@pytest.mark.parametrize(
    ("file", "old", "new", "row", "column", "code"),
    [
        ("skus.csv", "TEE-WHT-M,", ",", 2, "sku", "value_missing"),
        ("skus.csv", "TEE-WHT-M,", "T" * 81 + ",", 2, "sku", "text_too_long"),
        ("skus.csv", "TEE-WHT-L,", "TEE-WHT-M,", 3, "sku", "row_twice"),
        ("skus.csv", "tops,2,", "tops,0,", 2, "volume", "number_out_of_range"),
        ("skus.csv", "tops,2,", "tops,1.5,", 2, "volume", "number_not_whole"),
        ("skus.csv", "tops,2,", "tops,１２,", 2, "volume", "number_not_whole"),
        ("skus.csv", "tops,2,", "tops,NaN,", 2, "volume", "number_not_whole"),
        ("skus.csv", "tops,2,", "tops,9223372036854775808,", 2, "volume", "number_not_whole"),
        ("skus.csv", "tops,2,", "tops,99999999999,", 2, "volume", "number_out_of_range"),
        ("skus.csv", "0.05", "0.055", 2, "holding_cost", "price_invalid"),
        ("skus.csv", "0.05", "1e400", 2, "holding_cost", "price_invalid"),
        ("skus.csv", "0.05", "-1", 2, "holding_cost", "price_invalid"),
        ("skus.csv", "T恤 白色 M", "T\x07", 2, "name_zh", "text_unusable"),
        ("skus.csv", "category", "catgory", 1, "catgory", "column_unknown"),
        ("skus.csv", "category", "name", 1, "name", "column_twice"),
        ("skus.csv", "sku,name", "code,name", 1, "sku", "column_missing"),
        ("suppliers.csv", "0.03", "1.2", 2, "risk", "number_not_part"),
        ("supply_offers.csv", "SUP-A,TEE-WHT-M", "SUP-X,TEE-WHT-M", 2, "supplier", "supplier_unknown"),
        ("supply_offers.csv", "SUP-A,TEE-WHT-M", "SUP-A,TEE-RED", 2, "sku", "sku_unknown"),
        ("supply_offers.csv", "480.00,CNY", "480.00,USD", 2, "currency", "currency_mismatch"),
        ("supply_offers.csv", "300,20,21,2000", "300,20,21,250", 2, "moq", "moq_over_capacity"),
        ("supply_offers.csv", "SUP-C,MUG-BLU", "SUP-B,MUG-BLU", 6, "sku", "price_missing"),
        ("price_breaks.csv", "M,0,31.50", "M,1,31.50", 2, "min_quantity", "first_break_not_zero"),
        ("price_breaks.csv", "M,1000,29.90", "M,1000,31.51", 3, "unit_price", "price_rises"),
        ("price_breaks.csv", "SUP-C,MUG-BLU,500", "SUP-A,MUG-BLU,500", 9, "sku", "offer_unknown"),
        ("warehouses.csv", "Asia/Shanghai", "China", 2, "timezone", "timezone_unknown"),
        ("lanes.csv", "supplier,SUP-A", "factory,SUP-A", 2, "from_kind", "word_unknown"),
        ("lanes.csv", "SUP-A,warehouse", "SUP-Z,warehouse", 2, "from", "supplier_unknown"),
        ("lanes.csv", "region,CN-GD", "region,CN-XX", 7, "to", "region_unknown"),
        ("lanes.csv", "region,CN-SH", "warehouse,WH-SOUTH", 8, "to_kind", "lane_between_warehouses"),
        ("stock.csv", ",180", ",-3", 2, "quantity", "number_not_whole"),
        ("stock.csv", "WH-EAST", "WH-WEST", 2, "warehouse", "warehouse_unknown"),
        ("calendar.csv", "2026-10-01", "2026-02-30", 2, "date", "date_invalid"),
        ("bom.csv", ",95", ",0", 2, "quantity_per", "number_out_of_range"),
        ("bom.csv", "TEE-WHT-M,JERSEY-180-CM,95", "TEE-WHT-M,JERSEY", 2, None, "fields_missing"),
        ("bom.csv", "TEE-WHT-M,JERSEY-180-CM,95", 'TEE-WHT-M,"JER"SEY,95', 2, None, "line_malformed"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(
    folder: Path, file: str, old: str, new: str, row: int, column: str | None, code: str
) -> None:
    change(folder, file, old, new)
    found = {(one.file, one.row, one.column or None, one.code) for one in faults_of(folder)}
    assert (file, row, column, code) in found


def test_the_faults_of_all_files_are_reported_together(folder: Path) -> None:
    change(folder, "skus.csv", "tops,2,", "tops,x,")
    change(folder, "regions.csv", "Asia/Shanghai", "Mars")
    change(folder, "stock.csv", ",180", ",x")
    assert {one.file for one in faults_of(folder)} == {"skus.csv", "regions.csv", "stock.csv"}


def test_a_cell_with_a_fault_is_named_once_and_draws_no_other_fault(folder: Path) -> None:
    change(folder, "price_breaks.csv", "MUG-BLU,0,12.80", "MUG-BLU,0,12.805")
    assert [(one.row, one.code) for one in faults_of(folder)] == [(8, "price_invalid")]


@pytest.mark.parametrize("name", [file.name for file in FILES if file.needed])
def test_a_needed_file_that_is_missing_or_has_no_rows_is_named(folder: Path, name: str) -> None:
    path = folder / f"{name}.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    assert f"{name}.csv" in {one.file for one in faults_of(folder) if one.code == "file_empty"}
    path.write_text("")
    assert f"{name}.csv" in {one.file for one in faults_of(folder) if one.code == "file_empty"}
    path.unlink()
    assert f"{name}.csv" in {one.file for one in faults_of(folder) if one.code == "file_missing"}


@pytest.mark.parametrize("name", [file.name for file in FILES if not file.needed])
def test_an_optional_file_may_be_missing_or_hold_only_headings(folder: Path, name: str) -> None:
    path = folder / f"{name}.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    assert faults_of(folder) == []
    path.unlink()
    assert faults_of(folder) == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_usual_encodings_are_read_alike(folder: Path, encoding: str) -> None:
    expected = read_network(folder, currency="CNY").tables["skus"]
    path = folder / "skus.csv"
    path.write_bytes(path.read_text().encode(encoding))
    files = read_network(folder, currency="CNY")
    assert files.faults == []
    assert files.tables["skus"].equals(expected)


def test_bytes_that_are_no_text_are_refused(folder: Path) -> None:
    (folder / "skus.csv").write_bytes(b"sku,name\n\xff\xff\xff\x00,x\n")
    assert "encoding_unknown" in {one.code for one in faults_of(folder)}


def test_a_row_of_a_million_columns_is_one_fault(folder: Path) -> None:
    (folder / "skus.csv").write_text("," * 1_000_000 + "x\n")
    assert [one.code for one in faults_of(folder) if one.file == "skus.csv"] == ["too_many_columns"]


def test_codes_known_from_before_may_be_referred_to(folder: Path) -> None:
    change(folder, "lanes.csv", "SUP-A,warehouse", "OLD,warehouse")
    known = Known(frozenset(), frozenset({"OLD"}), frozenset(), frozenset(), frozenset())
    assert faults_of(folder, known=known) == []


def test_every_file_and_column_is_documented() -> None:
    text = (DOCS / "network.md").read_text()
    for file in FILES:
        part = text.split(f"### {file.name}.csv")[1].split("###")[0]
        assert re.findall(r"^\| (?:\*\*)?([a-z_]+)(?:\*\*)? \|", part, re.M)[1:] == [
            column.name for column in file.columns
        ]
        assert set(re.findall(r"^\| \*\*([a-z_]+)\*\*", part, re.M)) == set(file.key)
        assert part.startswith(" – needed" if file.needed else " – optional")


@given(moq=st.integers(0, 10_000), lot=st.integers(1, 500))
def test_the_smallest_order_is_the_first_whole_lot_that_reaches_the_moq(moq: int, lot: int) -> None:
    least = smallest_order(moq=moq, lot_multiple=lot)
    assert least >= max(moq, 1)
    assert least % lot == 0
    assert least - lot < max(moq, 1)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=6))
def test_a_price_list_is_dearer_exactly_where_a_step_rises(prices: list[int]) -> None:
    dearer = dearer_step(list(enumerate(prices)))
    assert (dearer is None) == (prices == sorted(prices, reverse=True))
    assert dearer is None or prices[dearer] > prices[dearer - 1]
