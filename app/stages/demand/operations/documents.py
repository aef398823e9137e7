"""Rows of documents that came from a channel by themselves: each becomes a pledge, or corrects one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.core.access import Actor
from app.stages.demand.models import ChannelEvent, ChannelReject
from app.stages.demand.operations import corrections
from app.stages.demand.operations.pledges import Outcome, PledgeSettings, take_checked
from app.stages.demand.queries.pledges import ChannelCurrency
from app.stages.imports.rules import Mapping, check, events

LONGEST_KIND = 60
MOST_REJECTS = 200
"""Rejected rows that are kept of one event; all of them are counted."""
NO_TIME = "changed_at: the time of the change is missing, or is no time until now."


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a row was kept out. `changed_at` is when the channel changed it, where it says so."""

    row: int
    field: str
    code: str
    sentence: str
    changed_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of rows: accepted, known before (and corrected, where their word is later), or rejected."""

    accepted: int
    known: int
    rejects: tuple[Rejected, ...]
    changed_at: dt.datetime | None
    """The latest change among them."""

    @property
    def rejected(self) -> int:
        return len(self.rejects)


NOTHING = Taken(0, 0, (), None)


def take_rows(
    session: Session,
    *,
    channel: str,
    plan: Mapping,
    rows: Sequence[dict[str, str | None]],
    here: ChannelCurrency,
    actor: Actor,
    now: dt.datetime,
    settings: PledgeSettings,
) -> Taken:
    """Take rows as `rules.events.rows` reads them; the caller has the channel's turn.

    Each row says when it was changed, so that rows may come late, twice and in any order: the latest word of
    quantity and status stands.
    """
    times = {number: events.changed_at(row) for number, row in enumerate(rows)}
    late = now + corrections.AHEAD
    times = {number: at if at is not None and at <= late else None for number, at in times.items()}
    flaws: dict[int, tuple[str, str, str]] = {}
    good = {}
    for row in _checked(rows, plan, here.currency, settings, channel, flaws):
        if times[row["row"]] is None:
            flaws[row["row"]] = ("changed_at", "date_invalid", NO_TIME)
        else:
            good[row["row"]] = row
    results = take_checked(
        session,
        channel=channel,
        rows=good,
        create_unknown=plan.create_unknown,
        regions=[plan.defaults["region"]] if "region" in plan.defaults else [],
        actor=actor,
        now=now,
        settings=settings,
    )
    accepted = 0
    for number, result in results.items():
        if result.outcome is Outcome.REJECTED and result.flaws[0].code != "identity_conflict":
            flaw = result.flaws[0]
            flaws[number] = (flaw.field, flaw.code, f"{flaw.field}: the value can't be used ({flaw.code}).")
            continue
        accepted += result.outcome is Outcome.ACCEPTED
        _correct(session, channel, good[number], times[number], actor, now, settings)
    rejects = tuple(Rejected(number, *flaws[number], times[number]) for number in sorted(flaws))
    latest = max((at for at in times.values() if at is not None), default=None)
    return Taken(accepted, len(rows) - accepted - len(rejects), rejects, latest)


def keep_event(
    session: Session, *, channel_id: int, message_id: str, kind: str, taken: Taken, now: dt.datetime
) -> None:
    """Keep that an event was taken, and why rows of it were not."""
    event = ChannelEvent(
        channel_id=channel_id,
        message_id=message_id,
        kind=kind[:LONGEST_KIND],
        received_at=now,
        changed_at=taken.changed_at,
        accepted=taken.accepted,
        known=taken.known,
        rejected=taken.rejected,
        sentence=taken.rejects[0].sentence if taken.rejects else None,
    )
    session.add(event)
    session.flush()
    kept = [
        {"event_id": event.id, "row": one.row, "field": one.field, "code": one.code, "sentence": one.sentence}
        for one in taken.rejects[:MOST_REJECTS]
    ]
    if kept:
        session.execute(insert(ChannelReject), kept)


def _checked(
    rows: Sequence[dict[str, str | None]],
    plan: Mapping,
    currency: str,
    settings: PledgeSettings,
    channel: str,
    flaws: dict[int, tuple[str, str, str]],
) -> list[dict[str, Any]]:
    """The rows that pass the check of files; what is wrong with the others goes to `flaws`."""
    cells = {field: [row.get(field) for row in rows] for field in plan.columns}
    schema: dict[str, Any] = {"row": pl.Int64, **dict.fromkeys(cells, pl.String)}
    frame = pl.DataFrame({"row": list(range(len(rows))), **cells}, schema=schema)
    checked = check(frame, plan, {}, currency=currency, key=settings.pseudonym_key, channel=channel)
    for number, field, code, sentence in checked.rejects.iter_rows():
        flaws[number] = (field, code, sentence)
    return checked.rows.to_dicts()


def _correct(
    session: Session,
    channel: str,
    row: dict[str, Any],
    changed: dt.datetime | None,
    actor: Actor,
    now: dt.datetime,
    settings: PledgeSettings,
) -> None:
    """The row's word on quantity and status, by its own time: also of a new pledge, which may be late."""
    corrections.correct_pledge(
        session,
        channel=channel,
        external_id=row["external_id"],
        quantity=row["quantity"] if row["quantity"] > 0 else None,
        status=row["status"],
        changed_at=changed,
        actor=actor,
        now=now,
        currency=settings.currency,
    )
