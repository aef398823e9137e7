"""Share caps of spend: a supplier's spend against the spend on the whole scope, for the checker."""

from __future__ import annotations

import math
from collections import defaultdict

from optimizer.form.plan import Binding
from optimizer.form.pricing import spends
from optimizer.form.problem import Problem, Quantity
from optimizer.rules.book import TOLERANCE, within
from optimizer.rules.limits import CapRow, cap_rows, locked_lots

Lots = dict[tuple[int, int], Quantity]


def spend_by_sku(problem: Problem, lots: Lots) -> dict[str, list[tuple[str, float]]]:
    """(supplier, spend over the horizon) of each offer with units, by SKU."""
    money: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for number, (spend, _) in spends(problem, lots).items():
        money[problem.offers[number].sku].append((problem.offers[number].supplier, spend))
    return money


def spend_by_supplier(by_sku: dict[str, list[tuple[str, float]]], skus: frozenset[str]) -> dict[str, float]:
    """What each supplier earns in the scope over the horizon, in supplier order."""
    money: dict[str, list[float]] = defaultdict(list)
    for sku in sorted(skus):
        for supplier, spend in by_sku.get(sku, ()):
            money[supplier].append(spend)
    return {supplier: math.fsum(parts) for supplier, parts in sorted(money.items())}


def _with_spend(problem: Problem, lots: Lots) -> list[tuple[CapRow, dict[str, float], float]]:
    """Every cap with the suppliers' spend and what each may have."""
    found = []
    by_sku = spend_by_sku(problem, lots)
    for row in cap_rows(problem, "spend"):
        money = spend_by_supplier(by_sku, row.skus)
        found.append((row, money, row.cap.max_share * math.fsum(money.values())))
    return found


def spend_penalty(problem: Problem, lots: Lots) -> float:
    """The penalties of all soft caps of spend."""
    return math.fsum(
        max(0.0, spend - allowed) * row.cap.penalty
        for row, money, allowed in _with_spend(problem, lots)
        if not row.cap.hard
        for spend in money.values()
    )


def check_hard_spend(problem: Problem, lots: Lots) -> None:
    """A supplier may exceed a hard cap by no more than its locked orders alone do."""
    facts = spend_excess(problem)
    for number, (row, money, allowed) in enumerate(_with_spend(problem, lots)):
        for supplier, spend in money.items() if row.cap.hard else ():
            where = f"{row.cap.scope}/{row.key or 'all'}/{supplier}/spend"
            within("share_cap", where, spend, allowed + facts[number].get(supplier, 0.0))


def spend_excess(problem: Problem) -> list[dict[str, float]]:
    """By row of cap_rows of spend: the money by which each supplier's locked orders alone exceed the cap."""
    return [
        {supplier: max(0.0, spend - allowed) for supplier, spend in money.items()}
        for _, money, allowed in _with_spend(problem, locked_lots(problem))
    ]


def spend_bindings(problem: Problem, lots: Lots) -> list[Binding]:
    """Caps of spend that one more lot would exceed: limit is the money the supplier may have."""
    least: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for one in problem.offers:
        least[one.supplier].append((one.sku, one.breaks[-1][1] * one.multiple))
    facts = spend_excess(problem)
    found = []
    for number, (row, money, allowed) in enumerate(_with_spend(problem, lots)):
        for supplier, spend in money.items():
            more = min((price for sku, price in least[supplier] if sku in row.skus), default=0.0)
            if spend + more * (1 - row.cap.max_share) <= allowed:
                continue
            ids = {"scope": row.cap.scope, "key": row.key, "supplier": supplier, "hard": row.cap.hard}
            forced = facts[number].get(supplier, 0.0) > TOLERANCE * max(1.0, allowed)
            found.append(
                Binding(
                    rule="share_cap", ids=ids | {"base": "spend"}, used=spend, limit=allowed, forced=forced
                )
            )
    return found
