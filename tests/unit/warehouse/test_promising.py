"""Available to promise, promise dates, and what may come in."""

from __future__ import annotations

import pytest

from app.core.errors import RuleBroken
from app.stages.warehouse.rules import available_to_promise, check_receipt, promise_index


def test_what_is_there_and_not_promised_is_available_at_once() -> None:
    assert available_to_promise(50, supply=[0, 0], committed=[0, 20]) == (30, 30)


def test_a_later_receipt_is_available_only_from_its_week() -> None:
    assert available_to_promise(10, supply=[0, 40, 0], committed=[0, 0, 0]) == (10, 50, 50)


def test_a_later_promise_is_looked_ahead_at() -> None:
    assert available_to_promise(100, supply=[0, 0, 50], committed=[0, 90, 0]) == (10, 10, 60)


def test_a_book_that_is_short_has_nothing_to_promise() -> None:
    assert available_to_promise(-5, supply=[0, 0], committed=[10, 0]) == (0, 0)


def test_lists_of_different_lengths_are_an_error() -> None:
    with pytest.raises(ValueError, match="weeks of supply"):
        available_to_promise(0, supply=[1], committed=[])


def test_the_promise_date_is_the_first_week_that_covers_the_quantity() -> None:
    assert promise_index((10, 10, 60), quantity=11) == 2
    assert promise_index((10, 10, 60), quantity=10) == 0
    assert promise_index((10, 10, 60), quantity=61) is None


@pytest.mark.parametrize(("quantity", "code"), [(0, "receipt_quantity"), (41, "over_receipt")])
def test_a_receipt_is_of_one_unit_to_what_is_still_open(quantity: int, code: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        check_receipt(quantity, promised=100, received=60)
    assert refused.value.code == code


def test_the_last_open_unit_may_come_in() -> None:
    check_receipt(40, promised=100, received=60)
