"""Every code a plan or its explanation can say, for whoever puts them into words."""

from __future__ import annotations

from typing import Literal

# Rules that bind, and those shared by SKUs as rows of the models.
Rule = Literal[
    "capacity",
    "horizon_capacity",
    "week_capacity",
    "inbound",
    "storage",
    "throughput",
    "material",
    "lane_capacity",
    "share_cap",
    "moq",
    "max",
]
Shared = Literal[Rule, "spend_cap"]
# Why a demand is unmet or late.
Reason = Literal[
    "no_offer",
    "no_lane",
    "lead_time",
    "min_sources",
    "capacity",
    "material",
    "lane",
    "moq",
    "share_cap",
    "cost",
]
# What decided a supplier's share, and what keeps it from more beside a rule.
Decision = Literal[
    "price",
    "freight",
    "lead",
    "capacity",
    "risk",
    "share_cap",
    "fixed_cost",
    "churn",
    "min_sources",
    "only_source",
    "nothing",
    "unknown",
]
Held = Literal[Rule, "price", "demand"]
# Rules of a clash and ways out of it.
Clash = Literal["min_sources", "share_cap", "demand"]
Way = Literal["raise_cap", "soften_cap", "leave_unmet"]
