"""Units beyond demand go where the docks have room, and none is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.stages.allocation.translate.surplus import Docks
from optimizer import Demand, Flow, Lane, Problem, Region, Sku, Supplier, Warehouse

STORES = ["W1", "W2", "W3"]
LEAD = {"W1": 0, "W2": 1, "W3": 3}
VOLUME = 2


def network(rooms: list[float | None], *, weeks: int = 3) -> Problem:
    return Problem(
        weeks=weeks,
        suppliers=(Supplier(id="S"),),
        warehouses=tuple(
            Warehouse(id=store, inbound=None if room is None else (room,) * weeks)
            for store, room in zip(STORES, rooms, strict=True)
        ),
        regions=(Region(id="R"),),
        skus=(Sku(id="K", volume=VOLUME),),
        offers=(),
        lanes=tuple(Lane(source="S", target=store, lead_weeks=LEAD[store]) for store in STORES),
        demand=(Demand(sku="K", region="R", week=0, quantity=1),),
    )


def place(docks: Docks, units: int, *, going: dict[str, int] | None = None) -> dict[str, int]:
    return docks.place("K", units, supplier="S", ready=0, going=going or {}, stores=STORES)


def test_a_surplus_stays_with_the_orders_other_units_while_their_dock_has_room() -> None:
    docks = Docks(network([100.0, 100.0, 100.0]), ())
    assert place(docks, 10, going={"W2": 5}) == {"W2": 10}


def test_what_is_shipped_already_takes_room() -> None:
    flow = Flow(sku="K", source="S", target="W1", week=0, quantity=45)
    docks = Docks(network([100.0, 100.0, 100.0]), (flow,))
    assert place(docks, 10, going={"W1": 45}) == {"W1": 5, "W2": 5}


def test_beyond_the_horizon_there_is_no_limit() -> None:
    docks = Docks(network([0.0, 0.0, 0.0]), ())
    assert place(docks, 10) == {"W3": 10}  # three weeks of lead time, three weeks of plan


def test_what_fits_nowhere_comes_with_the_rest() -> None:
    problem = network([10.0, 4.0, 0.0], weeks=4)
    assert place(Docks(problem, ()), 10, going={"W2": 1}) == {"W1": 5, "W2": 5}


@given(
    st.lists(st.one_of(st.none(), st.integers(0, 60).map(float)), min_size=3, max_size=3),
    st.lists(st.integers(1, 20), max_size=6),
)
def test_no_unit_is_lost_and_a_dock_is_overfilled_only_when_all_are_full(
    rooms: list[float | None], surpluses: list[int]
) -> None:
    docks = Docks(network(rooms, weeks=4), ())
    there = dict.fromkeys(STORES, 0)
    for units in surpluses:
        placed = place(docks, units)
        assert sum(placed.values()) == units
        for store, count in placed.items():
            there[store] += count
    left = {
        store: float("inf") if room is None else room - VOLUME * there[store]
        for store, room in zip(STORES, rooms, strict=True)
    }
    if min(left.values()) < 0:
        assert all(room < VOLUME for room in left.values())
