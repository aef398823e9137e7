"""What holds of shares and HHI for every plan."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from app.stages.allocation.rules import (
    Base,
    Made,
    cap_can_hold,
    cover_oldest,
    effective_suppliers,
    hhi,
    is_concentrated,
    lowest_reachable_share,
    shares,
)

made = st.builds(
    Made,
    supplier_id=st.integers(1, 5),
    sku=st.sampled_from("ABC"),
    category=st.sampled_from(["x", "y", None]),
    units=st.integers(1, 10**9),
    spend_minor=st.integers(0, 10**12),
)
amounts = st.lists(st.integers(0, 10**12), min_size=1, max_size=8).filter(any)


@given(st.lists(made, max_size=20))
def test_the_shares_of_a_scope_add_up_to_all_of_it(parts: list[Made]) -> None:
    total: dict[tuple[str, str, str], int] = defaultdict(int)
    whole: dict[tuple[str, str, str], int] = {}
    for share in shares(parts):
        total[share.scope, share.key, share.base] += share.amount
        whole[share.scope, share.key, share.base] = share.scope_amount
    assert total == whole


@given(st.lists(made, max_size=20), st.randoms(use_true_random=False))
def test_shares_do_not_depend_on_the_order_of_lines(parts: list[Made], random: object) -> None:
    shuffled = list(parts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert shares(shuffled) == shares(parts)


@given(amounts)
def test_hhi_lies_between_one_in_n_and_one(parts: list[int]) -> None:
    suppliers = sum(1 for part in parts if part)
    assert 1 / suppliers - 1e-12 <= hhi(parts) <= 1
    assert effective_suppliers(hhi(parts)) <= suppliers + 1e-9


@given(amounts, st.integers(1, 1000))
def test_hhi_does_not_depend_on_the_unit_counted_in(parts: list[int], factor: int) -> None:
    assert hhi([part * factor for part in parts]) == hhi(parts)


@given(st.integers(0, 10**15), st.integers(1, 10**15), st.integers(1, 100))
def test_the_threshold_is_exact(amount: int, total: int, percent: int) -> None:
    exact = Fraction(amount, total) > Fraction(percent, 100)
    assert is_concentrated(amount, total, threshold_percent=percent) is exact


@given(amounts, st.integers(1, 100))
def test_where_the_cap_cannot_hold_somebody_is_above_it(parts: list[int], percent: int) -> None:
    if not cap_can_hold(len(parts), threshold_percent=percent):
        assert any(is_concentrated(part, sum(parts), threshold_percent=percent) for part in parts)
    assert max(parts) / sum(parts) >= lowest_reachable_share(len(parts)) - 1e-12


@given(st.dictionaries(st.integers(0, 11), st.integers(1, 1000)), st.integers(0, 20_000))
def test_covering_takes_exactly_what_arrives_and_never_more_than_is_wanted(
    wanted: dict[int, int], arriving: int
) -> None:
    left = cover_oldest(wanted, arriving=arriving)
    assert sum(wanted.values()) - sum(left.values()) == min(arriving, sum(wanted.values()))
    if left:
        oldest = min(left)
        assert all(left.get(week, 0) == wanted[week] for week in wanted if week > oldest)


def test_bases_are_units_and_spend() -> None:
    assert {base.value for base in Base} == {"units", "spend"}
