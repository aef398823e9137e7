from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest

LIVE = {"DOWN": "just passed the go line", "SNOW": "will probably reach", "TEA": "at risk"}


@pytest.fixture(scope="module")
def terms(sample) -> pl.DataFrame:
    """One row a campaign, with elapsed and total days at the as-of date."""
    return sample.campaigns.unique("campaign", maintain_order=True).with_columns(
        pl.col("opens_at", "closes_at").str.to_datetime("%Y-%m-%dT%H:%M:%S%z"),
        pl.col("expected_units", "per_buyer_limit").cast(int),
    )


@pytest.fixture(scope="module")
def placed(sample, terms) -> pl.DataFrame:
    """First copies of every pledge, with its place in the window from 0 to 1."""
    pledges = sample.pledges.filter(pl.col("truth") != "duplicate").join(terms, on="campaign", suffix="_t")
    at = pl.col("ordered_at").str.to_datetime("%Y-%m-%dT%H:%M:%S%z")
    return pledges.with_columns(at=at, units=pl.col("quantity").cast(int)).with_columns(
        place=(pl.col("at") - pl.col("opens_at")) / (pl.col("closes_at") - pl.col("opens_at"))
    )


def valid(placed: pl.DataFrame) -> dict[str, int]:
    honest = placed.filter(pl.col("truth") == "honest")
    return dict(honest.group_by("campaign").agg(pl.col("units").sum()).rows())


def test_three_campaigns_are_live_at_different_points_and_twelve_finished_within_15_months(terms):
    as_of = datetime(2026, 11, 22, 16)  # midnight in China, in UTC
    closes = terms["closes_at"].dt.replace_time_zone(None)
    opens = terms["opens_at"].dt.replace_time_zone(None)
    live = terms.filter((opens < as_of) & (closes > as_of))
    assert sorted(code.split("-")[1] for code in live["campaign"]) == sorted(LIVE)
    assert (closes < as_of).sum() == 12
    assert opens.min() > datetime(2025, 8, 22)
    days = (closes.dt.date() - opens.dt.date()).dt.total_days()
    assert days.is_between(21, 45).all()


def test_all_rows_of_a_campaign_agree_and_list_each_variant_of_its_style(sample):
    shared = [column for column in sample.campaigns.columns if column != "sku"]
    assert sample.campaigns.select(shared).n_unique() == sample.campaigns["campaign"].n_unique() == 15
    assert sample.campaigns["sku"].n_unique() == sample.campaigns.height


def test_the_due_week_is_a_monday_a_few_weeks_after_the_close(sample, terms):
    for row in terms.iter_rows(named=True):
        due = date.fromisoformat(row["due_week"])
        assert due.weekday() == 0
        assert 25 <= (due - row["closes_at"].date()).days <= 50


def test_tier_prices_fall_as_volume_grows(terms):
    for text in terms["tiers"]:
        units, prices = zip(*(tier.split(":") for tier in text.split("|")), strict=True)
        assert units[0] == "0"
        assert [int(u) for u in units] == sorted({int(u) for u in units})
        assert [Decimal(p) for p in prices] == sorted({Decimal(p) for p in prices}, reverse=True)
        assert all(len(p.split(".")[1]) == 2 for p in prices)


def test_pledges_fall_inside_their_campaigns_window_and_variants(sample, placed):
    assert placed["place"].is_between(0, 1).all()
    listed = set(sample.campaigns.select("campaign", "sku").rows())
    assert set(placed.select("campaign", "sku").unique().rows()) == listed
    assert set(placed["commitment"]) == {"pledge", "deposit"}


def test_every_finished_curve_is_u_shaped(placed, terms):
    live = {code for code in terms["campaign"] if code.split("-")[1] in LIVE}
    for (code,), rows in placed.filter(pl.col("truth") == "honest").group_by("campaign"):
        if code in live:
            continue
        launch = (rows["place"] < 0.15).mean()
        lull = rows["place"].is_between(0.425, 0.575).mean()
        close = (rows["place"] > 0.85).mean()
        assert launch > 2 * lull, code
        assert close > 2 * lull, code


def test_live_curves_have_burst_and_lull_and_no_future(placed, terms):
    for slug in LIVE:
        rows = placed.filter(pl.col("campaign").str.ends_with(slug) & (pl.col("truth") == "honest"))
        assert rows["place"].max() < 0.9
        assert (rows["place"] < 0.15).mean() > 2.5 * rows["place"].is_between(0.35, 0.5).mean()


def test_the_live_campaigns_stand_where_their_story_says(sample, placed):
    story = {row["campaign"].split("-")[1]: row for row in sample.landings.iter_rows(named=True)}
    so_far = valid(placed)
    for row in story.values():
        assert so_far[row["campaign"]] == int(row["units_so_far"]) < int(row["final_units"])

    def to_go(slug: str, column: str) -> float:
        return int(story[slug][column]) / int(story[slug]["go_units"])

    assert 1.0 <= to_go("DOWN", "units_so_far") <= 1.10
    assert to_go("SNOW", "units_so_far") < 0.9 and 1.05 <= to_go("SNOW", "final_units") <= 1.25
    assert to_go("TEA", "units_so_far") < 0.7 and 0.75 <= to_go("TEA", "final_units") <= 0.95


def test_finished_campaigns_reached_and_missed_their_go_line(placed, terms):
    units = valid(placed)
    ratios = [units[row["campaign"]] / (1.2 * row["expected_units"]) for row in terms.iter_rows(named=True)]
    assert sum(ratio >= 1 for ratio in ratios) >= 7
    assert sum(ratio < 1 for ratio in ratios[3:]) >= 3


def test_over_limit_is_what_a_replay_of_the_limit_finds(placed):
    running: dict[tuple[str, str], int] = defaultdict(int)
    found = set()
    for row in placed.iter_rows(named=True):
        if row["truth"] in {"bot", "cancelled"}:
            continue
        key = (row["campaign"], row["buyer"])
        running[key] += row["units"]
        if running[key] > row["per_buyer_limit"]:
            found.add(row["external_id"])
    assert found == set(placed.filter(pl.col("truth") == "over_limit")["external_id"])
    assert len(found) > 100


def test_bots_come_in_bursts_of_minutes_from_a_few_neighbouring_accounts(placed):
    bots = placed.filter(pl.col("truth") == "bot").sort("campaign", "at")
    gap = pl.col("at").diff().over("campaign").fill_null(pl.duration(days=1)) > pl.duration(minutes=30)
    bursts = bots.with_columns(burst=gap.cum_sum()).group_by("campaign", "burst").agg(
        pl.len(),
        buyers=pl.col("buyer").n_unique(),
        regions=pl.col("region").n_unique(),
        span=pl.col("at").max() - pl.col("at").min(),
        spread=pl.col("buyer").str.slice(1).cast(int).max() - pl.col("buyer").str.slice(1).cast(int).min(),
    )  # fmt: skip
    assert bursts.height >= 10
    assert (bursts["len"] >= 18).all() and (bursts["buyers"] <= 14).all()
    assert (bursts["span"].dt.total_minutes() <= 30).all()
    assert bursts.filter(pl.col("regions") == 1)["spread"].max() < 10
    honest_new = placed.filter((pl.col("truth") == "honest") & (pl.col("buyer").str.len_chars() > 7))
    assert honest_new.height > 500  # a new account alone does not give a bot away


def test_an_honest_live_stream_peak_stands_in_the_lull(placed):
    rows = placed.filter(pl.col("campaign").str.ends_with("CASHMERE") & (pl.col("truth") == "honest"))
    hourly = rows.filter(pl.col("place").is_between(0.3, 0.5)).group_by(pl.col("at").dt.truncate("1h")).len()
    assert hourly["len"].max() > 20 * hourly["len"].median()


def test_some_pledges_are_cancelled_and_a_few_repeated(sample, placed):
    cancelled = placed.filter(pl.col("truth") == "cancelled")
    assert set(cancelled["status"]) == {"cancelled"}
    assert 0.03 < cancelled.height / placed.height < 0.06
    assert sample.files.pledge_duplicates == pytest.approx(0.008 * placed.height, rel=0.05)


def test_the_price_is_that_of_the_tier_reached_before_the_pledge(placed):
    reached: dict[str, int] = defaultdict(int)
    for row in placed.iter_rows(named=True):
        tiers = [tier.split(":") for tier in row["tiers"].split("|")]
        assert row["unit_price"] == [p for u, p in tiers if int(u) <= reached[row["campaign"]]][-1]
        reached[row["campaign"]] += row["units"] * (row["truth"] == "honest")
