"""What is paid once where shared rows are used at all: opening suppliers and warehouses, lanes by week.

In the Lagrangian bound a fee is paid or its rows have no room: they are worth what their room is above it
(Geoffrion & McBride, 1978). Fees without a limited row, and those that locked orders pay, are not here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.model.build import Floats, Ints, tally
from optimizer.model.network import Network
from optimizer.rules.limits import locked_lots, locked_volume

USED = 1e-6


@dataclass(frozen=True, kw_only=True)
class Fees:
    """cost [F] of each fee, and of each shared row the number of its fee or -1, [rows]."""

    cost: Floats
    of_row: Ints

    def worth(self, worth: Floats) -> float:
        """What all room is worth after fees, from what the room of each row is worth, [rows]."""
        free = self.of_row < 0
        behind = tally(self.of_row[~free], weights=worth[~free], minlength=len(self.cost))
        return float(worth[free].sum()) + float(np.maximum(behind - self.cost, 0.0).sum())

    def paid(self, used: Floats) -> float:
        """The fees of a plan from its use of every row, [rows]."""
        opened = np.unique(self.of_row[(self.of_row >= 0) & (used > USED)])
        return float(self.cost[opened].sum())

    def users(self, uses: Floats) -> Ints:
        """How many SKUs use what stands behind each fee [F], from uses [SKUs, rows]."""
        return np.array(
            [(uses[:, self.of_row == fee].sum(axis=1) > USED).sum() for fee in range(len(self.cost))],
            dtype=np.int64,
        )

    def part(self, scale: Floats) -> Fees:
        """The fees of a part of the SKUs, which has this part [rows] of every row's room."""
        cost = np.zeros(len(self.cost))
        gated = self.of_row >= 0
        number = self.of_row[gated]
        np.maximum.at(cost, number, self.cost[number] * scale[gated])
        return Fees(cost=cost, of_row=self.of_row)


def fees(net: Network) -> Fees:
    """Every fee of the problem that stands before a limited row."""
    coupling, problem = net.coupling, net.problem
    facts = {key for key, volume in locked_volume(problem).items() if volume > 0}
    paid = {problem.offers[number].supplier for number, _ in locked_lots(problem)}
    arrived = {target for _, target, _ in facts}
    found: list[tuple[float, Ints]] = []
    for at, supplier in enumerate(problem.suppliers):
        if supplier.id not in paid:
            rows = np.append(coupling.capacity[at], coupling.horizon[at])
            found.append((supplier.award_cost, rows))
    for at, house in enumerate(problem.warehouses):
        if house.id not in arrived:
            found.append((house.award_cost, coupling.throughput[at : at + 1]))
    for lane in problem.lanes:
        for week in range(net.weeks) if lane.fixed_cost > 0 and lane.capacity is not None else ():
            if (lane.source, lane.target, week) not in facts:
                found.append((lane.fixed_cost, np.array([_lane_row(net, lane.source, lane.target, week)])))
    of_row = np.full(len(coupling.room), -1, dtype=np.int64)
    costs: list[float] = []
    for cost, rows in found:
        rows = rows[rows >= 0]
        if cost > 0 and len(rows):
            of_row[rows] = len(costs)
            costs.append(cost)
    return Fees(cost=np.array(costs, dtype=np.float64), of_row=of_row)


def _lane_row(net: Network, source: str, target: str, week: int) -> int:
    coupling = net.coupling
    if source in net.warehouses:
        return int(coupling.lane_out[net.warehouses[source], net.regions[target], week])
    if target in net.warehouses:
        return int(coupling.lane_in[net.suppliers[source], net.warehouses[target], week])
    return int(coupling.lane_direct[net.suppliers[source], net.regions[target], week])
