"""The ledger: what was sold against what was forecast and planned, each week once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from app.core.access import SYSTEM
from app.core.db import Database
from app.stages.catalog import queries as catalog
from app.stages.forecasts import operations, queries
from app.stages.forecasts.operations.accuracy import naive_errors
from support import brand

WEEK = brand.MONDAY
NEXT = WEEK + dt.timedelta(weeks=1)
LATER = WEEK + dt.timedelta(weeks=2)


def sell(db: Database, folder: Path, *sales: tuple[dt.date, str, str, int]) -> None:
    """Sales of a SKU in a region on the Tuesday of a week."""
    tuesdays = [week + dt.timedelta(days=1) for week, *_ in sales]
    rows = [
        f"S{number}-{day},paid,{sku},{region},{units},19.90,CNY,{day}T12:00:00+08:00,,,"
        for number, (day, (_, sku, region, units)) in enumerate(zip(tuesdays, sales, strict=True))
    ]
    brand.load_orders(db, folder, rows=rows, name=f"sales-{len(rows)}-{sales[0][0]}.csv")


def score(db: Database, as_of: dt.date) -> operations.ScoreFact:
    with db.transaction() as session:
        return operations.score_forecasts(session, as_of=as_of)


def accuracy(db: Database, by: queries.AccuracyBy) -> list[queries.AccuracyFact]:
    with db.reading() as session:
        return queries.accuracy(session, by=by)


def override(db: Database, units: int, *, week: dt.date, region: str | None, now: dt.datetime) -> int:
    with db.transaction() as session:
        return operations.override_forecast(
            session,
            actor=brand.MERCHANDISER,
            sku_id=catalog.sku_ids(session)["MUG"],
            region_id=catalog.region_ids(session)[region][0] if region else None,
            week=week,
            units=units,
            reason="A fair in town",
            today=brand.MONDAY,
            now=now,
        ).id


@pytest.fixture
def forecast(db: Database, tmp_path: Path) -> int:
    """Thirty mugs a week in either region, with intervals of no width; 20, 21 and 22 in turn were sold."""
    brand.load(db, tmp_path, campaign=False)
    return brand.store_forecast(db, mugs=30)


def test_a_week_is_scored_when_it_is_over_and_once(db: Database, forecast: int, tmp_path: Path) -> None:
    assert score(db, WEEK + dt.timedelta(days=6)) == operations.ScoreFact(0, 0)
    assert accuracy(db, "week") == []
    sell(db, tmp_path, (WEEK, "MUG", "CN-GD", 24), (WEEK, "MUG", "CN-FJ", 30), (NEXT, "MUG", "CN-GD", 40))
    assert score(db, NEXT) == operations.ScoreFact(1, 0)
    sell(db, tmp_path, (WEEK, "MUG", "CN-GD", 1))
    assert score(db, NEXT + dt.timedelta(days=3)) == operations.ScoreFact(0, 0)
    (first,) = accuracy(db, "week")
    assert (first.key, first.forecasts, first.sold_units, first.forecast_units) == (WEEK, 2, 54, 60.0)
    assert score(db, LATER) == operations.ScoreFact(1, 0)
    assert [one.key for one in accuracy(db, "week")] == [WEEK, NEXT]
    assert [one.key for one in accuracy(db, "step")] == [1, 2]


def test_errors_are_those_of_the_textbook(db: Database, forecast: int, tmp_path: Path) -> None:
    sell(db, tmp_path, (WEEK, "MUG", "CN-GD", 24), (WEEK, "MUG", "CN-FJ", 30))
    score(db, NEXT)
    (whole,) = accuracy(db, "class")
    assert whole.key == "A"
    assert whole.wape == pytest.approx(6 / 54)
    assert whole.bias == pytest.approx(6 / 54)
    units = [20 + back % 3 for back in range(26, 0, -1)]
    naive = sum(abs(a - b) for a, b in zip(units[1:], units, strict=False)) / 25
    assert whole.mase == pytest.approx((6 / naive + 0) / 2)
    loss = sum((1 - level) * 6 for level in (0.025, 0.1, 0.9, 0.975)) / 4
    assert whole.pinball == pytest.approx(loss / 54)
    assert whole.coverage_80 == whole.coverage_95 == 0.5
    assert (whole.planned_wape, whole.value_added) == (pytest.approx(6 / 54), 0.0)
    south, east = accuracy(db, "region")
    with db.reading() as session:
        regions = catalog.region_ids(session)
    assert {south.key, east.key} == {regions["CN-GD"][0], regions["CN-FJ"][0]}
    assert sorted([south.wape or 0, east.wape or 0]) == pytest.approx([0, 6 / 24])


def test_a_week_without_sales_counts_nothing_and_divides_by_nothing(db: Database, forecast: int) -> None:
    score(db, NEXT)
    (week,) = accuracy(db, "week")
    assert (week.sold_units, week.forecast_units) == (0, 60.0)
    assert week.wape is week.bias is week.pinball is week.value_added is None
    assert week.coverage_80 == 0.0
    assert week.mase is not None


def test_what_planners_added_is_what_counted_when_the_week_began(
    db: Database, forecast: int, tmp_path: Path
) -> None:
    early = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
    override(db, 24, week=WEEK, region="CN-GD", now=early)
    override(db, 99, week=WEEK, region="CN-FJ", now=early + dt.timedelta(days=2))  # while the week ran
    override(db, 50, week=NEXT, region=None, now=early)
    sell(db, tmp_path, (WEEK, "MUG", "CN-GD", 24), (WEEK, "MUG", "CN-FJ", 30), (NEXT, "MUG", "CN-GD", 60))
    assert score(db, LATER) == operations.ScoreFact(2, 3)
    first, second = accuracy(db, "week")
    assert first.wape == pytest.approx(6 / 54)
    assert (first.planned_wape, first.value_added) == (0.0, pytest.approx(6 / 54))
    assert second.wape == pytest.approx((30 + 30) / 60)
    assert second.planned_wape == pytest.approx((35 + 25) / 60)


def test_overrides_are_scored_against_what_was_forecast(db: Database, forecast: int, tmp_path: Path) -> None:
    one = override(db, 24, week=WEEK, region="CN-GD", now=brand.NOW)
    every = override(db, 70, week=WEEK, region=None, now=brand.NOW - dt.timedelta(days=9))
    open_ = override(db, 70, week=NEXT, region=None, now=brand.NOW)
    far = override(db, 70, week=WEEK + dt.timedelta(weeks=20), region=None, now=brand.NOW)
    sell(db, tmp_path, (WEEK, "MUG", "CN-GD", 26), (WEEK, "MUG", "CN-FJ", 40))
    assert score(db, NEXT).overrides == 2
    with db.reading() as session:
        told = {fact.id: (fact.forecast_units, fact.sold_units) for fact in queries.list_overrides(session)}
    assert told == {one: (30.0, 26), every: (60.0, 66), open_: (None, None), far: (None, None)}
    assert score(db, NEXT).overrides == 0


def test_classes_are_by_the_volume_of_the_year_before_the_run(
    db: Database, forecast: int, tmp_path: Path
) -> None:
    sell(db, tmp_path, (WEEK - dt.timedelta(weeks=5), "BAG", "CN-GD", 140), (WEEK, "BAG", "CN-GD", 9_999))
    with db.transaction() as session:
        bag = catalog.sku_ids(session)["BAG"]
        inputs = operations.freeze(session, as_of=brand.MONDAY, horizon_weeks=1)
        region = catalog.region_ids(session)["CN-GD"][0]
        lines = pl.DataFrame(
            [(bag, region, WEEK, 5.0, 1.0, 9.0, 0.0, 20.0, "given")],
            schema=queries.FRAME_SCHEMA,
            orient="row",
        )
        result = operations.ForecastResult(inputs.fingerprint, lines, brand.totals_of(lines))
        operations.store(session, inputs=inputs, result=result, actor=SYSTEM, now=brand.NOW)
    score(db, NEXT)
    assert [(one.key, one.forecasts) for one in accuracy(db, "class")] == [("A", 2), ("B", 1)]


def test_naive_errors_fill_weeks_without_sales() -> None:
    week = dt.date(2026, 11, 23)
    sales = {1: {0: 4, 1: 6, 4: 10}, 2: {0: 5}, 3: {5: 9}, 4: {0: 7, 1: 7, 2: 7, 3: 7, 4: 7, 5: 7}}
    rows = [
        (sku, 1, week + dt.timedelta(weeks=back), units)
        for sku, weeks in sales.items()
        for back, units in weeks.items()
    ]
    types = {"sku_id": pl.Int64, "region_id": pl.Int64, "week": pl.Date, "units": pl.Int64}
    found = naive_errors(pl.DataFrame(rows, schema=types, orient="row"), until=week + dt.timedelta(weeks=6))
    scales = dict(found.select("sku_id", "scale").iter_rows())
    assert scales == {1: pytest.approx((2 + 6 + 0 + 10 + 10) / 5), 2: pytest.approx(1.0)}
