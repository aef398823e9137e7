"""Tolerance: who is asked, for what, and no more than needed."""

from __future__ import annotations

from app.stages.demand.rules.tolerance import Step, Tolerant, fill, room_left

RED, BLUE = 1, 2


def pledge(
    number: int, *, most: int = 2, quantity: int = 2, sku: int = RED, buyer: str = "", flexible: bool = False
) -> Tolerant:
    skus = frozenset({RED, BLUE}) if flexible else frozenset()
    return Tolerant(number, buyer or f"b{number}", sku, quantity, most, skus)


def test_the_buyers_who_allow_most_are_asked_and_the_last_for_no_more_than_needed() -> None:
    found = fill([pledge(1, most=3), pledge(2, most=6), pledge(3, most=5)], units=6)
    assert found.steps == (Step(2, RED, RED, 2, 6), Step(3, RED, RED, 2, 4))
    assert (found.gained, found.buyers) == (6, 2)


def test_the_limit_of_a_buyer_holds_over_all_its_pledges() -> None:
    pledges = [pledge(1, most=5, buyer="a"), pledge(2, most=5, buyer="a")]
    found = fill(pledges, units=9, room={"a": 4})
    assert (found.gained, [step.to_quantity for step in found.steps]) == (4, [5, 3])


def test_a_line_of_a_sku_is_filled_by_raising_before_moving() -> None:
    pledges = [pledge(1, most=4), pledge(2, sku=BLUE, flexible=True), pledge(3, sku=BLUE)]
    found = fill(pledges, units=2, sku_id=RED)
    assert found.steps == (Step(1, RED, RED, 2, 4),)
    found = fill(pledges, units=4, sku_id=RED)
    assert found.steps == (Step(1, RED, RED, 2, 4), Step(2, BLUE, RED, 2, 2))


def test_what_is_moved_can_be_raised_as_well_and_is_beyond_the_line_by_less_than_itself() -> None:
    flexible = pledge(1, sku=BLUE, flexible=True, quantity=3, most=5)
    assert fill([flexible], units=4, sku_id=RED).steps == (Step(1, BLUE, RED, 3, 4),)
    assert fill([flexible], units=1, sku_id=RED).steps == (Step(1, BLUE, RED, 3, 3),)


def test_raises_are_taken_back_where_a_move_makes_them_needless() -> None:
    pledges = [
        pledge(1, most=4, buyer="a"),
        pledge(2, quantity=5, most=5, sku=BLUE, flexible=True, buyer="a"),
    ]
    found = fill(pledges, units=4, sku_id=RED)
    assert (found.steps, found.gained) == ((Step(2, BLUE, RED, 5, 5),), 5)


def test_the_cap_of_the_campaign_is_for_new_units_only() -> None:
    pledges = [pledge(1, most=9), pledge(2, sku=BLUE, flexible=True)]
    found = fill(pledges, units=9, sku_id=RED, cap_left=3)
    assert found.steps == (Step(1, RED, RED, 2, 5), Step(2, BLUE, RED, 2, 2))
    assert fill(pledges, units=9, cap_left=0).steps == ()


def test_nobody_is_asked_for_nothing() -> None:
    assert fill([pledge(1, most=9)], units=0).buyers == fill([pledge(1)], units=5).buyers == 0


def test_units_that_came_back_give_no_room_to_pledges_made_before() -> None:
    assert room_left([3, -2, 1], limit=4) == 1
    assert room_left([5], limit=4) == 0
