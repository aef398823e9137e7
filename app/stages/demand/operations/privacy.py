"""Forgetting buyers: one who asks for it, and all whose signals are old. Units and roll-ups stay."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from app.core import audit
from app.core.access import Actor, Role
from app.core.errors import RuleBroken
from app.stages.demand.models import Ballot, Signal, SignalTrace
from app.stages.demand.queries import privacy as queries
from app.stages.demand.queries.privacy import NOBODY, BuyerFact

PSEUDONYM = re.compile(r"[0-9a-f]{32}")
AT_ONCE = 5_000
"""Signals of one transaction of forgetting what is old: nobody waits long for it."""
IN_ONE_STATEMENT = 500


@dataclass(frozen=True, slots=True)
class ErasedFact:
    """How many signals and ballots named the buyer, and name nobody any more."""

    signals: int
    ballots: int
    next_after: int | None = None
    """Where to go on, when there are more."""


def export_buyer(
    session: Session,
    *,
    who: str | None,
    pseudonym: str | None,
    after: int = 0,
    limit: int = AT_ONCE,
    key: bytes,
    actor: Actor,
    now: dt.datetime,
) -> BuyerFact:
    """What is kept of one buyer, so many signals at a time. That it was asked for is audited, not for whom.

    Args:
        who: what names the buyer in a channel, such as an e-mail; the key makes the pseudonyms of it.
        pseudonym: or one of the pseudonyms itself.
        after: where the part before said to go on.

    Raises:
        RuleBroken: `buyer_unclear`.
    """
    actor.must_be(Role.ADMINISTRATOR)
    pseudonyms = pseudonyms_of(session, who=who, pseudonym=pseudonym, key=key)
    signals, further = queries.kept_of(session, pseudonyms=pseudonyms, after=after, limit=limit)
    ballots = [] if after else queries.ballots_of(session, pseudonyms=pseudonyms)
    _record(session, "buyer.exported", ErasedFact(len(signals), len(ballots)), actor=actor, now=now)
    return BuyerFact(signals, ballots, further)


def erase_buyer(
    session: Session, *, pseudonyms: Sequence[str], after: int = 0, actor: Actor, now: dt.datetime
) -> ErasedFact:
    """Forget one buyer in some signals: they keep their units, and no pseudonym. Again, it changes nothing.

    Call it again from where it says, in a transaction of its own, until there is nothing more: what is
    forgotten by then stays so, wherever that breaks off.
    """
    actor.must_be(Role.ADMINISTRATOR)
    ids = queries.ids_of(session, pseudonyms=pseudonyms, after=after, limit=AT_ONCE)
    ballots = [] if after else queries.ballots_of(session, pseudonyms=pseudonyms)
    _forget(session, ids, [(one.round_id, one.buyer) for one in ballots])
    fact = ErasedFact(len(ids), len(ballots), ids[-1] if len(ids) == AT_ONCE else None)
    if ids or ballots or not after:
        _record(session, "buyer.erased", fact, actor=actor, now=now)
    return fact


def forget_old_buyers(session: Session, *, before: dt.date, actor: Actor, now: dt.datetime) -> int:
    """Forget the buyers of some signals and ballots from before a day; call again until it returns 0."""
    actor.must_be(Role.ADMINISTRATOR)
    ids = queries.named_before(session, day=before, limit=AT_ONCE)
    instant = dt.datetime.combine(before, dt.time(), dt.UTC)
    ballots = queries.ballots_before(session, instant=instant, limit=AT_ONCE)
    _forget(session, ids, ballots)
    fact = ErasedFact(len(ids), len(ballots))
    if ids or ballots:
        _record(session, "buyers.forgotten", fact, before=before, actor=actor, now=now)
    return fact.signals + fact.ballots


def pseudonyms_of(session: Session, *, who: str | None, pseudonym: str | None, key: bytes) -> list[str]:
    """What stands for a buyer in the channels, or the pseudonym that was given; raises `buyer_unclear`."""
    if (who is None) == (pseudonym is None) or (who is not None and not who.strip()):
        raise RuleBroken("buyer_unclear", "Name the buyer, or give a pseudonym: one of the two.")
    if who is not None:
        return queries.pseudonyms_of(session, who=who, key=key)
    if not PSEUDONYM.fullmatch(pseudonym or ""):
        raise RuleBroken("buyer_unclear", "A pseudonym has 32 of the digits 0 to 9 and a to f.")
    return [pseudonym or ""]


def _forget(session: Session, ids: Sequence[int], ballots: Sequence[tuple[int, str]]) -> None:
    """A ballot keeps its choice under a name that stands for nobody, so that no share changes."""
    for round_id, buyer in ballots:
        cast = update(Ballot).where(Ballot.round_id == round_id, Ballot.buyer == buyer)
        session.execute(cast.values(buyer=NOBODY + secrets.token_hex(15)))
    for start in range(0, len(ids), IN_ONE_STATEMENT):
        part = ids[start : start + IN_ONE_STATEMENT]
        quietly = {"synchronize_session": False}
        session.execute(delete(SignalTrace).where(SignalTrace.signal_id.in_(part)), execution_options=quietly)
        nobody = update(Signal).where(Signal.id.in_(part)).values(buyer=None)
        session.execute(nobody, execution_options=quietly)


def _record(
    session: Session,
    action: str,
    counts: ErasedFact,
    *,
    actor: Actor,
    now: dt.datetime,
    before: dt.date | None = None,
) -> None:
    data: dict[str, object] = {"signals": counts.signals, "ballots": counts.ballots}
    data |= {"before": before.isoformat()} if before else {}
    audit.record(session, actor=actor, action=action, subject="buyers", data=data, now=now)
