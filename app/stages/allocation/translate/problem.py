"""The stages' values into an `optimizer.Problem`, in codes, weeks and currency units."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import optimizer
from app.stages.allocation.rules import (
    Base,
    Firm,
    Limit,
    Scope,
    lead_weeks,
    week_index,
)
from app.stages.allocation.translate.counters import with_room
from app.stages.allocation.translate.needs import Inputs, LeftOut, Needs
from app.stages.allocation.translate.network import Landed, node_names
from app.stages.catalog.queries import LaneFact, OfferFact, SkuFact


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
        self.needs = Needs(inputs)
        self.weeks = inputs.settings.weeks
        self.sku: dict[int, SkuFact] = {sku.id: sku for sku in inputs.network.skus}
        self.code = {sku.id: sku.code for sku in inputs.network.skus}
        self.node = node_names(inputs.network)
        self.landed = Landed(inputs.network)
        self._room: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
        for supplier, sku, week, units in inputs.commitments.limited:
            self._room[supplier, sku][week_index(week, first=inputs.first)] = units

    def build(self) -> Translation | None:
        needs, skus = self.needs, self.needs.sku_ids()
        if not needs.demand:
            return None
        problem = optimizer.Problem(
            weeks=self.weeks,
            suppliers=self._suppliers(needs.offers),
            warehouses=self._warehouses(),
            regions=self._regions(),
            skus=tuple(self._sku(self.sku[sku]) for sku in skus),
            offers=tuple(self._offer(offer) for offer in needs.offers),
            lanes=self._lanes(needs.offers),
            demand=self._demand(),
            stock=self._stock(skus),
            locked=tuple(self._locked(firm, week) for firm, week in needs.locked),
            previous=self._previous(needs.offers),
            churn_cost=self._money(self.inputs.settings.churn_minor or 0),
            share_caps=self._caps(needs.offers, skus),
        )
        return self._translation(problem)

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
        used = self.needs.region_ids()
        return tuple(
            optimizer.Region(id=self.node["region", one.id])
            for one in self.inputs.network.regions
            if one.id in used
        )

    def _sku(self, sku: SkuFact) -> optimizer.Sku:
        return optimizer.Sku(
            id=sku.code,
            category=sku.category or None,
            volume=sku.volume,
            holding_cost=self._money(sku.holding_cost_minor),
        )

    def _offer(self, offer: OfferFact) -> optimizer.Offer:
        """An offer that stands only for its firm lines takes no new unit: its weekly capacity is none."""
        takes_new = self.needs.takes_new(offer)
        capacity = offer.weekly_capacity if takes_new else 0
        found = optimizer.Offer(
            supplier=self.node["supplier", offer.supplier_id],
            sku=self.code[offer.sku_id],
            moq=offer.moq if takes_new else 0,
            multiple=offer.lot_multiple,
            lead_weeks=lead_weeks(offer.lead_days),
            order_cost=self._money(offer.order_cost_minor),
            breaks=tuple((one.min_quantity, self._money(one.unit_price_minor)) for one in offer.breaks),
            week_capacity=None if capacity is None else (capacity,) * self.weeks,
        )
        return with_room(found, self._room[offer.supplier_id, offer.sku_id], weeks=self.weeks)

    def _lanes(self, offers: Sequence[OfferFact]) -> tuple[optimizer.Lane, ...]:
        suppliers, regions = {offer.supplier_id for offer in offers}, self.needs.region_ids()
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
            for (sku, region), by_week in sorted(self.needs.demand.items())
            for week, units in sorted(by_week.items())
        )

    def _stock(self, skus: Sequence[int]) -> tuple[optimizer.Stock, ...]:
        there = {(sku, place, 0): units for (sku, place), units in self.inputs.on_hand.items() if units > 0}
        total = {
            key: there.get(key, 0) + self.needs.arriving.get(key, 0)
            for key in there.keys() | self.needs.arriving.keys()
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

    def _previous(self, offers: Sequence[OfferFact]) -> tuple[optimizer.Locked, ...]:
        """Of the last plan what can still be ordered again: weeks to come, at offers that stand."""
        open_offers = {(offer.supplier_id, offer.sku_id) for offer in offers}
        weeks = [
            (line, week_index(line.order_week, first=self.inputs.first)) for line in self.inputs.previous
        ]
        return tuple(
            optimizer.Locked(
                supplier=self.node["supplier", line.supplier_id],
                sku=self.code[line.sku_id],
                week=week,
                to=self._target(line.warehouse_id, line.region_id),
                quantity=line.quantity,
            )
            for line, week in weeks
            if 0 <= week < self.weeks and (line.supplier_id, line.sku_id) in open_offers
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

    def _translation(self, problem: optimizer.Problem) -> Translation:
        demand: dict[int, int] = defaultdict(int)
        for (sku, _), by_week in self.needs.demand.items():
            demand[sku] += sum(by_week.values())
        locked: dict[tuple[str, str, str, int], int] = defaultdict(int)
        for one in problem.locked:
            locked[one.supplier, one.sku, one.to, one.week] += one.quantity
        return Translation(
            problem=problem,
            left_out=self.needs.left_out,
            demand_units=sum(sum(by_week.values()) for by_week in self.needs.gross.values()),
            sku_demand=dict(demand),
            sku_id={code: sku for sku, code in self.code.items()},
            node_id={name: place for place, name in self.node.items()},
            offer={
                (self.node["supplier", one.supplier_id], self.code[one.sku_id]): one
                for one in self.needs.offers
            },
            locked=dict(locked),
        )
