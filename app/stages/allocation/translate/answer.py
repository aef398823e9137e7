"""The optimizer's answer into lines, flows and figures: whole units, Mondays, and integer minor units."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import optimizer
from app.stages.allocation.rules import Made, ScopeShare, UnmetReason, shares, week_of
from app.stages.allocation.translate.digest import digest
from app.stages.allocation.translate.problem import Translation
from app.stages.allocation.translate.surplus import Docks
from app.stages.catalog.queries import OfferFact

OrderKey = tuple[str, str, int]
"""(supplier, SKU, week ordered), in codes."""

# Materials, lanes and least numbers of suppliers are no part of a plan's problem yet.
FOLDED = {
    "material": UnmetReason.CAPACITY,
    "lane": UnmetReason.CAPACITY,
    "min_sources": UnmetReason.NO_OFFER,
}
REASONS = {reason.value: reason for reason in UnmetReason} | FOLDED


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One row of the plan; `target` is ("warehouse" | "region", id). The codes make the plan's digest."""

    supplier: str
    sku: str
    target: str
    supplier_id: int
    sku_id: int
    warehouse_id: int | None
    region_id: int | None
    order_week: dt.date
    arrival_week: dt.date
    quantity: int
    unit_price_minor: int
    locked_quantity: int
    surplus_quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFlow:
    """Units leaving one warehouse for one region in the week that begins at Monday `week`."""

    sku: str
    source: str
    target: str
    sku_id: int
    warehouse_id: int
    region_id: int
    week: dt.date
    quantity: int


@dataclass(frozen=True, slots=True)
class Unplanned:
    sku_id: int
    region_id: int
    week: dt.date
    quantity: int
    reason: UnmetReason


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything of a plan that is stored. Cost parts are recomputed by the checker and add up to
    `cost_minor`.

    `demand_of` maps (scope, key) to the units wanted in that scope.
    """

    lines: tuple[PlanLine, ...]
    flows: tuple[PlanFlow, ...]
    unmet: tuple[Unplanned, ...]
    shares: tuple[ScopeShare, ...]
    demand_of: dict[tuple[str, str], int]
    cost_parts: dict[str, int]
    cost_minor: int
    bound_minor: int
    digest: str

    @property
    def gap(self) -> float:
        """(cost − bound) ÷ cost, 0–1."""
        return (self.cost_minor - self.bound_minor) / self.cost_minor if self.cost_minor else 0.0


def read_plan(
    found: Translation, solution: optimizer.Solution, *, first: dt.date, minor_per_unit: int
) -> Plan:
    """Check a solution without a solver and turn it into rows.

    The bound is rounded down and never above the cost, so that it stays a bound.

    Raises:
        optimizer.BrokenRule: the solution breaks a rule of its problem.
    """
    cost = optimizer.check(found.problem, solution)
    parts = {name: round(value * minor_per_unit) for name, value in asdict(cost).items()}
    total = sum(parts.values())
    reader = _Reader(found, first, Docks(found.problem, solution.flows))
    lines, flows = reader.lines(solution), reader.flows(solution)
    if sum(line.quantity * line.unit_price_minor for line in lines) != parts["purchase"]:
        raise optimizer.BrokenRule("cost", "purchase", "lines do not add up to what the checker recomputed")
    return Plan(
        lines=lines,
        flows=flows,
        unmet=reader.unmet(solution),
        shares=tuple(shares(reader.made(lines))),
        demand_of=reader.demand_of(),
        cost_parts=parts,
        cost_minor=total,
        bound_minor=min(math.floor(solution.bound * minor_per_unit), total),
        digest=_plan_digest(lines, flows),
    )


def _plan_digest(lines: Iterable[PlanLine], flows: Iterable[PlanFlow]) -> str:
    """Over codes, weeks and quantities: the same plan has it on any database."""
    return digest(
        [
            [
                [
                    line.supplier,
                    line.sku,
                    line.target,
                    line.order_week,
                    line.arrival_week,
                    line.quantity,
                    line.unit_price_minor,
                ]
                for line in lines
            ],
            [[flow.sku, flow.source, flow.target, flow.week, flow.quantity] for flow in flows],
        ]
    )


class _Reader:
    def __init__(self, found: Translation, first: dt.date, docks: Docks) -> None:
        self.found = found
        self.first = first
        self.docks = docks
        self.lead = {(lane.source, lane.target): lane.lead_weeks for lane in found.problem.lanes}
        self.offer_lead = {(one.supplier, one.sku): one.lead_weeks for one in found.problem.offers}

    def lines(self, solution: optimizer.Solution) -> tuple[PlanLine, ...]:
        """One line for each order and destination; a surplus no flow carries goes to docks with room."""
        parts = self._shipped(solution)
        total: dict[tuple[str, str], int] = defaultdict(int)
        for order in solution.orders:
            total[order.supplier, order.sku] += order.quantity
        lines = []
        for order in sorted(solution.orders):
            key = (order.supplier, order.sku, order.week)
            price = _unit_price(self.found.offer[order.supplier, order.sku], total[order.supplier, order.sku])
            going = parts.get(key, {})
            spare = self._spare(key, order.quantity - sum(going.values()), going)
            for target in sorted(going.keys() | spare.keys()):
                lines.append(self._line(key, target, going.get(target, 0), spare.get(target, 0), price))
        return tuple(lines)

    def _shipped(self, solution: optimizer.Solution) -> dict[OrderKey, dict[str, int]]:
        """Units of each order by destination."""
        parts: dict[OrderKey, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for flow in solution.flows:
            lead = self.offer_lead.get((flow.source, flow.sku))
            if lead is not None and self._kind(flow.source) == "supplier":
                parts[flow.source, flow.sku, flow.week - lead][flow.target] += flow.quantity
        return parts

    def _spare(self, key: OrderKey, units: int, going: dict[str, int]) -> dict[str, int]:
        """Where a surplus is kept: in warehouses, or with the rest where the supplier reaches none."""
        if not units:
            return {}
        supplier, sku, week = key
        reach = sorted(target for source, target in self.lead if source == supplier)
        stores = [target for target in reach if self._kind(target) == "warehouse"]
        if not stores:
            return {min(list(going) or reach, key=lambda target: (-going.get(target, 0), target)): units}
        ready = week + self.offer_lead[supplier, sku]
        return self.docks.place(sku, units, supplier=supplier, ready=ready, going=going, stores=stores)

    def _line(self, key: OrderKey, target: str, shipped: int, surplus: int, price: int) -> PlanLine:
        supplier, sku, week = key
        kind, place = self.found.node_id[target]
        arrival = week + self.offer_lead[supplier, sku] + self.lead[supplier, target]
        return PlanLine(
            supplier=supplier,
            sku=sku,
            target=target,
            supplier_id=self.found.node_id[supplier][1],
            sku_id=self.found.sku_id[sku],
            warehouse_id=place if kind == "warehouse" else None,
            region_id=place if kind == "region" else None,
            order_week=week_of(week, first=self.first),
            arrival_week=week_of(arrival, first=self.first),
            quantity=shipped + surplus,
            unit_price_minor=price,
            locked_quantity=min(self.found.locked.get((supplier, sku, target, week), 0), shipped),
            surplus_quantity=surplus,
        )

    def flows(self, solution: optimizer.Solution) -> tuple[PlanFlow, ...]:
        return tuple(
            PlanFlow(
                sku=flow.sku,
                source=flow.source,
                target=flow.target,
                sku_id=self.found.sku_id[flow.sku],
                warehouse_id=self.found.node_id[flow.source][1],
                region_id=self.found.node_id[flow.target][1],
                week=week_of(flow.week, first=self.first),
                quantity=flow.quantity,
            )
            for flow in sorted(solution.flows)
            if self._kind(flow.source) == "warehouse"
        )

    def unmet(self, solution: optimizer.Solution) -> tuple[Unplanned, ...]:
        cells = [
            Unplanned(
                self.found.sku_id[one.sku],
                self.found.node_id[one.region][1],
                week_of(one.week, first=self.first),
                one.quantity,
                REASONS.get(one.reason, UnmetReason.COST),
            )
            for one in solution.unmet
        ]
        cells += [
            Unplanned(
                one.sku_id, one.region_id, week_of(one.week, first=self.first), one.quantity, one.reason
            )
            for one in self.found.left_out
        ]
        return tuple(sorted(cells, key=lambda one: (one.sku_id, one.region_id, one.week)))

    def made(self, lines: Iterable[PlanLine]) -> list[Made]:
        category = {sku.id: sku.category for sku in self.found.problem.skus}
        return [
            Made(
                line.supplier_id,
                line.sku,
                category[line.sku],
                line.quantity,
                line.quantity * line.unit_price_minor,
            )
            for line in lines
        ]

    def demand_of(self) -> dict[tuple[str, str], int]:
        wanted: dict[tuple[str, str], int] = defaultdict(int)
        for sku in self.found.problem.skus:
            units = self.found.sku_demand.get(self.found.sku_id[sku.id], 0)
            wanted["sku", sku.id] += units
            wanted["plan", ""] += units
            if sku.category is not None:
                wanted["category", sku.category] += units
        return dict(wanted)

    def _kind(self, node: str) -> str:
        return self.found.node_id[node][0]


def _unit_price(offer: OfferFact, units: int) -> int:
    """All-units price of the break that the horizon's total of the offer reaches, in minor units."""
    return next(one.unit_price_minor for one in reversed(offer.breaks) if units >= one.min_quantity)
