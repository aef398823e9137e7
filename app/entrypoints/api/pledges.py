"""Pledges that come one by one or in batches, and what is corrected of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response, request
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.core.access import Role
from app.core.db import was_turned_away
from app.core.errors import RuleBroken
from app.entrypoints.api.blueprint import Blueprint, strict_json
from app.entrypoints.api.sent import loaded, sent_pledge
from app.entrypoints.door import config, current_actor, db, now, roles
from app.entrypoints.wire import pledges as wire
from app.stages.demand import operations
from app.stages.demand.operations import PledgeResult, PledgeSettings

Answer = TypeVar("Answer")
CORRECTION = wire.CorrectionForm()

blueprint = Blueprint("pledges", __name__, url_prefix="/api/v1", description="Demand as it comes in")


@blueprint.route("/pledges", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.doc(
    requestBody={"required": True, "content": {"application/json": {"schema": wire.PledgeForm}}},
    parameters=[
        {
            "in": "header",
            "name": "Idempotency-Key",
            "schema": {"type": "string", "maxLength": 120},
            "description": "The external id of a pledge that names none.",
        }
    ],
)
@blueprint.response(201, wire.Pledge)
@blueprint.alt_response(200, schema=wire.Pledge, description="It was known already; nothing changed")
def take_pledge() -> Any:
    """Take one pledge

    Its identity is channel and external id: the same pledge again is answered with the same body and counts
    once. The same identity with other content is refused with 409 `identity_conflict`, a pledge with bad
    fields with 422 `pledge_invalid` and one entry in `errors` for each of them.
    """
    body = _object(strict_json())
    if body.get("external_id") is None and "Idempotency-Key" in request.headers:
        body["external_id"] = request.headers["Idempotency-Key"]
    sent = sent_pledge(body)
    plain = stored(
        lambda session: operations.take_plain_pledge(
            session, sent=sent, actor=current_actor(), pseudonym_key=config().pseudonym_key
        )
    )
    if plain is not None:
        return plain, 201
    pledge, is_new = stored(
        lambda session: operations.take_pledge(
            session, sent=sent, actor=current_actor(), now=now(), settings=pledge_settings()
        )
    )
    return pledge, 201 if is_new else 200


@blueprint.route("/pledges:batch", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.doc(
    requestBody={
        "required": True,
        "content": {"application/json": {"schema": wire.PledgeForm(many=True)}},
    }
)
@blueprint.response(200, wire.PledgeResult(many=True))
def take_pledges() -> Any:
    """Take up to 1,000 pledges

    One result a row, in their order: accepted; duplicate, when it is known with the same content; or
    rejected, with its first bad field. A bad row does not stop the others; all is stored at once.
    """
    body = strict_json()
    if not isinstance(body, list):
        raise RuleBroken("body_not_list", "Send a list of pledges.")
    rows = [sent_pledge(one) for one in body[: operations.MOST_AT_ONCE + 1]]
    results = stored(
        lambda session: operations.take_pledges(
            session, rows=rows, actor=current_actor(), now=now(), settings=pledge_settings()
        )
    )
    told = [_told(number, result) for number, result in enumerate(results)]
    return Response(json.dumps(told), content_type="application/json")  # the schema would take longer


@blueprint.route("/pledges/<channel>/<path:external_id>", methods=["PATCH"])
@roles(Role.MERCHANDISER)
@blueprint.doc(
    requestBody={"required": True, "content": {"application/json": {"schema": wire.CorrectionForm}}}
)
@blueprint.response(200, wire.Correction)
@blueprint.alt_response(202, schema=wire.Correction, description="The correction waits for its pledge")
def correct_pledge(channel: str, external_id: str) -> Any:
    """Correct the quantity or the status of a pledge

    It counts on the day the pledge belongs to. Of several corrections the latest by `changed_at` stands,
    whatever the order they arrive in; one that comes before its pledge waits for it.
    """
    said, flaws = loaded(CORRECTION, _object(strict_json()))
    if flaws:
        listed = [{"field": one.field, "code": one.code, "sentence": one.sentence} for one in flaws]
        raise RuleBroken("correction_invalid", "This is no correction; see `errors`.", errors=listed)
    return _correct(channel, external_id, **said)


@blueprint.route("/pledges/<channel>/<path:external_id>", methods=["DELETE"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.CancelFilter, location="query")
@blueprint.response(200, wire.Correction)
@blueprint.alt_response(202, schema=wire.Correction, description="The cancellation waits for its pledge")
def cancel_pledge(when: dict[str, Any], channel: str, external_id: str) -> Any:
    """Cancel a pledge

    The signal stays, and leaves valid demand; the same as correcting its status to cancelled.
    """
    return _correct(channel, external_id, status="cancelled", **when)


def _correct(channel: str, external_id: str, **said: Any) -> tuple[Any, int]:
    fact = stored(
        lambda session: operations.correct_pledge(
            session,
            channel=channel,
            external_id=external_id,
            actor=current_actor(),
            now=now(),
            currency=config().currency,
            **said,
        )
    )
    return fact, 202 if fact.pledge is None else 200


def pledge_settings() -> PledgeSettings:
    settings = config()
    return PledgeSettings(
        pseudonym_key=settings.pseudonym_key, currency=settings.currency, timezone=settings.timezone
    )


def stored(work: Callable[[Session], Answer]) -> Answer:
    """Do it in one transaction; once more when the database ended it for being in another one's way."""
    for is_last in (False, False, True):
        try:
            with db().transaction() as session:
                return work(session)
        except OperationalError as error:
            if is_last or not was_turned_away(error):
                raise
    raise AssertionError("the last attempt returns or raises")


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise RuleBroken("body_not_object", "Send a JSON object.")
    return body


def _told(number: int, result: PledgeResult) -> dict[str, Any]:
    flaw = result.flaws[0] if result.flaws else None
    return {
        "row": number,
        "result": result.outcome.value,
        "channel": result.channel,
        "external_id": result.external_id,
        "field": flaw.field if flaw else None,
        "code": flaw.code if flaw else None,
        "sentence": flaw.sentence if flaw else None,
    }
