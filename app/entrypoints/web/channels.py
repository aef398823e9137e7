"""Channels: how each is doing, and how it is connected: sending by itself, or asked page by page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask_babel import gettext

from app.core import jobs
from app.core.access import Role
from app.core.errors import HeadwaterError
from app.entrypoints.door import config, current_actor, db, now, roles
from app.entrypoints.web import forms, refusals
from app.entrypoints.web.replies import Reply, by_htmx, go, part, say
from app.stages.alerts import queries as alerts
from app.stages.demand import operations
from app.stages.demand.queries import sources
from app.stages.demand.queries.sources import SourceFact
from app.stages.imports import queries as mappings

blueprint = Blueprint("channels", __name__, url_prefix="/channels")
PULL = "pull-channel"
SHOWN = 20
FIELDS = {
    "secret_unusable": "secret",
    "source_address": "url",
    "mapping_unknown": "mapping",
    "mapping_no_events": "mapping",
    "mapping_no_pull": "mapping",
}


@blueprint.get("")
@roles(Role.MERCHANDISER)
def index() -> Reply:
    return _index()


@blueprint.post("")
@roles(Role.ADMINISTRATOR)
def connect() -> Reply:
    """Connect a channel in one of the ways; a secret of our making is shown this once."""
    given = forms.read(forms.ConnectChannel(), request.form)
    if given.errors:
        return _index(given.raw, given.errors), 422
    try:
        return _connected(**given.values)
    except HeadwaterError as refused:
        return _index(given.raw, refusals.beside(refused, FIELDS, other="channel")), refused.status


def _connected(channel: str, way: str, mapping: str, url: str, secret: str) -> Reply:
    shared: dict[str, Any] = {
        "channel": channel,
        "mapping": mapping,
        "secret": secret or None,
        "key": config().secret_key,
        "currency": config().currency,
        "actor": current_actor(),
        "now": now(),
    }
    with db().transaction() as session:
        if way != "pull":
            told = operations.connect_channel(session, scheme=way, **shared)
        else:
            operations.connect_pull(session, url=url, trusted=config().pull_hosts, **shared)
    if way != "pull":
        return _told(channel, told.secret)
    say(gettext("The channel is connected; pull it to begin."))
    return go("web.channels.one", channel=channel)


@blueprint.get("/<channel>")
@roles(Role.MERCHANDISER)
def one(channel: str) -> Reply:
    return _one(channel)


@blueprint.post("/<channel>/secret")
@roles(Role.ADMINISTRATOR)
def rotate(channel: str) -> Reply:
    """Give the channel another secret; the one before counts for a day more."""
    given = forms.read(forms.NewSecret(), request.form)
    if given.errors:
        return _one(channel, errors=given.errors), 422
    try:
        with db().transaction() as session:
            webhook = sources.get_source(session, channel=channel, now=now()).webhook
            told = operations.connect_channel(
                session,
                channel=channel,
                scheme=webhook.scheme if webhook else "",
                mapping=webhook.mapping if webhook else "",
                secret=given.values["secret"] or None,
                key=config().secret_key,
                currency=config().currency,
                actor=current_actor(),
                now=now(),
            )
    except HeadwaterError as refused:
        return _one(channel, errors=refusals.beside(refused, {"secret_unusable": "secret"})), refused.status
    return _told(channel, told.secret)


@blueprint.post("/<channel>/disconnect")
@roles(Role.ADMINISTRATOR)
def disconnect(channel: str) -> Reply:
    with db().transaction() as session:
        operations.disconnect_channel(session, channel=channel, actor=current_actor(), now=now())
    say(gettext("Webhooks of this channel are refused from now on; what it sent stays."))
    return go("web.channels.one", channel=channel)


@blueprint.post("/<channel>/pull")
@roles(Role.MERCHANDISER)
def pull(channel: str) -> Reply:
    """Ask for a pull; the page then follows the job."""
    with db().transaction() as session:
        operations.next_page(session, channel=channel, key=config().secret_key)
        job = jobs.enqueue(
            session, name=PULL, arguments={"channel": channel}, actor=current_actor(), now=now()
        )
    return part("parts/job.html", job=job) if by_htmx() else go("web.channels.one", channel=channel)


@blueprint.post("/<channel>/stop")
@roles(Role.ADMINISTRATOR)
def stop(channel: str) -> Reply:
    with db().transaction() as session:
        operations.disconnect_pull(session, channel=channel, actor=current_actor(), now=now())
    say(gettext("This channel is asked no more; what came stays."))
    return go("web.channels.one", channel=channel)


def standing(source: SourceFact, silent: set[str]) -> str:
    """One word for how a channel is doing."""
    if source.failing:
        return "failing"
    if source.channel in silent:
        return "silent"
    if source.connected:
        return "receiving" if source.last_at else "waiting"
    return "files" if source.file_at else "off"


def _silent(session: Any) -> set[str]:
    return {alert.data["channel"] for alert in alerts.open_alerts(session, kind="channel_silent")}


def _index(raw: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> str:
    with db().reading() as session:
        silent = _silent(session)
        found = sources.list_sources(session, now=now())
    return render_template(
        "merchandiser/channels.html",
        channels=[(source, standing(source, silent)) for source in found],
        mappings=mappings.mappings(of_events=True),
        form=raw or {},
        errors=errors or {},
    )


def _one(channel: str, *, secret: str | None = None, errors: dict[str, str] | None = None) -> str:
    with db().reading() as session:
        source = sources.get_source(session, channel=channel, now=now())
        job = jobs.open_job(session, name=PULL)
        return render_template(
            "merchandiser/channel.html",
            source=source,
            standing=standing(source, _silent(session)),
            address=url_for("webhooks.take_event", channel=channel, _external=True),
            events=sources.received(session, channel=channel, limit=SHOWN),
            rejects=sources.rejects(session, channel=channel, limit=SHOWN),
            job=job if job and job.arguments == {"channel": channel} else None,
            secret=secret,
            errors=errors or {},
        )


def _told(channel: str, secret: str) -> Response:
    """The page with a secret that is never shown again, kept by no cache."""
    response = make_response(_one(channel, secret=secret))
    response.headers["Cache-Control"] = "no-store"
    return response
