"""What votes came to: campaigns that followed a round, conversion by category, and volumes promised."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from app.stages.demand.models import Campaign, CampaignDay, CampaignDecision, CampaignSku, Signal
from app.stages.demand.models.votes import Ballot, Design, DesignSku, VoteChoice, VotePrior, VoteRound
from app.stages.demand.queries.cells import counted
from app.stages.demand.queries.votes import counts
from app.stages.demand.rules import CampaignState, Reason, conversion
from app.stages.demand.rules.campaigns import DecisionKind
from app.stages.demand.rules.conversion import Followed

FINISHED = (
    CampaignState.REACHED,
    CampaignState.MISSED,
    CampaignState.IN_PRODUCTION,
    CampaignState.SHIPPING,
    CampaignState.CLOSED,
)
OPENED = (CampaignState.OPEN, *FINISHED)


@dataclass(frozen=True, slots=True)
class Following:
    """The first campaign of a design's SKUs that opened after a round with it had closed."""

    campaign_id: int
    design_id: int
    round_id: int
    category: str
    opens_at: dt.datetime
    closes_at: dt.datetime
    finished: bool


@dataclass(frozen=True, slots=True)
class CategoryConversion:
    """How votes turn into orders in one category.

    `voters` and `ordered` are counted, `rate` leans to a prior;
    `low` … `high` is the rate's 95 % interval, `multiple` the units that land for each voter who orders.
    """

    category: str
    campaigns: int
    voters: int
    ordered: int
    rate: float
    low: float
    high: float
    multiple: float


@dataclass(frozen=True, slots=True)
class ExpectedVolume:
    """What a campaign of a design would land at by its votes: median and 80 % interval of units."""

    design_id: int
    voters: int
    learnt: int
    rate: float
    units: float
    lo_80: float
    hi_80: float


@dataclass(frozen=True, slots=True)
class PriorFact:
    """What a round promised of a campaign, and what the campaign came to (None until it is over)."""

    campaign_id: int
    design_id: int
    round_id: int
    voters: int
    learnt: int
    rate: float
    units: float
    lo_80: float
    hi_80: float
    ordered: int | None
    landed_units: int | None


def followings(session: Session) -> list[Following]:
    """Campaigns that followed rounds, the first to open first; what was called off followed nothing.

    Where a design stood in several rounds, its campaign followed the last of them.
    """
    campaign = (Campaign.id, Campaign.opens_at, Campaign.closes_at, Campaign.state)
    called_off = exists().where(
        CampaignDecision.campaign_id == Campaign.id, CampaignDecision.kind == DecisionKind.CANCEL.value
    )
    query = (
        select(*campaign, Design.id, Design.category, VoteRound.id, VoteRound.closes_at)
        .join(CampaignSku, CampaignSku.campaign_id == Campaign.id)
        .join(DesignSku, DesignSku.sku_id == CampaignSku.sku_id)
        .join(Design, Design.id == DesignSku.design_id)
        .join(VoteChoice, VoteChoice.design_id == Design.id)
        .join(VoteRound, (VoteRound.id == VoteChoice.round_id) & (VoteRound.closes_at <= Campaign.opens_at))
        .where(Campaign.state.in_([state.value for state in OPENED]), ~called_off)
        .distinct()
        .order_by(Campaign.opens_at, Campaign.id, Design.id, VoteRound.closes_at, VoteRound.id)
    )
    first: dict[tuple[int, int], int] = {}  # (round, design) → the campaign that followed first
    last: dict[tuple[int, int], Following] = {}  # (campaign, design) → after the last of its rounds
    for campaign_id, opens_at, closes_at, state, design_id, category, round_id, _ in session.execute(query):
        if first.setdefault((round_id, design_id), campaign_id) == campaign_id:
            last[campaign_id, design_id] = Following(
                campaign_id, design_id, round_id, category, opens_at, closes_at, state in FINISHED
            )
    return list(last.values())


def measure(session: Session, *, following: Following) -> Followed:
    """Voters of the design, those of them who ordered any of its SKUs in the campaign, valid units landed."""
    skus = select(DesignSku.sku_id).where(DesignSku.design_id == following.design_id)
    voters = (
        select(func.count())
        .select_from(Ballot)
        .join(VoteRound, VoteRound.id == Ballot.round_id)
        .where(Ballot.round_id == following.round_id, Ballot.design_id == following.design_id, counts())
    )
    ordered = select(Signal.buyer).where(
        Signal.campaign_id == following.campaign_id,
        Signal.sku_id.in_(skus),
        Signal.reason == Reason.VALID.value,
        Signal.buyer.is_not(None),
    )
    table = counted(CampaignDay)
    landed = select(func.coalesce(func.sum(table.valid_units), 0)).where(
        table.campaign_id == following.campaign_id, table.sku_id.in_(skus)
    )
    return Followed(
        int(session.scalar(voters) or 0),
        int(session.scalar(voters.where(Ballot.buyer.in_(ordered))) or 0),
        int(session.scalar(landed) or 0),
    )


def past(session: Session, *, until: dt.datetime) -> dict[str, list[Followed]]:
    """What campaigns that were over by `until` came to, by category."""
    told: dict[str, list[Followed]] = {}
    for one in followings(session):
        if one.finished and one.closes_at <= until:
            told.setdefault(one.category, []).append(measure(session, following=one))
    return told


def category_conversions(session: Session, *, until: dt.datetime) -> list[CategoryConversion]:
    """Conversion of every category that has designs; without a finished campaign it is the stated prior."""
    told = past(session, until=until)
    categories = session.scalars(select(Design.category).distinct().order_by(Design.category))
    return [_conversion(category, told.get(category, [])) for category in categories]


def _conversion(category: str, told: list[Followed]) -> CategoryConversion:
    learnt = conversion.learn(told)
    return CategoryConversion(
        category,
        learnt.campaigns,
        sum(one.voters for one in told),
        sum(one.ordered for one in told),
        learnt.rate,
        *learnt.rate_interval,
        learnt.multiple,
    )


def expected_volumes(
    session: Session, *, votes: Iterable[tuple[int, str, int]], until: dt.datetime
) -> dict[int, ExpectedVolume]:
    """What campaigns of designs would land at, by what was known at `until`.

    Args:
        votes: design id, category and the ballots that count; a design without any promises nothing.
    """
    told = past(session, until=until)
    volumes = {}
    for design_id, category, voters in votes:
        if voters:
            learnt = conversion.learn(told.get(category, []))
            volume = conversion.expect(learnt, voters=voters)
            volumes[design_id] = ExpectedVolume(
                design_id, voters, learnt.campaigns, learnt.rate, volume.units, volume.lo_80, volume.hi_80
            )
    return volumes


def list_priors(session: Session, *, campaign_id: int | None = None) -> list[PriorFact]:
    """What rounds promised of campaigns, the newest campaign first."""
    columns = [getattr(VotePrior, name) for name in PriorFact.__dataclass_fields__]
    query = select(*columns).order_by(VotePrior.campaign_id.desc(), VotePrior.design_id)
    if campaign_id is not None:
        query = query.where(VotePrior.campaign_id == campaign_id)
    return [PriorFact(*row) for row in session.execute(query)]
