"""Random problems for the tests of plans: tiny ones, of which everything can be tried, and small ones."""

from __future__ import annotations

from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from optimizer import Problem, ProblemError

MOST = 4
CAPS: list[dict[str, Any]] = [
    {"scope": "sku", "penalty": 1},
    {"scope": "plan", "penalty": 4},
    {"scope": "sku", "base": "spend", "penalty": 1},
    {"scope": "plan", "base": "spend", "penalty": 2},
    {"scope": "material", "base": "spend", "penalty": 1},
    {"scope": "plan", "base": "units", "max_share": 0.5, "hard": True},
]


def _tiny_offers(draw: st.DrawFn) -> list[dict[str, Any]]:
    """What S and T ask for A."""
    money = st.integers(2, 12)
    offers = []
    for name in ("S", "T"):
        start = draw(st.integers(2, MOST))
        breaks = [[0, draw(money)], [start, draw(money)]] if draw(st.booleans()) else [[0, draw(money)]]
        offers.append(
            {
                "supplier": name,
                "sku": "A",
                "moq": draw(st.integers(0, 3)),
                "multiple": draw(st.integers(1, 2)),
                "max": draw(st.sampled_from([None, 4, 5])),
                "lead_weeks": draw(st.integers(0, 1)),
                "order_cost": draw(st.integers(0, 6)),
                "award_cost": draw(st.sampled_from([0, 0, 5])),
                "setup_capacity": draw(st.sampled_from([0, 1])),
                "recipe": draw(st.sampled_from([None, {"M": 1}, {"M": 2}])),
                "price_mode": draw(st.sampled_from(["all_units", "incremental"])),
                "breaks": breaks,
            }
        )
    return offers


def _tiny_demand(draw: st.DrawFn) -> list[dict[str, Any]]:
    return [
        {
            "sku": "A",
            "region": "R",
            "week": week,
            "quantity": draw(st.integers(0, MOST // 2)),
            "late_cost": draw(st.integers(0, 3)),
            "short_cost": draw(st.integers(1, 30)),
            "max_late_weeks": draw(st.sampled_from([None, 0])),
        }
        for week in (0, 1)
    ]


def _tiny_lanes(draw: st.DrawFn) -> list[dict[str, Any]]:
    return [
        {
            "from": name,
            "to": "R",
            "cost": draw(st.integers(0, 3)),
            "fixed_cost": draw(st.sampled_from([0, 3])),
            "minimum": draw(st.sampled_from([0, 2])),
            "capacity": draw(st.sampled_from([None, 3])),
        }
        for name in ("S", "T")
    ]


@st.composite
def tiny(draw: st.DrawFn) -> dict[str, Any]:
    """One SKU, two suppliers, one region, two weeks: small enough to try everything.

    MOST is enough for every order. It covers all demand and every price break, with either multiple; and a
    unit beyond costs at least 2, more than the 1.6 it can save of the other supplier's excess share.
    """
    offers, demand, cap = _tiny_offers(draw), _tiny_demand(draw), draw(st.sampled_from(CAPS))
    return {
        "schema": "allocation/1",
        "weeks": 2,
        "suppliers": [
            {
                "id": "S",
                "capacity": draw(st.sampled_from([None, 3, 5])),
                "award_cost": draw(st.integers(0, 4)),
            },
            {"id": "T", "risk": draw(st.sampled_from([0.0, 0.5]))},
        ],
        "regions": [{"id": "R", "single_source": draw(st.booleans())}],
        "skus": [{"id": "A", "materials": draw(st.sampled_from([{}, {"M": 1}]))}],
        "materials": [{"id": "M", "available": draw(st.sampled_from([None, [3, 4], [6, 2]]))}],
        "offers": offers,
        "lanes": _tiny_lanes(draw),
        "demand": demand,
        "share_caps": [cap],
        "previous": [
            {"supplier": "S", "sku": "A", "week": 0, "to": "R", "quantity": draw(st.integers(1, 2))}
        ],
        "churn_cost": draw(st.sampled_from([0, 3])),
    }


def built(data: dict[str, Any]) -> Problem:
    """The problem, where no MOQ is above a capacity."""
    try:
        return Problem.from_json(data)
    except ProblemError:
        assume(False)
        raise


COST, LEAD = st.integers(0, 5), st.integers(0, 1)


def _small_offers(draw: st.DrawFn, pairs: list[tuple[str, str]], weeks: int) -> list[dict[str, Any]]:
    offers = [
        {
            "supplier": s,
            "sku": k,
            "moq": draw(st.sampled_from([0, 5, 12])),
            "multiple": draw(st.sampled_from([1, 3])),
            "week_capacity": draw(st.sampled_from([None, 15, 30])),
            "lead_weeks": min(draw(LEAD), weeks - 1),
            "order_cost": draw(COST),
            "capacity_use": draw(st.sampled_from([1, 1.5])),
            "setup_capacity": draw(st.sampled_from([0, 4])),
            "recipe": draw(st.sampled_from([None, {"M": 2}])),
            "breaks": [[0, draw(st.integers(5, 9))], [20, draw(st.integers(3, 9))]],
            "price_mode": draw(st.sampled_from(["all_units", "incremental"])),
        }
        for s, k in pairs
    ]
    if offers and draw(st.booleans()):
        offers.append(offers[0] | {"recipe": {}, "breaks": [[0, 9]], "moq": 0})
    return offers


def _small_lanes(
    draw: st.DrawFn, names: list[str], houses: list[str], regions: list[str]
) -> list[dict[str, Any]]:
    ends = [(s, w) for s in names for w in houses] + [(w, r) for w in houses for r in regions]
    ends += [(s, r) for s in names for r in regions]
    return [
        {
            "from": a,
            "to": b,
            "cost": draw(COST),
            "lead_weeks": draw(LEAD),
            "fixed_cost": draw(st.sampled_from([0, 0, 5])),
            "minimum": draw(st.sampled_from([0, 0, 6])),
            "capacity": draw(st.sampled_from([None, None, 20])),
        }
        for a, b in draw(st.lists(st.sampled_from(ends), unique=True))
    ]


def _small_demand(draw: st.DrawFn, skus: list[str], regions: list[str], weeks: int) -> list[dict[str, Any]]:
    return [
        {
            "sku": k,
            "region": r,
            "week": draw(st.integers(0, weeks - 1)),
            "quantity": draw(st.integers(0, 30)),
            "late_cost": draw(COST),
            "short_cost": draw(st.integers(1, 60)),
            "max_late_weeks": draw(st.sampled_from([None, 1])),
        }
        for k in skus
        for r in regions
    ]


@st.composite
def small(draw: st.DrawFn) -> dict[str, Any]:
    """A few SKUs, suppliers, warehouses and regions with every supported feature on."""
    names = [f"S{i}" for i in range(draw(st.integers(1, 3)))]
    houses = [f"W{i}" for i in range(draw(st.integers(0, 2)))]
    regions = [f"R{i}" for i in range(draw(st.integers(1, 2)))]
    skus = [f"K{i}" for i in range(draw(st.integers(1, 3)))]
    weeks = draw(st.integers(1, 4))
    limit = st.sampled_from([None, 0, 15, 40])
    pairs = draw(st.lists(st.sampled_from([(s, k) for s in names for k in skus]), unique=True))
    offers = _small_offers(draw, pairs, weeks)
    lanes = _small_lanes(draw, names, houses, regions)
    demand = _small_demand(draw, skus, regions, weeks)
    assume(any(one["quantity"] for one in demand))
    lanes_from = {one["from"]: one["to"] for one in lanes}
    locked = [
        {"supplier": s, "sku": k, "week": 0, "to": lanes_from[s], "quantity": draw(st.integers(1, 20))}
        for s, k in pairs
        if s in lanes_from and draw(st.booleans())
    ]
    return {
        "schema": "allocation/1",
        "weeks": weeks,
        "continuous": draw(st.booleans()),
        "suppliers": [{"id": s, "capacity": draw(limit), "horizon_capacity": draw(limit)} for s in names],
        "warehouses": [
            {
                "id": w,
                "storage": draw(limit),
                "inbound": draw(limit),
                "throughput": draw(limit),
                "award_cost": draw(COST),
            }
            for w in houses
        ],
        "regions": [{"id": r, "single_source": draw(st.booleans())} for r in regions],
        "materials": [{"id": "M", "available": draw(limit)}],
        "previous": [one | {"quantity": draw(st.integers(1, 20))} for one in locked],
        "churn_cost": draw(COST),
        "skus": [{"id": k, "volume": draw(st.sampled_from([1, 2])), "holding_cost": 0.25} for k in skus],
        "offers": offers,
        "lanes": lanes,
        "demand": demand,
        "stock": [
            {"sku": draw(st.sampled_from(skus)), "warehouse": w, "quantity": draw(st.integers(0, 25))}
            for w in houses
        ],
        "locked": locked,
        "share_caps": [
            {"scope": "sku", "max_share": 0.4, "penalty": draw(COST)},
            {"scope": "plan", "max_share": 0.5, "penalty": draw(COST)},
            {
                "scope": "plan",
                "base": "spend",
                "max_share": 0.6,
                "hard": draw(st.booleans()),
                "penalty": 0.5,
            },
        ],
    }
