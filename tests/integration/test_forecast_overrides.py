"""A planner's word against the forecast: who may, what counts, what is planned with it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app.core import audit
from app.core.access import Actor, Role
from app.core.db import Database
from app.core.errors import Conflict, HeadwaterError, NotAllowed, NotFound, RuleBroken
from app.core.limits import LARGEST_QUANTITY
from app.stages.allocation import operations as allocation
from app.stages.catalog import queries as catalog
from app.stages.catalog.models import Sku
from app.stages.forecasts import operations, queries
from support import brand

WEEK = brand.MONDAY + dt.timedelta(weeks=2)


@pytest.fixture
def forecast(db: Database, tmp_path: Path) -> int:
    """Ten mugs a week in either region for eight weeks."""
    brand.load(db, tmp_path, campaign=False)
    return brand.store_forecast(db, mugs=10)


def ids(db: Database, sku: str = "MUG") -> tuple[int, int, int]:
    """A SKU, Guangdong and Fujian."""
    with db.reading() as session:
        regions = catalog.region_ids(session)
        return catalog.sku_ids(session)[sku], regions["CN-GD"][0], regions["CN-FJ"][0]


def say(db: Database, units: int, region: int | None = None, **other: Any) -> queries.OverrideFact:
    words = {
        "actor": brand.MERCHANDISER,
        "sku_id": ids(db)[0],
        "region_id": region,
        "week": WEEK,
        "units": units,
        "reason": "A fair in town",
        "today": brand.MONDAY,
        "now": brand.NOW,
        **other,
    }
    with db.transaction() as session:
        return operations.override_forecast(session, **words)


def take_back(db: Database, override_id: int, **other: Any) -> queries.OverrideFact:
    words = {"actor": brand.MERCHANDISER, "today": brand.MONDAY, "now": brand.NOW, **other}
    with db.transaction() as session:
        return operations.withdraw_override(session, override_id=override_id, **words)


def planned(db: Database, run_id: int, sku: str = "MUG") -> tuple[int, int]:
    """Units of the week in Guangdong and Fujian."""
    sku_id, *regions = ids(db, sku)
    with db.reading() as session:
        units = queries.planning_units(session, run_id=run_id)
    gd, fj = (units.get((sku_id, region), {}).get(WEEK, 0) for region in regions)
    return gd, fj


def listed(db: Database, **wanted: Any) -> list[queries.OverrideFact]:
    with db.reading() as session:
        return queries.list_overrides(session, **wanted)


def test_the_latest_word_about_a_region_is_planned(db: Database, forecast: int) -> None:
    _, gd, _ = ids(db)
    assert planned(db, forecast) == (10, 10)
    say(db, 70, gd)
    last = say(db, 90, gd)
    assert planned(db, forecast) == (90, 10)
    assert [(one.units, one.counts) for one in listed(db)] == [(90, True), (70, False)]
    assert (last.reason, last.created_by, last.sold_units) == ("A fair in town", "mei", None)


def test_a_word_taken_back_leaves_the_one_before_and_then_the_forecast(db: Database, forecast: int) -> None:
    _, gd, _ = ids(db)
    first, last = say(db, 70, gd), say(db, 90, gd)
    gone = take_back(db, last.id)
    assert (gone.withdrawn_by, gone.withdrawn_at, gone.counts) == ("mei", brand.NOW, False)
    assert planned(db, forecast) == (70, 10)
    take_back(db, first.id)
    assert planned(db, forecast) == (10, 10)


def test_all_regions_share_a_word_and_a_regions_own_stands(db: Database, forecast: int) -> None:
    _, gd, _ = ids(db)
    say(db, 101)
    assert sum(planned(db, forecast)) == 101
    say(db, 80, gd)
    assert planned(db, forecast) == (80, 21)


def test_the_weeks_of_a_sku_show_what_is_planned(db: Database, forecast: int) -> None:
    sku, gd, fj = ids(db)
    say(db, 101)
    say(db, 80, gd)
    say(db, 500, gd, sku_id=ids(db, "BAG")[0])
    with db.reading() as session:
        whole = queries.planned_weeks(session, run_id=forecast, sku_id=sku)
        east = queries.planned_weeks(session, run_id=forecast, sku_id=sku, region_id=fj)
        assert queries.planned_weeks(session, run_id=99, sku_id=sku) == {}
    assert (whole[WEEK], east[WEEK]) == (101, 21)
    assert (whole[brand.MONDAY], east[brand.MONDAY]) == (20, 10)
    assert len(whole) == len(east) == 8


def test_a_sku_without_a_forecast_is_planned_as_said(db: Database, forecast: int) -> None:
    bag, gd, _ = ids(db, "BAG")
    say(db, 7, gd, sku_id=bag)
    assert planned(db, forecast, "BAG") == (7, 0)
    say(db, 9, sku_id=bag)
    assert planned(db, forecast, "BAG") == (7, 2)


def test_other_weeks_stay_as_forecast(db: Database, forecast: int) -> None:
    say(db, 0, week=WEEK + dt.timedelta(weeks=30))
    assert planned(db, forecast) == (10, 10)
    with db.reading() as session:
        units = queries.planning_units(session, run_id=forecast)
    assert all(len(weeks) == 8 for weeks in units.values())


def test_a_plan_after_an_override_is_of_another_problem(db: Database, forecast: int) -> None:
    def digest() -> str:
        with db.reading() as session:
            return allocation.freeze(
                session,
                forecast_run_id=forecast,
                as_of=brand.MONDAY,
                commitments=brand.commitments(session, as_of=brand.MONDAY),
                currency="CNY",
                settings=brand.SETTINGS,
            ).digest

    before = digest()
    override = say(db, 400)
    assert digest() != before
    take_back(db, override.id)
    assert digest() == before


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"week": WEEK + dt.timedelta(days=1)}, "override_week"),
        ({"week": brand.MONDAY - dt.timedelta(weeks=1)}, "override_week"),
        ({"week": brand.MONDAY + dt.timedelta(weeks=53)}, "override_week"),
        ({"units": -1}, "override_units"),
        ({"units": LARGEST_QUANTITY + 1}, "override_units"),
        ({"reason": "  "}, "override_reason"),
        ({"reason": "x" * 501}, "override_reason"),
        ({"sku_id": 999}, "sku_unknown"),
        ({"region": 999}, "region_unknown"),
        ({"actor": brand.PLANNER}, "role_required"),
        ({"actor": Actor("jdz", Role.SUPPLIER, supplier_id=1)}, "role_required"),
    ],
)
def test_a_word_that_cannot_count_is_refused(
    db: Database, forecast: int, wrong: dict[str, Any], code: str
) -> None:
    with pytest.raises(HeadwaterError) as refusal:
        say(db, **{"units": 5, **wrong})
    assert refusal.value.code == code
    assert listed(db) == []


def test_a_sku_that_is_not_planned_takes_no_word(db: Database, forecast: int) -> None:
    with db.transaction() as session:
        session.execute(update(Sku).where(Sku.code == "MUG").values(goods=False))
    with pytest.raises(RuleBroken) as refusal:
        say(db, 5)
    assert refusal.value.code == "override_not_planned"


def test_the_running_week_can_be_overridden_and_an_over_one_stays_on_record(
    db: Database, forecast: int
) -> None:
    sunday = brand.MONDAY + dt.timedelta(days=6)
    running = say(db, 5, week=brand.MONDAY, today=sunday, reason=" tide ")
    assert running.reason == "tide"
    with pytest.raises(RuleBroken) as refusal:
        take_back(db, running.id, today=sunday + dt.timedelta(days=1))
    assert refusal.value.code == "override_over"


def test_only_a_merchandiser_takes_back_once(db: Database, forecast: int) -> None:
    override = say(db, 5)
    with pytest.raises(NotAllowed):
        take_back(db, override.id, actor=brand.PLANNER)
    take_back(db, override.id)
    with pytest.raises(Conflict):
        take_back(db, override.id)
    with pytest.raises(NotFound):
        take_back(db, 999)


def test_both_are_audited(db: Database, forecast: int) -> None:
    override = say(db, 5)
    take_back(db, override.id)
    with db.reading() as session:
        withdrawn, overridden, *_ = audit.entries(session)
    assert (overridden.action, withdrawn.action) == ("forecast.overridden", "forecast.override_withdrawn")
    assert overridden.subject == withdrawn.subject == f"override:{override.id}"
    assert overridden.data["units"] == 5
    assert overridden.data["reason"] == "A fair in town"


def test_overrides_are_listed_by_sku_and_region_the_newest_first(db: Database, forecast: int) -> None:
    sku, gd, fj = ids(db)
    whole, south, other = say(db, 50), say(db, 20, gd), say(db, 9, fj, sku_id=ids(db, "BAG")[0])
    assert [one.id for one in listed(db)] == [other.id, south.id, whole.id]
    assert [one.id for one in listed(db, sku_id=sku, region_id=fj)] == [whole.id]
    assert [one.id for one in listed(db, before_id=south.id)] == [whole.id]
    assert [one.id for one in listed(db, limit=1)] == [other.id]
