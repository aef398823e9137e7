from __future__ import annotations

from datetime import date, datetime

import polars as pl
import pytest

from app.stages.imports.rules.reasons import COMMITMENTS


@pytest.fixture(scope="module")
def honest(sample) -> pl.DataFrame:
    return sample.orders.filter(pl.col("truth") == "honest").with_columns(
        day=pl.col("ordered_at").str.slice(0, 10).str.to_date(), units=pl.col("quantity").cast(int)
    )


def share(sample, truth: str) -> float:
    return (sample.orders["truth"] == truth).sum() / sample.orders.height


def test_the_flaws_have_their_promised_shares(sample):
    assert 100_000 <= sample.orders.height <= 150_000
    assert share(sample, "duplicate") == pytest.approx(0.015, abs=0.002)
    assert share(sample, "cancelled") == pytest.approx(0.025, abs=0.003)
    assert share(sample, "unpriced") == pytest.approx(0.003, abs=0.001)
    assert 5 <= (sample.orders["truth"] == "test").sum() <= 30
    assert 20 <= (sample.orders["truth"] == "not_goods").sum() <= 100


def test_each_flaw_shows_in_its_row(sample):
    shown = {truth: rows for (truth,), rows in sample.orders.group_by("truth")}
    assert set(shown["cancelled"]["status"]) == {"cancelled", "returned"}
    assert set(shown["test"]["status"]) == {"test"}
    assert set(shown["not_goods"]["sku"]) == {"SHIP-FEE"}
    assert set(shown["unpriced"]["unit_price"]) == {"0.00"}
    assert set(shown["honest"]["status"]) == {""}
    assert "SHIP-FEE" not in shown["honest"]["sku"]
    assert "0.00" not in shown["honest"]["unit_price"]


def test_a_duplicate_repeats_an_earlier_row_exactly(sample):
    rows = sample.orders.with_row_index()
    again = rows.filter(pl.col("truth") == "duplicate")
    once = rows.filter(pl.col("truth") != "duplicate")
    assert once["external_id"].is_unique().all()
    pairs = again.join(once, on=[c for c in sample.orders.columns if c != "truth"], suffix="_first")
    assert pairs.height == again.height
    assert (pairs["index"] > pairs["index_first"]).all()


def test_malformed_rows_are_broken_in_many_ways_and_no_other_row_is(sample):
    skus, regions = set(sample.network("skus")["sku"]), set(sample.network("regions")["region"])

    def broken(row: dict[str, str]) -> bool:
        try:
            datetime.fromisoformat(row["ordered_at"])
            int(row["quantity"])
            float(row["unit_price"])
        except ValueError:
            return True
        known = row["sku"] in skus | {"SHIP-FEE"} and row["region"] in regions
        return not known or row["commitment"] not in COMMITMENTS

    bad = {row["external_id"] for row in sample.orders.iter_rows(named=True) if broken(row)}
    assert bad == set(sample.orders.filter(pl.col("truth") == "malformed")["external_id"])
    assert "2026-02-30T10:15:00+08:00" in sample.orders["ordered_at"]
    assert "1.5" in sample.orders["quantity"]


def test_spot_orders_are_paid_and_belong_to_no_campaign(sample, honest):
    assert set(honest["commitment"]) == {"paid"}
    assert set(honest["campaign"]) == {""}
    assert set(honest["currency"]) == {"CNY"}
    assert honest["buyer"].str.contains(r"^u\d+$").all()


def test_double_eleven_towers_over_both_years(honest):
    daily = honest.group_by("day").len().sort("len", descending=True)
    assert set(daily["day"][:2]) == {date(2025, 11, 11), date(2026, 11, 11)}
    assert daily["len"][1] > 4 * daily["len"].median()


def test_orders_of_double_eleven_rush_in_after_midnight(honest):
    peak = honest.filter(pl.col("day") == date(2026, 11, 11))
    first_hour = peak["ordered_at"].str.slice(11, 2) == "00"
    assert first_hour.mean() > 0.2


def test_spring_festival_is_quiet(honest):
    def mean(first: date, last: date) -> float:
        return honest["day"].is_between(first, last).sum() / ((last - first).days + 1)

    assert mean(date(2026, 2, 16), date(2026, 2, 22)) < 0.6 * mean(date(2026, 3, 9), date(2026, 3, 22))


def test_each_category_has_its_own_season(sample, honest):
    def ratio(prefix: str) -> float:
        mine = honest.filter(pl.col("sku").str.starts_with(prefix))["day"]
        winter = mine.is_between(date(2025, 12, 15), date(2026, 1, 15)).sum()
        return winter / mine.is_between(date(2026, 6, 20), date(2026, 7, 21)).sum()

    assert ratio("FW26-COAT-DWN") > 5
    assert ratio("SS26-SHOE-WVN") < 0.2
    assert 0.5 < ratio("AL26-SHOE-CRT") < 2


def test_demand_grows_over_the_year(honest):
    before = honest["day"].is_between(date(2025, 8, 1), date(2025, 10, 31)).sum()
    after = honest["day"].is_between(date(2026, 8, 1), date(2026, 10, 31)).sum()
    assert 1.1 < after / before < 1.4


def test_weekends_sell_more_than_midweek(honest):
    quiet = honest.filter(pl.col("day").is_between(date(2026, 7, 1), date(2026, 9, 29)))
    by_day = dict(quiet.group_by(pl.col("day").dt.weekday().alias("weekday")).len().rows())
    assert by_day[6] > 1.1 * by_day[2]


def test_rich_and_populous_provinces_buy_most_and_coats_go_north(honest):
    parts = dict(honest["region"].value_counts(normalize=True).rows())
    assert len(parts) == 31
    assert max(parts, key=parts.__getitem__) == "CN-GD"
    assert parts["CN-JS"] > parts["CN-HA"] > parts["CN-XZ"]

    def north(prefix: str) -> float:
        mine = honest.filter(pl.col("sku").str.starts_with(prefix))["region"]
        return mine.is_in(["CN-HL", "CN-JL", "CN-LN", "CN-NM"]).mean()

    assert north("FW26-COAT-LNG") > 2.5 * north("SS26-SHOE-WVN")


def test_some_orders_are_bulk_and_most_are_for_one_unit(honest):
    assert 0.6 < (honest["units"] == 1).mean() < 0.9
    assert 0.005 < (honest["units"] >= 6).mean() < 0.03
    assert honest["units"].max() == 40
