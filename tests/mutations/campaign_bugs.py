"""What always holds of the life of campaigns, and that each of many bugs in its rules is caught."""

from __future__ import annotations

import datetime as dt
import random
from types import ModuleType

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations.seeding import QUICK, Mutation, Property

from app.core.errors import RuleBroken

LIFE = "app.stages.demand.rules.campaigns"
START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
hours = st.integers(0, 60)
EDGES = (9, 10, 29, 30, 31, 39, 40, 41, 49, 50)
FORWARD = {
    "draft": {"open", "cancelled"},
    "open": {"open", "reached", "missed", "cancelled"},
    "reached": {"in_production", "missed", "cancelled"},
    "missed": {"reached", "closed"},
    "cancelled": {"closed"},
    "in_production": {"shipping"},
    "shipping": {"closed"},
    "closed": set(),
}


def at(hour: int) -> dt.datetime:
    return START + dt.timedelta(hours=hour)


def a_campaign_never_leaves_its_life(rules: ModuleType) -> None:
    for state in rules.CampaignState:
        for kind in rules.DecisionKind:
            try:
                to = rules.step(state, kind)
            except RuleBroken:
                continue
            assert to in FORWARD[state], (state, kind, to)
            assert kind.value in rules.steps_from(state)
    reachable, border = {"draft"}, ["draft"]
    while border:
        state = border.pop()
        for kind in rules.steps_from(state):
            to = rules.step(state, rules.DecisionKind(kind)).value
            if to not in reachable:
                reachable.add(to)
                border.append(to)
    assert reachable == set(FORWARD)


def the_go_line_is_the_fewest_units_that_go(rules: ModuleType) -> None:
    @QUICK
    @given(st.integers(1, 5_000), st.integers(1, 300))
    def holds(expected: int, factor: int) -> None:
        line = rules.go_units(expected_units=expected, go_factor_percent=factor)
        goes = [
            rules.reaches_go(valid_units=units, expected_units=expected, go_factor_percent=factor)
            for units in (line - 1, line, line + 1)
        ]
        assert goes == [False, True, True]

    holds()


def the_cap_is_kept_whatever_the_order_of_arrival(rules: ModuleType) -> None:
    made = st.tuples(hours, st.sampled_from("ab"), st.integers(1, 5))

    @QUICK
    @given(st.lists(made, max_size=12), st.integers(1, 20), st.randoms(use_true_random=False))
    def holds(rows: list[tuple[int, str, int]], cap: int, luck: random.Random) -> None:
        pledges = [
            {
                "id": id_,
                "ordered_at": at(hour),
                "channel": channel,
                "external_id": f"{id_}",
                "quantity": units,
            }
            for id_, (hour, channel, units) in enumerate(rows)
        ]
        order = list(pledges)
        luck.shuffle(order)
        over = set(rules.over_cap(pl.DataFrame(pledges, schema=rules.MADE), cap=cap))
        assert over == set(rules.over_cap(pl.DataFrame(order, schema=rules.MADE), cap=cap))
        held = sum(one["quantity"] for one in pledges if one["id"] not in over)
        assert held <= cap
        taken = 0  # whoever is over it would have taken the sum above it, at its place in the order
        for one in sorted(pledges, key=lambda one: (one["ordered_at"], one["channel"], one["external_id"])):
            if one["id"] in over:
                assert taken + one["quantity"] > cap
            else:
                taken += one["quantity"]

    holds()


def limited_prices_go_to_the_first_units_made(rules: ModuleType) -> None:
    made = st.tuples(hours, st.integers(1, 4))
    limits = st.lists(st.integers(1, 6), min_size=1, max_size=3)

    @QUICK
    @given(st.lists(made, max_size=10), limits, st.randoms(use_true_random=False))
    def holds(rows: list[tuple[int, int]], sizes: list[int], luck: random.Random) -> None:
        limited = [rules.Limited(units, 100 + place) for place, units in enumerate(sizes)]
        pledges = [rules.Made(at(hour), "a", f"{id_}", id_, units) for id_, (hour, units) in enumerate(rows)]
        order = list(pledges)
        luck.shuffle(order)
        awards = rules.limited_awards(pledges, limited=limited)
        assert awards == rules.limited_awards(order, limited=limited)
        prices = [price for price, size in zip(range(100, 999), sizes, strict=False) for _ in range(size)]
        for one in sorted(pledges, key=lambda one: (one.ordered_at, one.external_id)):
            mine, prices = prices[: one.quantity], prices[one.quantity :]
            given_ = [p.unit_price_minor for p in awards.get(one.id, ()) for _ in range(p.units)]
            assert given_ == mine

    holds()


def more_units_never_cost_more(rules: ModuleType) -> None:
    tiers = st.dictionaries(st.integers(1, 500), st.integers(0, 4), max_size=4)

    @QUICK
    @given(tiers, st.integers(-1, 1), st.randoms(use_true_random=False))
    def holds(steps: dict[int, int], near: int, luck: random.Random) -> None:
        starts = [0, *sorted(steps)]
        units = max(0, luck.choice(starts) + near)
        rising = [rules.Step(start, 1_000 - 10 * place) for place, start in enumerate(starts)]
        order = list(rising)
        luck.shuffle(order)
        price = rules.volume_price(order, units=units)
        assert price == min(one.unit_price_minor for one in rising if one.min_units <= units)
        upward = rules.next_tier(order, units=units)
        later = [one for one in rising if one.min_units > units]
        assert upward == (later[0] if later else None)

    holds()


def a_window_takes_what_was_made_in_it(rules: ModuleType) -> None:
    @QUICK
    @given(
        st.sampled_from(EDGES),
        st.sampled_from([1, -1]),
        st.sampled_from([None, 50]),
        st.sampled_from([None, 30]),
    )
    def holds(hour: int, quantity: int, late: int | None, fill: int | None) -> None:
        window = rules.Window(
            is_draft=False,
            opens_at=at(10),
            closes_at=at(40),
            fill_starts_at=None if fill is None else at(fill),
            late_until=None if late is None else at(late),
        )
        refusal = rules.pledge_refusal(window, ordered_at=at(hour), quantity=quantity)
        filling = fill is not None and fill <= hour < 40
        if hour < 10:
            assert refusal == "campaign_not_open"
        elif quantity < 0:
            assert refusal == ("fill_phase" if filling else None)
        else:
            assert refusal == ("campaign_closed" if hour >= (late or 40) else None)
        assert window.in_fill_phase(at(hour)) == filling
        row = {
            "ordered_at": at(hour),
            "quantity": quantity,
            "campaign_id": 1,
            "is_draft": False,
            "opens_at": window.opens_at,
            "closes_at": window.closes_at,
            "takes_until": window.takes_until,
            "fill_starts_at": window.fill_starts_at,
        }
        schema = {"ordered_at": pl.Datetime("us", time_zone="UTC"), "quantity": pl.Int64, **rules.WINDOWS}
        frame = pl.DataFrame([row], schema=schema)
        assert frame.select(rules.refusal_expression()).item() == refusal

    holds()
    draft = rules.Window(is_draft=True, opens_at=at(10), closes_at=at(40))
    assert rules.pledge_refusal(draft, ordered_at=at(20), quantity=1) == "campaign_not_open"


def an_extension_moves_every_date(rules: ModuleType) -> None:
    names = ("closes_at", "fill_starts_at", "late_until", "deposit_due_at", "balance_due_at")
    dates = rules.Dates(**{name: at(place) for place, name in enumerate(names)})
    later = rules.extended(dates, days=3)
    assert [getattr(later, name) - getattr(dates, name) for name in names] == [dt.timedelta(days=3)] * 5
    for days in (0, -1, rules.LONGEST_EXTENSION + 1):
        with pytest.raises(RuleBroken):
            rules.extended(dates, days=days)


def a_deposit_keeps_its_cap(rules: ModuleType) -> None:
    for deposit, allowed in ((20, True), (21, False)):
        found = rules.deposit_allowed(deposit_minor=deposit, lowest_price_minor=100, cap_percent=20)
        assert found is allowed
    paid = [
        rules.paid_each(commitment=one, ordered_price_minor=9, deposit_minor=2)
        for one in ("paid", "deposit", "pledge")
    ]
    assert paid == [9, 2, 0]


PROPERTIES: dict[str, list[Property]] = {
    LIFE: [
        a_campaign_never_leaves_its_life,
        the_go_line_is_the_fewest_units_that_go,
        the_cap_is_kept_whatever_the_order_of_arrival,
        limited_prices_go_to_the_first_units_made,
        more_units_never_cost_more,
        a_window_takes_what_was_made_in_it,
        an_extension_moves_every_date,
        a_deposit_keeps_its_cap,
    ],
}
CHANGES = [
    ("more than the go line is needed", LIFE, "valid_units * 100 >=", "valid_units * 100 >"),
    (
        "the go line is rounded down",
        LIFE,
        "return -(-go_factor_percent * expected_units // 100)",
        "return go_factor_percent * expected_units // 100",
    ),
    (
        "a closed campaign opens again",
        LIFE,
        "    (CampaignState.SHIPPING, DecisionKind.FINISH): CampaignState.CLOSED,",
        "    (CampaignState.SHIPPING, DecisionKind.FINISH): CampaignState.OPEN,",
    ),
    (
        "what is made can be cancelled",
        LIFE,
        "    (CampaignState.IN_PRODUCTION, DecisionKind.SHIP): CampaignState.SHIPPING,",
        "    (CampaignState.IN_PRODUCTION, DecisionKind.SHIP): CampaignState.CANCELLED,",
    ),
    (
        "the cap counts in the order of arrival",
        LIFE,
        'made = pledges.sort("ordered_at", "channel", "external_id")',
        "made = pledges",
    ),
    (
        "ties at the cap go by arrival",
        LIFE,
        'pledges.sort("ordered_at", "channel", "external_id")',
        'pledges.sort("ordered_at", maintain_order=True)',
    ),
    ("the cap is one unit too low", LIFE, "held + quantity > most", "held + quantity >= most"),
    (
        "what is over the cap takes room",
        LIFE,
        "        if not flags[-1]:\n            held += quantity",
        "        held += quantity",
    ),
    (
        "limited prices go by arrival",
        LIFE,
        "for pledge in sorted(one for one in pledges if one.quantity > 0):",
        "for pledge in [one for one in pledges if one.quantity > 0]:",
    ),
    (
        "limited units are given twice",
        LIFE,
        "wanted, left[place] = wanted - units, left[place] - units",
        "wanted, left[place] = wanted - units, left[place] - 1",
    ),
    ("a tier holds above its units only", LIFE, "if tier.min_units <= units]", "if tier.min_units < units]"),
    (
        "the last tier is the price",
        LIFE,
        "return reached[-1].unit_price_minor if reached",
        "return rising[-1].unit_price_minor if reached",
    ),
    (
        "the close is inside the window",
        LIFE,
        "return CLOSED if ordered_at >= window.takes_until",
        "return CLOSED if ordered_at > window.takes_until",
    ),
    (
        "the late window is forgotten",
        LIFE,
        "return max(self.closes_at, self.late_until or self.closes_at)",
        "return self.closes_at",
    ),
    (
        "the fill phase never ends",
        LIFE,
        "self.fill_starts_at <= at < self.closes_at",
        "self.fill_starts_at <= at",
    ),
    (
        "returns are taken in the fill phase of files",
        LIFE,
        ".when(returned & filling)",
        ".when(returned & ~filling & filling)",
    ),
    ("a draft takes pledges", LIFE, "if window.is_draft or ordered_at", "if ordered_at"),
    ("an extension forgets the balance", LIFE, "        balance_due_at=later(dates.balance_due_at),\n", ""),
    ("an extension may shorten", LIFE, "if not 1 <= days <=", "if not -9 <= days <="),
    ("a deposit of any height", LIFE, "return deposit_minor * 100 <=", "return deposit_minor <="),
]
BUGS = [Mutation(*change) for change in CHANGES]
