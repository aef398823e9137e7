"""Why there is no plan, and the cheapest ways out: a minimal set of clashing rules, and relaxations solved.

The arithmetic of the hard share caps is looked at first, before any solving. Then a deletion filter over
named business rules (Chinneck, Feasibility and Infeasibility in Optimization, 2008, ch. 6): leave one rule
out at a time; if what stays still clashes, the rule is no part of the reason. Every relaxation is a whole
problem that was solved, and its cost is that of a checked plan.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from optimizer.form.codes import Clash, Way
from optimizer.form.plan import Infeasible, Settings, Solution
from optimizer.form.problem import Problem, ShareCap
from optimizer.rules.arithmetic import clashes, clashing_rows, covered, suppliers_of
from optimizer.rules.limits import CapRow, cap_rows
from optimizer.rules.selection import only, spread_caps
from optimizer.telling.sentences import relaxation_words, rule_words

# Conflicts that are told; each further one is of the same kind.
MOST = 20
# A cap made soft without a penalty of its own costs this part of the dearest price of a unit of the scope.
SOFT_PART = 0.1
Solve = Callable[[Problem, Settings], Solution | Infeasible]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A business rule by name: rule and ids as everywhere, numbers for its words."""

    rule: Clash
    ids: dict[str, Any]
    numbers: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        told = {"rule": self.rule, "ids": self.ids, "numbers": self.numbers}
        return told | {"words": rule_words(told)}


def ways_out(problem: Problem, settings: Settings, solve: Solve) -> Infeasible:
    """Why the hard share caps of this problem can't hold, and what would let them.

    conflict: the rules of each clash in words; rules: the same as codes, a list for each clash, from which no
    rule can be left out. relaxations: change, cost (of the plan found), unmet, code and caps; cheapest first.
    """
    named = spread_caps(problem)
    rows = clashing_rows(named)
    groups = [_minimal(named, row) for row in rows[:MOST]]
    told = [[rule.as_dict() for rule in group] for group in groups]
    eligible = [suppliers_of(named, row) for row in rows]
    return Infeasible(
        conflict=tuple(rule["words"] for group in told for rule in group),
        rules=tuple(tuple(group) for group in told),
        relaxations=tuple(_relaxations(problem, named, rows, settings, solve)),
        lowest_share=max(1 / len(suppliers) for suppliers in eligible),
    )


# --- the clash ---


def _minimal(problem: Problem, row: CapRow) -> list[Rule]:
    """The rules of one clash, none of which can be left out: without the demand nothing ever clashes."""
    part = replace(only(problem, row.skus), share_caps=_caps_within(problem, row))
    kept = _rules(part, row)
    for rule in list(kept):
        fewer = [one for one in kept if one is not rule]
        if any(one.rule == "demand" for one in fewer) and clashes(_with_only(part, fewer)):
            kept = fewer
    return kept


def _caps_within(problem: Problem, row: CapRow) -> tuple[ShareCap, ...]:
    """The clashing cap last, so that the filter keeps it where another cap says the same."""
    inside = [one for one in cap_rows(problem) if one.cap.hard and one.skus <= row.skus]
    inside.sort(key=lambda one: (one.cap.scope, one.key) == (row.cap.scope, row.key))
    return tuple(replace(one.cap, key=one.key) for one in inside)


def _rules(problem: Problem, row: CapRow) -> list[Rule]:
    rules = [
        Rule(rule="min_sources", ids={"sku": one.id}, numbers={"least": one.min_sources})
        for one in problem.skus
        if one.min_sources > 1
    ]
    rules += [_cap_rule(problem, one) for one in cap_rows(problem)]
    ids = {"scope": row.cap.scope, "key": row.key}
    return [*rules, Rule(rule="demand", ids=ids, numbers={"units": row.demand, "skus": len(row.skus)})]


def _cap_rule(problem: Problem, row: CapRow) -> Rule:
    suppliers = suppliers_of(problem, row)
    numbers = {
        "max_share": row.cap.max_share,
        "suppliers": len(suppliers),
        "most_each": int(row.free_units),
        "covered": covered(problem, row),
        "units": row.demand,
        "floor": 1 / len(suppliers),
    }
    return Rule(rule="share_cap", ids={"scope": row.cap.scope, "key": row.key}, numbers=numbers)


def _with_only(problem: Problem, rules: list[Rule]) -> Problem:
    """The problem with these rules and none of the other named ones; its demand is to be met."""
    kept = {(one.rule, *one.ids.values()) for one in rules}
    return replace(
        problem,
        share_caps=tuple(one for one in problem.share_caps if ("share_cap", one.scope, one.key) in kept),
        skus=tuple(
            one if ("min_sources", one.id) in kept else replace(one, min_sources=1) for one in problem.skus
        ),
    )


# --- the ways out ---


def _relaxations(
    problem: Problem, named: Problem, rows: list[CapRow], settings: Settings, solve: Solve
) -> list[dict[str, Any]]:
    """Each single change that resolves every clash, with the cost of the plan it was verified by."""
    found = []
    for code, changed, numbers in (_raised(named, rows), _softened(named, rows), _left_unmet(named, rows)):
        answer = solve(changed, settings)
        if isinstance(answer, Infeasible):
            continue
        extra = numbers.pop("short_cost", 0.0)
        told = {
            "code": code,
            "cost": answer.objective + extra,
            "unmet": sum(one.quantity for one in answer.unmet) + numbers.get("units", 0),
            "caps": [
                {"scope": row.cap.scope, "key": row.key, "max_share": row.cap.max_share} for row in rows
            ],
            "numbers": numbers,
        }
        found.append({"change": relaxation_words(told)} | told)
    return sorted(found, key=lambda told: (told["cost"], told["code"]))


Relaxed = tuple[Way, Problem, dict[str, Any]]


def _clashing(rows: list[CapRow]) -> set[tuple[str, str | None]]:
    return {(row.cap.scope, row.key) for row in rows}


def _raised(problem: Problem, rows: list[CapRow]) -> Relaxed:
    """Every clashing cap up to the lowest whole percent at which all of them can hold."""
    mine = _clashing(rows)
    percent = int(min(row.cap.max_share for row in rows) * 100)
    changed = problem
    while clashes(changed) and percent < 100:
        percent += 1
        caps = tuple(
            replace(cap, max_share=max(cap.max_share, percent / 100)) if (cap.scope, cap.key) in mine else cap
            for cap in problem.share_caps
        )
        changed = replace(problem, share_caps=caps)
    return "raise_cap", changed, {"percent": percent}


def _softened(problem: Problem, rows: list[CapRow]) -> Relaxed:
    """Every clashing cap priced instead of hard."""
    mine = {(row.cap.scope, row.key): row for row in rows}
    caps = tuple(
        replace(cap, hard=False, penalty=cap.penalty or _penalty(problem, mine[cap.scope, cap.key]))
        if (cap.scope, cap.key) in mine
        else cap
        for cap in problem.share_caps
    )
    return "soften_cap", replace(problem, share_caps=caps), {}


def _penalty(problem: Problem, row: CapRow) -> float:
    prices = [price for one in problem.offers if one.sku in row.skus for _, price in one.breaks]
    return SOFT_PART * max(prices, default=0.0)


def _left_unmet(problem: Problem, rows: list[CapRow]) -> Relaxed:
    """What the caps can't cover is not planned: the cheapest to leave first, the latest of those.

    The caps keep counting the demand that was asked for: they become as many units of what is left.
    """
    demand = list(problem.demand)
    caps = list(problem.share_caps)
    gone, short = 0, 0.0
    for row in rows:
        left = row.demand - covered(problem, row)
        order = sorted(
            (at for at, one in enumerate(demand) if one.sku in row.skus),
            key=lambda at: (demand[at].short_cost, -demand[at].week, demand[at].sku, demand[at].region),
        )
        for at in order:
            units = min(left, demand[at].quantity)
            demand[at] = replace(demand[at], quantity=demand[at].quantity - units)
            left -= units
            gone += units
            short += units * demand[at].short_cost
    changed = replace(problem, demand=tuple(demand))
    now = {(row.cap.scope, row.key): row.demand for row in cap_rows(changed)}
    before = {(row.cap.scope, row.key): row.demand for row in cap_rows(problem)}
    for at, cap in enumerate(caps):
        key = (cap.scope, cap.key)
        if now.get(key) and now[key] != before[key]:
            caps[at] = replace(cap, max_share=min(1.0, cap.max_share * before[key] / now[key]))
    return "leave_unmet", replace(changed, share_caps=tuple(caps)), {"units": gone, "short_cost": short}
