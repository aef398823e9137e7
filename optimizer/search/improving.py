"""A plan that fits made cheaper: SKUs are planned anew in the room they have, many at a time.

The SKUs of a batch see the same room, so that they can be planned side by side; their plans are taken one
after the other as far as they still fit, and one that no longer does is asked again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from optimizer.form.clock import Deadline
from optimizer.model.fees import USED
from optimizer.model.parts import Effort, Part
from optimizer.search.repair import Plan
from optimizer.search.workers import Fit, Workers

# SKUs planned side by side, whatever the number of processes, so that this number does not change the plan.
BATCH = 16
# So often a SKU is asked whose plan no longer fits.
TRIES = 3


def improve(
    plan: Plan,
    workers: Workers,
    skus: list[str],
    effort: Effort,
    *,
    goal: float,
    tell: Callable[[int, int], None],
    deadline: Deadline,
) -> bool:
    """Plan each SKU anew and keep what makes the whole plan cheaper, until it costs goal.

    False when time ran out.
    """
    waiting = deque((sku, TRIES) for sku in skus)
    while waiting and plan.cost() > goal:
        batch = [waiting.popleft() for _ in range(min(BATCH, len(waiting)))]
        jobs = [Fit(known=plan.parts[sku], room=plan.room_for(sku)) for sku, _ in batch]
        found = list(workers.sweep(jobs, plan.prices, effort, deadline=deadline))
        for (sku, tries), new in zip(batch, found, strict=False):
            if plan.fits(new):
                _keep_if_cheaper(plan, new)
            elif tries > 1:
                waiting.append((sku, tries - 1))
        if len(found) < len(batch):
            return False
        tell(len(skus) - len(waiting), len(skus))
    return True


def close(plan: Plan, workers: Workers, effort: Effort, *, most: int, deadline: Deadline) -> bool:
    """Do without what costs a fee: its SKUs are planned anew as if it had no room, the least used first, and
    kept where that is cheaper. most: SKUs planned anew at most. False when time ran out."""
    for fee in np.argsort(plan.fees.users(plan.uses), kind="stable"):
        rows = plan.fees.of_row == fee
        skus = [sku for sku, at in plan.number.items() if plan.uses[at, rows].sum() > USED]
        most -= len(skus)
        if not skus or most < 0:
            continue
        before, known = plan.cost(), [plan.parts[sku] for sku in skus]
        for one in known:
            room = np.where(rows, 0.0, plan.room_for(one.sku))
            found = list(workers.sweep([Fit(known=one, room=room)], plan.prices, effort, deadline=deadline))
            if not found:
                _restore(plan, known)
                return False
            plan.replace(found[0])
        if plan.cost() >= before - 1e-9 or plan.over().any():
            _restore(plan, known)
    return True


def _restore(plan: Plan, parts: list[Part]) -> None:
    for one in parts:
        plan.replace(one)


def _keep_if_cheaper(plan: Plan, new: Part) -> None:
    old, before = plan.parts[new.sku], plan.shared_cost()
    plan.replace(new)
    if new.cost + plan.shared_cost() > old.cost + before - 1e-9:
        plan.replace(old)
