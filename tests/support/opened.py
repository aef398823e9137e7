"""The waterfall opened in every way the product opens it: what was received again must be the same in all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from sqlalchemy.orm import Session

from app.stages.catalog.queries import region_ids, sku_ids
from app.stages.demand import queries as demands


@dataclass(frozen=True)
class Came:
    """What was received again, and what all came to."""

    signals: int
    units: int
    raw_units: int

    @classmethod
    def of(cls, waters: Iterable[demands.Waterfall]) -> Came:
        """Several parts together."""
        all_ = list(waters)
        steps = [step for water in all_ for step in water.steps if step.reason == "duplicate"]
        assert all(
            water.raw_units - sum(one.units for one in water.steps) == water.valid_units for water in all_
        )
        return cls(
            sum(step.signals for step in steps),
            sum(step.units for step in steps),
            sum(water.raw_units for water in all_),
        )


def opened(session: Session, *, until: dt.date) -> dict[str, dict[str, Came]]:
    """Of everything and of the only campaign: as a whole and as the sum of its parts, however it is opened.

    All demand is of the forty days up to `until`.
    """
    open_ = partial(demands.waterfall, session)
    skus, places = sku_ids(session).values(), [id_ for id_, _ in region_ids(session).values()]
    shops = [one.id for one in demands.list_channels(session)]
    days = [until - dt.timedelta(days=number) for number in range(40)]
    (campaign,) = [one.id for one in demands.list_campaigns(session)]
    ways: dict[str, dict[str, Came]] = {}
    for name, which in (("all", {}), ("campaign", {"campaign_id": campaign})):
        ways[name] = {
            "whole": Came.of([open_(**which)]),
            "by SKU": Came.of(open_(**which, sku_id=one) for one in skus),
            "by region": Came.of(open_(**which, region_id=one) for one in places),
            "by both": Came.of(
                open_(**which, sku_id=one, region_id=place) for one in skus for place in places
            ),
        }
    ways["all"]["by channel"] = Came.of(open_(channel_id=one) for one in shops)
    ways["all"]["by SKU and channel"] = Came.of(
        open_(sku_id=one, channel_id=shop) for one in skus for shop in shops
    )
    whole = {"all": demands.Scope(), "campaign": demands.Scope(campaign_id=campaign)}
    for name, scope in whole.items():
        for by in (None, "sku", "region", "day"):
            raw = sum(cell.raw_units for cell in demands.expected(session, scope=scope, by=by))
            assert raw == ways[name]["whole"].raw_units, (name, by)
    whole_raw = ways["all"]["whole"].raw_units
    assert sum(one.raw_units for one in demands.sku_units(session)) == whole_raw
    period = {"since": days[-1], "until": days[0] + dt.timedelta(days=1)}
    assert sum(one.raw_units for one in demands.sku_units(session, **period)) == whole_raw
    by_day = [day for sku in skus for day in demands.daily_units(session, sku_id=sku)]
    assert sum(one.raw_units for one in by_day) == whole_raw
    assert {day.day for day in by_day} <= set(days)
    variants = demands.variant_units(session, campaign_id=campaign)
    assert sum(one.raw_units for one in variants) <= ways["campaign"]["whole"].raw_units
    return ways
