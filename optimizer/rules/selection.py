"""The problem of some of its SKUs, and share caps one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from optimizer.form.problem import Demand, Problem, ShareCap
from optimizer.rules.limits import CapRow, cap_rows

Row = TypeVar("Row")


def only(problem: Problem, skus: frozenset[str]) -> Problem:
    """The problem of some of its SKUs; share caps that count other SKUs too are left out."""

    def mine(rows: tuple[Row, ...]) -> tuple[Row, ...]:
        return tuple(one for one in rows if one.sku in skus)  # type: ignore[attr-defined]

    return replace(
        problem,
        skus=tuple(one for one in problem.skus if one.id in skus),
        offers=mine(problem.offers),
        demand=mine(problem.demand) or nothing(problem, min(skus)),
        stock=mine(problem.stock),
        locked=mine(problem.locked),
        previous=mine(problem.previous),
        share_caps=_own_caps(problem, skus),
    )


def nothing(problem: Problem, sku: str) -> tuple[Demand, ...]:
    """A demand of no units: what a SKU that nobody wants is planned for."""
    return (Demand(sku=sku, region=problem.regions[0].id, week=0, quantity=0),)


def spread_caps(problem: Problem) -> Problem:
    """The same problem with one share cap a key instead of one for each SKU or category."""
    return replace(problem, share_caps=tuple(replace(row.cap, key=row.key) for row in _all_caps(problem)))


def _own_caps(problem: Problem, skus: frozenset[str]) -> tuple[ShareCap, ...]:
    return tuple(replace(row.cap, key=row.key) for row in _all_caps(problem) if row.skus <= skus)


def _all_caps(problem: Problem) -> list[CapRow]:
    return [*cap_rows(problem), *cap_rows(problem, "spend")]
