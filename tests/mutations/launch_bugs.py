"""What always holds of the checks before a launch, and that each of many bugs in them is caught."""

from __future__ import annotations

import datetime as dt
from types import ModuleType
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from mutations.seeding import QUICK, Mutation, Property

LAUNCH = "app.stages.demand.rules.launch"
START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def the_earliest_week_is_the_first_that_can(rules: ModuleType) -> None:
    source = st.tuples(st.integers(0, 4), st.one_of(st.none(), st.integers(0, 9)), st.sampled_from("ab"))

    @QUICK
    @given(st.lists(source, min_size=1, max_size=4), st.integers(1, 40), st.sampled_from([None, 3]))
    def holds(rows: list[tuple[int, int | None, str]], units: int, whole: int | None) -> None:
        sources = [
            rules.Source(sku="S", supplier=who, weeks=weeks, moq=0, weekly=weekly, supplier_weekly=whole)
            for weeks, weekly, who in rows
        ]
        monday = dt.date(2026, 11, 23)
        found = rules.earliest_week(sources, skus=["S"], units=units, closes_on=dt.date(2026, 11, 25))

        def made(weeks: int) -> float:
            total = 0.0
            for who in "ab":
                theirs = [(w, c) for w, c, name in rows if name == who and w <= weeks]
                sums = sum(float("inf") if c is None else c * (weeks - w + 1) for w, c in theirs)
                most = max((weeks - w + 1 for w, _ in theirs), default=0)
                total += min(sums, float("inf") if whole is None else whole * most)
            return total

        first = next((n for n in range(105) if any(w <= n for w, _, _ in rows) and made(n) >= units), None)
        assert found == (None if first is None else monday + dt.timedelta(weeks=first))

    holds()


def every_check_refuses_what_it_is_there_for(rules: ModuleType) -> None:
    for change, code in FAILING:
        codes = [one.code for one in _failures(rules, **change)]
        assert code in codes, (code, codes)
    assert _failures(rules) == []


def _failures(rules: ModuleType, **change: Any) -> list[Any]:
    from app.stages.demand.rules.campaigns import Limited, Step
    from app.stages.demand.rules.terms import CampaignTerms, Variant

    base: dict[str, Any] = {
        "code": "C",
        "name": "One",
        "variants": (Variant("S"),),
        "opens_at": START,
        "closes_at": START + dt.timedelta(days=20),
        "expected_units": 100,
        "due_week": dt.date(2027, 1, 4),
        "tiers": (Step(0, 10_000), Step(120, 9_000)),
        "limited": (Limited(10, 8_000),),
        "cap_units": 200,
        "deposit_minor": 1_600,
        "deposit_due_at": START + dt.timedelta(days=20),
        "balance_due_at": START + dt.timedelta(days=25),
        "fill_starts_at": START + dt.timedelta(days=18),
        "late_until": START + dt.timedelta(days=22),
    }
    moq = change.pop("moq", 50)
    lead = change.pop("weeks", 3)
    unsold = change.pop("unsold", ())
    now = change.pop("now", START)
    terms = CampaignTerms(**{**base, **change})
    source = rules.Source(sku="S", supplier="A", weeks=lead, moq=moq, weekly=None, supplier_weekly=None)
    found: list[Any] = rules.failures(terms, [source], unsold=unsold, deposit_cap_percent=20, now=now)
    return found


def _failing() -> list[tuple[dict[str, Any], str]]:
    from app.stages.demand.rules.campaigns import Limited, Step
    from app.stages.demand.rules.terms import Variant

    close = START + dt.timedelta(days=20)
    return [
        ({"variants": ()}, "variants_missing"),
        ({"variants": (Variant("S"), Variant("T"))}, "variant_without_offer"),
        ({"unsold": ("S",)}, "variant_not_sold"),
        ({"moq": 121}, "moq_above_go_line"),
        ({"weeks": 9}, "due_week_unreachable"),
        ({"due_week": dt.date(2026, 11, 9)}, "due_before_close"),
        ({"now": close}, "close_passed"),
        ({"tiers": ()}, "tier_missing"),
        ({"tiers": (Step(1, 10_000),)}, "tier_missing"),
        ({"tiers": (Step(0, 10_000), Step(120, 10_000))}, "tier_not_falling"),
        ({"limited": (Limited(5, 10_000),)}, "limited_not_cheaper"),
        ({"limited": (Limited(5, 8_000), Limited(5, 8_000))}, "limited_not_rising"),
        ({"limited": (Limited(201, 8_000),)}, "limited_above_cap"),
        ({"deposit_minor": 1_601}, "deposit_too_high"),
        ({"balance_due_at": None}, "balance_date_missing"),
        ({"balance_due_at": close, "deposit_due_at": None}, "balance_before_close"),
        ({"balance_due_at": close + dt.timedelta(days=60)}, "balance_after_due"),
        ({"deposit_minor": None}, "deposit_missing"),
        ({"deposit_due_at": START}, "deposit_date_order"),
        ({"deposit_due_at": close + dt.timedelta(days=6)}, "deposit_date_order"),
        ({"fill_starts_at": close}, "fill_outside_window"),
        ({"late_until": close}, "late_before_close"),
        ({"cap_units": None}, "late_without_cap"),
        ({"cap_units": 119}, "cap_below_go_line"),
    ]


FAILING = _failing()


PROPERTIES: dict[str, list[Property]] = {
    LAUNCH: [
        the_earliest_week_is_the_first_that_can,
        every_check_refuses_what_it_is_there_for,
    ],
}
CHANGES = [
    (
        "suppliers begin a week late",
        LAUNCH,
        "weeks - one.weeks + 1) for one in theirs)",
        "weeks - one.weeks) for one in theirs)",
    ),
    ("the capacity of a supplier is forgotten", LAUNCH, "total += min(made, whole)", "total += made"),
    ("the due week is not looked at", LAUNCH, "if earliest > terms.due_week:", "if earliest > dt.date.max:"),
    (
        "flat tiers fall",
        LAUNCH,
        "later.unit_price_minor >= former.unit_price_minor",
        "later.unit_price_minor > former.unit_price_minor",
    ),
    (
        "the MOQ may be above the go line",
        LAUNCH,
        "if sum(smallest) > terms.go_units:",
        "if sum(smallest) > 2 * terms.go_units:",
    ),
    (
        "the balance may be due before the price is known",
        LAUNCH,
        "balance <= terms.closes_at:",
        "balance < terms.closes_at:",
    ),
]
BUGS = [Mutation(*change) for change in CHANGES]
