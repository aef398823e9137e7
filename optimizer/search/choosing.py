"""One plan a SKU out of several, so that all fit together at the least cost (Barnhart and others, 1998).

A choice under many limits, of which a linear program leaves nearly every SKU split: a solver that learns from
choices that fail gets within a thousandth of the least in seconds, where branching on the linear program
does not come near it.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import numpy as np

from optimizer.form.errors import SolverError
from optimizer.model.build import Builder, Floats, Ints, tally
from optimizer.model.engine import Answer, Arrays, choose
from optimizer.model.fees import USED
from optimizer.model.parts import Part
from optimizer.search.master import Master, total_use
from optimizer.search.repair import SLACK

# A turn of the search is bounded by the solver's own count of seconds; the next one starts from what it found
# with another seed, because some turns are lucky and some are not.
TURNS, TURN_WORK = 4, 2.0
# Costs are counted in so many steps of what the known plans cost; what is above DEAR is in no better choice.
MONEY_STEPS = 1e9
DEAR = 2 * MONEY_STEPS
# Uses that are no whole numbers are counted in steps of their row: in so many of the largest, or fewer where
# what is above the room is charged for, so that a step is charged a hundred steps of money.
STEPS, CHARGED = 1e9, 100.0


def best_choice(
    master: Master, above: Floats, *, known: dict[str, Part], gap: float, seed: int
) -> list[Part] | None:
    """The plans chosen out of these and all the master has, to this gap if that is found soon; None: none
    found.

    above: what a unit over a limit costs, [rows], infinite where none may be. known: plans that fit, by SKU,
    to start from.
    """
    columns = [distinct([known[sku], *parts]) for sku, parts in master.columns.items()]
    arrays, weights = _model(master, columns, above)
    best: Answer | None = None
    for turn in range(TURNS):
        try:
            answer = choose(arrays, gap=gap, work=TURN_WORK, seed=seed + turn)
        except SolverError:  # it takes no model whose sums might not fit its whole numbers
            break
        if answer.values is not None and (best is None or answer.objective < best.objective):
            best, arrays = answer, replace(arrays, start=answer.values)
        if answer.optimal:
            break
    if best is None or best.values is None:
        return None
    chosen = best.values[weights] > 0.5
    return [one for one, kept in zip(chain(*columns), chosen, strict=True) if kept]


def distinct(parts: list[Part]) -> list[Part]:
    """The same plans in the same order, each once."""
    seen: dict[tuple[float, bytes, bytes], Part] = {}
    for one in parts:
        seen.setdefault((one.cost, one.rows.tobytes(), one.amounts.tobytes()), one)
    return list(seen.values())


def _model(master: Master, plans: list[list[Part]], above: Floats) -> tuple[Arrays, Ints]:
    """The choice in whole numbers, from the first plan of each SKU on: no use is counted too low."""
    builder, size = Builder(), len(master.room)
    columns, first = list(chain(*plans)), [parts[0] for parts in plans]
    money = MONEY_STEPS / _cost(master, above, first)
    owner = np.repeat(np.arange(len(plans)), [len(parts) for parts in plans])
    costs = np.minimum(np.rint(money * np.array([one.cost for one in columns])), DEAR)
    weights = builder.columns(costs, upper=1.0, integer=True)
    builder.put(builder.rows(len(plans), lower=1.0, upper=1.0)[owner], weights, 1.0)
    at = np.repeat(np.arange(len(columns)), [len(one.rows) for one in columns])
    row = np.concatenate([one.rows for one in columns])
    amount = np.concatenate([one.amounts for one in columns])
    steps, room = _steps(master.room, row, amount, worth=money * above)
    use = np.ceil(amount * steps[row] - 1e-6)
    chosen = np.isin(np.arange(len(columns)), np.unique(owner, return_index=True)[1])
    used = tally(row, weights=use * chosen[at], minlength=size)
    soft = np.flatnonzero(np.isfinite(above))
    room = np.where(np.isfinite(above), room, np.maximum(room, used))  # whatever the first were rounded up to
    gate = master.fees.of_row
    gated = np.flatnonzero(gate >= 0)
    limits = builder.rows(size, upper=np.where(gate >= 0, 0.0, room))
    opened = builder.columns(np.minimum(np.rint(money * master.fees.cost), DEAR), upper=1.0, integer=True)
    builder.put(limits[gated], opened[gate[gated]], -room[gated])
    builder.put(limits[row], weights[at], use)
    most = np.zeros((len(plans), size))
    np.maximum.at(most, (owner[at], row), use)
    beyond = np.maximum(most.sum(axis=0) - np.where(gate >= 0, 0.0, room), 0.0)
    over = np.maximum(used - room, 0.0)
    charge = np.minimum(np.ceil(money * above[soft] / steps[soft]), DEAR)
    affordable = np.maximum(over[soft], np.ceil(DEAR / np.maximum(charge, 1.0)))
    excess = builder.columns(charge, upper=np.minimum(beyond[soft], affordable), integer=True)
    builder.put(limits[soft], excess, -1.0)
    start = np.zeros(builder.column_count)
    start[weights] = chosen
    start[opened[np.unique(gate[gated][used[gated] > USED])]] = 1.0
    start[excess] = over[soft]
    return builder.arrays(start=start), weights


def _cost(master: Master, above: Floats, parts: list[Part]) -> float:
    """What plans cost together, with fees and what they use above soft limits; 1 where that is nothing."""
    used = total_use(parts, len(master.room))
    soft = np.isfinite(above)
    shared = float(np.maximum(used - master.room, 0.0)[soft] @ above[soft]) + master.fees.paid(used)
    return sum(one.cost for one in parts) + shared or 1.0


def _steps(room: Floats, row: Ints, amount: Floats, *, worth: Floats) -> tuple[Floats, Floats]:
    """Steps a unit of each row, one where all uses are whole numbers, none too large and none too cheap to be
    charged for; and the room in steps, with what repair lets pass, so that what fits is not rounded out.

    worth: steps of money that a unit above the room is charged, [rows].
    """
    least = np.maximum(1.0, np.abs(room))
    largest = least.copy()
    np.maximum.at(largest, row, np.abs(amount))
    broken = (largest > STEPS) | (worth < CHARGED)
    broken[row[amount != np.rint(amount)]] = True
    fine = np.clip(worth / CHARGED, 1.0 / largest, STEPS / largest)
    steps = np.where(broken, fine, 1.0)
    return steps, np.floor(room * steps + np.where(broken, SLACK * least * steps, 1e-6))
