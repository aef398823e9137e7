"""Where units go that an MOQ or a lot makes and no demand of the horizon needs: to docks that have room."""

from __future__ import annotations

import math
from collections import defaultdict

from optimizer import Flow, Problem


class Docks:
    """What the docks of the warehouses can still take in, week by week, after the plan's own flows."""

    def __init__(self, problem: Problem, flows: tuple[Flow, ...]) -> None:
        self._volume = {sku.id: sku.volume for sku in problem.skus}
        self._lead = {(lane.source, lane.target): lane.lead_weeks for lane in problem.lanes}
        self._limit = {
            (one.id, week): limit
            for one in problem.warehouses
            if one.inbound is not None
            for week, limit in enumerate(one.inbound)
        }
        self._used: dict[tuple[str, int], float] = defaultdict(float)
        for flow in flows:
            week = flow.week + self._lead[flow.source, flow.target]
            self._used[flow.target, week] += flow.quantity * self._volume[flow.sku]

    def place(
        self, sku: str, units: int, *, supplier: str, ready: int, going: dict[str, int], stores: list[str]
    ) -> dict[str, int]:
        """Units by warehouse: where the order's other units go first, then wherever there is room.

        Args:
            ready: the week in which the order leaves the supplier.
            going: the order's other units by warehouse.
            stores: warehouses in reach, at least one. What fits nowhere goes to the first one asked.
        """
        asked = sorted(stores, key=lambda store: (-going.get(store, 0), store))
        placed: dict[str, int] = {}
        left = units
        for store in asked:
            week = ready + self._lead[supplier, store]
            fitting = min(left, self._room(store, week, sku))
            if fitting:
                placed[store] = fitting
                self._used[store, week] += fitting * self._volume[sku]
                left -= fitting
        if left:
            placed[asked[0]] = placed.get(asked[0], 0) + left
            self._used[asked[0], ready + self._lead[supplier, asked[0]]] += left * self._volume[sku]
        return placed

    def _room(self, store: str, week: int, sku: str) -> int:
        """Whole units that the dock can still take in that week."""
        limit, volume = self._limit.get((store, week), math.inf), self._volume[sku]
        if math.isinf(limit) or volume <= 0:
            return 2**31
        return max(0, math.floor((limit - self._used[store, week]) / volume + 1e-9))
