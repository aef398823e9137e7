"""Reading votes on designs: rounds with their shares, and designs with the SKUs they became."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.stages.demand.models import Campaign, Signal
from app.stages.demand.models.votes import Ballot, Design, DesignSku, VoteChoice, VoteRound
from app.stages.demand.rules import Reason
from app.stages.demand.rules import votes as vote_rules
from app.stages.demand.rules.votes import Share


@dataclass(frozen=True, slots=True)
class DesignFact:
    """A design; `sku_ids` are the SKUs it became, none until it is made."""

    id: int
    code: str
    name: str
    name_zh: str | None
    category: str
    sku_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RoundFact:
    """A round; `ballots` are all that came, of which `voters` count: their buyers are verified or known."""

    id: int
    code: str
    name: str
    name_zh: str | None
    state: str
    opens_at: dt.datetime
    closes_at: dt.datetime
    ballots: int
    voters: int


@dataclass(frozen=True, slots=True)
class DesignShare:
    """A design's votes and share in one round, with its 95 % interval (0–1, simultaneous for all designs)."""

    design: DesignFact
    votes: int
    share: float
    low: float
    high: float


def list_designs(session: Session, *, ids: Collection[int] | None = None) -> list[DesignFact]:
    """Designs by code."""
    query = select(Design).order_by(Design.code)
    skus = select(DesignSku.design_id, DesignSku.sku_id).order_by(DesignSku.sku_id)
    if ids is not None:
        query, skus = query.where(Design.id.in_(ids)), skus.where(DesignSku.design_id.in_(ids))
    became: dict[int, list[int]] = defaultdict(list)
    for design_id, sku_id in session.execute(skus):
        became[design_id].append(sku_id)
    return [
        DesignFact(one.id, one.code, one.name, one.name_zh, one.category, tuple(became[one.id]))
        for one in session.scalars(query)
    ]


def get_design(session: Session, *, code: str) -> DesignFact:
    """One design.

    Raises:
        NotFound: `design_unknown`.
    """
    id_ = session.scalar(select(Design.id).where(Design.code == code))
    if id_ is None:
        raise NotFound("design_unknown", f"There is no design {code!r}.", design=code)
    return list_designs(session, ids=[id_])[0]


def list_rounds(session: Session) -> list[RoundFact]:
    """All rounds, the one that closes last first."""
    rounds = session.scalars(select(VoteRound).order_by(VoteRound.closes_at.desc(), VoteRound.id)).all()
    return _facts(session, rounds)


def get_round(session: Session, *, round_id: int) -> RoundFact:
    """One round.

    Raises:
        NotFound: `round_unknown`.
    """
    found = session.get(VoteRound, round_id)
    if found is None:
        raise NotFound("round_unknown", f"There is no vote round {round_id}.", round_id=round_id)
    return _facts(session, [found])[0]


def round_choices(session: Session, *, round_id: int) -> dict[str, int]:
    """The designs of a round: code → id."""
    query = select(Design.code, Design.id).join(VoteChoice, VoteChoice.design_id == Design.id)
    return dict(session.execute(query.where(VoteChoice.round_id == round_id).order_by(Design.code)).all())


def round_shares(session: Session, *, round_id: int) -> list[DesignShare]:
    """The designs of a round by their votes, the most first."""
    ids = session.scalars(select(VoteChoice.design_id).where(VoteChoice.round_id == round_id)).all()
    votes = dict.fromkeys(ids, 0) | _votes(session, round_id)
    shares: dict[int, Share] = vote_rules.shares(votes)
    told = [
        DesignShare(design, share.votes, share.share, share.low, share.high)
        for design in list_designs(session, ids=ids)
        for share in [shares[design.id]]
    ]
    return sorted(told, key=lambda one: (-one.votes, one.design.code))


def counts() -> ColumnElement[bool]:
    """Does a ballot count (joined with its round)? It was cast while the round was open, and its buyer is
    verified: the channel said so, or the buyer has a valid pledge in a campaign from before the close.

    Asked when votes are read and not when they come, so that it does not matter what came first.
    """
    known = exists().where(
        Signal.campaign_id.in_(select(Campaign.id)),  # the index of pledges begins with their campaign
        Signal.buyer == Ballot.buyer,
        Signal.reason == Reason.VALID.value,
        Signal.ordered_at <= VoteRound.closes_at,
    )
    cast = Ballot.cast_at.between(VoteRound.opens_at, VoteRound.closes_at)
    return cast & (Ballot.verified | known)


def _votes(session: Session, round_id: int) -> dict[int, int]:
    query = (
        select(Ballot.design_id, func.count())
        .join(VoteRound, VoteRound.id == Ballot.round_id)
        .where(Ballot.round_id == round_id, counts())
        .group_by(Ballot.design_id)
    )
    return {design_id: int(votes) for design_id, votes in session.execute(query)}


def _facts(session: Session, rounds: Sequence[VoteRound]) -> list[RoundFact]:
    ids = [one.id for one in rounds]
    of_round = select(Ballot.round_id, func.count()).where(Ballot.round_id.in_(ids)).group_by(Ballot.round_id)
    came = dict(session.execute(of_round).all())
    counted = dict(
        session.execute(of_round.join(VoteRound, VoteRound.id == Ballot.round_id).where(counts())).all()
    )
    return [
        RoundFact(
            one.id,
            one.code,
            one.name,
            one.name_zh,
            one.state,
            one.opens_at,
            one.closes_at,
            came.get(one.id, 0),
            counted.get(one.id, 0),
        )
        for one in rounds
    ]
