"""Landings on real advance bookings, held to what was promised of them."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import landing_accuracy as accuracy

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("HEADWATER_SHARED", str(ROOT.parent / "shared"))) / "data"
pytestmark = [pytest.mark.real_data, pytest.mark.slow]


@pytest.fixture(scope="module")
def bookings() -> pd.DataFrame:
    path = DATA / "advance_bookings_to_2016_09.parquet"
    if not path.is_file():
        pytest.skip(f"{path} is not there; set HEADWATER_SHARED to the folder with the real data")
    return accuracy.read(path)


def bias(cells: pd.DataFrame) -> float:
    return float(cells["mean"].sum() / cells["actual"].sum() - 1)


@pytest.mark.parametrize(("share", "most"), [(0.10, 0.375), (0.25, 0.32), (0.50, 0.24), (0.75, 0.165)])
def test_running_campaigns_land_near_where_they_ended(
    bookings: pd.DataFrame, share: float, most: float
) -> None:
    """Some hundredths above what was reached, so that the last digit of a sum decides nothing."""
    cells = accuracy.measure(bookings, share)
    print("\n" + accuracy.line(f"{share:.0%}", cells))
    assert accuracy.wape(cells, "mean") <= most
    assert 0.76 <= accuracy.covered(cells, 80) <= 0.92


@pytest.mark.parametrize(
    ("share", "finished"), [*((share, 20) for share in accuracy.SHARES), (0.25, 5), (0.25, 1)]
)
def test_few_finished_campaigns_are_never_worse_than_classical_pick_up(
    bookings: pd.DataFrame, share: float, finished: int
) -> None:
    cells = accuracy.measure(bookings, share, keep=finished, open_too=False)
    print("\n" + accuracy.line(f"{share:.0%} of {finished}", cells))
    assert accuracy.wape(cells, "mean") <= accuracy.wape(cells, "pickup")
    if finished >= 5:
        assert 0.76 <= accuracy.covered(cells, 80) <= 0.92


@pytest.mark.parametrize(("share", "least", "most"), [(0.10, -0.5, -0.2), (0.50, -0.15, 0.15)])
def test_without_history_the_bounds_hold_what_comes(
    bookings: pd.DataFrame, share: float, least: float, most: float
) -> None:
    """The stated form is off while little has come, and its bounds must say so."""
    cells = accuracy.measure(bookings, share, keep=0, open_too=False)
    print("\n" + accuracy.line(f"{share:.0%} of none", cells))
    assert accuracy.covered(cells, 80) >= 0.76
    assert least <= bias(cells) <= most


@pytest.mark.parametrize("finished", [0, 1, 20])
def test_u_shaped_campaigns_are_landed_as_well(finished: int) -> None:
    curves = accuracy.u_shaped(120)
    for share in (0.10, 0.50):
        cells = accuracy.measure(curves, share, campaigns=24, keep=finished, open_too=False)
        print("\n" + accuracy.line(f"{share:.0%} of {finished}", cells))
        assert accuracy.covered(cells, 80) >= 0.76
        if finished:
            assert accuracy.wape(cells, "mean") <= accuracy.wape(cells, "pickup")
        elif share == 0.50:
            assert abs(bias(cells)) < 0.2
