"""The warehouse planner's pages: what comes in where and when, receipts, and what can still be promised."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext
from sqlalchemy.orm import Session

from app.core.access import Role
from app.entrypoints.door import current_actor, db, now, roles, today
from app.entrypoints.web import forms, show
from app.entrypoints.web.replies import Reply, by_htmx, go, say
from app.stages.catalog import queries as catalog
from app.stages.warehouse import operations, queries

blueprint = Blueprint("warehouse", __name__, url_prefix="/warehouse")
WEEKS = 8
ATP_WEEKS = 6
PAGE = 20


@blueprint.get("")
@roles(Role.WAREHOUSE_PLANNER)
def index() -> Reply:
    return _calendar()


def _calendar(wrong: dict[str, Any] | None = None) -> str:
    """The calendar, with the lines of the cell that is open."""
    with db().reading() as session:
        cells = queries.inbound(session, as_of=today(), weeks=WEEKS)
        weeks = sorted({cell.week for cell in cells})
        return render_template(
            "warehouse/inbound.html",
            weeks=weeks,
            warehouses=catalog.list_warehouses(session),
            cells={(cell.warehouse_id, cell.week): cell for cell in cells},
            confirmed=sum(cell.confirmed_units for cell in cells),
            asked=sum(cell.asked_units for cell in cells),
            over=sum(cell.over_capacity for cell in cells),
            names=catalog.names(session),
            wrong=wrong or {},
            **_opened(session, weeks),
        )


def _opened(session: Session, weeks: list[dt.date]) -> dict[str, Any]:
    warehouse_id = forms.number_of(request.values, "warehouse")
    week = next((week for week in weeks if week.isoformat() == request.values.get("week")), None)
    if warehouse_id is None or week is None:
        return {"opened": None, "lines": []}
    lines = queries.inbound_lines(session, warehouse_id=warehouse_id, week=week, as_of=today())
    return {"opened": (warehouse_id, week), "lines": lines}


@blueprint.post("/lines/<int:line_id>/receive")
@roles(Role.WAREHOUSE_PLANNER)
def receive(line_id: int) -> Reply:
    """Take in units of a confirmed line; the reference makes a receipt that is sent twice count once."""
    given = forms.read(forms.Receipt(), request.form)
    if given.errors:
        return _calendar({"line_id": line_id, "form": given.raw, "errors": given.errors}), 422
    with db().transaction() as session:
        receipt = operations.receive(
            session, actor=current_actor(), line_id=line_id, now=now(), **given.values
        )
    say(gettext("%(units)s units received.", units=show.units(receipt.quantity)))
    if by_htmx():
        return _calendar()
    return go("web.warehouse.index", warehouse=request.form.get("warehouse"), week=request.form.get("week"))


@blueprint.get("/atp")
@roles(Role.WAREHOUSE_PLANNER)
def atp() -> Reply:
    search = request.args.get("search", "").strip()
    after = request.args.get("after") or None
    with db().reading() as session:
        rows = queries.atp(
            session, as_of=today(), weeks=ATP_WEEKS, search=search or None, limit=PAGE + 1, after=after
        )
        return render_template(
            "warehouse/atp.html",
            rows=rows[:PAGE],
            next_after=rows[PAGE - 1].code if len(rows) > PAGE else None,
            search=search,
            after=after,
            names=catalog.names(session),
            **_promise(session),
        )


def _promise(session: Session) -> dict[str, Any]:
    """The answer to: when can so many units of this SKU be promised?"""
    asked = {"sku": request.args.get("sku", "").strip(), "quantity": request.args.get("quantity", "").strip()}
    if not asked["sku"]:
        return {"asked": asked, "errors": {}, "promise": None}
    given = forms.read(forms.PromiseQuestion(), asked)
    sku_id = catalog.sku_ids(session).get(asked["sku"])
    errors = dict(given.errors)
    if sku_id is None:
        errors["sku"] = gettext("There is no such SKU.")
    if errors or sku_id is None:
        return {"asked": asked, "errors": errors, "promise": None}
    quantity = given.values["quantity"]
    week = queries.promise_date(session, sku_id=sku_id, quantity=quantity, as_of=today())
    return {"asked": asked, "errors": {}, "promise": {"sku_id": sku_id, "quantity": quantity, "week": week}}
