"""Commands about channels: pulling one, and what all of them need every few minutes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import click

from app.core import jobs
from app.entrypoints import resumable
from app.entrypoints.cli.output import ProgressLine, command
from app.entrypoints.door import config, db, now, operator, services
from app.entrypoints.pulling import Puller
from app.stages.alerts import operations as alerts
from app.stages.demand import operations as demand

PULL = "pull-channel"


def _say(result: dict[str, Any]) -> str:
    return (
        f"{result['pages']:,} pages of {result['channel']}: {result['accepted']:,} rows accepted, "
        f"{result['known']:,} known, {result['rejected']:,} rejected"
    )


@command(PULL, say=_say)
@click.argument("channel")
def pull_channel(channel: str) -> dict[str, Any]:
    """Pull CHANNEL from its source until the last page; safe to stop and to repeat."""
    line = ProgressLine()
    try:
        return Puller(services(), line.count).pull(channel)
    finally:
        line.close()


@command("tend-channels")
def tend_channels() -> dict[str, Any]:
    """Ask for a pull of every channel with a source, look for silent ones, forget old events and uploads."""
    with db().transaction() as session:
        pulled = demand.pulled_channels(session)
        for channel in pulled:
            jobs.enqueue(session, name=PULL, arguments={"channel": channel}, actor=operator(), now=now())
    with db().transaction() as session:
        silent = alerts.refresh_channels(session, now=now())
    forgotten = {
        "forgotten_events": _forget_events(),
        "forgotten_uploads": resumable.drop_expired(services()),
    }
    return {"pulls": len(pulled), "silent": silent, **forgotten}


def _forget_events() -> int:
    forgotten, days = 0, config().event_days
    while days:
        with db().transaction() as session:
            some = demand.forget_old_events(session, before=now() - dt.timedelta(days=days))
        forgotten += some
        if not some:
            break
    return forgotten


commands = [pull_channel, tend_channels]
