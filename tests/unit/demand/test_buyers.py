"""Sketches of buyers: how many there are, from any order and any number of repeats."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.stages.demand.rules import Commitment
from app.stages.demand.rules.buyers import RANKS, buyers, raised, sketch_of, sketches, united

DAY = dt.date(2026, 11, 11)
Order = tuple[int, int, int, str]
"""Campaign, day, buyer, commitment."""
ORDERS = st.lists(
    st.tuples(st.integers(1, 2), st.integers(0, 3), st.integers(0, 40), st.sampled_from([*Commitment])),
    max_size=40,
)


def pseudonym(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()[:32]


def signals(orders: list[Order]) -> pl.DataFrame:
    rows = [
        (campaign or None, DAY + dt.timedelta(days=day), pseudonym(buyer) if buyer else None, commitment)
        for campaign, day, buyer, commitment in orders
    ]
    schema = {"campaign_id": pl.Int64, "day": pl.Date, "buyer": pl.String, "commitment": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def by_day(orders: list[Order]) -> dict[tuple[int, dt.date], bytes]:
    return {(campaign, day): sketch for campaign, day, sketch in sketches(signals(orders)).iter_rows()}


@pytest.mark.parametrize("count", [1, 2, 5, 30, 300, 3_000, 8_000, 100_000, 1_000_000])
def test_the_estimate_is_within_four_standard_errors(count: int) -> None:
    """Of seeded sets of random pseudonyms; few are told almost exactly."""
    raw = np.random.default_rng(count).bytes(16 * count).hex()
    names = pl.Series("buyer", [raw[32 * one : 32 * one + 32] for one in range(count)])
    frame = names.to_frame().with_columns(campaign_id=1, day=DAY, commitment=pl.lit("pledge"))
    sketch = sketches(frame)["sketch"].item()
    assert len(sketch) <= 4_096
    assert abs(buyers(sketch) - count) <= max(0.5, 4 * 0.023 * count)


def test_nobody_is_no_buyer_and_one_is_one() -> None:
    assert buyers(b"") == 0
    assert buyers(sketch_of(pseudonym(7))) == 1


@pytest.mark.parametrize(
    ("buyer", "mark"),
    [
        ("0" * 32, 31),  # all zeros: the highest rank
        ("f" * 32, 2_047 * RANKS + 1),
        ("001fffffffff" + "0" * 20, 1),  # the register has 11 bits
        ("0008" + "f" * 28, 2),
    ],
)
def test_a_mark_is_the_register_and_the_zeros_that_follow_in_it(buyer: str, mark: int) -> None:
    assert int.from_bytes(sketch_of(buyer), "little") == mark


@given(orders=ORDERS, cuts=st.lists(st.integers(0, 40), max_size=3))
def test_parts_in_any_cut_unite_to_the_whole(orders: list[Order], cuts: list[int]) -> None:
    """As often as one is repeated, and one buyer at a time as well."""
    places = [0, *sorted(cuts), len(orders)]
    parts = [orders[start:end] for start, end in itertools.pairwise(places)]
    whole, found = by_day(orders), dict[tuple[int, dt.date], bytes]()
    for part in [*reversed(parts), *parts]:
        for day, sketch in by_day(part).items():
            found[day] = united([sketch, found.get(day, b"")])
    assert found == whole
    for campaign, day, buyer, commitment in orders:
        if buyer and commitment in ("paid", "deposit", "pledge"):
            there = whole[campaign, DAY + dt.timedelta(days=day)]
            assert united([there, sketch_of(pseudonym(buyer))]) == there


@given(orders=ORDERS, since=st.integers(0, 3), days=st.integers(0, 4))
def test_the_days_of_a_window_unite_to_its_recount(orders: list[Order], since: int, days: int) -> None:
    first, end = DAY + dt.timedelta(days=since), DAY + dt.timedelta(days=since + days)
    window = [one for one in orders if one[0] == 1 and since <= one[1] < since + days]
    together = united(
        sketch for (campaign, day), sketch in by_day(orders).items() if campaign == 1 and first <= day < end
    )
    at_once = united(by_day([(1, 0, buyer, commitment) for _, _, buyer, commitment in window]).values())
    assert together == at_once
    known = {
        buyer for _, _, buyer, commitment in window if buyer and commitment in ("paid", "deposit", "pledge")
    }
    assert abs(buyers(together) - len(known)) <= 1


@given(orders=ORDERS, more=ORDERS)
def test_a_sketch_is_raised_by_as_many_registers_as_there_are_further_buyers_at_most(
    orders: list[Order], more: list[Order]
) -> None:
    before = united(by_day(orders).values())
    after = united([before, *by_day(more).values()])
    assert raised(before, before) == 0
    assert raised(before, after) <= len({buyer for _, _, buyer, _ in more})
