"""What can be otherwise in a scenario, as values, and the problem with it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar

from optimizer.form.errors import ProblemError
from optimizer.form.problem import Demand, Offer, Problem, Supplier


@dataclass(frozen=True, kw_only=True)
class SupplierOut:
    """The supplier makes nothing, and what it has promised does not come."""

    kind: ClassVar[str] = "supplier_out"
    supplier: str

    def apply(self, problem: Problem) -> Problem:
        """The problem without this supplier's offers, lanes and locked orders."""
        _known("supplier", self.supplier, problem.supplier_of)
        gone = self.supplier
        return _facts_kept(
            problem,
            suppliers=tuple(one for one in problem.suppliers if one.id != gone),
            offers=tuple(one for one in problem.offers if one.supplier != gone),
            lanes=tuple(one for one in problem.lanes if one.source != gone),
            locked=tuple(one for one in problem.locked if one.supplier != gone),
        )


@dataclass(frozen=True, kw_only=True)
class CapacityChange:
    """Capacities of one supplier, or of all, times factor."""

    kind: ClassVar[str] = "capacity"
    factor: float
    supplier: str | None = None

    def apply(self, problem: Problem) -> Problem:
        """Supplier and offer capacities of every week and of the horizon; what has no limit keeps none."""
        _factor(self.factor)
        if self.supplier is not None:
            _known("supplier", self.supplier, problem.supplier_of)
        suppliers = tuple(
            replace(
                one,
                capacity=None if one.capacity is None else tuple(self.factor * c for c in one.capacity),
                horizon_capacity=None if one.horizon_capacity is None else self.factor * one.horizon_capacity,
            )
            if self.supplier in (None, one.id)
            else one
            for one in problem.suppliers
        )
        room = {one.id: _largest_order(one) for one in suppliers}
        offers = tuple(
            _within(_scaled_offer(one, self.factor), room[one.supplier])
            if self.supplier in (None, one.supplier)
            else one
            for one in problem.offers
        )
        return replace(problem, suppliers=suppliers, offers=offers)


def _largest_order(one: Supplier) -> float:
    """The capacity a single order can have at most."""
    most = [math.inf if one.capacity is None else max(one.capacity)]
    return min([*most, *([] if one.horizon_capacity is None else [one.horizon_capacity])])


def _within(one: Offer, room: float) -> Offer:
    """The offer, or one that takes nothing new where its MOQ no longer fits the supplier's capacity."""
    if one.moq == 0 or one.moq * one.capacity_use + one.setup_capacity <= room:
        return one
    return replace(one, moq=0, max=0)


def _scaled_offer(one: Offer, factor: float) -> Offer:
    """A MOQ that no week can hold any more makes the offer one that takes nothing new."""
    if one.week_capacity is None:
        return one
    weeks = tuple(int(factor * units + 1e-9) for units in one.week_capacity)
    moq = one.moq if max(weeks, default=0) >= one.moq else 0
    return replace(one, moq=moq, week_capacity=weeks if moq == one.moq else (0,) * len(weeks))


@dataclass(frozen=True, kw_only=True)
class PriceChange:
    """Unit prices times factor: of one supplier, of one SKU, of one offer, or of all."""

    kind: ClassVar[str] = "price"
    factor: float
    supplier: str | None = None
    sku: str | None = None

    def apply(self, problem: Problem) -> Problem:
        """Every price break of the offers concerned."""
        _factor(self.factor)
        if self.supplier is not None:
            _known("supplier", self.supplier, problem.supplier_of)
        if self.sku is not None:
            _known("sku", self.sku, problem.sku_of)
        offers = tuple(
            replace(one, breaks=tuple((start, price * self.factor) for start, price in one.breaks))
            if self.supplier in (None, one.supplier) and self.sku in (None, one.sku)
            else one
            for one in problem.offers
        )
        return replace(problem, offers=offers)


@dataclass(frozen=True, kw_only=True)
class DemandChange:
    """Demand times factor, rounded up to whole units: of one SKU, one region, both, or all."""

    kind: ClassVar[str] = "demand"
    factor: float
    sku: str | None = None
    region: str | None = None

    def apply(self, problem: Problem) -> Problem:
        """Every demand concerned."""
        _factor(self.factor)
        if self.sku is not None:
            _known("sku", self.sku, problem.sku_of)
        if self.region is not None:
            _known("region", self.region, {one.id for one in problem.regions})
        return replace(problem, demand=tuple(self._scaled(one) for one in problem.demand))

    def _scaled(self, one: Demand) -> Demand:
        if self.sku not in (None, one.sku) or self.region not in (None, one.region):
            return one
        return replace(one, quantity=-int(-one.quantity * self.factor // 1))


@dataclass(frozen=True, kw_only=True)
class LaneClosed:
    """Nothing new goes this way; locked goods on it have left."""

    kind: ClassVar[str] = "lane_closed"
    source: str
    target: str

    def apply(self, problem: Problem) -> Problem:
        """The problem without the lane. A lane that locked orders stand on can't be closed."""
        if (self.source, self.target) not in problem.lane_of:
            raise ProblemError("lane", f"there is no lane from {self.source!r} to {self.target!r}")
        for one in problem.locked:
            if (one.supplier, one.to) == (self.source, self.target):
                raise ProblemError(
                    "lane", f"confirmed goods go from {self.source!r} to {self.target!r}: it can't be closed"
                )
        ends = (self.source, self.target)
        return replace(problem, lanes=tuple(one for one in problem.lanes if (one.source, one.target) != ends))


@dataclass(frozen=True, kw_only=True)
class MaterialChange:
    """What there is of one material, or of all, times factor."""

    kind: ClassVar[str] = "material"
    factor: float
    material: str | None = None

    def apply(self, problem: Problem) -> Problem:
        """The availability of every week; a material without a limit keeps none."""
        _factor(self.factor)
        known = {one.id: one for one in _materials(problem)}
        if self.material is not None:
            _known("material", self.material, known)
        materials = tuple(
            replace(one, available=tuple(self.factor * units for units in one.available))
            if one.available is not None and self.material in (None, one.id)
            else one
            for one in known.values()
        )
        changes: dict[str, Any] = {"materials": materials}
        return replace(problem, **changes) if materials else problem


def _materials(problem: Problem) -> Iterable[Any]:
    return getattr(problem, "materials", ())


Change = SupplierOut | CapacityChange | PriceChange | DemandChange | LaneClosed | MaterialChange
KINDS: dict[str, type[Change]] = {
    one.kind: one
    for one in (SupplierOut, CapacityChange, PriceChange, DemandChange, LaneClosed, MaterialChange)
}


def change_from_json(data: Mapping[str, Any]) -> Change:
    """{"kind": "price", "factor": 1.1, "supplier": "S"} and so on. Raises ProblemError with path and
    reason."""
    kind = data.get("kind")
    if kind not in KINDS:
        raise ProblemError("kind", f"must be one of {', '.join(KINDS)}, not {kind!r}")
    wanted = KINDS[kind]
    given = {name: value for name, value in data.items() if name != "kind"}
    names = {one.name for one in fields(wanted)}
    for name in given:
        if name not in names:
            raise ProblemError(name, f"is no field of a change of kind {kind!r}")
    try:
        return wanted(**given)
    except TypeError as error:
        raise ProblemError("change", f"a change of kind {kind!r} lacks a field: {error}") from error


def change_to_json(change: Change) -> dict[str, Any]:
    """What change_from_json reads."""
    return {"kind": change.kind} | {
        name: value for name, value in asdict(change).items() if value is not None
    }


def _known(path: str, name: str, table: Iterable[str]) -> None:
    if name not in table:
        raise ProblemError(path, f"there is no {path} {name!r} in this problem")


def _factor(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise ProblemError("factor", f"must be a number from 0 to 100, not {value!r}")


def _facts_kept(problem: Problem, **changes: Any) -> Problem:
    """The problem with these rows, and of the last plan what still has an offer and a lane."""
    if hasattr(problem, "previous"):
        offers = {(one.supplier, one.sku) for one in changes["offers"]}
        changes["previous"] = tuple(one for one in problem.previous if (one.supplier, one.sku) in offers)
    return replace(problem, **changes)
