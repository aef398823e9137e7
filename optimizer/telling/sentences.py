"""Codes and numbers as English sentences; a user interface says them in its own languages from the same
codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optimizer.form.codes import Decision, Rule

RULES: dict[Rule, str] = {
    "capacity": "the weekly capacity",
    "horizon_capacity": "the capacity over the horizon",
    "week_capacity": "the weekly capacity for the SKU",
    "inbound": "the inbound dock",
    "storage": "the storage",
    "throughput": "the throughput of the warehouse",
    "material": "the material",
    "lane_capacity": "the capacity of the lane",
    "share_cap": "the share cap",
    "moq": "the MOQ",
    "max": "the largest order",
}
DECIDED: dict[Decision, str] = {
    "price": "the price decides",
    "freight": "freight decides",
    "lead": "its lead time decides",
    "capacity": "nobody else has the capacity for them",
    "risk": "the supplier's risk decides",
    "share_cap": "the share cap decides",
    "fixed_cost": "order and award costs decide",
    "churn": "changing the last plan would cost more",
    "min_sources": "so many suppliers must share it",
    "only_source": "nobody else makes it",
    "nothing": "others could make it at the same cost",
    "unknown": "no other plan could be found to compare with",
}
HELD: dict[str, str] = {
    "price": "more of it would cost more than the others do",
    "demand": "it makes all of it",
}


def where(ids: Mapping[str, Any]) -> str:
    """The ids of a rule in a fixed order: S1/A/week 3."""
    names = ("supplier", "warehouse", "material", "from", "to", "sku", "scope", "key")
    parts = [str(ids[name]) for name in names if ids.get(name) not in (None, "")]
    return "/".join([*parts, f"week {ids['week']}"] if "week" in ids else parts)


def relief_words(told: Mapping[str, Any]) -> str:
    """What loosening a rule saves."""
    rule = RULES.get(told["rule"], told["rule"])
    more = "less" if told["rule"] == "moq" else "more"
    if told["ids"].get("base") == "spend":
        more, rule = "percentage points more", "the share of what is spent"
    return (
        f"{told['rule']} [{where(told['ids'])}]: {told['step']:g} {more} of {rule} "
        f"saves {told['saving']:,.2f} ({told['per_unit']:,.2f} a unit)"
    )


def cap_words(told: Mapping[str, Any]) -> str:
    """What a share cap costs and the lowest top share in reach."""
    scope = scope_words(told)
    price = "" if told["price"] is None else f"; the cap costs {told['price']:,.2f}"
    lowest = "how low a top share can be reached was not worked out"
    if told["lowest"] is not None:
        lowest = f"the lowest reachable top share is {told['lowest']:.1%} (costs {told['lowest_cost']:,.2f})"
    return (
        f"share_cap [{scope}]: {told['top']} has {told['top_share']:.1%} of demand against {told['cap']:.0%}"
        f"{price}; with {told['suppliers']} suppliers no top share is below {told['floor']:.1%}; {lowest}"
    )


def why_words(told: Mapping[str, Any]) -> str:
    """Why a supplier has its share."""
    base = f"{told['supplier']} has {told['share']:.1%} of {told['sku']} ({told['units']:,} units): "
    decided = DECIDED[told["decided_by"]]
    if told["extra"] is None:
        return base + decided
    instead = f", {told['instead']} would take over" if told["instead"] else ""
    held = HELD.get(told["held_by"]) or f"{RULES.get(told['held_by'], told['held_by'])} keeps it from more"
    extra = f"{told['extra']:,.2f} more ({told['per_unit']:,.2f} a unit{instead})"
    return f"{base}without it the plan costs {extra}; {decided}; {held}"


def scope_words(ids: Mapping[str, Any]) -> str:
    """What a share is a part of."""
    return "the whole plan" if ids["scope"] == "plan" else f"{ids['scope']} {ids['key']}"


def rule_words(told: Mapping[str, Any]) -> str:
    """One rule of a clash."""
    numbers, rule = told["numbers"], told["rule"]
    if rule == "min_sources":
        return f"min_sources [{told['ids']['sku']}]: at least {numbers['least']} suppliers must share it"
    if rule == "demand":
        return f"demand [{scope_words(told['ids'])}]: {numbers['units']} units are to be met"
    count = numbers["suppliers"]
    who = "1 supplier has" if count == 1 else f"{count} suppliers have"
    return (
        f"share_cap [{scope_words(told['ids'])}]: the hard cap of {numbers['max_share']:.0%} can't hold: "
        f"{who} offers, which cover at most {count} x {numbers['most_each']} of {numbers['units']} units; "
        f"the lowest reachable top share is 1/{count}"
    )


def relaxation_words(told: Mapping[str, Any]) -> str:
    """One way out of a clash."""
    caps = told["caps"]
    what = f"the hard cap of {scope_words(caps[0])}" if len(caps) == 1 else f"{len(caps)} hard caps"
    if told["code"] == "raise_cap":
        return f"raise {what} to {told['numbers']['percent']} %"
    if told["code"] == "soften_cap":
        return f"price {what} instead of holding it"
    return f"keep {what} and leave {told['numbers']['units']} units unmet"
