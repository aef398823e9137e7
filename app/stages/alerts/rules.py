"""What deserves an alert, who owns it, how much it weighs, and when it is closed."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class AlertState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class AlertKind(StrEnum):
    CONCENTRATION = "concentration"
    UNMET_DEMAND = "unmet_demand"
    ANSWER_OVERDUE = "answer_overdue"
    DECLINED = "declined"
    CAMPAIGN_AT_RISK = "campaign_at_risk"
    BALANCE_DUE = "balance_due"
    CHANNEL_SILENT = "channel_silent"


OWNERS = dict.fromkeys(AlertKind, "merchandiser") | {AlertKind.CHANNEL_SILENT: "administrator"}
"""The role that can mend it: most are mended by planning again or asking again."""

EARLIEST_JUDGEMENT = 0.25
"""The part of a campaign's window that must have passed before its landing is worth an alert."""
EVEN_CHANCE = 0.5
REMINDED_DAYS = 7
"""Days before its date from which an open balance is worth an alert."""

LEAST_DAYS = 7
"""Days on which a channel must have sent before its silence is judged."""
USUAL_SHARE = 0.9
"""The part of those days whose longest pause is no longer than the usual one: a Sunday a week is usual."""
SILENT_FACTOR = 1.5
SHORTEST_SILENCE = 3600
"""Seconds; a shorter pause is worth no alert, however busy the channel is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong now. `cause` names it whatever its numbers; `weight` orders: units at stake."""

    kind: AlertKind
    cause: str
    weight: float
    data: dict[str, Any] = field(hash=False)

    @property
    def owner(self) -> str:
        return OWNERS[self.kind]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a refresh does to the alerts: causes to open (or open again), to see again, and to close."""

    opened: tuple[Finding, ...]
    seen: tuple[Finding, ...]
    closed: tuple[str, ...]


def cause(kind: AlertKind, *parts: str) -> str:
    """The key of a cause, such as `concentration:sku:FW26-COAT-01:units`."""
    return ":".join((kind.value, *parts))


def changes(findings: Collection[Finding], *, known: Mapping[str, AlertState]) -> Changes:
    """Compare what is found with the alerts there are: one alert per cause, closed once it is not found.

    Args:
        findings: everything wrong now, each cause once.
        known: the state of every alert of the kinds looked at.

    Raises:
        ValueError: a cause was found twice.
    """
    found = {finding.cause: finding for finding in findings}
    if len(found) != len(findings):
        raise ValueError("a cause was found twice")
    is_open = {key for key, state in known.items() if state is AlertState.OPEN}
    return Changes(
        opened=tuple(found[key] for key in sorted(found.keys() - is_open)),
        seen=tuple(found[key] for key in sorted(found.keys() & is_open)),
        closed=tuple(sorted(is_open - found.keys())),
    )


def silence_after(pauses: Collection[int]) -> int | None:
    """Seconds after which a channel is silent, by its own usual pause; None: it is not known well enough.

    Args:
        pauses: for each day on which it sent, the longest pause in seconds that ended on that day.
    """
    if len(pauses) < LEAST_DAYS:
        return None
    usual = sorted(pauses)[math.ceil(USUAL_SHARE * len(pauses)) - 1]
    return max(int(usual * SILENT_FACTOR), SHORTEST_SILENCE)


def balance_is_near(*, due_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether buyers are to be reminded of a balance, or it is overdue already."""
    return due_at - now <= dt.timedelta(days=REMINDED_DAYS)


def is_at_risk(*, elapsed_share: float, chance: float) -> bool:
    """Whether a running campaign, known well enough, is likelier to miss its go line than to reach it."""
    return elapsed_share >= EARLIEST_JUDGEMENT and chance < EVEN_CHANCE
