from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import RuleBroken
from app.core.limits import LARGEST_QUANTITY
from app.stages.stock.rules import MovementKind, check_movement

UNITS = st.integers(1, 1000)


@given(
    kind=st.sampled_from([MovementKind.OPENING, MovementKind.RECEIPT]), units=UNITS, there=st.integers(0, 9)
)
def test_what_brings_units_in_is_positive(kind: MovementKind, units: int, there: int) -> None:
    check_movement(kind=kind, quantity=units, on_hand=there)
    with pytest.raises(RuleBroken, match="positive"):
        check_movement(kind=kind, quantity=-units, on_hand=units)


@given(units=UNITS, there=st.integers(0, 2000))
def test_a_shipment_takes_at_most_what_is_on_hand(units: int, there: int) -> None:
    if units <= there:
        check_movement(kind=MovementKind.SHIPMENT, quantity=-units, on_hand=there)
        return
    with pytest.raises(RuleBroken) as refusal:
        check_movement(kind=MovementKind.SHIPMENT, quantity=-units, on_hand=there)
    assert refusal.value.code == "insufficient_stock"
    assert refusal.value.data == {"on_hand": there, "quantity": -units}


def test_a_shipment_is_negative_and_an_adjustment_goes_either_way() -> None:
    with pytest.raises(RuleBroken, match="negative"):
        check_movement(kind=MovementKind.SHIPMENT, quantity=1, on_hand=5)
    check_movement(kind=MovementKind.ADJUSTMENT, quantity=5, on_hand=0)
    check_movement(kind=MovementKind.ADJUSTMENT, quantity=-5, on_hand=5)


@pytest.mark.parametrize("quantity", [0, LARGEST_QUANTITY + 1, -LARGEST_QUANTITY - 1])
def test_a_movement_is_of_at_least_one_unit_and_not_beyond_all_bounds(quantity: int) -> None:
    with pytest.raises(RuleBroken) as refusal:
        check_movement(kind=MovementKind.ADJUSTMENT, quantity=quantity, on_hand=LARGEST_QUANTITY * 2)
    assert refusal.value.code == "quantity_invalid"
