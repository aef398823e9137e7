"""Correcting a pledge: another quantity, or another status, whenever the word arrives.

The quantity and the status each keep the latest word, by the time the channel says it changed. So it does not
matter in which order corrections arrive, how often, or whether the pledge they are about comes after them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import audit
from app.core.access import Actor, Role
from app.core.db import among
from app.core.errors import RuleBroken
from app.stages.demand.models import Correction, Signal
from app.stages.demand.operations.counting import count_as
from app.stages.demand.operations.hearing import (
    Said,
    Word,
    corrected,
    hear,
    hear_again,
    said_quantity,
    says_nothing,
    wait,
)
from app.stages.demand.operations.turns import take_turn
from app.stages.demand.queries.campaigns import windows
from app.stages.demand.queries.pledges import PledgeFact, any_corrections, find_corrections, find_pledges
from app.stages.demand.rules import SignalStatus
from app.stages.demand.rules.campaigns import Window

IDENTITY = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}")
CORRECTED = {
    "external_id": pl.String,
    "quantity_now": pl.Int64,
    "quantity_received": pl.Int64,
    "status_now": pl.String,
    "status_received": pl.String,
}
MANY = 1_000
"""Identities above which all corrections of a channel are read instead of theirs."""
AHEAD = dt.timedelta(days=1)
"""How far a channel's clock may be ahead of ours."""
WORDS = {**{status.value: status.value for status in SignalStatus}, "returned": SignalStatus.CANCELLED.value}
"""What a correction may say, and what it means: the same as in a file."""


@dataclass(frozen=True, slots=True)
class CorrectionFact:
    """What is known of an identity after a correction; `pledge` is None while the correction waits for it."""

    channel: str
    external_id: str
    quantity: int | None
    status: str | None
    pledge: PledgeFact | None


def correct_pledge(
    session: Session,
    *,
    channel: str,
    external_id: str,
    quantity: int | None = None,
    status: str | None = None,
    changed_at: dt.datetime | None = None,
    actor: Actor,
    now: dt.datetime,
    currency: str,
) -> CorrectionFact:
    """Correct a pledge on the day it belongs to, or keep the correction until the pledge comes.

    The same correction again changes nothing; one that is older than what is known changes nothing either.

    Args:
        quantity: whole units from now on, at least 1.
        status: placed, cancelled, returned or test; returned counts as cancelled.
        changed_at: when the channel made the change; without it, now, and after all that is known.
        currency: of the channel, where it is new.

    Raises:
        RuleBroken: nothing is said, or a value can't be used; `fill_phase`, when it takes units away while
            the pledges of its campaign can only grow.
    """
    actor.must_be(Role.MERCHANDISER)
    external_id = external_id.strip()
    _refuse_unusable(external_id, quantity=quantity, status=status, changed_at=changed_at, now=now)
    here = take_turn(session, channel=channel, currency=currency, now=now)
    settle(session, channel_id=here.id, external_ids=[external_id], actor=actor, now=now)
    pledge = _locked(session, here.id, [external_id]).get(external_id)
    if pledge is not None and pledge.quantity < 0 and quantity is not None:
        raise RuleBroken("correction_of_return", "This signal takes units back; its quantity stays as it is.")
    kept = session.get(Correction, (here.id, external_id))
    correction = kept or Correction(channel_id=here.id, external_id=external_id)
    before = (said_quantity(correction), correction.status)
    word = Word(quantity, WORDS.get(status or ""), changed_at)
    if pledge is None:
        wait(correction, word, now=now)
    hear(correction, word, pledge=pledge, window=_window(session, pledge), now=now)
    if kept is None:
        correction.received_quantity = pledge.quantity if pledge is not None else None
        session.add(correction)
    session.flush()
    after = (said_quantity(correction), correction.status)
    if pledge is not None:
        count_as(session, pledge, after=corrected(pledge, correction), actor=actor, now=now)
        pledge = find_pledges(session, channel_id=here.id, external_ids=[external_id])[external_id]
    if before != after:
        _record(session, channel, external_id, before=before, after=after, actor=actor, now=now)
    return CorrectionFact(channel, external_id, *after, pledge)


def settle(
    session: Session,
    *,
    channel_id: int,
    external_ids: Collection[str] | None = None,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Apply the corrections that waited for pledges which are there now; the channel's turn must be taken.

    Args:
        external_ids: those that came; None looks at everything that waits in the channel.
    """
    here = (Signal.channel_id == Correction.channel_id) & (Signal.external_id == Correction.external_id)
    theirs = Correction.channel_id == channel_id, Correction.received_quantity.is_(None)
    if session.scalar(select(Correction.channel_id).where(*theirs).limit(1)) is None:
        return  # as with most channels, most of the time
    waiting = select(Correction).join(Signal, here).where(*theirs)
    if external_ids is not None:
        waiting = waiting.where(among(session, Correction.external_id, list(external_ids)))
    corrections = session.scalars(waiting.order_by(Correction.external_id)).all()
    if not corrections:
        return
    pledges = _locked(session, channel_id, [one.external_id for one in corrections])
    for correction in corrections:
        pledge = pledges[correction.external_id]
        refused = hear_again(correction, pledge, window=_window(session, pledge), now=now)
        received = Said(pledge.quantity, pledge.received_status)
        after = corrected(pledge, correction)
        if refused:
            _record_refused(session, pledge, words=refused, actor=actor, now=now)
        if says_nothing(correction):
            session.delete(correction)
        count_as(session, pledge, before=received, after=after, actor=actor, now=now)
    session.flush()


def as_stored(session: Session, rows: pl.DataFrame, *, channel_id: int) -> pl.DataFrame:
    """Rows that say what was received, or what was corrected since, as their signals stand in the table.

    Args:
        rows: external_id, quantity and status among other columns; returned with the same columns, in order.
    """
    if rows.is_empty() or not any_corrections(session, channel_id=channel_id):
        return rows
    ids = rows["external_id"].unique().to_list()
    known = find_corrections(session, channel_id=channel_id, external_ids=ids if len(ids) < MANY else None)
    told = pl.DataFrame([dataclasses.astuple(one) for one in known], schema=CORRECTED, orient="row")
    both = rows.join(told, on="external_id", how="left", maintain_order="left")
    received = pl.col("quantity").eq(pl.col("quantity_received")).fill_null(False)
    said_since = pl.col("status").eq(pl.col("status_now")).fill_null(False)
    return both.with_columns(
        pl.when(received).then(pl.col("quantity_now")).otherwise(pl.col("quantity")).alias("quantity"),
        pl.when(said_since).then(pl.col("status_received")).otherwise(pl.col("status")).alias("status"),
    ).select(rows.columns)


def _refuse_unusable(
    external_id: str,
    *,
    quantity: int | None,
    status: str | None,
    changed_at: dt.datetime | None,
    now: dt.datetime,
) -> None:
    if not IDENTITY.fullmatch(external_id):
        raise RuleBroken("external_id_invalid", "An external id has 1 to 200 characters, no control ones.")
    if quantity is None and status is None:
        raise RuleBroken("correction_empty", "Say what changed: the quantity, the status, or both.")
    if status is not None and status not in WORDS:
        raise RuleBroken("status_unknown", f"status: this is no status; use {', '.join(WORDS)}.")
    if changed_at is not None and not dt.datetime(2000, 1, 1, tzinfo=dt.UTC) <= changed_at <= now + AHEAD:
        raise RuleBroken(
            "change_time_invalid",
            "changed_at: a change happened between the year 2000 and now; check the clock.",
        )


def _window(session: Session, pledge: PledgeFact | None) -> Window | None:
    """When the campaign of a pledge takes pledges; units that come back are not held by it."""
    if pledge is None or pledge.campaign_id is None or pledge.quantity < 0:
        return None
    return windows(session, campaign_ids=[pledge.campaign_id]).get(pledge.campaign_id)


def _locked(session: Session, channel_id: int, external_ids: list[str]) -> dict[str, PledgeFact]:
    """The pledges, which nobody else moves until the transaction ends."""
    these = (Signal.channel_id == channel_id) & Signal.external_id.in_(external_ids)
    session.execute(select(Signal.id).where(these).order_by(Signal.id).with_for_update())
    return find_pledges(session, channel_id=channel_id, external_ids=external_ids)


def _record(
    session: Session,
    channel: str,
    external_id: str,
    *,
    before: tuple[Any, ...],
    after: tuple[Any, ...],
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Who corrected what; the identity is the subject, because the pledge may not be here yet."""
    moved = zip(("quantity", "status"), before, after, strict=True)
    changes = {name: [was, now_is] for name, was, now_is in moved if was != now_is}
    data = {"channel": channel, "external_id": external_id, **changes}
    subject = f"pledge:{channel}/{external_id}"[:120]
    audit.record(session, actor=actor, action="pledge.corrected", subject=subject, data=data, now=now)


def _record_refused(
    session: Session, pledge: PledgeFact, *, words: list[Word], actor: Actor, now: dt.datetime
) -> None:
    """What waited and could not be done stays on record: nobody is there to be told."""
    subject = f"pledge:{pledge.channel}/{pledge.external_id}"[:120]
    for word in words:
        said = {"quantity": word.quantity, "status": word.status}
        data = {name: value for name, value in said.items() if value is not None}
        data |= {"channel": pledge.channel, "external_id": pledge.external_id}
        action = "pledge.correction_refused"
        audit.record(session, actor=actor, action=action, subject=subject, data=data, now=now)
