"""What can be seen to be impossible before any solving: hard caps that too few suppliers can't hold."""

from __future__ import annotations

from collections import defaultdict

from optimizer.form.problem import Problem, Quantity
from optimizer.rules.limits import CapRow, cap_rows, locked_orders


def clashes(problem: Problem) -> bool:
    """Whether some hard share cap can't hold whatever is ordered."""
    return bool(clashing_rows(problem))


def clashing_rows(problem: Problem) -> list[CapRow]:
    """The hard share caps that the suppliers with offers can't hold and still make what is wanted."""
    hard = [row for row in cap_rows(problem) if row.cap.hard]
    if not hard:
        return []
    facts = _Facts(problem)
    return [row for row in hard if facts.suppliers(row) and facts.covered(row) < row.demand]


def suppliers_of(problem: Problem, row: CapRow) -> set[str]:
    """Who offers any of the scope."""
    return _Facts(problem).suppliers(row)


def covered(problem: Problem, row: CapRow) -> Quantity:
    """Units of the scope's demand that can be covered at most: by each supplier up to the cap, or what is
    locked with it already, and from stock."""
    return _Facts(problem).covered(row)


class _Facts:
    def __init__(self, problem: Problem) -> None:
        self._sources: dict[str, set[str]] = defaultdict(set)
        for offer in problem.offers:
            self._sources[offer.sku].add(offer.supplier)
        self._stock: dict[str, Quantity] = defaultdict(int)
        for one in problem.stock:
            self._stock[one.sku] += one.quantity
        self._locked = locked_orders(problem)
        self._continuous = problem.continuous

    def suppliers(self, row: CapRow) -> set[str]:
        return set().union(*(self._sources[sku] for sku in row.skus))

    def covered(self, row: CapRow) -> Quantity:
        locked: dict[str, Quantity] = defaultdict(int)
        for (supplier, sku, _), units in self._locked.items():
            if sku in row.skus:
                locked[supplier] += units
        free = row.free_units if self._continuous else int(row.free_units)
        within = sum(max(free, locked[one]) for one in self.suppliers(row))
        return min(row.demand, within + sum(self._stock[sku] for sku in row.skus))
