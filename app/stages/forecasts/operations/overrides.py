"""A planner's word against the forecast: given with a reason, and taken back."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.core import audit
from app.core.access import Actor, Role
from app.core.errors import Conflict, NotFound, RuleBroken
from app.stages.catalog import queries as catalog
from app.stages.catalog.rules import SkuState
from app.stages.forecasts import rules
from app.stages.forecasts.models import ForecastOverride
from app.stages.forecasts.queries import OverrideFact, get_override


def override_forecast(
    session: Session,
    *,
    actor: Actor,
    sku_id: int,
    region_id: int | None,
    week: dt.date,
    units: int,
    reason: str,
    today: dt.date,
    now: dt.datetime,
) -> OverrideFact:
    """Plan `units` of a SKU in a week, in one region or (None) in all together, whatever the forecast says.

    It takes the place of an earlier override of the same cell, which stays on record.

    Raises:
        NotAllowed: the actor is no merchandiser.
        NotFound: `sku_unknown` or `region_unknown`.
        RuleBroken: `override_week`, `override_units`, `override_reason` or `override_not_planned`.
    """
    actor.must_be(Role.MERCHANDISER)
    told = reason.strip()
    rules.check_override(week=week, units=units, reason=told, today=today)
    sku = catalog.get_sku(session, sku_id=sku_id)
    if sku is None:
        raise NotFound("sku_unknown", f"There is no SKU {sku_id}.", sku_id=sku_id)
    if not sku.goods or sku.state == SkuState.RETIRED:
        raise RuleBroken("override_not_planned", f"{sku.code} is not planned: it is retired, or no goods.")
    if region_id is not None and region_id not in {one.id for one in catalog.list_regions(session)}:
        raise NotFound("region_unknown", f"There is no region {region_id}.", region_id=region_id)
    override = ForecastOverride(
        sku_id=sku_id,
        region_id=region_id,
        week=week,
        units=units,
        reason=told,
        created_by=actor.name,
        created_at=now,
    )
    session.add(override)
    session.flush()
    _record(session, actor=actor, action="forecast.overridden", override=override, now=now)
    return get_override(session, override_id=override.id)


def withdraw_override(
    session: Session, *, actor: Actor, override_id: int, today: dt.date, now: dt.datetime
) -> OverrideFact:
    """Take an override back: the one before it counts again, or the forecast.

    Raises:
        NotAllowed: the actor is no merchandiser.
        NotFound: `override_unknown`.
        Conflict: `override_withdrawn` before.
        RuleBroken: `override_over` when its week is over: what was planned with it stays on record.
    """
    actor.must_be(Role.MERCHANDISER)
    override = session.get(ForecastOverride, override_id, with_for_update=True)
    if override is None:
        raise NotFound("override_unknown", f"There is no override {override_id}.", override_id=override_id)
    if override.withdrawn_at is not None:
        raise Conflict(
            "override_withdrawn", f"This override was withdrawn already by {override.withdrawn_by}."
        )
    if override.week < rules.monday(today):
        raise RuleBroken("override_over", "The week of this override is over; it stays on record.")
    override.withdrawn_by, override.withdrawn_at = actor.name, now
    session.flush()
    _record(session, actor=actor, action="forecast.override_withdrawn", override=override, now=now)
    return get_override(session, override_id=override.id)


def _record(
    session: Session, *, actor: Actor, action: str, override: ForecastOverride, now: dt.datetime
) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        subject=f"override:{override.id}",
        data={
            "sku_id": override.sku_id,
            "region_id": override.region_id,
            "week": override.week.isoformat(),
            "units": override.units,
            "reason": override.reason,
        },
        now=now,
    )
