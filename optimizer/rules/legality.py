"""Which SKUs' plans still hold in a changed problem, and whether that one only allows less than before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from optimizer.form.errors import BrokenRule, ProblemError
from optimizer.form.plan import Solution
from optimizer.form.problem import Problem, ShareCap
from optimizer.rules.book import book
from optimizer.rules.checking import check_quantities
from optimizer.rules.limits import cap_rows
from optimizer.rules.selection import nothing

OF_SKU = ("offers", "demand", "stock", "locked", "previous")
OF_PLAN = ("orders", "flows", "unmet", "late")
LIMITED = ("suppliers", "materials", "warehouses")
LIMITS = (
    "capacity",
    "horizon_capacity",
    "available",
    "storage",
    "inbound",
    "throughput",
    "week_capacity",
    "max",
)
SHARED = ("weeks", "continuous", "regions", "skus", "lanes", "share_caps", *LIMITED)
SAME = ("weeks", "continuous", "regions", "skus", "lanes", "demand", "stock", "share_caps")


def of_skus(plan: Solution, skus: Collection[str], *, kept: bool = True) -> Solution:
    """The plan's rows of these SKUs, or of all others."""
    rows: dict[str, Any] = {}
    for name in OF_PLAN:
        rows[name] = tuple(one for one in getattr(plan, name) if (one.sku in skus) == kept)
    return replace(plan, **rows)


def misfits(problem: Problem, plan: Solution, before: Problem | None = None) -> set[str]:
    """The SKUs whose plan breaks a rule in the problem even if there were no other SKU.

    before: the problem the plan was made for; SKUs that are as they were in it are not looked at.
    """
    rows = {name: _by_sku(getattr(problem, name)) for name in OF_SKU}
    planned = {name: _by_sku(getattr(plan, name)) for name in OF_PLAN}
    caps: dict[str, list[ShareCap]] = defaultdict(list)
    for row in (*cap_rows(problem), *cap_rows(problem, "spend")):
        if row.cap.hard and row.cap.scope == "sku" and row.key is not None:
            caps[row.key].append(replace(row.cap, key=row.key))
    regions = tuple(replace(one, single_source=False) for one in problem.regions)
    found = set()
    same = set() if before is None else _unchanged(before, problem, rows)
    for sku in problem.skus:
        if sku.id in same:
            continue
        own: dict[str, Any] = {name: tuple(rows[name].get(sku.id, ())) for name in OF_SKU}
        rest: dict[str, Any] = {name: tuple(planned[name].get(sku.id, ())) for name in OF_PLAN}
        mine = replace(plan, **rest)
        suppliers = {one.supplier for name in ("offers", "previous") for one in own[name]}
        legs = {(one.source, one.target) for one in mine.flows} | {
            (one.supplier, one.to) for one in own["locked"]
        }
        own["demand"] = own["demand"] or nothing(problem, sku.id)
        try:
            alone = replace(
                problem,
                suppliers=tuple(one for one in problem.suppliers if one.id in suppliers),
                lanes=tuple(replace(problem.lane_of[leg], minimum=0.0) for leg in sorted(legs)),
                regions=regions,
                skus=(sku,),
                share_caps=tuple(caps.get(sku.id, ())),
                **own,
            )
            check_quantities(alone, book(alone, mine))
        except (BrokenRule, ProblemError, KeyError):  # KeyError: a lane that is no more
            found.add(sku.id)
    return found


def _unchanged(before: Problem, problem: Problem, rows: dict[str, dict[str, list[Any]]]) -> set[str]:
    """The SKUs whose rows are those of before, if all that SKUs share is too."""
    if any(getattr(before, name) != getattr(problem, name) for name in SHARED):
        return set()
    rules = [name for name in OF_SKU if name != "previous"]
    then = {name: _by_sku(getattr(before, name)) for name in rules}
    return {
        sku.id
        for sku in problem.skus
        if all(rows[name].get(sku.id) == then[name].get(sku.id) for name in rules)
    }


def _by_sku(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for one in rows:
        found[one.sku].append(one)
    return found


def narrower(before: Problem, problem: Problem, plan: Solution) -> bool:
    """Whether every plan of the problem is seen to be one of the problem before, at no less cost.

    Offers may be gone or of less capacity, limits of suppliers, materials and warehouses lower, churn
    charged, and whole orders of the plan before locked where they went.
    """
    if any(getattr(before, name) != getattr(problem, name) for name in SAME):
        return False
    if before.churn_cost and (before.previous, before.churn_cost) != (problem.previous, problem.churn_cost):
        return False
    pairs = [
        *zip(before.suppliers, problem.suppliers, strict=False),
        *zip(before.materials, problem.materials, strict=False),
        *zip(before.warehouses, problem.warehouses, strict=False),
    ]
    lengths = [(len(getattr(p, name)) for name in LIMITED) for p in (before, problem)]
    return (
        all(one == other for one, other in zip(*lengths, strict=True))
        and all(_lower(one, other) for one, other in pairs)
        and _fewer_offers(before, problem)
        and _locks_repeat(before, problem, plan)
    )


def _lower(before: Any, now: Any) -> bool:
    """Two rows of a kind that differ in limits only, none of them higher now."""
    changes = {name: getattr(now, name) for name in LIMITS if hasattr(now, name)}
    return bool(replace(before, **changes) == now) and all(
        _at_most(limit, getattr(before, name)) for name, limit in changes.items()
    )


def _at_most(now: Any, before: Any) -> bool:
    if before is None or now is None:
        return before is None
    if isinstance(now, tuple):
        return all(one <= other for one, other in zip(now, before, strict=True))
    return bool(now <= before)


def _fewer_offers(before: Problem, problem: Problem) -> bool:
    """Every offer is one of those before, in their order, with no more capacity."""
    left = iter(before.offers)
    return all(any(_lower(one, offer) for one in left) for offer in problem.offers)


def _locks_repeat(before: Problem, problem: Problem, plan: Solution) -> bool:
    """What is locked now and was not is a whole order of the plan, going to the warehouse it went to.

    Where storage is limited nothing may be: what facts alone need raises a limit.
    """
    old, new = Counter(before.locked), Counter(problem.locked)
    if old - new:
        return False
    more = list((new - old).elements())
    if more and (problem.continuous or any(one.storage is not None for one in problem.warehouses)):
        return False
    ordered = {(one.supplier, one.sku, one.week, one.alternative): one.quantity for one in plan.orders}
    went = {(one.sku, one.source, one.target, one.week): one.quantity for one in plan.flows}
    for one in more:
        offer = problem.offers[problem.alternatives[one.supplier, one.sku][one.alternative]]
        flow = went.get((one.sku, one.supplier, one.to, one.week + offer.lead_weeks), 0)
        key = (one.supplier, one.sku, one.week, one.alternative)
        if one.to not in problem.warehouse_of or not ordered.get(key) == flow == one.quantity:
            return False
    return True
