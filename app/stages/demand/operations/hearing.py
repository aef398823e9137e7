"""What is kept of a channel's words on one pledge: the latest of each kind, whatever order they arrive in.

In the fill phase of a campaign, just before its close, pledges can only grow. What was said then counts by
its own measure, the most units: the quantity of a pledge is the greater of that and the latest word said
before, until a word from after the close stands instead of both. So the order does not matter here either.
Words that come before their pledge are all kept, and heard again in their order once its campaign is known.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from app.core.errors import RuleBroken
from app.stages.demand.models import Correction
from app.stages.demand.operations.gates import SENTENCES
from app.stages.demand.queries.pledges import PledgeFact
from app.stages.demand.rules import SignalStatus
from app.stages.demand.rules.campaigns import Window


@dataclass(frozen=True, slots=True)
class Said:
    """Quantity and status of a pledge at one moment."""

    quantity: int
    status: str


@dataclass(frozen=True, slots=True)
class Word:
    """What a channel says of a pledge, and when it changed; None: now, and after all that is known."""

    quantity: int | None
    status: str | None
    at: dt.datetime | None


def hear(
    correction: Correction,
    word: Word,
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


def wait(correction: Correction, word: Word, *, now: dt.datetime) -> None:
    """Keep every word on a pledge that is not here yet."""
    at = word.at or max(now, correction.quantity_at or now, correction.status_at or now)
    said = {"at": at.astimezone(dt.UTC).isoformat(), "quantity": word.quantity, "status": word.status}
    waiting = correction.waiting or []
    correction.waiting = waiting if said in waiting else [*waiting, said]


def hear_again(
    correction: Correction, pledge: PledgeFact, *, window: Window | None, now: dt.datetime
) -> list[Word]:
    """Hear all that waited in the order in which it was said; returns what the fill phase refuses."""
    words = [Word(one["quantity"], one["status"], _instant(one["at"])) for one in correction.waiting or []]
    if correction.waiting is None:  # kept by a version that knew no fill phase
        words = [
            Word(correction.quantity, None, correction.quantity_at),
            Word(None, correction.status, correction.status_at),
        ]
    correction.received_quantity, correction.waiting = pledge.quantity, None
    correction.quantity = correction.quantity_at = correction.fill_quantity = None
    correction.status = correction.status_at = None
    refused = []
    for word in sorted(words, key=lambda one: one.at or now):
        try:
            hear(correction, word, pledge=pledge, window=window, now=now)
        except RuleBroken:
            refused.append(word)
    return refused


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def says_nothing(correction: Correction) -> bool:
    return correction.quantity is None and correction.status is None and correction.fill_quantity is None


def said_quantity(correction: Correction) -> int | None:
    """The quantity that was said, the fill phase included."""
    return max(correction.quantity or 0, correction.fill_quantity or 0) or None


def _received(pledge: PledgeFact, correction: Correction) -> int:
    return pledge.quantity if correction.received_quantity is None else correction.received_quantity


def _wins(value: Any, known: Any) -> bool:
    """Which of two words of one instant stands, in any order: the larger quantity, the graver status."""
    order = list(SignalStatus)
    return bool(value > known if isinstance(value, int) else order.index(value) > order.index(known))


def corrected(pledge: PledgeFact, correction: Correction) -> Said:
    """What a pledge says with its correction; a signal that takes units back keeps its quantity."""
    received = _received(pledge, correction)
    quantity = received
    if received > 0:
        quantity = max(correction.quantity or received, correction.fill_quantity or 0)
    return Said(quantity, correction.status or pledge.received_status)
