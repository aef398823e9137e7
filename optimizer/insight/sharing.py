"""What a share cap costs, and the lowest top share that can be reached."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from optimizer.form.clock import Tell
from optimizer.form.plan import Solution
from optimizer.form.reports import report
from optimizer.insight.focus import Answer, Questions, near
from optimizer.insight.lowest import lowest_top, without
from optimizer.rules.limits import CapRow, cap_rows
from optimizer.telling.sentences import cap_words

# A cap over more SKUs than this is only asked about where the whole problem is small.
MOST_SKUS = 20


def caps(ask: Questions, solution: Solution, *, most: int, tell: Tell) -> list[dict[str, Any]]:
    """The share caps that cost something or are exceeded, the largest top share over its cap first.

    Each: scope, key, cap, hard, demand, suppliers (who can make any of it), floor (no top share can be lower:
    what stock does not cover ÷ suppliers ÷ demand), top_share and top (of demand, in this plan), price (what
    the plan costs more than without this cap; None if it could not be asked), lowest (the lowest top share
    that leaves no more demand unmet; None likewise), lowest_cost (what reaching it costs on top of this
    plan), words. A cap over many SKUs of a large problem is not asked about: planning them all anew, a dozen
    times, would take as long as the plan did.
    """
    units: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in solution.orders:
        units[one.sku][one.supplier] += one.quantity
    rows = []
    for row in cap_rows(ask.problem):
        top, supplier = _top(units, row)
        if supplier and top + 1 > row.free_units:
            rows.append((top / row.demand - row.cap.max_share, row, top, supplier))
    rows.sort(key=lambda one: (-one[0], one[1].cap.scope, str(one[1].key)))
    found = []
    for number, (_, row, top, supplier) in enumerate(rows[:most]):
        tell(report("share caps", number, len(rows[:most])))
        found.append(_cap(ask, row, top, supplier))
    return found


def _top(units: dict[str, dict[str, int]], row: CapRow) -> tuple[int, str]:
    total: dict[str, int] = defaultdict(int)
    for sku in row.skus:
        for supplier, count in units.get(sku, {}).items():
            total[supplier] += count
    return max(((count, name) for name, count in sorted(total.items())), default=(0, ""))


def _cap(ask: Questions, row: CapRow, top: int, supplier: str) -> dict[str, Any]:
    eligible = {one.supplier for one in ask.problem.offers if one.sku in row.skus}
    narrow = ask.whole or len(row.skus) <= MOST_SKUS
    free = ask.ask(without(row), row.skus) if narrow else None
    needed = max(0, row.demand - sum(one.quantity for one in ask.problem.stock if one.sku in row.skus))
    low = -(-needed // max(1, len(eligible)))
    lowest = lowest_top(ask, row, low=low, top=top) if eligible and narrow else None
    told = {
        "scope": row.cap.scope,
        "key": row.key,
        "cap": row.cap.max_share,
        "hard": row.cap.hard,
        "demand": row.demand,
        "suppliers": len(eligible),
        "floor": needed / len(eligible) / row.demand if eligible else 1.0,
        "top": supplier,
        "top_share": top / row.demand,
        "price": None if free is None else near(max(0.0, ask.base(row.skus).cost.total - free.cost.total)),
        "lowest": None if lowest is None else _top_share(lowest, row),
        "lowest_cost": None if lowest is None else _lowest_cost(lowest, ask.base(row.skus)),
    }
    return told | {"words": cap_words(told)}


def _lowest_cost(lowest: Answer, base: Answer) -> float:
    """What else than caps costs more in the plan with the lowest top share."""
    return near(lowest.cost.total - lowest.cost.share - base.cost.total + base.cost.share)


def _top_share(answer: Answer, row: CapRow) -> float:
    return float(max(answer.units(row.skus).values(), default=0) / row.demand)
