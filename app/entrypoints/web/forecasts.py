"""Forecasts: what was sold and what is expected, the planners' word against it, and what both were worth."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext
from sqlalchemy.orm import Session

from app.core.access import Role
from app.entrypoints.door import current_actor, db, now, roles, today
from app.entrypoints.web import charts, forms
from app.entrypoints.web.replies import Reply, go, say
from app.stages.catalog import queries as catalog
from app.stages.forecasts import operations, queries

blueprint = Blueprint("forecasts", __name__, url_prefix="/forecasts")
PAGE = 12
LATEST = 25
"""Overrides of a SKU that are listed."""


@blueprint.get("")
@roles(Role.MERCHANDISER)
def index() -> Reply:
    return _page()


def _page(given: forms.Given | None = None) -> str:
    """The page of a SKU, or of everything while none is picked; with a form that was filled in wrongly."""
    search = request.args.get("search", "").strip()
    after = request.args.get("after") or None
    sku_id, region_id = forms.number_of(request.values, "sku"), forms.number_of(request.values, "region")
    with db().reading() as session:
        run = queries.latest_run(session, today=today())
        skus = catalog.list_skus(session, search=search or None, limit=PAGE + 1, after=after)
        chosen: dict[str, Any] = {}
        if run is not None:
            chosen = _chosen(session, run_id=run.id, sku_id=sku_id, region_id=region_id)
        return render_template(
            "merchandiser/forecasts.html",
            run=run,
            skus=skus[:PAGE],
            next_after=skus[PAGE - 1].code if len(skus) > PAGE else None,
            search=search,
            after=after,
            sku=catalog.get_sku(session, sku_id=sku_id) if sku_id else None,
            region_id=region_id,
            regions=catalog.list_regions(session),
            form=given.raw if given else {},
            errors=given.errors if given else {},
            **chosen,
        )


def _chosen(session: Session, *, run_id: int, sku_id: int | None, region_id: int | None) -> dict[str, Any]:
    """Figures of one SKU with its overrides, or of everything."""
    fan = queries.fan_chart(session, run_id=run_id, sku_id=sku_id, region_id=region_id)
    if sku_id is None:
        methods = [(one.method, one.series) for one in queries.method_mix(session, run_id=run_id)]
        return {"fan": charts.fan(fan), "weeks": fan.forecast, "methods": methods}
    lines = queries.lines(session, run_id=run_id, sku_id=sku_id, region_id=region_id)
    first = min((line.week for line in lines), default=None)
    monday = today() - dt.timedelta(days=today().weekday())
    return {
        "fan": charts.fan(fan),
        "weeks": fan.forecast,
        "methods": Counter(line.method for line in lines if line.week == first).most_common(),
        "planned": queries.planned_weeks(session, run_id=run_id, sku_id=sku_id, region_id=region_id),
        "this_week": monday,
        "open_weeks": [monday + dt.timedelta(weeks=step) for step in range(PAGE)],
        "overrides": queries.list_overrides(session, sku_id=sku_id, region_id=region_id, limit=LATEST),
        "names": catalog.names(session),
    }


@blueprint.post("/overrides")
@roles(Role.MERCHANDISER)
def override() -> Reply:
    """Plan other units than forecast."""
    given = forms.read(forms.Override(), {name: text.strip() for name, text in request.form.items()})
    if given.errors:
        return _page(given), 422
    sku_id, region_id = forms.number_of(request.form, "sku"), forms.number_of(request.form, "region")
    with db().transaction() as session:
        operations.override_forecast(
            session,
            actor=current_actor(),
            sku_id=sku_id or 0,
            region_id=region_id,
            today=today(),
            now=now(),
            **given.values,
        )
    say(gettext("The override counts from the next plan on."))
    return go("web.forecasts.index", sku=sku_id, region=region_id, _anchor="overrides")


@blueprint.post("/overrides/<int:override_id>/withdraw")
@roles(Role.MERCHANDISER)
def withdraw(override_id: int) -> Reply:
    with db().transaction() as session:
        gone = operations.withdraw_override(
            session, actor=current_actor(), override_id=override_id, today=today(), now=now()
        )
    say(gettext("The override is withdrawn; it stays on record."))
    region_id = forms.number_of(request.form, "region")
    return go("web.forecasts.index", sku=gone.sku_id, region=region_id, _anchor="overrides")


@blueprint.get("/accuracy")
@roles(Role.MERCHANDISER)
def accuracy() -> Reply:
    """What the forecasts of finished weeks were worth."""
    with db().reading() as session:
        weeks = queries.accuracy(session, by="week")
        return render_template(
            "merchandiser/accuracy.html",
            latest=weeks[-1] if weeks else None,
            weeks=len(weeks),
            by_class=queries.accuracy(session, by="class"),
            by_step=queries.accuracy(session, by="step"),
            by_region=queries.accuracy(session, by="region"),
            names=catalog.names(session),
        )
