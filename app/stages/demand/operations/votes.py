"""Votes on designs: opening and closing rounds, what a design became, and what rounds promised."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from app.core import audit
from app.core.access import Actor, Role
from app.core.errors import Conflict, NotFound, RuleBroken
from app.stages.catalog import queries as catalog
from app.stages.demand.models.votes import Ballot, Design, DesignSku, VoteChoice, VotePrior, VoteRound
from app.stages.demand.queries import conversion, votes
from app.stages.demand.queries.votes import DesignFact, RoundFact
from app.stages.demand.rules import conversion as conversion_rules
from app.stages.demand.rules import votes as rules
from app.stages.demand.rules.votes import RoundState

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDesign:
    """A design as it is put to the vote; one that is known by its code keeps what is known of it."""

    code: str
    name: str
    name_zh: str | None = None
    category: str


def open_round(
    session: Session,
    *,
    code: str,
    name: str,
    name_zh: str | None = None,
    opens_at: dt.datetime,
    closes_at: dt.datetime,
    designs: Sequence[NewDesign],
    actor: Actor,
    now: dt.datetime,
) -> RoundFact:
    """Put designs to the vote from `opens_at` to `closes_at`; designs that are new are kept.

    Raises:
        RuleBroken: `round_window`, `round_designs`, or `code_invalid` for a code that can't be one.
        Conflict: `round_known`, when there is a round of this code.
    """
    actor.must_be(Role.MERCHANDISER)
    rules.check_round(opens_at=opens_at, closes_at=closes_at, designs=[one.code for one in designs])
    for one in (code, *(design.code for design in designs)):
        if not CODE.fullmatch(one):
            raise RuleBroken(
                "code_invalid", f"A code has letters, digits, dots and dashes, at most 80; not {one[:80]!r}."
            )
    if session.scalar(select(VoteRound.id).where(VoteRound.code == code)) is not None:
        raise Conflict("round_known", f"There is a vote round {code} already; choose another code.")
    opened = VoteRound(
        code=code,
        name=name,
        name_zh=name_zh,
        state=RoundState.OPEN,
        opens_at=opens_at.astimezone(dt.UTC),
        closes_at=closes_at.astimezone(dt.UTC),
    )
    session.add(opened)
    session.flush()
    ids = _design_ids(session, designs)
    session.execute(insert(VoteChoice), [{"round_id": opened.id, "design_id": id_} for id_ in ids])
    data = {"designs": [one.code for one in designs], "closes_at": closes_at.isoformat()}
    _record(session, actor, "round.opened", f"vote-round:{code}", data, now)
    return votes.get_round(session, round_id=opened.id)


def _design_ids(session: Session, designs: Sequence[NewDesign]) -> list[int]:
    codes = [one.code for one in designs]
    known = dict(session.execute(select(Design.code, Design.id).where(Design.code.in_(codes))).all())
    new = [
        Design(code=one.code, name=one.name, name_zh=one.name_zh, category=one.category)
        for one in designs
        if one.code not in known
    ]
    session.add_all(new)
    session.flush()
    return sorted([*known.values(), *(one.id for one in new)])


def close_round(session: Session, *, round_id: int, actor: Actor, now: dt.datetime) -> RoundFact:
    """Close a round, before its time if need be; a ballot cast by then still counts when it comes later.

    Raises:
        NotFound: `round_unknown`.
        Conflict: `round_closed`, when it is closed already, or `round_not_open` before it opens.
    """
    actor.must_be(Role.MERCHANDISER)
    closing = session.get(VoteRound, round_id, with_for_update=True)
    if closing is None:
        raise NotFound("round_unknown", f"There is no vote round {round_id}.", round_id=round_id)
    if closing.state == RoundState.CLOSED:
        raise Conflict("round_closed", f"Vote round {closing.code} is closed already.")
    if now <= closing.opens_at:
        raise Conflict(
            "round_not_open", f"Vote round {closing.code} opens at {closing.opens_at:%Y-%m-%d %H:%M}."
        )
    _close(session, closing, now=now)
    session.flush()
    closed = votes.get_round(session, round_id=round_id)
    data = {"ballots": closed.ballots, "voters": closed.voters}
    _record(session, actor, "round.closed", f"vote-round:{closing.code}", data, now)
    return closed


def close_due_rounds(session: Session, *, now: dt.datetime) -> int:
    """Close every open round whose time is over. Returns how many."""
    due = select(VoteRound).where(VoteRound.state == RoundState.OPEN.value, VoteRound.closes_at <= now)
    closing = session.scalars(due.order_by(VoteRound.id).with_for_update()).all()
    for one in closing:
        one.state = RoundState.CLOSED
        _record(
            session, Actor("rule:vote", Role.ADMINISTRATOR), "round.closed", f"vote-round:{one.code}", {}, now
        )
    session.flush()
    return len(closing)


def _close(session: Session, closing: VoteRound, *, now: dt.datetime) -> None:
    """A channel's clock may be ahead of ours: what was cast by it before the close counts as well."""
    last = session.scalar(select(func.max(Ballot.cast_at)).where(Ballot.round_id == closing.id)) or now
    closing.closes_at = min(closing.closes_at, max(now, last))
    closing.state = RoundState.CLOSED


def make_design(
    session: Session, *, code: str, skus: Sequence[str], actor: Actor, now: dt.datetime
) -> DesignFact:
    """Say which SKUs a design became, in place of what was said before.

    Raises:
        NotFound: `design_unknown`.
        RuleBroken: `sku_unknown`, or `sku_of_other_design` when a SKU was made after another design.
    """
    actor.must_be(Role.MERCHANDISER)
    design = votes.get_design(session, code=code if CODE.fullmatch(code) else "")
    ids = catalog.sku_ids(session, codes=sorted({sku for sku in skus if "\x00" not in sku}))
    for sku in skus:
        if sku not in ids:
            raise RuleBroken("sku_unknown", f"There is no SKU {sku[:80]!r}; describe it in skus.csv first.")
    session.execute(delete(DesignSku).where(DesignSku.design_id == design.id))
    taken = select(Design.code, DesignSku.sku_id).join(Design, Design.id == DesignSku.design_id)
    for other, sku_id in session.execute(taken.where(DesignSku.sku_id.in_(ids.values()))):
        sku = next(one for one, id_ in ids.items() if id_ == sku_id)
        raise RuleBroken(
            "sku_of_other_design", f"{sku} was made after design {other}; take it from there first."
        )
    if ids:
        session.execute(
            insert(DesignSku), [{"sku_id": id_, "design_id": design.id} for id_ in sorted(ids.values())]
        )
    _record(session, actor, "design.made", f"design:{code}", {"made_as": sorted(ids)}, now)
    return votes.get_design(session, code=code)


def follow_votes(session: Session, *, now: dt.datetime) -> int:
    """Keep what rounds promised of campaigns that opened since, and score those that are over.

    A promise is made of what was known when the campaign opened, so that it does not matter when it is kept:
    later campaigns teach it nothing. Returns how many were kept or scored.
    """
    known = {(one.campaign_id, one.design_id): one for one in conversion.list_priors(session)}
    changed = 0
    for one in conversion.followings(session):
        prior = known.get((one.campaign_id, one.design_id))
        if prior is not None and (prior.landed_units is not None or not one.finished):
            continue
        if prior is None and not _keep(session, one):
            continue
        if one.finished:
            _score(session, one, now=now)
        changed += 1
    session.flush()
    return changed


def _keep(session: Session, following: conversion.Following) -> bool:
    """Keep the promise; a design without a voter promised nothing."""
    voters = conversion.measure(session, following=following).voters
    if not voters:
        return False
    learnt = conversion_rules.learn(
        conversion.past(session, until=following.opens_at).get(following.category, [])
    )
    volume = conversion_rules.expect(learnt, voters=voters)
    session.add(
        VotePrior(
            campaign_id=following.campaign_id,
            design_id=following.design_id,
            round_id=following.round_id,
            voters=voters,
            learnt=learnt.campaigns,
            rate=learnt.rate,
            units=volume.units,
            lo_80=volume.lo_80,
            hi_80=volume.hi_80,
        )
    )
    session.flush()
    return True


def _score(session: Session, following: conversion.Following, *, now: dt.datetime) -> None:
    came = conversion.measure(session, following=following)
    prior = session.get_one(VotePrior, (following.campaign_id, following.design_id))
    prior.ordered, prior.landed_units, prior.scored_at = came.ordered, max(came.landed_units, 0), now


def _record(
    session: Session, actor: Actor, action: str, subject: str, data: dict[str, Any], now: dt.datetime
) -> None:
    audit.record(session, actor=actor, action=action, subject=subject[:120], data=data, now=now)
