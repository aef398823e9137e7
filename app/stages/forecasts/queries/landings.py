"""Where campaigns land: as a whole, day by day, and by SKU and region."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.stages.forecasts.models import Landing, LandingExtension, LandingLine
from app.stages.forecasts.rules import Outlook, chance_of


@dataclass(frozen=True, slots=True)
class LandingFact:
    """A campaign's final valid units as seen on the morning of `as_of`; `units` were there by then."""

    campaign_id: int
    as_of: dt.date
    elapsed_day: int
    window_days: int
    units: int
    mean: float
    median: float
    lo_80: float
    hi_80: float
    lo_95: float
    hi_95: float
    method: str
    finished: int
    fingerprint: str

    @property
    def outlook(self) -> Outlook:
        """The quantiles alone."""
        return Outlook(**{field.name: getattr(self, field.name) for field in fields(Outlook)})


@dataclass(frozen=True, slots=True)
class LandingLineFact:
    """The part of a landing that is one SKU in one region."""

    sku_id: int
    region_id: int
    units: int
    mean: float
    median: float
    lo_80: float
    hi_80: float
    lo_95: float
    hi_95: float


def find_landings(session: Session, *, fingerprint: str) -> list[LandingFact]:
    """The landings drawn from these curves on their day, by campaign."""
    query = select(*_columns(Landing, LandingFact)).where(Landing.fingerprint == fingerprint)
    return [LandingFact(*row) for row in session.execute(query.order_by(Landing.campaign_id))]


def latest_landings(session: Session) -> dict[int, LandingFact]:
    """The newest landing of each campaign that has one, by campaign id."""
    newest = select(Landing.campaign_id, func.max(Landing.as_of).label("as_of")).group_by(Landing.campaign_id)
    last = newest.subquery()
    same = (Landing.campaign_id == last.c.campaign_id) & (Landing.as_of == last.c.as_of)
    query = select(*_columns(Landing, LandingFact)).join(last, same).order_by(Landing.campaign_id)
    return {row[0]: LandingFact(*row) for row in session.execute(query)}


def campaign_landings(session: Session, *, campaign_id: int) -> list[LandingFact]:
    """Every landing drawn for a campaign, the oldest first: how what was seen changed from day to day."""
    query = select(*_columns(Landing, LandingFact)).where(Landing.campaign_id == campaign_id)
    return [LandingFact(*row) for row in session.execute(query.order_by(Landing.as_of))]


def last_landing(session: Session, *, campaign_id: int) -> LandingFact:
    """The newest landing drawn for a campaign.

    Raises:
        NotFound: `landing_unknown` when none was drawn.
    """
    query = select(*_columns(Landing, LandingFact)).where(Landing.campaign_id == campaign_id)
    row = session.execute(query.order_by(Landing.as_of.desc()).limit(1)).one_or_none()
    if row is None:
        raise NotFound(
            "landing_unknown",
            "No landing was drawn for this campaign yet; run the planning cycle while it is open.",
        )
    return LandingFact(*row)


def chance_of_going(landing: LandingFact, *, go_units: int) -> float:
    """The chance (0–1) that the campaign lands at its go line or above."""
    return chance_of(go_units, landing.outlook)


def extensions(session: Session, *, landing: LandingFact) -> dict[int, Outlook]:
    """Where the campaign would land if it closed so many days later, by days."""
    names = [field.name for field in fields(Outlook) if field.name != "units"]
    columns = [getattr(LandingExtension, name) for name in ("days", *names)]
    query = select(*columns).where(
        LandingExtension.campaign_id == landing.campaign_id, LandingExtension.as_of == landing.as_of
    )
    rows = session.execute(query.order_by(LandingExtension.days))
    return {row[0]: Outlook(landing.units, *row[1:]) for row in rows}


def landing_lines(session: Session, *, campaign_id: int, as_of: dt.date) -> list[LandingLineFact]:
    """The parts of one landing by SKU and region; their means add up to its mean."""
    query = select(*_columns(LandingLine, LandingLineFact)).where(
        LandingLine.campaign_id == campaign_id, LandingLine.as_of == as_of
    )
    query = query.order_by(LandingLine.sku_id, LandingLine.region_id)
    return [LandingLineFact(*row) for row in session.execute(query)]


def _columns(table: type[Landing] | type[LandingLine], fact: type[Any]) -> list[Any]:
    return [getattr(table, field.name) for field in fields(fact)]
