from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from app.sample import write_sample
from app.sample.traces import TRACED

COLUMNS = [
    "external_id", "commitment", "sku", "region", "quantity", "unit_price",
    "currency", "ordered_at", "buyer", "campaign", "status",
]  # fmt: skip
TEMPLATE = {
    "skus": "sku,name,name_zh,category,volume,holding_cost",
    "suppliers": "supplier,name,name_zh,weekly_capacity,risk",
    "supply_offers": "supplier,sku,moq,lot_multiple,lead_days,weekly_capacity,order_cost,currency",
    "price_breaks": "supplier,sku,min_quantity,unit_price",
    "warehouses": "warehouse,name,name_zh,timezone,weekly_inbound,storage",
    "regions": "region,name,name_zh,timezone",
    "lanes": "from_kind,from,to_kind,to,cost_per_unit,lead_days",
    "stock": "sku,warehouse,quantity",
    "calendar": "date,kind,name",
    "bom": "sku,component,quantity_per",
}


def digests(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*.csv"))
    }


def test_same_seed_and_as_of_give_the_same_bytes(sample, tmp_path):
    write_sample(tmp_path, as_of=sample.files.as_of)
    again = digests(tmp_path)
    assert len(again) == 17
    assert again == digests(sample.files.orders.parent)


def test_another_seed_gives_other_orders_over_the_same_range(sample, tmp_path):
    other = write_sample(tmp_path, seed=7, as_of=sample.files.as_of)
    assert other.orders.read_bytes() != sample.files.orders.read_bytes()
    assert (other.network / "skus.csv").read_bytes() == (sample.files.network / "skus.csv").read_bytes()


def test_writing_over_an_earlier_sample_replaces_it(sample, tmp_path):
    write_sample(tmp_path, seed=7, as_of=date(2026, 3, 2))
    write_sample(tmp_path, as_of=sample.files.as_of)
    assert digests(tmp_path) == digests(sample.files.orders.parent)


@pytest.mark.parametrize("name", TEMPLATE)
def test_a_network_file_has_the_template_columns(sample, name):
    assert sample.network(name).columns == TEMPLATE[name].split(",")
    assert sample.network(name).height > 0


def test_orders_and_pledges_have_the_products_own_columns(sample):
    for path, more in ((sample.files.orders, ()), (sample.files.pledges, TRACED)):
        assert path.read_text(encoding="utf-8").splitlines()[0] == ",".join((*COLUMNS, *more))


def test_pledges_come_with_traces_and_the_accounts_of_a_burst_share_devices(sample):
    pledges = sample.pledges.filter(pl.col("device") != "")
    assert 0.8 < pledges.height / sample.pledges.height < 0.9
    kinds = pledges.group_by(pl.col("truth") == "bot", "device").agg(
        pl.col("buyer").n_unique().alias("accounts"), pl.col("address").n_unique().alias("homes")
    )
    bots, people = kinds.filter("truth"), kinds.filter(~pl.col("truth"))
    assert (bots["accounts"] >= 2).mean() > 0.8 and (people["homes"] == 1).all()
    assert (people["accounts"] <= 2).all() and (people["accounts"] == 2).any()
    assert (pledges["account_created_at"] <= pledges["ordered_at"]).mean() > 0.999


def test_the_headline_counts_are_those_of_the_files(sample):
    files = sample.files
    assert files.order_rows == sample.orders.height
    assert files.pledge_rows == sample.pledges.height
    assert files.malformed == (sample.orders["truth"] == "malformed").sum() == 12
    assert files.order_duplicates == (sample.orders["truth"] == "duplicate").sum()
    assert files.pledge_duplicates == (sample.pledges["truth"] == "duplicate").sum()
    assert (files.skus, files.suppliers, files.warehouses, files.regions) == (60, 8, 5, 31)
    assert files.supply_offers == sample.network("supply_offers").height
    assert (files.campaign_count, files.live_campaigns) == (15, 3)


def test_the_truth_covers_every_row_once_and_in_order(sample):
    truth = pl.read_csv(sample.files.truth / "signals.csv")
    for path, rows in ((sample.files.orders, sample.orders), (sample.files.pledges, sample.pledges)):
        mine = truth.filter(pl.col("file") == path.name)
        assert mine["external_id"].to_list() == rows["external_id"].to_list()
        assert mine["line"].to_list() == list(range(2, rows.height + 2))
    assert truth.height == sample.orders.height + sample.pledges.height


def test_nothing_is_dated_on_or_after_the_as_of_date(sample):
    sound = pl.concat([sample.orders, sample.pledges], how="diagonal").filter(pl.col("truth") != "malformed")
    assert sound["ordered_at"].str.contains(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$").all()
    assert sound["ordered_at"].str.slice(0, 10).max() == "2026-11-22"
    assert sound["ordered_at"].str.slice(0, 10).min() == "2025-05-23"


@pytest.mark.parametrize("as_of", [date(2024, 12, 31), date(2028, 2, 29), date(2026, 2, 17)])
def test_any_as_of_date_gives_a_full_sample(tmp_path, as_of):
    files = write_sample(tmp_path, as_of=as_of)
    assert 100_000 <= files.order_rows <= 150_000
    assert files.live_campaigns == 3
    assert files.malformed == 12


def test_a_year_without_known_lunar_holidays_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(ValueError, match=r"covers 2023 to 2037.*another as-of date"):
        write_sample(tmp_path, as_of=date(2051, 1, 1))
    assert list(tmp_path.iterdir()) == []
