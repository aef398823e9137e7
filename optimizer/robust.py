"""One plan for demand that is not known: the candidate with the least expected cost over draws of demand.

Sample-average approximation (Kleywegt, Shapiro & Homem-de-Mello, SIAM J. Optim. 12, 2002) over a set of
candidate plans: each is planned for one level of the drawn demand, from low to high, and its orders are then
held fixed while every draw decides how its goods flow. Expected cost and CVaR are those of that sample.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import ProblemError
from optimizer.plan import Infeasible, Settings, Solution
from optimizer.problem import Offer, Problem
from optimizer.reports import report
from optimizer.solving import solve

LEVELS = (0.3, 0.5, 0.65, 0.8, 0.9)
NORMAL = NormalDist()
Units = NDArray[np.int64]
Floats = NDArray[np.float64]
Told = Callable[[dict[str, Any]], object]


@dataclass(frozen=True, kw_only=True)
class Robust:
    """plan keeps all rules for the demand of its level; costs are its cost under every draw, in their order.

    level None: the plan for the demand as given. cvar is the mean of the dearest part of the draws.
    tried: every candidate with its expected cost and CVaR.
    """

    plan: Solution
    level: float | None
    expected: float
    cvar: float
    costs: tuple[float, ...]
    tried: tuple[dict[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {
            "plan": self.plan.to_json(),
            "costs": list(self.costs),
            "tried": list(self.tried),
        }


def draw_demand(
    problem: Problem,
    *,
    levels: Sequence[float],
    quantiles: Sequence[Sequence[float]],
    count: int,
    seed: int,
    common: float = 0.0,
) -> Units:
    """count draws of every demand, [count, demands], from its quantiles at the levels (rising, 0 to 1).

    All demands of one SKU move together: what misses in a forecast is the SKU's level far more than one
    region's week. common is the correlation between SKUs (a one-factor Gaussian copula; 0: independent).
    Draws are spread evenly over the probabilities (Latin hypercube; McKay, Beckman & Conover, 1979).
    Deterministic. Raises ProblemError for quantiles that do not fit the problem, fall, or are no numbers.
    """
    table, at = np.asarray(quantiles, dtype=np.float64), np.asarray(levels, dtype=np.float64)
    if table.shape != (len(problem.demand), len(at)) or not len(at) or count < 1:
        raise ProblemError("quantiles", "one row a demand with one value a level, and at least one draw")
    if not np.isfinite(table).all() or (np.diff(table, axis=1) < 0).any():
        raise ProblemError("quantiles", "must be numbers that do not fall from level to level")
    if not ((at >= 0) & (at <= 1)).all() or (np.diff(at) <= 0).any():
        raise ProblemError("levels", "must rise, from 0 to 1")
    if not 0.0 <= common <= 1.0:
        raise ProblemError("common", f"must be from 0 to 1, not {common}")
    random = np.random.default_rng(seed)
    probability = {sku.id: _even(random, count) for sku in problem.skus}
    if common > 0:
        shared = _normal(_even(random, count)) * math.sqrt(common)
        for sku, own in probability.items():
            probability[sku] = _probability(shared + math.sqrt(1.0 - common) * _normal(own))
    draws = np.zeros((count, len(problem.demand)), dtype=np.int64)
    for number, one in enumerate(problem.demand):
        drawn = np.interp(probability[one.sku], at, table[number])
        draws[:, number] = np.rint(np.maximum(drawn, 0.0)).astype(np.int64)
    return draws


def _even(random: np.random.Generator, count: int) -> Floats:
    """Probabilities [count], one in each part of 0 to 1, in random order."""
    return np.asarray((random.permutation(count) + random.random(count)) / count, dtype=np.float64)


def _normal(probability: Floats) -> Floats:
    least = np.finfo(np.float64).tiny
    return np.array([NORMAL.inv_cdf(max(one, least)) for one in probability.tolist()])


def _probability(normal: Floats) -> Floats:
    return np.array([NORMAL.cdf(one) for one in normal.tolist()])


def robust(
    problem: Problem,
    draws: Units,
    settings: Settings | None = None,
    *,
    tail: float = 0.9,
    caution: float = 0.0,
    base: Solution | None = None,
    progress: Told | None = None,
) -> Robust:
    """The plan with the least (1 - caution) x expected cost + caution x CVaR over the draws.

    draws: demand of every row of problem.demand, [draws, demands]. tail 0.9: CVaR is the mean of the dearest
    tenth. Flows are decided draw by draw once orders are placed; orders are not. base: the plan for the
    demand as given, where it is known. progress may raise to stop. Raises ProblemError when no candidate has
    a plan.
    """
    asked = replace(settings or Settings(), state=None)
    tell = progress or (lambda _: None)
    candidates: list[tuple[float | None, Units]] = [(None, _given(problem))]
    candidates += [
        (level, np.quantile(draws, level, axis=0, method="higher").astype(np.int64)) for level in LEVELS
    ]
    total = len(candidates) * (len(draws) + 1)
    found: list[Robust] = []
    for number, (level, units) in enumerate(candidates):
        at = number * (len(draws) + 1)
        beat = partial(tell, report("draws", at, total))
        beat()
        answer = _candidate(problem, units, asked, base if level is None else None, beat)
        if isinstance(answer, Solution):
            costs = []
            for draw in draws:
                costs.append(_cost_under(problem, answer, draw, asked))
                tell(report("draws", at + len(costs), total))
            found.append(_judged(answer, level, costs, tail=tail))
    if not found:
        raise ProblemError("$", "no level of the drawn demand has a plan")
    best = min(found, key=lambda one: (1 - caution) * one.expected + caution * one.cvar)
    tried = tuple({"level": one.level, "expected": one.expected, "cvar": one.cvar} for one in found)
    return replace(best, tried=tried)


def _candidate(
    problem: Problem, units: Units, settings: Settings, known: Solution | None, beat: Callable[[], object]
) -> Solution | Infeasible | None:
    """The plan for one level of demand; none for no demand at all."""
    if known is not None:
        return known
    if not units.any():
        return None

    def listen(_: dict[str, Any]) -> None:
        beat()

    return solve(_with_demand(problem, units), settings, progress=listen)


def _judged(plan: Solution, level: float | None, costs: list[float], *, tail: float) -> Robust:
    dearest = sorted(costs, reverse=True)[: max(1, round((1 - tail) * len(costs)))]
    return Robust(
        plan=plan,
        level=level,
        expected=sum(costs) / len(costs),
        cvar=sum(dearest) / len(dearest),
        costs=tuple(costs),
        tried=(),
    )


def _given(problem: Problem) -> Units:
    return np.array([one.quantity for one in problem.demand], dtype=np.int64)


def _with_demand(problem: Problem, units: Units) -> Problem:
    demand = tuple(
        replace(one, quantity=int(count)) for one, count in zip(problem.demand, units, strict=True)
    )
    return replace(problem, demand=demand)


def _cost_under(problem: Problem, plan: Solution, draw: Units, settings: Settings) -> float:
    """The plan's orders as they are, and the cheapest flows once this demand shows."""
    first = plan.cost
    placed = first.purchase + first.award + first.order + first.risk + first.share + first.churn
    answer = solve(_placed(_with_demand(problem, draw), plan), replace(settings, gap=1e-4))
    if isinstance(answer, Infeasible):  # a problem without share caps is not
        raise ProblemError("$", "; ".join(answer.conflict))
    cost = answer.cost
    return placed + cost.freight + cost.holding + cost.late + cost.short


def _placed(problem: Problem, plan: Solution) -> Problem:
    """What is left to decide once the plan's orders are placed: where they go. They cost nothing any more."""
    weekly: dict[tuple[str, str], list[int]] = {}
    for one in plan.orders:
        if one.week >= 0:
            weekly.setdefault((one.supplier, one.sku), [0] * problem.weeks)[one.week] += one.quantity

    def placed(offer: Offer) -> Offer:
        return replace(
            offer,
            moq=0,
            multiple=1,
            max=None,
            order_cost=0.0,
            award_cost=0.0,
            breaks=((0, 0.0),),
            week_capacity=tuple(weekly.get((offer.supplier, offer.sku), [0] * problem.weeks)),
        )

    free = tuple(
        replace(one, capacity=None, horizon_capacity=None, award_cost=0.0, risk=0.0)
        for one in problem.suppliers
    )
    changes: dict[str, Any] = {"churn_cost": 0.0, "previous": ()} if hasattr(problem, "previous") else {}
    return replace(
        problem,
        suppliers=free,
        offers=tuple(placed(one) for one in problem.offers),
        skus=tuple(replace(one, min_sources=1) for one in problem.skus),
        share_caps=(),
        **changes,
    )
