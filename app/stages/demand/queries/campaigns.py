"""Campaigns with the units they hold, their pledge curve, and what they require from supply."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import polars as pl
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.stages.catalog.models import Sku
from app.stages.demand import rules
from app.stages.demand.models import Campaign, CampaignDay, CampaignSku, CampaignTotalDay, Signal
from app.stages.demand.queries.cells import counted, received
from app.stages.demand.queries.weights import weights
from app.stages.demand.rules import INTEREST, CampaignState, Commitment, Reason
from app.stages.demand.rules.campaigns import WINDOWS, Window, steps_from
from app.stages.demand.rules.weights import whole

PLEDGE_DAYS = {
    "campaign_id": pl.Int64,
    "sku_id": pl.Int64,
    "region_id": pl.Int64,
    "day": pl.Date,
    "units": pl.Int64,
}
REQUIRING = (CampaignState.OPEN, CampaignState.REACHED, CampaignState.IN_PRODUCTION)


@dataclass(frozen=True, slots=True)
class CampaignFact:
    """A campaign and its units so far; it goes when `valid_units` reaches `go_units`.

    `steps` are what may be decided next, as words of `DecisionKind`.
    """

    id: int
    code: str
    name: str
    name_zh: str | None
    state: str
    opens_at: dt.datetime
    closes_at: dt.datetime
    expected_units: int
    go_units: int
    valid_units: int
    raw_units: int
    due_week: dt.date
    per_buyer_limit: int | None
    sku_ids: tuple[int, ...]
    go_factor_percent: int
    cap_units: int | None
    deposit_minor: int | None
    deposit_due_at: dt.datetime | None
    balance_due_at: dt.datetime | None
    fill_starts_at: dt.datetime | None
    late_until: dt.datetime | None
    launched_at: dt.datetime | None
    version: int
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Valid units of one business day and of all days up to it."""

    day: dt.date
    units: int
    cum_units: int


@dataclass(frozen=True, slots=True)
class Requirement:
    """Units of campaigns expected to be paid that are due in one region in one planning week."""

    sku_id: int
    region_id: int
    week: dt.date
    units: int


def list_campaigns(session: Session, *, states: Iterable[str] | None = None) -> list[CampaignFact]:
    """All campaigns, or those in `states`, the one that closes last first."""
    query = select(Campaign).order_by(Campaign.closes_at.desc(), Campaign.id)
    if states is not None:
        query = query.where(Campaign.state.in_([str(state) for state in states]))
    return _facts(session, campaigns=session.scalars(query).all())


def get_campaign(session: Session, *, campaign_id: int) -> CampaignFact:
    """One campaign.

    Raises:
        NotFound: `campaign_unknown`.
    """
    campaign = session.get(Campaign, campaign_id)
    if campaign is None:
        raise NotFound("campaign_unknown", f"There is no campaign {campaign_id}.", campaign_id=campaign_id)
    return _facts(session, campaigns=[campaign])[0]


def campaign_ids(session: Session) -> dict[str, int]:
    """Campaign ids by code."""
    return dict(session.execute(select(Campaign.code, Campaign.id)).all())


def windows(session: Session, *, campaign_ids: Iterable[int]) -> dict[int, Window]:
    """When these campaigns take pledges, by id."""
    columns = (
        Campaign.id,
        Campaign.state,
        Campaign.opens_at,
        Campaign.closes_at,
        Campaign.fill_starts_at,
        Campaign.late_until,
    )
    rows = session.execute(select(*columns).where(Campaign.id.in_(sorted(campaign_ids))))
    return {
        id_: Window(
            is_draft=state == CampaignState.DRAFT,
            opens_at=opens,
            closes_at=closes,
            fill_starts_at=fill,
            late_until=late,
        )
        for id_, state, opens, closes, fill, late in rows
    }


def window_frame(session: Session, *, campaign_ids: Iterable[int]) -> pl.DataFrame:
    """The same as a table with the columns WINDOWS."""
    rows = [
        (id_, one.is_draft, one.opens_at, one.closes_at, one.takes_until, one.fill_starts_at)
        for id_, one in sorted(windows(session, campaign_ids=campaign_ids).items())
    ]
    return pl.DataFrame(rows, schema=WINDOWS, orient="row")


def late_units(session: Session, *, campaign_id: int, closes_at: dt.datetime) -> int:
    """Valid units that were pledged in the late window: they do not decide whether the campaign goes."""
    query = select(func.coalesce(func.sum(Signal.quantity), 0)).where(
        Signal.campaign_id == campaign_id,
        Signal.reason == Reason.VALID,
        Signal.ordered_at >= closes_at,
    )
    return int(session.scalars(query).one())


@dataclass(frozen=True, slots=True)
class VariantUnits:
    """A variant of a campaign with the units it holds."""

    sku_id: int
    option: str | None
    raw_units: int
    valid_units: int


def variant_units(session: Session, *, campaign_id: int) -> list[VariantUnits]:
    """The variants, the one with the most valid units first."""
    table = received(CampaignDay)
    units = {
        sku_id: (int(raw), int(valid))
        for sku_id, raw, valid in session.execute(
            select(table.sku_id, func.sum(table.raw_units), func.sum(table.valid_units))
            .where(table.campaign_id == campaign_id)
            .group_by(table.sku_id)
        )
    }
    named = session.execute(
        select(CampaignSku.sku_id, CampaignSku.option).where(CampaignSku.campaign_id == campaign_id)
    )
    variants = [VariantUnits(sku_id, option, *units.get(sku_id, (0, 0))) for sku_id, option in named]
    return sorted(variants, key=lambda one: (-one.valid_units, one.sku_id))


def campaign_curve(session: Session, *, campaign_id: int) -> list[CurvePoint]:
    """The pledge curve by business day; days without pledges have no point."""
    table = counted(CampaignTotalDay)
    rows = session.execute(
        select(table.day, func.sum(table.valid_units))
        .where(table.campaign_id == campaign_id)
        .group_by(table.day)
        .order_by(table.day)
    ).all()
    units = [int(row[1]) for row in rows]
    return [
        CurvePoint(day=row[0], units=unit, cum_units=total)
        for row, unit, total in zip(rows, units, accumulate(units), strict=True)
    ]


def pledge_days(session: Session, *, until: dt.date) -> pl.DataFrame:
    """Valid units by campaign_id, sku_id, region_id and day before `until`, of every campaign: `units`."""
    table = counted(CampaignDay)
    key = (table.campaign_id, table.sku_id, table.region_id, table.day)
    query = select(*key, func.sum(table.valid_units)).where(table.day < until)
    rows = [tuple(row) for row in session.execute(query.group_by(*key).order_by(*key))]
    return pl.DataFrame(rows, schema=PLEDGE_DAYS, orient="row")


def campaign_requirements(session: Session, *, as_of: dt.date) -> list[Requirement]:
    """What campaigns that are open, reached or in production require, in their due week.

    Of each commitment the part that is expected to be paid, in whole units. A campaign whose due week has
    passed requires its units in the week of `as_of`. Sorted by SKU, region, week.
    """
    known = weights(session)

    def expected(category: str | None, kind: str, units: int, interest: int) -> int:
        commitment = kind if kind in set(Commitment) else Commitment.PAID
        return (units or interest) * known.of(category, commitment)

    return _required(session, expected, as_of=as_of)


def campaign_commitments(session: Session, *, as_of: dt.date) -> list[Requirement]:
    """What those campaigns have promised: every valid unit, whatever part of them is expected to be paid."""

    def promised(category: str | None, kind: str, units: int, interest: int) -> int:
        return units * 1_000

    return _required(session, promised, as_of=as_of)


def _required(
    session: Session, worth: Callable[[str | None, str, int, int], int], *, as_of: dt.date
) -> list[Requirement]:
    """`worth` gives thousandths of units, by category, kind, valid units and units of mere interest."""
    this_week = as_of - dt.timedelta(days=as_of.weekday())
    table = counted(CampaignDay)
    interest = case((table.reason.in_(INTEREST), table.units), else_=0)
    cell = (table.sku_id, table.region_id, Campaign.due_week)
    rows = session.execute(
        select(*cell, Sku.category, table.reason, func.sum(table.valid_units), func.sum(interest))
        .join(Campaign, Campaign.id == table.campaign_id)
        .join(Sku, Sku.id == table.sku_id)
        .where(Campaign.state.in_([state.value for state in REQUIRING]))
        .group_by(*cell, Sku.category, table.reason)
    )
    thousandths: dict[tuple[int, int, dt.date], int] = defaultdict(int)
    for sku_id, region_id, due_week, category, kind, units, interested in rows:
        monday = due_week - dt.timedelta(days=due_week.weekday())
        week = max(monday, this_week)
        thousandths[sku_id, region_id, week] += worth(category, kind, int(units), int(interested))
    return [
        Requirement(sku_id=sku_id, region_id=region_id, week=week, units=whole(parts))
        for (sku_id, region_id, week), parts in sorted(thousandths.items())
        if whole(parts) > 0
    ]


def _facts(session: Session, *, campaigns: Sequence[Campaign]) -> list[CampaignFact]:
    ids = [campaign.id for campaign in campaigns]
    table = counted(CampaignTotalDay)
    units = {
        id_: (int(raw), int(valid))
        for id_, raw, valid in session.execute(
            select(table.campaign_id, func.sum(table.raw_units), func.sum(table.valid_units))
            .where(table.campaign_id.in_(ids))
            .group_by(table.campaign_id)
        )
    }
    skus: dict[int, list[int]] = defaultdict(list)
    for campaign_id, sku_id in session.execute(
        select(CampaignSku.campaign_id, CampaignSku.sku_id)
        .where(CampaignSku.campaign_id.in_(ids))
        .order_by(CampaignSku.sku_id)
    ):
        skus[campaign_id].append(sku_id)
    return [
        _fact(campaign, units=units.get(campaign.id, (0, 0)), skus=skus[campaign.id])
        for campaign in campaigns
    ]


def _fact(campaign: Campaign, *, units: tuple[int, int], skus: list[int]) -> CampaignFact:
    return CampaignFact(
        id=campaign.id,
        code=campaign.code,
        name=campaign.name,
        name_zh=campaign.name_zh,
        state=campaign.state,
        opens_at=campaign.opens_at,
        closes_at=campaign.closes_at,
        expected_units=campaign.expected_units,
        go_units=rules.go_units(
            expected_units=campaign.expected_units, go_factor_percent=campaign.go_factor_percent
        ),
        valid_units=units[1],
        raw_units=units[0],
        due_week=campaign.due_week,
        per_buyer_limit=campaign.per_buyer_limit,
        sku_ids=tuple(skus),
        go_factor_percent=campaign.go_factor_percent,
        cap_units=campaign.cap_units,
        deposit_minor=campaign.deposit_minor,
        deposit_due_at=campaign.deposit_due_at,
        balance_due_at=campaign.balance_due_at,
        fill_starts_at=campaign.fill_starts_at,
        late_until=campaign.late_until,
        launched_at=campaign.launched_at,
        version=campaign.version,
        steps=steps_from(campaign.state),
    )
