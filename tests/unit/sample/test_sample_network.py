from __future__ import annotations

import polars as pl

MONEY = r"^\d+\.\d\d$"


def whole(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    return frame.with_columns(pl.col(columns).replace("", None).cast(pl.Int64))


def test_the_31_provinces_of_mainland_china_are_the_regions(sample):
    regions = sample.network("regions")["region"]
    assert regions.n_unique() == len(regions) == 31
    assert regions.str.contains(r"^CN-[A-Z]{2}$").all()
    assert not set(regions) & {"CN-TW", "CN-HK", "CN-MO"}


def test_keys_are_unique(sample):
    keys = {
        "skus": ["sku"],
        "suppliers": ["supplier"],
        "supply_offers": ["supplier", "sku"],
        "price_breaks": ["supplier", "sku", "min_quantity"],
        "warehouses": ["warehouse"],
        "lanes": ["from_kind", "from", "to_kind", "to"],
        "stock": ["sku", "warehouse"],
        "calendar": ["date", "kind"],
        "bom": ["sku", "component"],
    }
    for name, columns in keys.items():
        assert not sample.network(name).select(columns).is_duplicated().any(), name


def test_every_reference_is_to_a_known_code(sample):
    skus, suppliers = set(sample.network("skus")["sku"]), set(sample.network("suppliers")["supplier"])
    warehouses = set(sample.network("warehouses")["warehouse"])
    for name in ("supply_offers", "price_breaks", "stock", "bom"):
        assert set(sample.network(name)["sku"]) <= skus
    for name in ("supply_offers", "price_breaks"):
        assert set(sample.network(name)["supplier"]) == suppliers
    assert set(sample.network("stock")["warehouse"]) <= warehouses
    assert set(sample.campaigns["sku"]) <= skus


def test_four_categories_share_sixty_skus_named_in_both_languages(sample):
    skus = sample.network("skus")
    assert skus["category"].n_unique() == 4
    assert skus.height == 60
    assert skus["name_zh"].str.contains(r"\p{Han}").all()
    assert "FW26-COAT-DWN-BLK-M" in skus["sku"]
    assert whole(skus, "volume")["volume"].min() >= 1


def test_each_sku_has_two_to_five_offers_but_for_one_with_a_single_maker(sample):
    offers = sample.network("supply_offers").group_by("sku").len()["len"]
    assert len(offers) == 60
    assert (offers == 1).sum() == 1
    assert offers.max() <= 5


def test_the_moq_is_a_whole_number_of_lots_and_fits_the_capacity(sample):
    offers = whole(sample.network("supply_offers"), "moq", "lot_multiple", "lead_days", "weekly_capacity")
    assert offers["moq"].is_between(100, 500).all()
    assert offers["moq"].n_unique() >= 4
    assert (offers["moq"] % offers["lot_multiple"] == 0).all()
    assert offers["lead_days"].is_between(7, 35).all()
    bound = offers.drop_nulls("weekly_capacity")
    assert 0.6 < bound.height / offers.height < 0.95
    assert (bound["weekly_capacity"] >= bound["moq"]).all()
    assert (bound["weekly_capacity"] % bound["lot_multiple"] == 0).all()


def test_price_breaks_start_at_zero_and_fall(sample):
    breaks = sample.network("price_breaks").with_columns(
        pl.col("min_quantity").cast(int), pl.col("unit_price").cast(pl.Decimal(12, 2))
    )
    offers = breaks.group_by("supplier", "sku", maintain_order=True).all()
    assert offers.height == sample.files.supply_offers
    for quantities, prices in offers.select("min_quantity", "unit_price").iter_rows():
        assert 2 <= len(quantities) <= 3
        assert quantities[0] == 0 and quantities == sorted(set(quantities))
        assert prices == sorted(set(prices), reverse=True)


def test_two_skus_have_one_supplier_far_below_the_others(sample):
    first = sample.network("price_breaks").filter(pl.col("min_quantity") == "0")
    prices = first.group_by("sku").agg(pl.col("unit_price").cast(float).sort()).filter(
        pl.col("unit_price").list.len() > 1
    )  # fmt: skip
    cheap = prices.filter(pl.col("unit_price").list.get(0) < 0.8 * pl.col("unit_price").list.get(1))
    assert sorted(cheap["sku"]) == ["AL26-BAG-CRS-BLK", "AL26-CER-TEA-CEL"]


def test_the_purchase_price_lies_well_under_the_retail_price(sample):
    paid = sample.orders.filter(pl.col("truth") == "honest").group_by("sku").agg(
        pl.col("unit_price").cast(float).median().alias("retail")
    )  # fmt: skip
    cost = sample.network("price_breaks").group_by("sku").agg(pl.col("unit_price").cast(float).max())
    ratio = paid.join(cost, on="sku").select(pl.col("unit_price") / pl.col("retail")).to_series()
    assert ratio.is_between(0.15, 0.55).all()


def test_every_supplier_reaches_every_region_through_some_warehouse(sample):
    lanes = sample.network("lanes")
    trunk = lanes.filter((pl.col("from_kind") == "supplier") & (pl.col("to_kind") == "warehouse"))
    last = lanes.filter((pl.col("from_kind") == "warehouse") & (pl.col("to_kind") == "region"))
    reach = trunk.join(last, left_on="to", right_on="from").select("from", "to_right").unique()
    assert reach.height == 8 * 31


def test_straight_from_origin_is_sometimes_cheaper_than_through_a_warehouse(sample):
    lanes = sample.network("lanes").with_columns(pl.col("cost_per_unit").cast(pl.Decimal(9, 2)))
    trunk = lanes.filter((pl.col("from_kind") == "supplier") & (pl.col("to_kind") == "warehouse"))
    last = lanes.filter((pl.col("from_kind") == "warehouse") & (pl.col("to_kind") == "region"))
    direct = lanes.filter((pl.col("from_kind") == "supplier") & (pl.col("to_kind") == "region"))
    through = (
        trunk.join(last, left_on="to", right_on="from")
        .group_by("from", to="to_right")
        .agg(cost=(pl.col("cost_per_unit") + pl.col("cost_per_unit_right")).min())
    )
    both = direct.join(through, on=["from", "to"])
    assert 20 <= both.height == direct.height <= 100
    assert 0.2 < (both["cost_per_unit"] < both["cost"]).mean() < 0.9


def test_freight_grows_with_distance(sample):
    lanes = sample.network("lanes").with_columns(pl.col("cost_per_unit").cast(float))
    cost = {(row["from"], row["to"]): row["cost_per_unit"] for row in lanes.iter_rows(named=True)}
    assert cost["SUP-NGB", "WH-SHA"] < cost["SUP-NGB", "WH-WUH"] < cost["SUP-NGB", "WH-CTU"]
    assert cost["WH-CAN", "CN-GD"] < cost["WH-CAN", "CN-HN"] < cost["WH-CAN", "CN-XJ"]
    assert lanes["lead_days"].cast(int).is_between(2, 9).all()


def test_opening_stock_covers_a_few_weeks_of_some_skus(sample):
    held = sample.network("stock").group_by("sku").agg(pl.col("quantity").cast(int).sum())
    assert 30 <= held.height <= 55
    month = sample.orders.filter((pl.col("truth") == "honest") & (pl.col("ordered_at") >= "2026-10-26"))
    weekly = month["quantity"].cast(int).sum() / 4
    assert 1 <= held["quantity"].sum() / weekly <= 6


def test_the_calendar_knows_the_great_promotions_and_the_moving_feasts(sample):
    days = set(sample.network("calendar").rows())
    assert ("2025-11-11", "promotion", "11.11") in days
    assert ("2026-06-18", "promotion", "6.18") in days
    assert ("2026-02-17", "holiday", "Spring Festival") in days
    assert ("2027-02-06", "holiday", "Spring Festival") in days
    assert ("2026-09-25", "holiday", "Mid-Autumn Festival") in days
    assert {kind for _, kind, _ in days} == {"promotion", "holiday"}


def test_every_sku_has_a_bill_of_a_few_components(sample):
    bom = whole(sample.network("bom"), "quantity_per")
    lines = bom.group_by("sku").len()["len"]
    assert len(lines) == 60
    assert lines.min() >= 2 and lines.max() <= 5
    assert bom["quantity_per"].min() >= 1


def test_money_is_decimal_text_with_two_places(sample):
    columns = {
        "skus": "holding_cost",
        "supply_offers": "order_cost",
        "price_breaks": "unit_price",
        "lanes": "cost_per_unit",
    }
    for name, column in columns.items():
        assert sample.network(name)[column].str.contains(MONEY).all(), name
    for rows in (sample.orders, sample.pledges):
        assert rows.filter(pl.col("truth") != "malformed")["unit_price"].str.contains(MONEY).all()
