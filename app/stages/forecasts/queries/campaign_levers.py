"""What moves a campaign to its lines: what each line is short of, what it is worth, and what helps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.stages.catalog import queries as catalog
from app.stages.demand import queries as demand
from app.stages.forecasts.queries.landings import LandingFact, campaign_landings, extensions
from app.stages.forecasts.queries.levers import Lever, SkuLanding, sku_landings, spare_units
from app.stages.forecasts.rules import chance_of
from app.stages.forecasts.rules.levers import Band, Planned, Prices, go_worth, move

LINES_A_SKU = 2
"""The nearest lines of each SKU that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverOption:
    """One way to fill a line: `kind` is extend (by `days`), ask (`buyers`) or move (from `supplier_ids`).

    `units` is what it brings, `reaches` whether that fills the line; for an extension nobody knows, and
    `chance` (0–1) says how likely. `cost_minor` is what a move costs more (< 0: saves), purchase alone;
    `below_moq`: it leaves a supplier with fewer than its MOQ. `fingerprint` names the proposal to ask.
    """

    kind: str
    units: int
    reaches: bool | None = None
    chance: float | None = None
    days: int | None = None
    buyers: int | None = None
    fingerprint: str | None = None
    supplier_ids: tuple[int, ...] = ()
    cost_minor: int | None = None
    below_moq: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverLine:
    """A line of a campaign: `kind` is go, moq or price_break; the last two are a supplier's for a SKU.

    `units` are there now and it lands at `lands_at`; `short_units` is what it lands short of `line_units`, in
    whole units. `worth_minor` as in `rules.levers`, None where a price is not known.
    """

    kind: str
    sku_id: int | None
    supplier_id: int | None
    line_units: int
    units: int
    lands_at: float
    short_units: int
    chance: float
    worth_minor: int | None
    saving_minor: int | None
    options: tuple[LeverOption, ...]


@dataclass(frozen=True, slots=True)
class CampaignLevers:
    """The lines of a campaign that it may miss, as of its newest landing, the go line first."""

    campaign_id: int
    as_of: dt.date
    lines: tuple[LeverLine, ...]


def campaign_levers(
    session: Session, *, campaign_id: int, planned: Mapping[int, Sequence[tuple[int, int, int, int]]]
) -> CampaignLevers | None:
    """What a running campaign is short of; None where it does not run, or where it lands was not drawn yet.

    Args:
        planned: for each SKU what the plan buys of it: supplier, units, units that are not confirmed yet, and
            spend in minor units.
    """
    campaign = demand.get_campaign(session, campaign_id=campaign_id)
    seen = campaign_landings(session, campaign_id=campaign_id)
    if campaign.state != "open" or not seen:
        return None
    looking = _Looking(session, seen[-1], planned)
    price = demand.price_at(session, campaign_id=campaign_id, units=campaign.go_units)
    lines = [looking.go_line(campaign.go_units, price=price)]
    for sku in looking.skus:
        lines += [looking.sku_line(sku, lever) for lever in sku.levers[:LINES_A_SKU]]
    return CampaignLevers(campaign_id, seen[-1].as_of, tuple(lines))


class _Looking:
    """One campaign as it lands, with the terms of those who can make it."""

    def __init__(
        self,
        session: Session,
        landing: LandingFact,
        planned: Mapping[int, Sequence[tuple[int, int, int, int]]],
    ) -> None:
        self._session = session
        self._landing = landing
        self._planned = planned
        self._longer = extensions(session, landing=landing)
        self.skus = sku_landings(session, landing=landing)
        self._spare = spare_units(session, campaign_id=landing.campaign_id)
        self._terms = {sku.sku_id: _terms(session, sku.sku_id) for sku in self.skus}

    def go_line(self, go_units: int, *, price: int | None) -> LeverLine:
        landing = self._landing
        worth = go_worth(
            [(sku.mean, self._terms[sku.sku_id]) for sku in self.skus], go_units=go_units, price=price
        )
        longer = [
            (days, outlook.mean - landing.mean, chance_of(go_units, outlook))
            for days, outlook in self._longer.items()
        ]
        short = max(go_units - round(landing.mean), 0)
        return LeverLine(
            kind="go",
            sku_id=None,
            supplier_id=None,
            line_units=go_units,
            units=landing.units,
            lands_at=landing.mean,
            short_units=short,
            chance=chance_of(go_units, landing.outlook),
            worth_minor=worth,
            saving_minor=None,
            options=(*_extend(longer), *self._ask(None, short)),
        )

    def sku_line(self, sku: SkuLanding, lever: Lever) -> LeverLine:
        band = Band(sku.units, sku.mean, sku.lo_80, sku.hi_80)
        longer = [
            (days, one.mean - band.mean, one.chance(lever.units))
            for days, outlook in self._longer.items()
            for one in [band.extended(self._landing.outlook, outlook)]
        ]
        terms = next(one for one in self._terms[sku.sku_id] if one.supplier_id == lever.supplier_id)
        is_break = lever.saving_minor > 0
        topped_up = lever.short_units * terms.at(lever.units)
        return LeverLine(
            kind="price_break" if is_break else "moq",
            sku_id=sku.sku_id,
            supplier_id=lever.supplier_id,
            line_units=lever.units,
            units=sku.units,
            lands_at=sku.mean,
            short_units=lever.short_units,
            chance=band.chance(lever.units),
            worth_minor=lever.saving_minor * lever.units if is_break else topped_up,
            saving_minor=lever.saving_minor if is_break else None,
            options=(
                *_extend(longer),
                *self._ask(sku.sku_id, lever.short_units),
                *self._move(sku.sku_id, lever.units, terms),
            ),
        )

    def _ask(self, sku_id: int | None, short: int) -> Iterable[LeverOption]:
        if short:
            found = demand.propose_tolerance(
                self._session,
                campaign_id=self._landing.campaign_id,
                sku_id=sku_id,
                units=short,
                spare=self._spare,
            )
            if found.steps:
                yield LeverOption(
                    kind="ask",
                    units=found.gained,
                    reaches=found.gained >= short,
                    buyers=found.buyers,
                    fingerprint=found.fingerprint,
                )

    def _move(self, sku_id: int, line: int, terms: Prices) -> Iterable[LeverOption]:
        planned = [Planned(*one) for one in self._planned.get(sku_id, ())]
        found = move(line, terms, planned=planned, offers=self._terms[sku_id])
        if found is not None:
            yield LeverOption(
                kind="move",
                units=found.units,
                reaches=found.reaches,
                supplier_ids=found.suppliers,
                cost_minor=found.cost_minor,
                below_moq=found.below_moq,
            )


def _extend(longer: Iterable[tuple[int, float, float]]) -> Iterable[LeverOption]:
    for days, more, chance in longer:
        yield LeverOption(kind="extend", units=round(more), chance=chance, days=days)


def _terms(session: Session, sku_id: int) -> tuple[Prices, ...]:
    return tuple(
        Prices(
            offer.supplier_id,
            offer.moq,
            tuple((step.min_quantity, step.unit_price_minor) for step in offer.breaks),
        )
        for offer in catalog.offers_of(session, sku_id=sku_id)
    )
