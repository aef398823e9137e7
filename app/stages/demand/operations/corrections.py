"""Correcting a pledge: another quantity, or another status, whenever the word arrives.

The quantity and the status each keep the latest word, by the time the channel says it changed. So it does not
matter in which order corrections arrive, how often, or whether the pledge they are about comes after them.

In the fill phase of a campaign, just before its close, pledges can only grow. What was said then counts by
its own measure, the most units: the quantity of a pledge is the greater of that and the latest word said
before, until a word from after the close stands instead of both. So the order does not matter here either.
Words that come before their pledge are all kept, and heard again in their order once its campaign is known.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core import audit
from app.core.access import Actor, Role
from app.core.db import among
from app.core.errors import RuleBroken
from app.stages.demand import rules
from app.stages.demand.models import Correction, Signal
from app.stages.demand.operations import caps, exclusions, limits, moving, rollups, storing, superseding
from app.stages.demand.operations.gates import SENTENCES
from app.stages.demand.operations.turns import take_turn
from app.stages.demand.queries.campaigns import windows
from app.stages.demand.queries.exclusions import excluded_by_person
from app.stages.demand.queries.pledges import PledgeFact, any_corrections, find_corrections, find_pledges
from app.stages.demand.rules import COUNTING, EXCLUDING, Reason, SignalFacts, SignalStatus
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


@dataclass(frozen=True, slots=True)
class _Said:
    """Quantity and status of a pledge at one moment."""

    quantity: int
    status: str


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
    before = (_said_quantity(correction), correction.status)
    word = _Word(quantity, WORDS.get(status or ""), changed_at)
    if pledge is None:
        _wait(correction, word, now=now)
    _hear(correction, word, pledge=pledge, window=_window(session, pledge), now=now)
    if kept is None:
        correction.received_quantity = pledge.quantity if pledge is not None else None
        session.add(correction)
    session.flush()
    after = (_said_quantity(correction), correction.status)
    if pledge is not None:
        _apply(session, pledge, after=_corrected(pledge, correction), actor=actor, now=now)
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
        refused = _hear_again(correction, pledge, window=_window(session, pledge), now=now)
        received = _Said(pledge.quantity, pledge.received_status)
        after = _corrected(pledge, correction)
        if refused:
            _record_refused(session, pledge, words=refused, actor=actor, now=now)
        if _says_nothing(correction):
            session.delete(correction)
        _apply(session, pledge, before=received, after=after, actor=actor, now=now)
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
    corrected = pl.DataFrame([dataclasses.astuple(one) for one in known], schema=CORRECTED, orient="row")
    both = rows.join(corrected, on="external_id", how="left", maintain_order="left")
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


@dataclass(frozen=True, slots=True)
class _Word:
    """What a channel says of a pledge, and when it changed; None: now, and after all that is known."""

    quantity: int | None
    status: str | None
    at: dt.datetime | None


def _hear(
    correction: Correction,
    word: _Word,
    *,
    pledge: PledgeFact | None,
    window: Window | None,
    now: dt.datetime,
) -> None:
    """Take the word where it is later than what is known; of two at one instant the greater one stands.

    Raises:
        RuleBroken: `fill_phase`.
    """
    if word.quantity is not None:
        at = word.at or max(now, correction.quantity_at or now)
        if pledge is not None and window is not None and window.in_fill_phase(at):
            _fill(correction, word.quantity, at, received=_received(pledge, correction))
        elif _take(correction, "quantity", word.quantity, at, told=word.at is not None):
            after_close = window is not None and at >= window.closes_at
            correction.fill_quantity = None if after_close else correction.fill_quantity
    if word.status is not None:
        at = word.at or max(now, correction.status_at or now)
        if window is not None and window.in_fill_phase(at) and word.status != SignalStatus.PLACED:
            raise _only_growing()
        _take(correction, "status", word.status, at, told=word.at is not None)


def _fill(correction: Correction, quantity: int, at: dt.datetime, *, received: int) -> None:
    """A quantity said in the fill phase: the most one counts, unless something later is known already."""
    if correction.quantity_at is not None and correction.quantity_at > at:
        return
    if quantity < max(correction.quantity or received, correction.fill_quantity or 0):
        raise _only_growing()
    correction.fill_quantity = max(quantity, correction.fill_quantity or 0)


def _only_growing() -> RuleBroken:
    return RuleBroken("fill_phase", SENTENCES["fill_phase"][1])


def _take(correction: Correction, name: str, value: Any, at: dt.datetime, *, told: bool) -> bool:
    """Keep the word if it is the latest; returns whether it is."""
    known, known_at = getattr(correction, name), getattr(correction, f"{name}_at")
    latest = known_at is None or at > known_at or (at == known_at and (not told or _wins(value, known)))
    if latest:
        setattr(correction, name, value)
        setattr(correction, f"{name}_at", at)
    return latest


def _wait(correction: Correction, word: _Word, *, now: dt.datetime) -> None:
    """Keep every word on a pledge that is not here yet."""
    at = word.at or max(now, correction.quantity_at or now, correction.status_at or now)
    said = {"at": at.astimezone(dt.UTC).isoformat(), "quantity": word.quantity, "status": word.status}
    waiting = correction.waiting or []
    correction.waiting = waiting if said in waiting else [*waiting, said]


def _hear_again(
    correction: Correction, pledge: PledgeFact, *, window: Window | None, now: dt.datetime
) -> list[_Word]:
    """Hear all that waited in the order in which it was said; returns what the fill phase refuses."""
    words = [_Word(one["quantity"], one["status"], _instant(one["at"])) for one in correction.waiting or []]
    if correction.waiting is None:  # kept by a version that knew no fill phase
        words = [
            _Word(correction.quantity, None, correction.quantity_at),
            _Word(None, correction.status, correction.status_at),
        ]
    correction.received_quantity, correction.waiting = pledge.quantity, None
    correction.quantity = correction.quantity_at = correction.fill_quantity = None
    correction.status = correction.status_at = None
    refused = []
    for word in sorted(words, key=lambda one: one.at or now):
        try:
            _hear(correction, word, pledge=pledge, window=window, now=now)
        except RuleBroken:
            refused.append(word)
    return refused


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def _says_nothing(correction: Correction) -> bool:
    return correction.quantity is None and correction.status is None and correction.fill_quantity is None


def _said_quantity(correction: Correction) -> int | None:
    """The quantity that was said, the fill phase included."""
    return max(correction.quantity or 0, correction.fill_quantity or 0) or None


def _received(pledge: PledgeFact, correction: Correction) -> int:
    return pledge.quantity if correction.received_quantity is None else correction.received_quantity


def _window(session: Session, pledge: PledgeFact | None) -> Window | None:
    """When the campaign of a pledge takes pledges; units that come back are not held by it."""
    if pledge is None or pledge.campaign_id is None or pledge.quantity < 0:
        return None
    return windows(session, campaign_ids=[pledge.campaign_id]).get(pledge.campaign_id)


def _wins(value: Any, known: Any) -> bool:
    """Which of two words of one instant stands, in any order: the larger quantity, the graver status."""
    order = list(SignalStatus)
    return bool(value > known if isinstance(value, int) else order.index(value) > order.index(known))


def _corrected(pledge: PledgeFact, correction: Correction) -> _Said:
    """What a pledge says with its correction; a signal that takes units back keeps its quantity."""
    received = _received(pledge, correction)
    quantity = received
    if received > 0:
        quantity = max(correction.quantity or received, correction.fill_quantity or 0)
    return _Said(quantity, correction.status or pledge.received_status)


def _locked(session: Session, channel_id: int, external_ids: list[str]) -> dict[str, PledgeFact]:
    """The pledges, which nobody else moves until the transaction ends."""
    these = (Signal.channel_id == channel_id) & Signal.external_id.in_(external_ids)
    session.execute(select(Signal.id).where(these).order_by(Signal.id).with_for_update())
    return find_pledges(session, channel_id=channel_id, external_ids=external_ids)


def _apply(
    session: Session,
    pledge: PledgeFact,
    *,
    before: _Said | None = None,
    after: _Said,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Let the pledge count as `after` says, in every roll-up, with the limit of its buyer decided again."""
    before = before or _Said(pledge.quantity, pledge.status)
    if before == after:
        return
    if pledge.quantity != after.quantity:
        _resize(session, pledge.id, quantity=after.quantity)
    reason = _reason(session, pledge, before=_classified(pledge, before), after=_classified(pledge, after))
    if reason != pledge.reason:
        _exclude_or_count(session, pledge, reason=reason, status=after.status, actor=actor, now=now)
    if pledge.buyer is not None:
        superseding.decide_of_buyers(session, buyers=[(pledge.campaign_id, pledge.buyer)], now=now)
    if pledge.campaign_id is not None and pledge.buyer is not None:
        limits.decide_of_buyers(session, buyers=[(pledge.campaign_id, pledge.buyer)], now=now)
    if pledge.campaign_id is not None:
        caps.decide(session, campaigns=[pledge.campaign_id], now=now)


def _classified(pledge: PledgeFact, said: _Said) -> Reason:
    price, commitment = pledge.unit_price_minor, pledge.commitment
    return rules.classify(SignalFacts(pledge.goods, said.status, said.quantity, price, commitment))


def _reason(session: Session, pledge: PledgeFact, *, before: Reason, after: Reason) -> Reason:
    """The reason after a correction; what somebody excluded by hand stays excluded."""
    by_rule = (
        Reason.SUPERSEDED,
        Reason.UNPAID,
        Reason.OVER_LIMIT,
        Reason.SUSPECTED,
        Reason.OVER_CAP,
    )
    current = Reason(pledge.reason)
    if before == after or current not in (before, *by_rule, *COUNTING):
        return current
    if current in by_rule and excluded_by_person(session, signal_id=pledge.id):
        return current
    return after


def _resize(session: Session, signal_id: int, *, quantity: int) -> None:
    columns = [getattr(Signal, name) for name in moving.COLUMNS]
    row = session.execute(select(*columns).where(Signal.id == signal_id)).one()
    signal = pl.DataFrame([tuple(row)], schema=moving.COLUMNS, orient="row")
    resized = signal.with_columns(pl.lit(quantity).cast(pl.Int64).alias("quantity"))
    rollups.append(session, pl.concat([rollups.changes(signal, sign=-1), rollups.changes(resized)]))
    session.execute(
        update(Signal).where(Signal.id == signal_id).values(quantity=quantity),
        execution_options={"synchronize_session": False},
    )


def _exclude_or_count(
    session: Session, pledge: PledgeFact, *, reason: Reason, status: str, actor: Actor, now: dt.datetime
) -> None:
    """Move the signal; its old exclusion ends by rule, so that the limit per buyer looks at it again."""
    moving.move(session, ids=[pledge.id], reason=reason)
    exclusions.end_exclusions(session, ids=[pledge.id], rule=limits.RULE, now=now)
    if reason in EXCLUDING:
        facts = {
            "id": pledge.id,
            "reason": reason.value,
            "sku": pledge.sku,
            "status": status,
            "unit_price_minor": pledge.unit_price_minor,
        }
        storing.insert_exclusions(session, pl.DataFrame([facts]), actor=actor, now=now)


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
    session: Session, pledge: PledgeFact, *, words: list[_Word], actor: Actor, now: dt.datetime
) -> None:
    """What waited and could not be done stays on record: nobody is there to be told."""
    subject = f"pledge:{pledge.channel}/{pledge.external_id}"[:120]
    for word in words:
        said = {"quantity": word.quantity, "status": word.status}
        data = {name: value for name, value in said.items() if value is not None}
        data |= {"channel": pledge.channel, "external_id": pledge.external_id}
        action = "pledge.correction_refused"
        audit.record(session, actor=actor, action=action, subject=subject, data=data, now=now)
