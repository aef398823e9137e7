"""Changes and results of scenarios as words and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext

from app.entrypoints.web import explained, show, words
from app.stages.allocation.queries import PlanFact
from app.stages.catalog.queries import Names

Row = Mapping[str, Any]


def changes(found: Sequence[Row], names: Names) -> list[str]:
    """Each change of a scenario in words."""
    return [_change(one, names) for one in found]


def _change(one: Row, names: Names) -> str:
    kind = one["kind"]
    if kind == "supplier_out":
        return gettext(
            "%(supplier)s makes nothing", supplier=explained.named(names.suppliers, one["supplier"])
        )
    if kind == "lane_closed":
        return gettext(
            "%(source)s → %(target)s closed",
            source=_place(one["source"], names),
            target=_place(one["target"], names),
        )
    if kind == "demand_drawn":
        return gettext("Demand drawn %(count)s times from the forecast", count=one["draws"])
    what = {
        "capacity": gettext("Capacity"),
        "price": gettext("Prices"),
        "demand": gettext("Demand"),
        "material": gettext("Material"),
    }.get(kind, kind)
    of = [
        explained.named(table, one[field])
        for field, table in (("supplier", names.suppliers), ("sku", names.skus), ("region", names.regions))
        if one.get(field)
    ]
    change = signed_percent(one["factor"] - 1)
    if not of:
        return gettext("%(what)s %(change)s", what=what, change=change)
    return gettext("%(what)s %(change)s: %(of)s", what=what, change=change, of=", ".join(of))


def _place(code: str, names: Names) -> str:
    for table in (names.suppliers, names.warehouses, names.regions):
        told = explained.named(table, code)
        if told != code:
            return told
    return code


def compared(plan: PlanFact, result: Row, names: Names) -> dict[str, Any]:
    """The scenario's plan beside the plan: parts of the cost, shares, what moves, how sure the sign is."""
    money = plan.currency
    after = result.get("cost_parts", {})
    parts = [
        {
            "name": words.label(words.COST_PARTS, name),
            "before": show.money_short(plan.cost_parts.get(name, 0), money),
            "after": show.money_short(after.get(name, plan.cost_parts.get(name, 0) + change), money),
            "change": show.signed_money(change, money) if change else "–",
            "worse": change > 0,
        }
        for name, change in result["parts_minor"].items()
        if change or plan.cost_parts.get(name)
    ]
    shares = [row | {"name": explained.named(names.suppliers, row["supplier"])} for row in result["shares"]]
    shares.sort(key=lambda row: -max(row["before"], row["after"]))
    return {
        "cost": show.money_short(result["cost_minor"], money),
        "change": show.signed_money(result["cost_change_minor"], money),
        "percent": result["cost_change_minor"] / plan.cost_minor if plan.cost_minor else 0.0,
        "parts": parts,
        "shares": shares,
        "top": max(shares, key=lambda row: row["after"], default=None),
        "top_before": max((row["before"] for row in shares), default=0.0),
        "moves": [
            row
            | {
                "sku_name": explained.named(names.skus, row["sku"]),
                "supplier_name": explained.named(names.suppliers, row["supplier"]),
            }
            for row in result.get("moves", [])
        ],
        "sure": _sure(plan, result),
    }


def _sure(plan: PlanFact, result: Row) -> str:
    """Whether the proven bounds settle which of the two is cheaper."""
    if result.get("bound_minor", 0) > plan.cost_minor:
        return gettext("Proven dearer: no plan of this scenario can cost less than the plan does.")
    if result["cost_minor"] < plan.bound_minor:
        return gettext("Proven cheaper: no plan without these changes can cost so little.")
    return gettext(
        "Not proven which is cheaper: the plan may be %(gap)s above its best, the scenario's %(other)s.",
        gap=show.percent(plan.gap),
        other=show.percent(result["gap"]),
    )


def clashes(result: Row, names: Names) -> list[list[str]]:
    """The rules that clash where the scenario has no plan."""
    return [[explained.clash(rule, names) for rule in group] for group in result.get("rules", [])]


def signed_percent(fraction: float) -> str:
    """+20%, −30%."""
    sign = "+" if fraction > 0 else "−" if fraction < 0 else ""
    return sign + show.percent(abs(fraction), 0)
