"""What is kept of one buyer: export and erase."""

from __future__ import annotations

from typing import Any

from app.core.access import Role
from app.entrypoints import forgetting
from app.entrypoints.api.blueprint import Blueprint
from app.entrypoints.door import config, current_actor, db, now, roles, services
from app.entrypoints.wire import privacy as wire
from app.stages.demand import operations

blueprint = Blueprint("privacy", __name__, url_prefix="/api/v1/buyers", description="What is kept of a buyer")


@blueprint.route("/export", methods=["POST"])
@roles(Role.ADMINISTRATOR)
@blueprint.arguments(wire.ExportForm)
@blueprint.response(200, wire.Buyer)
def export_buyer(buyer: dict[str, Any]) -> Any:
    """All that is kept of one buyer, some thousand signals at a time

    By what names the buyer in a channel, or by pseudonym. Audited, without either. Where `next_after` is
    told, ask again with it as `after`.
    """
    with db().transaction() as session:
        return operations.export_buyer(
            session, key=config().pseudonym_key, actor=current_actor(), now=now(), **buyer
        )


@blueprint.route("/erase", methods=["POST"])
@roles(Role.ADMINISTRATOR)
@blueprint.arguments(wire.BuyerForm)
@blueprint.response(200, wire.Erased)
@blueprint.alt_response(202, schema=wire.Erased, description="The rest is forgotten by the job")
def erase_buyer(buyer: dict[str, Any]) -> Any:
    """Forget one buyer

    Signals keep their units and lose the pseudonym; no total changes. Again, it changes nothing. Of a buyer
    of more than some thousand signals the first are forgotten now, and a job forgets the others.
    """
    with db().transaction() as session:
        pseudonyms = operations.pseudonyms_of(session, key=config().pseudonym_key, **buyer)
        done = operations.erase_buyer(session, pseudonyms=pseudonyms, actor=current_actor(), now=now())
        told = {"signals": done.signals, "ballots": done.ballots}
        if done.next_after is None:
            return {**told, "job": None}
        job = forgetting.ask(services(), session, pseudonyms=pseudonyms, done=done, actor=current_actor())
        return {**told, "job": job}, 202
