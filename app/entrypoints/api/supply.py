"""What suppliers promise and warehouses receive."""

from __future__ import annotations

from typing import Any

from app import answers
from app.core.access import Role
from app.core.errors import NotFound
from app.entrypoints.api.blueprint import Blueprint
from app.entrypoints.door import current_actor, db, now, roles, today
from app.entrypoints.wire import confirmation, warehouse
from app.entrypoints.wire.cycle import Job
from app.stages.confirmation import queries as confirmations
from app.stages.warehouse import operations as receipts
from app.stages.warehouse import queries as warehouses

blueprint = Blueprint(
    "supply", __name__, url_prefix="/api/v1", description="Answers, arrivals, available to promise"
)


@blueprint.route("/plan-lines", methods=["GET"])
@roles(Role.SUPPLIER, Role.MERCHANDISER, Role.WAREHOUSE_PLANNER)
@blueprint.arguments(confirmation.LineFilter, location="query")
@blueprint.response(200, confirmation.Line(many=True))
def plan_lines(wanted: dict[str, Any]) -> Any:
    """Lines of production plans; a supplier sees its own and no other"""
    state = wanted.pop("state")
    with db().reading() as session:
        return confirmations.supplier_lines(
            session, actor=current_actor(), states=[state] if state else None, **wanted
        )


@blueprint.route("/plan-lines/<int:line_id>/answers", methods=["POST"])
@roles(Role.SUPPLIER)
@blueprint.arguments(confirmation.AnswerForm)
@blueprint.response(201, confirmation.Line)
def answer_line(answer: dict[str, Any], line_id: int) -> Any:
    """Confirm, counter or decline one line"""
    with db().transaction() as session:
        return answers.take_answer(session, actor=current_actor(), line_id=line_id, now=now(), **answer)


@blueprint.route("/plan-lines/<int:line_id>/preview", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, confirmation.Preview)
def preview(line_id: int) -> Any:
    """What taking or refusing a counter-offer would do to the plan"""
    with db().reading() as session:
        line = confirmations.supplier_line(session, actor=current_actor(), line_id=line_id)
        found = confirmations.preview(session, line_id=line_id, version=line.version)
    if found is None:
        raise NotFound("preview_none", "This is not found out yet. Ask for it first.", line_id=line_id)
    return found


@blueprint.route("/plan-lines/<int:line_id>/preview", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.response(202, Job)
def ask_preview(line_id: int) -> Any:
    """Find it out, in the background

    Every counter-offer asks for it by itself. Follow the job that is returned.
    """
    with db().transaction() as session:
        line = confirmations.supplier_line(session, actor=current_actor(), line_id=line_id)
        return answers.ask_preview(session, line, actor=current_actor(), now=now())


@blueprint.route("/plan-lines/<int:line_id>/settlement", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(confirmation.SettlementForm)
@blueprint.response(200, confirmation.Line)
def settle_counter(decision: dict[str, Any], line_id: int) -> Any:
    """Accept or refuse a supplier's counter-offer"""
    with db().transaction() as session:
        return answers.settle_counter(session, actor=current_actor(), line_id=line_id, now=now(), **decision)


@blueprint.route("/inbound", methods=["GET"])
@roles(Role.WAREHOUSE_PLANNER, Role.MERCHANDISER)
@blueprint.arguments(warehouse.Weeks, location="query")
@blueprint.response(200, warehouse.InboundCell(many=True))
def inbound(wanted: dict[str, Any]) -> Any:
    """Units due by warehouse and week, asked and confirmed, against inbound capacity"""
    with db().reading() as session:
        return warehouses.inbound(session, as_of=today(), **wanted)


@blueprint.route("/atp", methods=["GET"])
@roles(Role.WAREHOUSE_PLANNER, Role.MERCHANDISER)
@blueprint.arguments(warehouse.AtpFilter, location="query")
@blueprint.response(200, warehouse.AtpRow(many=True))
def atp(wanted: dict[str, Any]) -> Any:
    """Available to promise by SKU and week"""
    with db().reading() as session:
        return warehouses.atp(session, as_of=today(), **wanted)


@blueprint.route("/receipts", methods=["POST"])
@roles(Role.WAREHOUSE_PLANNER)
@blueprint.arguments(warehouse.ReceiptForm)
@blueprint.response(201, warehouse.Receipt)
def receive(form: dict[str, Any]) -> Any:
    """Receive units of a confirmed line; the same reference again changes nothing"""
    with db().transaction() as session:
        return receipts.receive(session, actor=current_actor(), now=now(), **form)
