"""What a line is worth, and what moving units to a supplier costs."""

from __future__ import annotations

import pytest

from app.stages.forecasts.rules import Outlook
from app.stages.forecasts.rules.levers import Band, Planned, Prices, at_least, cheapest, go_worth, move

CHEAP = Prices(1, 100, ((0, 900), (500, 800)))
DEAR = Prices(2, 10, ((0, 1000),))


def outlook(mean: float, *, units: int = 100, spread: float = 50) -> Outlook:
    return Outlook(units, mean, mean, mean - spread, mean + spread, mean - 2 * spread, mean + 2 * spread)


def test_a_price_is_that_of_the_break_or_of_the_moq_where_that_is_more() -> None:
    assert [CHEAP.at(units) for units in (1, 499, 500)] == [900, 900, 800]
    assert [cheapest([CHEAP, DEAR], units) for units in (50, 100, 600)] == [1000, 900, 800]
    assert cheapest([CHEAP], 5) == 900
    assert cheapest([], 5) is None


def test_the_go_line_is_worth_what_the_campaign_earns_at_it() -> None:
    """600 units: half at 800 a unit would need 500, so 300 of each cost 900, and sell for 1,500."""
    assert go_worth([(10, [CHEAP, DEAR]), (10, [CHEAP])], go_units=600, price=1500) == 600 * 600
    assert go_worth([(10, [])], go_units=600, price=1500) is None
    assert go_worth([(10, [CHEAP])], go_units=600, price=None) is None
    assert go_worth([], go_units=600, price=1500) is None


def test_units_move_from_the_dearest_and_every_price_is_that_of_what_is_left() -> None:
    planned = [Planned(1, 400, 400, 400 * 900), Planned(2, 150, 120, 150 * 1000)]
    found = move(500, CHEAP, planned=planned, offers=[CHEAP, DEAR])
    assert found is not None
    assert (found.units, found.suppliers, found.reaches, found.below_moq) == (100, (2,), True, False)
    assert found.cost_minor == 500 * 800 + 50 * 1000 - (400 * 900 + 150 * 1000)


def test_confirmed_units_stay_and_a_line_may_stay_out_of_reach() -> None:
    planned = [Planned(1, 400, 400, 400 * 900), Planned(2, 95, 90, 95 * 1000)]
    found = move(500, CHEAP, planned=planned, offers=[CHEAP, DEAR])
    assert found is not None
    assert (found.units, found.reaches, found.below_moq) == (90, False, True)
    assert move(400, CHEAP, planned=planned, offers=[CHEAP, DEAR]) is None
    assert move(900, CHEAP, planned=planned[:1], offers=[CHEAP]) is None


def test_more_days_never_take_units_away() -> None:
    assert at_least(outlook(90), outlook(120)) == outlook(120)
    assert at_least(outlook(130), outlook(120)) == outlook(130)


def test_a_sku_has_its_part_of_what_more_days_bring() -> None:
    band = Band(50, 100, 80, 130)
    longer = band.extended(outlook(300), outlook(340, spread=100))
    assert (longer.mean, longer.lo_80, longer.hi_80) == (110, 70, 170)
    assert Band(0, 0, 0, 0).extended(outlook(0, units=0), outlook(10, units=0)).mean == 0


@pytest.mark.parametrize(("line", "chance"), [(100, 0.5), (130, 0.1), (80, 0.9), (500, 0.025), (40, 1.0)])
def test_the_chance_of_a_line_is_read_off_the_band(line: int, chance: float) -> None:
    assert Band(50, 100, 80, 130).chance(line) == pytest.approx(chance)


def test_a_band_of_no_width_is_not_taken_for_certain() -> None:
    assert [Band(10, 20, 20, 20).chance(line) for line in (15, 21)] == [0.975, 0.025]
