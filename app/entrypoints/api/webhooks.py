"""Webhooks that come in."""

from __future__ import annotations

from typing import Any

import structlog
from flask import request

from app.core.errors import NotAllowed
from app.entrypoints import guard
from app.entrypoints.api.blueprint import Blueprint, strict_json
from app.entrypoints.api.pledges import pledge_settings, stored
from app.entrypoints.door import config, db, now, public
from app.entrypoints.wire import webhooks as wire
from app.stages.demand import operations

LARGEST_EVENT = 1024 * 1024
log = structlog.get_logger()
blueprint = Blueprint(
    "webhooks", __name__, url_prefix="/api/v1", description="Channels that send by themselves"
)


@blueprint.route("/webhooks/<channel>", methods=["POST"])
@public
@guard.limiter.limit(guard.webhook_limit)
@blueprint.doc(security=[], requestBody={"required": True, "content": {"application/json": {}}})
@blueprint.response(200, wire.Event)
def take_event(channel: str) -> Any:
    """Take an event of a channel

    Signed after Standard Webhooks, or as Shopify signs. The same message again changes nothing; events may
    come late and in any order. Nothing of the body is kept but what the channel's mapping names.
    """
    request.max_content_length = LARGEST_EVENT
    headers = {name.lower(): value for name, value in request.headers.items()}
    message = operations.Message(request.get_data(cache=True), headers)
    try:
        with db().reading() as session:
            operations.check_message(
                session, channel=channel, message=message, key=config().secret_key, now=now()
            )
    except NotAllowed as refused:
        with db().transaction() as session:
            operations.note_failure(session, channel=channel, sentence=refused.sentence, now=now())
        raise
    document = strict_json()
    fact = stored(
        lambda session: operations.take_event(
            session,
            channel=channel,
            message=message,
            document=document,
            now=now(),
            settings=pledge_settings(),
        )
    )
    log.info("webhook", channel=channel, ignored=fact.ignored, again=fact.again, rejected=fact.rejected)
    return fact
