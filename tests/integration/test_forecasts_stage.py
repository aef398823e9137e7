from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import polars as pl
import pytest

from app.core import schema
from app.core.access import SYSTEM
from app.core.db import Database
from app.core.errors import Conflict, NotFound, RuleBroken
from app.stages.catalog import queries as catalog
from app.stages.demand import operations as demand
from app.stages.forecasts import operations, queries
from app.stages.forecasts.queries import ForecastRunFact
from app.stages.stock import operations as stock
from support.shop import send

TEMPLATE = Path(__file__).parents[2] / "docs" / "network-template"
AS_OF = dt.date(2026, 11, 25)
FIRST_WEEK = dt.date(2026, 11, 23)
HEADINGS = "external_id,commitment,sku,region,quantity,unit_price,currency,ordered_at,buyer,campaign,status"
CAMPAIGN = (
    "campaign,name,name_zh,sku,opens_at,closes_at,expected_units,go_factor,due_week,per_buyer_limit,tiers\n"
    "MUGS,Mugs,,MUG-BLU,2026-11-01T10:00:00+08:00,2026-12-20T22:00:00+08:00,100,1.20,2027-01-11,,0:39.00\n"
)


def at(weeks_ago: int, hour: int = 12) -> str:
    day = FIRST_WEEK - dt.timedelta(weeks=weeks_ago)
    return f"{day + dt.timedelta(days=2)}T{hour:02d}:00:00+08:00"


def order(number: str, sku: str, region: str, units: int, when: str, campaign: str = "") -> str:
    commitment = "pledge" if campaign else "paid"
    return f"{number},{commitment},{sku},{region},{units},39.00,CNY,{when},,{campaign},"


def history() -> list[str]:
    """A steady SKU in two regions, a mug sold now and then and pledged for, a SKU not sold for a year."""
    rows = [order(f"A{week}", "TEE-WHT-M", "CN-SH", 20 + week % 5, at(week)) for week in range(1, 40)]
    rows += [order(f"B{week}", "TEE-WHT-M", "CN-GD", 7, at(week)) for week in range(1, 6)]
    rows += [order(f"C{week}", "MUG-BLU", "CN-GD", 3, at(week)) for week in range(3, 60, 7)]
    rows += [order("D1", "MUG-BLU", "CN-GD", 500, at(1, 13), "MUGS")]
    rows += [order("E1", "TEE-WHT-L", "CN-SH", 9, at(53)), order("E2", "TEE-WHT-L", "CN-SH", 9, at(70))]
    return [*rows, order("F1", "TEE-WHT-M", "CN-SH", 900, f"{AS_OF}T01:00:00+08:00")]


def load(db: Database, folder: Path, name: str, rows: list[str], now: dt.datetime) -> None:
    fact = send(db, folder / name, "\n".join([HEADINGS, *rows]) + "\n", now=now)
    assert fact.accepted == len(rows)


@pytest.fixture
def sold(db: Database, tmp_path: Path, now: dt.datetime) -> Database:
    network = Path(shutil.copytree(TEMPLATE, tmp_path / "network"))
    (tmp_path / "campaigns.csv").write_text(CAMPAIGN)
    with db.transaction() as session:
        stock.import_network(session, directory=network, actor=SYSTEM, now=now, currency="CNY")
        demand.import_campaigns(session, path=tmp_path / "campaigns.csv", actor=SYSTEM, now=now)
    load(db, tmp_path, "orders.csv", history(), now)
    return db


def freeze(db: Database, as_of: dt.date = AS_OF) -> operations.ForecastInputs:
    with db.reading() as session:
        return operations.freeze(session, as_of=as_of)


COMPUTED: dict[str, operations.ForecastResult] = {}
"""A forecast is pure: tests with the same inputs share it."""


def store(db: Database, inputs: operations.ForecastInputs, now: dt.datetime) -> queries.ForecastRunFact:
    if inputs.fingerprint not in COMPUTED:
        COMPUTED[inputs.fingerprint] = operations.compute(inputs)
    result = COMPUTED[inputs.fingerprint]
    with db.transaction() as session:
        return operations.store(session, inputs=inputs, result=result, actor=SYSTEM, now=now)


def cell(db: Database, sku: str, region: str) -> dict[str, int]:
    with db.reading() as session:
        return {
            "sku_id": catalog.sku_ids(session)[sku],
            "region_id": catalog.region_ids(session)[region][0],
        }


def test_history_is_spot_demand_of_complete_weeks_of_live_series(sold: Database) -> None:
    inputs = freeze(sold)
    assert inputs.quiet == 1
    assert inputs.history["week"].max() == FIRST_WEEK - dt.timedelta(weeks=1)
    mug = inputs.history.filter(**cell(sold, "MUG-BLU", "CN-GD"))
    assert mug["units"].to_list() == [3] * 9  # not the 500 pledged to the campaign
    shirt = inputs.history.filter(**cell(sold, "TEE-WHT-M", "CN-SH"))
    assert shirt.height == 39
    assert shirt["units"].max() == 24  # not the 900 of the running week
    assert inputs.history.select("sku_id", "region_id").n_unique() == 3


def test_the_history_of_a_cell_is_its_part_of_the_whole(sold: Database) -> None:
    one = cell(sold, "TEE-WHT-M", "CN-SH")
    with sold.reading() as session:
        whole = queries.spot_history(session, until=FIRST_WEEK)
        assert queries.spot_history(session, until=FIRST_WEEK, **one).equals(whole.filter(**one))


def test_a_week_in_which_more_came_back_than_was_sold_counts_nothing(
    sold: Database, tmp_path: Path, now: dt.datetime
) -> None:
    load(sold, tmp_path, "returns.csv", [order("R1", "TEE-WHT-M", "CN-GD", -30, at(2, 18))], now)
    weeks = freeze(sold).history.filter(**cell(sold, "TEE-WHT-M", "CN-GD"))
    assert sorted(weeks["units"].to_list()) == [0, 7, 7, 7, 7]


def test_a_run_has_eight_weeks_of_ordered_quantiles_for_every_series(
    sold: Database, now: dt.datetime
) -> None:
    run = store(sold, freeze(sold), now)
    assert (run.series, run.horizon_weeks, run.as_of, run.created_by) == (3, 8, AS_OF, "system")
    with sold.reading() as session:
        lines = queries.lines(session, run_id=run.id)
        assert len(lines) == 24
        assert {line.week for line in lines} == {FIRST_WEEK + dt.timedelta(weeks=step) for step in range(8)}
        for line in lines:
            assert 0 <= line.lo_95 <= line.lo_80 <= line.mean <= line.hi_80 <= line.hi_95
        steady = queries.lines(session, run_id=run.id, **cell(sold, "TEE-WHT-M", "CN-SH"))
        assert all(15 <= line.mean <= 30 for line in steady)
        frame = queries.frame(session, run_id=run.id)
        assert frame.columns == list(queries.FRAME_SCHEMA)
        assert frame.height == 24
        assert frame["mean"].sum() == pytest.approx(run.mean_units)
        assert queries.latest_run(session, today=AS_OF) == run == queries.get_run(session, run_id=run.id)


def test_the_same_inputs_give_the_stored_run_and_new_orders_another(
    sold: Database, tmp_path: Path, now: dt.datetime
) -> None:
    first = store(sold, freeze(sold), now)
    again = store(sold, freeze(sold, AS_OF + dt.timedelta(days=1)), now + dt.timedelta(days=1))
    assert again == first
    load(sold, tmp_path, "late.csv", [order("G1", "TEE-WHT-M", "CN-GD", 4, at(1, 20))], now)
    other = store(sold, freeze(sold), now)
    assert other.id != first.id
    assert other.fingerprint != first.fingerprint
    with sold.reading() as session:
        assert queries.latest_run(session, today=AS_OF) == other


def test_the_run_to_plan_by_is_of_the_latest_week_reached_and_the_newest_of_it(
    sold: Database, tmp_path: Path, now: dt.datetime
) -> None:
    def shown(day: dt.date = AS_OF) -> ForecastRunFact | None:
        with sold.reading() as session:
            return queries.latest_run(session, today=day)

    ahead = store(sold, freeze(sold, AS_OF + dt.timedelta(weeks=3)), now)
    assert shown() == ahead  # of a week to come, but there is no other
    current = store(sold, freeze(sold), now)
    assert shown() == current
    earlier = store(sold, freeze(sold, AS_OF - dt.timedelta(weeks=2)), now)
    assert shown() == current
    assert shown(earlier.as_of) == earlier
    load(sold, tmp_path, "late.csv", [order("G1", "TEE-WHT-M", "CN-GD", 4, at(1, 20))], now)
    newer = store(sold, freeze(sold, FIRST_WEEK), now)  # an earlier day of the same week
    assert shown() == newer
    assert shown(ahead.as_of) == ahead


def test_a_forecast_whose_demand_moved_meanwhile_is_not_stored(
    sold: Database, tmp_path: Path, now: dt.datetime
) -> None:
    inputs = freeze(sold)
    load(sold, tmp_path, "late.csv", [order("G1", "TEE-WHT-M", "CN-GD", 4, at(1, 20))], now)
    with pytest.raises(Conflict) as refusal:
        store(sold, inputs, now)
    assert refusal.value.code == "forecast_stale"
    with sold.reading() as session:
        assert queries.latest_run(session, today=AS_OF) is None


def test_planning_takes_whole_units_that_add_up(sold: Database, now: dt.datetime) -> None:
    run = store(sold, freeze(sold), now)
    with sold.reading() as session:
        units = queries.planning_units(session, run_id=run.id)
    total = sum(sum(weeks.values()) for weeks in units.values())
    assert abs(total - run.mean_units) <= 1.0  # half a unit for each of two SKUs
    assert all(isinstance(one, int) and one > 0 for weeks in units.values() for one in weeks.values())


def test_a_fan_chart_shows_what_was_sold_and_what_is_forecast(sold: Database, now: dt.datetime) -> None:
    run = store(sold, freeze(sold), now)
    with sold.reading() as session:
        whole = queries.fan_chart(session, run_id=run.id, weeks=40)
        one = queries.fan_chart(session, run_id=run.id, weeks=4, **cell(sold, "MUG-BLU", "CN-GD"))
        totals = queries.weekly_totals(session, run_id=run.id)
        mix = queries.method_mix(session, run_id=run.id)
    assert [week.units for week in one.history] == [0, 3, 0, 0]
    assert [week.week for week in whole.history][-1] == FIRST_WEEK - dt.timedelta(weeks=1)
    assert whole.history[-1].units == 28
    assert whole.history[0].units == 0
    assert list(whole.forecast) == totals
    assert sum(week.mean for week in totals) == pytest.approx(run.mean_units)
    for week in totals:
        assert 0 <= week.lo_95 <= week.lo_80 <= week.mean <= week.hi_80 <= week.hi_95
    assert sum(one.series for one in mix) == 3


def test_without_any_sale_there_is_nothing_to_forecast(db: Database) -> None:
    inputs = freeze(db)
    assert inputs.history.schema == pl.Schema(
        {"sku_id": pl.Int64, "region_id": pl.Int64, "week": pl.Date, "units": pl.Int64}
    )
    with pytest.raises(RuleBroken) as refusal:
        operations.compute(inputs)
    assert refusal.value.code == "history_empty"


def test_a_chart_of_an_unknown_run_is_refused(db: Database) -> None:
    with db.reading() as session, pytest.raises(NotFound):
        queries.fan_chart(session, run_id=7)


def with_calendar(db: Database, folder: Path, now: dt.datetime, *lines: str) -> None:
    """The network again, with another calendar."""
    (folder / "network" / "calendar.csv").write_text("\n".join(["date,kind,name", *lines]) + "\n")
    with db.transaction() as session:
        stock.import_network(session, directory=folder / "network", actor=SYSTEM, now=now, currency="CNY")


def test_what_the_calendar_says_is_part_of_the_inputs_and_is_shown(
    sold: Database, tmp_path: Path, now: dt.datetime
) -> None:
    before = freeze(sold)
    with_calendar(
        sold, tmp_path, now, *(f"2026-{day},promotion,Sale" for day in ("05-04", "05-05", "12-07", "12-08"))
    )
    inputs = freeze(sold)
    assert inputs.fingerprint != before.fingerprint
    assert inputs.calendar is not None
    assert dt.date(2026, 12, 7) in inputs.calendar["ds"].to_list()
    run = store(sold, inputs, now)
    with sold.reading() as session:
        fan = queries.fan_chart(session, run_id=run.id, weeks=40)
        methods = {line.method for line in queries.lines(session, run_id=run.id)}
    shown = [(one.week, one.name, one.days) for one in fan.festivals if one.name == "Sale"]
    assert shown == [(dt.date(2026, 5, 4), "Sale", 2), (dt.date(2026, 12, 7), "Sale", 2)]
    assert all(method.endswith("+known+levels") for method in methods)


def test_totals_are_sums_of_the_lines_with_bounds_of_their_own(sold: Database, now: dt.datetime) -> None:
    run = store(sold, freeze(sold), now)
    shirt = cell(sold, "TEE-WHT-M", "CN-SH")
    with sold.reading() as session:
        for part in ({}, {"sku_id": shirt["sku_id"]}, {"region_id": shirt["region_id"]}, shirt):
            totals = queries.weekly_totals(session, run_id=run.id, **part)
            lines = queries.lines(session, run_id=run.id, **part)
            assert [one.week for one in totals] == sorted({line.week for line in lines})
            for one in totals:
                mean = sum(line.mean for line in lines if line.week == one.week)
                assert one.mean == pytest.approx(mean, abs=1e-6)
                assert 0 <= one.lo_95 <= one.lo_80 <= one.mean <= one.hi_80 <= one.hi_95


def test_runs_stored_before_totals_get_the_sums_of_their_lines(sold: Database, now: dt.datetime) -> None:
    run = store(sold, freeze(sold), now)
    shirt = cell(sold, "TEE-WHT-M", "CN-SH")
    schema.downgrade(sold, revision="0012")
    schema.migrate(sold)
    with sold.reading() as session:
        for part in ({}, {"sku_id": shirt["sku_id"]}, {"region_id": shirt["region_id"]}):
            lines = queries.lines(session, run_id=run.id, **part)
            totals = queries.weekly_totals(session, run_id=run.id, **part)
            assert len(totals) == 8
            for one in totals:
                of_week = [line for line in lines if line.week == one.week]
                for name in ("mean", "lo_80", "hi_80", "lo_95", "hi_95"):
                    assert getattr(one, name) == pytest.approx(sum(getattr(line, name) for line in of_week))
