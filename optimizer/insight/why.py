"""Why a supplier has the share it has: what the plan would cost without it, who would take over, what stops
more."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, replace
from typing import Any

from optimizer.form.clock import Tell
from optimizer.form.codes import Decision, Held
from optimizer.form.plan import Solution
from optimizer.form.problem import Offer, Problem
from optimizer.form.reports import report
from optimizer.insight.focus import Answer, Change, Questions, near
from optimizer.telling.sentences import why_words

# The parts of a plan's cost, and the word for what decided when a part grows most without a supplier.
DECIDED_BY: dict[str, Decision] = {
    "purchase": "price",
    "freight": "freight",
    "holding": "lead",
    "late": "lead",
    "short": "capacity",
    "risk": "risk",
    "share": "share_cap",
    "order": "fixed_cost",
    "award": "fixed_cost",
    "churn": "churn",
}


def whys(ask: Questions, solution: Solution, *, most: int, tell: Tell) -> list[dict[str, Any]]:
    """The reason of every supplier's share of the SKUs most money goes to.

    Each: sku, supplier, units, share, extra (what the plan costs more without this supplier for this SKU;
    None when it could not be asked), per_unit, decided_by (price, freight, lead, capacity, risk, share_cap,
    fixed_cost, churn; min_sources when it would have nothing if fewer had to share; only_source when nobody
    else makes it; nothing when it costs the same), deciding (the part of extra that decided), instead (who
    takes most of the units), held_by (the rule that keeps it from having more, or price), words.
    """
    spend: dict[str, float] = defaultdict(float)
    for one in solution.orders:
        spend[one.sku] += one.quantity * one.unit_price
    ranked = sorted(spend, key=lambda sku: (-spend[sku], sku))
    found: list[dict[str, Any]] = []
    for sku in ranked:
        if len(found) >= most:
            break
        tell(report("shares", len(found), most))
        found += _of_sku(ask, solution, sku)
    return found


def _of_sku(ask: Questions, solution: Solution, sku: str) -> list[dict[str, Any]]:
    skus = frozenset([sku])
    base = ask.base(skus)
    units = base.units(skus)
    total = sum(units.values())
    found = []
    for supplier in sorted(units, key=lambda name: (-units[name], name)):
        told = _compared(ask, base, sku, supplier) | {
            "sku": sku,
            "supplier": supplier,
            "units": units[supplier],
            "share": units[supplier] / total,
            "held_by": _held_by(ask.problem, solution, sku, supplier, alone=len(units) == 1),
        }
        found.append(told | {"words": why_words(told)})
    return found


def _compared(ask: Questions, base: Answer, sku: str, supplier: str) -> dict[str, Any]:
    """What changes when this supplier gets nothing new of this SKU."""
    others = {one.supplier for one in ask.problem.offers if one.sku == sku and one.supplier != supplier}
    if others and ask.problem.sku_of[sku].min_sources > 1 and (told := _shared(ask, base, sku, supplier)):
        return told
    answer = ask.ask(_without(supplier, sku), frozenset([sku]))
    if answer is None:
        return {"extra": None, "per_unit": None, "decided_by": "unknown", "deciding": None, "instead": None}
    skus = frozenset([sku])
    before, after = base.units(skus), answer.units(skus)
    moved = before[supplier] - after.get(supplier, 0)
    extra = near(answer.cost.total - base.cost.total)
    parts = asdict(answer.cost)
    grown = {name: near(parts[name] - value) for name, value in asdict(base.cost).items()}
    part = max(sorted(grown), key=lambda name: grown[name])
    taken = {name: after[name] - before.get(name, 0) for name in after if name != supplier}
    instead = max(sorted(taken), key=lambda name: taken[name], default=None)
    return {
        "extra": extra,
        "per_unit": near(extra / moved) if moved else 0.0,
        "decided_by": "only_source" if not others else DECIDED_BY[part] if extra > 0 else "nothing",
        "deciding": grown[part],
        "instead": instead if instead is not None and taken[instead] > 0 else None,
    }


def _shared(ask: Questions, base: Answer, sku: str, supplier: str) -> dict[str, Any] | None:
    """Whether it only has a share because so many must: what that costs, and who would make its units."""

    def alone(problem: Problem) -> Problem:
        skus = tuple(replace(one, min_sources=1) if one.id == sku else one for one in problem.skus)
        return replace(problem, skus=skus)

    skus = frozenset([sku])
    answer = ask.ask(alone, skus)
    if answer is None or answer.units(skus).get(supplier) or answer.cost.total >= base.cost.total:
        return None
    extra, units = near(answer.cost.total - base.cost.total), base.units(skus)
    decided: Decision = "min_sources"
    return {
        "extra": extra,
        "per_unit": near(extra / units[supplier]),
        "decided_by": decided,
        "deciding": extra,
        "instead": max(sorted(answer.units(skus)), key=lambda one: answer.units(skus)[one], default=None),
    }


def _without(supplier: str, sku: str) -> Change:
    def change(problem: Problem) -> Problem:
        firm = any((one.supplier, one.sku) == (supplier, sku) for one in problem.locked)

        def kept(offer: Offer) -> Offer | None:
            if (offer.supplier, offer.sku) != (supplier, sku):
                return offer
            return replace(offer, moq=0, max=None, week_capacity=(0,) * problem.weeks) if firm else None

        return replace(problem, offers=tuple(one for offer in problem.offers if (one := kept(offer))))

    return change


def _held_by(problem: Problem, solution: Solution, sku: str, supplier: str, *, alone: bool) -> Held:
    """The rule at its limit that stops more units; price when none does, demand when it makes all of it."""
    if alone:
        return "demand"
    own: list[Held] = []
    shared: list[Held] = []
    mine = [one for one in problem.offers if (one.supplier, one.sku) == (supplier, sku)]
    takes = {material for offer in mine for material, amount in problem.recipe(offer) if amount}
    for one in solution.binding:
        if one.ids.get("material") in takes or one.ids.get("from") == supplier:
            shared.append(one.rule)
        if one.ids.get("supplier") != supplier or one.rule == "moq":
            continue
        if one.ids.get("sku") == sku or (one.rule == "share_cap" and one.ids.get("key") == sku):
            own.append(one.rule)
        elif "sku" not in one.ids and one.ids.get("scope", "plan") == "plan":
            shared.append(one.rule)
    return next(iter(sorted(own) + sorted(shared)), "price")
