"""Channels: how they are doing, and how they are connected: sending by themselves, or asked page by page."""

from __future__ import annotations

from typing import Any

from app.core import jobs
from app.core.access import Role
from app.entrypoints.api.blueprint import Blueprint
from app.entrypoints.door import config, current_actor, db, now, roles
from app.entrypoints.wire import channels as wire
from app.entrypoints.wire.basics import PageBefore
from app.entrypoints.wire.cycle import Job
from app.stages.demand import operations
from app.stages.demand.queries import sources

blueprint = Blueprint(
    "channels", __name__, url_prefix="/api/v1/channels", description="Where demand comes from"
)


@blueprint.route("", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Source(many=True))
def list_channels() -> Any:
    """Channels, and how they are doing"""
    with db().reading() as session:
        return sources.list_sources(session, now=now())


@blueprint.route("", methods=["POST"])
@roles(Role.ADMINISTRATOR)
@blueprint.arguments(wire.ConnectForm)
@blueprint.response(201, wire.Connected)
def connect_channel(form: dict[str, Any]) -> Any:
    """Let a channel send webhooks, or give it another secret

    The secret before counts for 24 hours more.
    """
    with db().transaction() as session:
        return operations.connect_channel(
            session,
            key=config().secret_key,
            currency=config().currency,
            actor=current_actor(),
            now=now(),
            **form,
        )


@blueprint.route("/<channel>", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Source)
def get_channel(channel: str) -> Any:
    """One channel"""
    with db().reading() as session:
        return sources.get_source(session, channel=channel, now=now())


@blueprint.route("/<channel>/webhooks", methods=["DELETE"])
@roles(Role.ADMINISTRATOR)
@blueprint.response(204)
def disconnect_channel(channel: str) -> None:
    """Take no more webhooks of a channel

    What it sent stays.
    """
    with db().transaction() as session:
        operations.disconnect_channel(session, channel=channel, actor=current_actor(), now=now())


@blueprint.route("/<channel>/source", methods=["PUT"])
@roles(Role.ADMINISTRATOR)
@blueprint.arguments(wire.SourceForm)
@blueprint.response(200, wire.Source)
def connect_pull(form: dict[str, Any], channel: str) -> Any:
    """Have a channel asked page by page

    Another address or mapping begins at the beginning; what is known already stays known.
    """
    with db().transaction() as session:
        operations.connect_pull(
            session,
            channel=channel,
            key=config().secret_key,
            currency=config().currency,
            trusted=config().pull_hosts,
            actor=current_actor(),
            now=now(),
            **form,
        )
        return sources.get_source(session, channel=channel, now=now())


@blueprint.route("/<channel>/source", methods=["DELETE"])
@roles(Role.ADMINISTRATOR)
@blueprint.response(204)
def disconnect_pull(channel: str) -> None:
    """Ask a channel no more

    A pull that is under way stops at its next page; what came stays.
    """
    with db().transaction() as session:
        operations.disconnect_pull(session, channel=channel, actor=current_actor(), now=now())


@blueprint.route("/<channel>/pulls", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.response(202, Job)
def pull_channel(channel: str) -> Any:
    """Pull a channel now

    The answer is the job; one that waits or runs already is answered again.
    """
    with db().transaction() as session:
        operations.next_page(session, channel=channel, key=config().secret_key)
        return jobs.enqueue(
            session, name="pull-channel", arguments={"channel": channel}, actor=current_actor(), now=now()
        )


@blueprint.route("/<channel>/events", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(PageBefore, location="query")
@blueprint.response(200, wire.Received(many=True))
def list_events(page: dict[str, Any], channel: str) -> Any:
    """Events and pages of a channel that were taken, newest first"""
    with db().reading() as session:
        sources.get_source(session, channel=channel, now=now())
        return sources.received(session, channel=channel, **page)


@blueprint.route("/<channel>/rejects", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Reject(many=True))
def list_rejects(channel: str) -> Any:
    """The latest rows of events that were kept out, newest first"""
    with db().reading() as session:
        sources.get_source(session, channel=channel, now=now())
        return sources.rejects(session, channel=channel)
