"""Forecasts: pick a SKU, see what was sold and what is expected, with the intervals and the method."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Blueprint, render_template, request
from sqlalchemy.orm import Session

from app.core.access import Role
from app.entrypoints.door import db, roles
from app.entrypoints.web import charts
from app.entrypoints.web.replies import Reply
from app.stages.catalog import queries as catalog
from app.stages.forecasts import queries

blueprint = Blueprint("forecasts", __name__, url_prefix="/forecasts")
PAGE = 12


@blueprint.get("")
@roles(Role.MERCHANDISER)
def index() -> Reply:
    search = request.args.get("search", "").strip()
    after = request.args.get("after") or None
    with db().reading() as session:
        run = queries.latest_run(session)
        skus = catalog.list_skus(session, search=search or None, limit=PAGE + 1, after=after)
        sku_id = request.args.get("sku", type=int)
        region_id = request.args.get("region", type=int)
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
            **chosen,
        )


def _chosen(session: Session, *, run_id: int, sku_id: int | None, region_id: int | None) -> dict[str, Any]:
    """Figures of one SKU, or of everything while none is picked."""
    fan = queries.fan_chart(session, run_id=run_id, sku_id=sku_id, region_id=region_id)
    if sku_id is None:
        methods = [(one.method, one.series) for one in queries.method_mix(session, run_id=run_id)]
    else:
        lines = queries.lines(session, run_id=run_id, sku_id=sku_id, region_id=region_id)
        first = min((line.week for line in lines), default=None)
        methods = Counter(line.method for line in lines if line.week == first).most_common()
    return {"fan": charts.fan(fan), "weeks": fan.forecast, "methods": methods}
