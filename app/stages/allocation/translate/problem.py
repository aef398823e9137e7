"""The stages' values into an `optimizer.Problem`, in codes, weeks and currency units."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import optimizer
from app.stages.allocation.rules import (
    Base,
    Commitments,
    Firm,
    Limit,
    PlanSettings,
    Scope,
    UnmetReason,
    cover_oldest,
    lead_weeks,
    monday,
    week_index,
)
from app.stages.allocation.translate.network import Landed, node_names
from app.stages.catalog.queries import LaneFact, Network, OfferFact, SkuFact
from app.stages.forecasts.rules import Cell, gross_units

Demand = dict[Cell, dict[int, int]]
"""Units by (SKU id, region id) and week number."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Everything a plan is made from, as plain values. `minor_per_unit`: minor units in one currency unit."""

    network: Network
    forecast: Mapping[Cell, Mapping[dt.date, int]]
    pledged: Mapping[Cell, Mapping[dt.date, int]]
    on_hand: Mapping[tuple[int, int], int]
    commitments: Commitments
    limits: Sequence[Limit]
    settings: PlanSettings
    as_of: dt.date
    minor_per_unit: int

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


@dataclass(frozen=True, kw_only=True)
class Translation:
    """The problem, and how to read its answer: ids by the problem's names, what was left out, what is firm.

    `demand_units` is the gross requirement within the horizon, before anything covers it; `sku_demand` what
    the problem holds of it, by SKU id. `locked` are firm units by (supplier, SKU, target, week ordered), in
    codes.
    """

    problem: optimizer.Problem
    left_out: tuple[LeftOut, ...]
    demand_units: int
    sku_demand: dict[int, int]
    sku_id: dict[str, int]
    node_id: dict[str, tuple[str, int]]
    offer: dict[tuple[str, str], OfferFact]
    locked: dict[tuple[str, str, str, int], int]


def build(inputs: Inputs) -> Translation | None:
    """The problem of these inputs; None when there is nothing to plan at all.

    Raises:
        optimizer.ProblemError: a value of the network is out of the optimizer's range.
    """
    return _Builder(inputs).build()


class _Builder:
    """One translation. Every list is built in the order of ids, so that equal inputs give equal problems."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.weeks = inputs.settings.weeks
        self.sku: dict[int, SkuFact] = {sku.id: sku for sku in inputs.network.skus}
        self.code = {sku.id: sku.code for sku in inputs.network.skus}
        self.node = node_names(inputs.network)
        self.offers = {(offer.supplier_id, offer.sku_id): offer for offer in inputs.network.offers}
        self.lane_lead = {_ends(lane): lead_weeks(lane.lead_days) for lane in inputs.network.lanes}
        self.landed = Landed(inputs.network)
        self.gross = self._gross()
        self.demand: Demand = {}
        self.locked: list[tuple[Firm, int]] = []
        self.arriving: dict[tuple[int, int, int], int] = defaultdict(int)

    def build(self) -> Translation | None:
        self.demand = dict(self.gross)
        for firm in self.inputs.commitments.firm:
            self._place(firm)
        usable = self._usable_offers()
        left_out = self._leave_out(usable)
        skus = self._planned_skus()
        if not any(self.demand.values()):
            return None
        offers = [offer for offer in usable if offer.sku_id in skus]
        problem = optimizer.Problem(
            weeks=self.weeks,
            suppliers=self._suppliers(offers),
            warehouses=self._warehouses(),
            regions=self._regions(),
            skus=tuple(self._sku(self.sku[sku]) for sku in skus),
            offers=tuple(self._offer(offer) for offer in offers),
            lanes=self._lanes(offers),
            demand=self._demand(),
            stock=self._stock(skus),
            locked=tuple(self._locked(firm, week) for firm, week in self.locked),
            share_caps=self._caps(offers, skus),
        )
        return self._translation(problem, offers, left_out)

    # --- demand, and what already covers it ---

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
            if sku in self.sku and region in regions
        }

    def _place(self, firm: Firm) -> None:
        """Put one firm line where the problem can use it.

        An order of this week or later is locked, so that its cost, capacity and share count. One that left
        before is stock in its week of arrival, or, on its way straight to a region, demand already covered. A
        direct line of a week gone by was delivered and sold.
        """
        if firm.sku_id not in self.sku:
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
        offer = self.offers.get((firm.supplier_id, firm.sku_id))
        lane = self.lane_lead.get((firm.supplier_id, None, firm.warehouse_id, firm.region_id))
        if offer is None or lane is None or lead_weeks(offer.lead_days) >= self.weeks:
            return None
        return arrival - lane - lead_weeks(offer.lead_days)

    def _usable_offers(self) -> list[OfferFact]:
        """Offers an order can be placed on within the horizon, and those that firm lines stand on."""
        firm = {(line.supplier_id, line.sku_id) for line, _ in self.locked}
        return [
            offer
            for key, offer in sorted(self.offers.items(), key=lambda item: item[1].id)
            if key in firm or (self._open(offer) and lead_weeks(offer.lead_days) < self.weeks)
        ]

    def _open(self, offer: OfferFact) -> bool:
        """Whether anything new may be ordered: not set aside, and a MOQ that a week can hold."""
        declined = (offer.supplier_id, offer.sku_id) in self.inputs.commitments.declined
        return not declined and (offer.weekly_capacity is None or offer.moq <= offer.weekly_capacity)

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

    def _planned_skus(self) -> list[int]:
        return sorted({sku for sku, _ in self.demand} | {firm.sku_id for firm, _ in self.locked})

    # --- the network in the optimizer's terms ---

    def _money(self, minor: int) -> float:
        return minor / self.inputs.minor_per_unit

    def _suppliers(self, offers: Sequence[OfferFact]) -> tuple[optimizer.Supplier, ...]:
        offering = {offer.supplier_id for offer in offers}
        return tuple(
            optimizer.Supplier(
                id=self.node["supplier", one.id], capacity=self._weekly(one.weekly_capacity), risk=one.risk
            )
            for one in self.inputs.network.suppliers
            if one.id in offering
        )

    def _warehouses(self) -> tuple[optimizer.Warehouse, ...]:
        return tuple(
            optimizer.Warehouse(
                id=self.node["warehouse", one.id],
                storage=self._weekly(one.storage),
                inbound=self._weekly(one.weekly_inbound),
            )
            for one in self.inputs.network.warehouses
        )

    def _weekly(self, capacity: int | None) -> tuple[float, ...] | None:
        return None if capacity is None else (float(capacity),) * self.weeks

    def _regions(self) -> tuple[optimizer.Region, ...]:
        used = self._region_ids()
        return tuple(
            optimizer.Region(id=self.node["region", one.id])
            for one in self.inputs.network.regions
            if one.id in used
        )

    def _region_ids(self) -> set[int]:
        locked = {firm.region_id for firm, _ in self.locked if firm.region_id is not None}
        return {region for _, region in self.demand} | locked

    def _sku(self, sku: SkuFact) -> optimizer.Sku:
        return optimizer.Sku(
            id=sku.code,
            category=sku.category or None,
            volume=sku.volume,
            holding_cost=self._money(sku.holding_cost_minor),
        )

    def _offer(self, offer: OfferFact) -> optimizer.Offer:
        """An offer that stands only for its firm lines takes no new unit: its weekly capacity is none."""
        takes_new = self._open(offer)
        capacity = offer.weekly_capacity if takes_new else 0
        return optimizer.Offer(
            supplier=self.node["supplier", offer.supplier_id],
            sku=self.code[offer.sku_id],
            moq=offer.moq if takes_new else 0,
            multiple=offer.lot_multiple,
            lead_weeks=lead_weeks(offer.lead_days),
            order_cost=self._money(offer.order_cost_minor),
            breaks=tuple((one.min_quantity, self._money(one.unit_price_minor)) for one in offer.breaks),
            week_capacity=None if capacity is None else (capacity,) * self.weeks,
        )

    def _lanes(self, offers: Sequence[OfferFact]) -> tuple[optimizer.Lane, ...]:
        suppliers, regions = {offer.supplier_id for offer in offers}, self._region_ids()
        return tuple(
            optimizer.Lane(
                source=self._source(lane),
                target=self._target(lane.to_warehouse_id, lane.to_region_id),
                cost=self._money(lane.cost_minor),
                lead_weeks=lead_weeks(lane.lead_days),
            )
            for lane in self.inputs.network.lanes
            if (lane.from_supplier_id is None or lane.from_supplier_id in suppliers)
            and (lane.to_region_id is None or lane.to_region_id in regions)
        )

    def _source(self, lane: LaneFact) -> str:
        if lane.from_supplier_id is not None:
            return self.node["supplier", lane.from_supplier_id]
        return self.node["warehouse", lane.from_warehouse_id or 0]

    def _target(self, warehouse: int | None, region: int | None) -> str:
        return self.node["region", region or 0] if warehouse is None else self.node["warehouse", warehouse]

    def _demand(self) -> tuple[optimizer.Demand, ...]:
        settings = self.inputs.settings
        return tuple(
            optimizer.Demand(
                sku=self.code[sku],
                region=self.node["region", region],
                week=week,
                quantity=units,
                late_cost=self._money(self.landed.part(sku, settings.late_percent)),
                short_cost=self._money(self.landed.of(sku) * settings.short_factor),
            )
            for (sku, region), by_week in sorted(self.demand.items())
            for week, units in sorted(by_week.items())
        )

    def _stock(self, skus: Sequence[int]) -> tuple[optimizer.Stock, ...]:
        there = {(sku, place, 0): units for (sku, place), units in self.inputs.on_hand.items() if units > 0}
        total = {
            key: there.get(key, 0) + self.arriving.get(key, 0) for key in there.keys() | self.arriving.keys()
        }
        planned = set(skus)
        return tuple(
            optimizer.Stock(
                sku=self.code[sku], warehouse=self.node["warehouse", place], quantity=units, week=week
            )
            for (sku, place, week), units in sorted(total.items())
            if sku in planned
        )

    def _locked(self, firm: Firm, week: int) -> optimizer.Locked:
        return optimizer.Locked(
            supplier=self.node["supplier", firm.supplier_id],
            sku=self.code[firm.sku_id],
            week=week,
            to=self._target(firm.warehouse_id, firm.region_id),
            quantity=firm.quantity,
        )

    # --- concentration ---

    def _caps(self, offers: Sequence[OfferFact], skus: Sequence[int]) -> tuple[optimizer.ShareCap, ...]:
        """Limits on units. The optimizer weighs none on spend; those are watched and alerted all the same."""
        eligible: dict[int, int] = defaultdict(int)
        for offer in offers:
            eligible[offer.sku_id] += 1
        caps = []
        for limit in self.inputs.limits:
            if limit.base is Base.UNITS:
                for key, members in self._scopes(limit.scope, skus):
                    if limit.hard or max(eligible[sku] for sku in members) > 1:
                        caps.append(self._cap(limit, key, members))
        return tuple(caps)

    def _scopes(self, scope: Scope, skus: Sequence[int]) -> list[tuple[str | None, list[int]]]:
        if scope is Scope.PLAN:
            return [(None, list(skus))]
        groups: dict[str, list[int]] = defaultdict(list)
        for sku in skus:
            key = self.code[sku] if scope is Scope.SKU else self.sku[sku].category
            if key:
                groups[key].append(sku)
        return list(groups.items())

    def _cap(self, limit: Limit, key: str | None, members: Sequence[int]) -> optimizer.ShareCap:
        penalty = limit.penalty_minor
        if penalty is None:
            parts = [self.landed.part(sku, self.inputs.settings.penalty_percent) for sku in members]
            penalty = sum(parts) // len(parts)
        return optimizer.ShareCap(
            scope=limit.scope.value,
            key=key,
            max_share=limit.threshold_percent / 100,
            hard=limit.hard,
            penalty=0.0 if limit.hard else self._money(penalty),
        )

    def _translation(
        self, problem: optimizer.Problem, offers: Sequence[OfferFact], left_out: tuple[LeftOut, ...]
    ) -> Translation:
        demand: dict[int, int] = defaultdict(int)
        for (sku, _), by_week in self.demand.items():
            demand[sku] += sum(by_week.values())
        locked: dict[tuple[str, str, str, int], int] = defaultdict(int)
        for one in problem.locked:
            locked[one.supplier, one.sku, one.to, one.week] += one.quantity
        return Translation(
            problem=problem,
            left_out=left_out,
            demand_units=sum(sum(by_week.values()) for by_week in self.gross.values()),
            sku_demand=dict(demand),
            sku_id={code: sku for sku, code in self.code.items()},
            node_id={name: place for place, name in self.node.items()},
            offer={(self.node["supplier", one.supplier_id], self.code[one.sku_id]): one for one in offers},
            locked=dict(locked),
        )


def _ends(lane: LaneFact) -> tuple[int | None, int | None, int | None, int | None]:
    return lane.from_supplier_id, lane.from_warehouse_id, lane.to_warehouse_id, lane.to_region_id
