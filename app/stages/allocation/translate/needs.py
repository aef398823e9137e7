"""What a plan has to serve, what already covers it, and who may be asked for the rest."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.stages.allocation.rules import (
    Commitments,
    Firm,
    Limit,
    PlanSettings,
    UnmetReason,
    cover_oldest,
    lead_weeks,
    monday,
    week_index,
)
from app.stages.catalog.queries import LaneFact, Network, OfferFact
from app.stages.forecasts.rules import Cell, gross_units

Demand = dict[Cell, dict[int, int]]
"""Units by (SKU id, region id) and week number."""


class Ordered(Protocol):
    """A line of an earlier plan, as far as the next one looks at it."""

    @property
    def supplier_id(self) -> int: ...
    @property
    def sku_id(self) -> int: ...
    @property
    def warehouse_id(self) -> int | None: ...
    @property
    def region_id(self) -> int | None: ...
    @property
    def order_week(self) -> dt.date: ...
    @property
    def quantity(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Everything a plan is made from, as plain values. `minor_per_unit`: minor units in one currency unit.

    `previous` are the lines of the last plan, where changing it is charged.
    """

    network: Network
    forecast: Mapping[Cell, Mapping[dt.date, int]]
    pledged: Mapping[Cell, Mapping[dt.date, int]]
    on_hand: Mapping[tuple[int, int], int]
    commitments: Commitments
    limits: Sequence[Limit]
    settings: PlanSettings
    as_of: dt.date
    minor_per_unit: int
    previous: Sequence[Ordered] = ()

    @property
    def first(self) -> dt.date:
        return monday(self.as_of)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Demand nobody can be asked for, kept out of the problem."""

    sku_id: int
    region_id: int
    week: int
    quantity: int
    reason: UnmetReason


class Needs:
    """Demand within the horizon, with every firm line where it can be used.

    Attributes:
        gross: the requirement before anything covers it, by cell and week number.
        demand: what is left of it for the problem.
        locked: firm lines ordered within the horizon, with the week they are ordered in.
        arriving: units on their way by (SKU, warehouse, week number).
        offers: those an order can be placed on, and those that locked lines stand on, by id.
        left_out: demand nobody can be asked for.
    """

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.weeks = inputs.settings.weeks
        self._known = {sku.id for sku in inputs.network.skus}
        self._offers = {(offer.supplier_id, offer.sku_id): offer for offer in inputs.network.offers}
        self.capacity = {one.id: one.weekly_capacity for one in inputs.network.suppliers}
        self._lane_lead = {_ends(lane): lead_weeks(lane.lead_days) for lane in inputs.network.lanes}
        self.gross = self._gross()
        self.demand: Demand = dict(self.gross)
        self.locked: list[tuple[Firm, int]] = []
        self.arriving: dict[tuple[int, int, int], int] = defaultdict(int)
        for firm in inputs.commitments.firm:
            self._place(firm)
        usable = self._usable_offers()
        self.left_out = self._leave_out(usable)
        planned = set(self.sku_ids())
        self.offers = [offer for offer in usable if offer.sku_id in planned]

    def sku_ids(self) -> list[int]:
        """SKUs the problem is about, by id."""
        return sorted({sku for sku, _ in self.demand} | {firm.sku_id for firm, _ in self.locked})

    def region_ids(self) -> set[int]:
        """Regions that want something or have it promised."""
        locked = {firm.region_id for firm, _ in self.locked if firm.region_id is not None}
        return {region for _, region in self.demand} | locked

    def _gross(self) -> Demand:
        """Pledges and the forecast they left, within the horizon; only SKUs and regions still planned."""
        weeks = [self.inputs.first + dt.timedelta(weeks=index) for index in range(self.weeks)]
        regions = {region.id for region in self.inputs.network.regions}
        gross = gross_units(self.inputs.forecast, self.inputs.pledged, weeks=weeks)
        return {
            (sku, region): {
                week_index(week, first=self.inputs.first): units for week, units in by_week.items()
            }
            for (sku, region), by_week in gross.items()
            if sku in self._known and region in regions
        }

    def _place(self, firm: Firm) -> None:
        """Put one firm line where the problem can use it.

        An order of this week or later is locked, so that its cost, capacity and share count. One that left
        before is stock in its week of arrival, or, on its way straight to a region, demand already covered. A
        direct line of a week gone by was delivered and sold.
        """
        if firm.sku_id not in self._known:
            return
        arrival = week_index(firm.arrival_week, first=self.inputs.first)
        ordered = self._order_week(firm, arrival)
        if ordered is not None and 0 <= ordered < self.weeks:
            self.locked.append((firm, ordered))
        elif firm.warehouse_id is not None:
            if arrival < self.weeks:
                self.arriving[firm.sku_id, firm.warehouse_id, max(arrival, 0)] += firm.quantity
        elif firm.region_id is not None and 0 <= arrival < self.weeks:
            cell = (firm.sku_id, firm.region_id)
            self.demand[cell] = cover_oldest(self.demand.get(cell, {}), arriving=firm.quantity)

    def _order_week(self, firm: Firm, arrival: int) -> int | None:
        """The week in which a line that arrives then is ordered; None when its offer or lane is gone."""
        offer = self._offers.get((firm.supplier_id, firm.sku_id))
        lane = self._lane_lead.get((firm.supplier_id, None, firm.warehouse_id, firm.region_id))
        if offer is None or lane is None or lead_weeks(offer.lead_days) >= self.weeks:
            return None
        return arrival - lane - lead_weeks(offer.lead_days)

    def _usable_offers(self) -> list[OfferFact]:
        """Offers an order can be placed on within the horizon, and those that firm lines stand on."""
        firm = {(line.supplier_id, line.sku_id) for line, _ in self.locked}
        return [
            offer
            for key, offer in sorted(self._offers.items(), key=lambda item: item[1].id)
            if key in firm or (self.takes_new(offer) and lead_weeks(offer.lead_days) < self.weeks)
        ]

    def takes_new(self, offer: OfferFact) -> bool:
        """Whether anything new may be ordered: not set aside, and a MOQ that a week can hold."""
        declined = (offer.supplier_id, offer.sku_id) in self.inputs.commitments.declined
        limits = offer.weekly_capacity, self.capacity.get(offer.supplier_id)
        return not declined and all(limit is None or offer.moq <= limit for limit in limits)

    def _leave_out(self, usable: Sequence[OfferFact]) -> tuple[LeftOut, ...]:
        """Take out demand for SKUs that nobody can make and that are neither there nor coming."""
        supplied = {offer.sku_id for offer in usable}
        supplied |= {sku for (sku, _), units in self.inputs.on_hand.items() if units > 0}
        supplied |= {sku for sku, _, _ in self.arriving}
        left = []
        for (sku, region), by_week in sorted(self.demand.items()):
            if sku not in supplied:
                reason = self._why_unsupplied(sku)
                left += [LeftOut(sku, region, week, units, reason) for week, units in sorted(by_week.items())]
        self.demand = {
            cell: by_week for cell, by_week in self.demand.items() if cell[0] in supplied and by_week
        }
        return tuple(left)

    def _why_unsupplied(self, sku: int) -> UnmetReason:
        offers = [offer for offer in self.inputs.network.offers if offer.sku_id == sku]
        offers = [
            offer for offer in offers if (offer.supplier_id, sku) not in self.inputs.commitments.declined
        ]
        if not offers:
            return UnmetReason.NO_OFFER
        slow = all(lead_weeks(offer.lead_days) >= self.weeks for offer in offers)
        return UnmetReason.LEAD_TIME if slow else UnmetReason.MOQ


def _ends(lane: LaneFact) -> tuple[int | None, int | None, int | None, int | None]:
    return lane.from_supplier_id, lane.from_warehouse_id, lane.to_warehouse_id, lane.to_region_id
