"""What holds of available to promise for every book."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from app.stages.warehouse.rules import available_to_promise, promise_index

units = st.integers(0, 500)
weeks = st.lists(st.tuples(units, units), min_size=1, max_size=12)


@given(st.integers(-100, 500), weeks)
def test_it_never_falls_from_week_to_week_and_is_never_negative(
    on_hand: int, book: list[tuple[int, int]]
) -> None:
    supply, committed = zip(*book, strict=True)
    available = available_to_promise(on_hand, supply=supply, committed=committed)
    assert list(available) == sorted(available)
    assert available[0] >= 0


@given(st.integers(0, 500), weeks, st.data())
def test_promising_it_breaks_no_promise_and_one_unit_more_does(
    on_hand: int, book: list[tuple[int, int]], data: st.DataObject
) -> None:
    supply, committed = (list(part) for part in zip(*book, strict=True))
    available = available_to_promise(on_hand, supply=supply, committed=committed)
    week = data.draw(st.integers(0, len(book) - 1))

    def kept(extra: int) -> bool:
        changes = [
            came - promised - (extra if number == week else 0)
            for number, (came, promised) in enumerate(zip(supply, committed, strict=True))
        ]
        return all(left >= 0 for left in list(accumulate(changes, initial=on_hand))[1 + week :])

    if available[week]:
        assert kept(available[week])
        assert not kept(available[week] + 1)


@given(st.integers(0, 500), weeks, st.integers(0, 600))
def test_the_promise_date_is_the_earliest_week_that_covers_the_quantity(
    on_hand: int, book: list[tuple[int, int]], quantity: int
) -> None:
    supply, committed = zip(*book, strict=True)
    available = available_to_promise(on_hand, supply=supply, committed=committed)
    week = promise_index(available, quantity=quantity)
    if week is None:
        assert max(available) < quantity
    else:
        assert available[week] >= quantity
        assert all(earlier < quantity for earlier in available[:week])
