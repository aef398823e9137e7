"""What is kept of one buyer: export and erase."""

from __future__ import annotations

from typing import Any

from app.core.access import Role
from app.entrypoints.api.blueprint import Blueprint
from app.entrypoints.door import config, current_actor, db, now, roles
from app.entrypoints.wire import privacy as wire
from app.stages.demand import operations

blueprint = Blueprint("privacy", __name__, url_prefix="/api/v1/buyers", description="What is kept of a buyer")


@blueprint.route("/export", methods=["POST"])
@roles(Role.ADMINISTRATOR)
@blueprint.arguments(wire.BuyerForm)
@blueprint.response(200, wire.Buyer)
def export_buyer(buyer: dict[str, Any]) -> Any:
    """All that is kept of one buyer

    By what names the buyer in a channel, or by pseudonym. Audited, without either.
    """
    with db().transaction() as session:
        return operations.export_buyer(
            session, key=config().pseudonym_key, actor=current_actor(), now=now(), **buyer
        )


@blueprint.route("/erase", methods=["POST"])
@roles(Role.ADMINISTRATOR)
@blueprint.arguments(wire.BuyerForm)
@blueprint.response(200, wire.Erased)
def erase_buyer(buyer: dict[str, Any]) -> Any:
    """Forget one buyer

    Signals keep their units and lose the pseudonym; no total changes. Again, it changes nothing.
    """
    with db().transaction() as session:
        return operations.erase_buyer(
            session, key=config().pseudonym_key, actor=current_actor(), now=now(), **buyer
        )
