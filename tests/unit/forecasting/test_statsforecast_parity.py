"""The engines beside statsforecast: values it gave are stored by scripts/statsforecast_reference.py.

Tolerances: the two search on different grids, so squares of errors may be half a per cent worse, forecasts
apart by a fifth of the model's own error, or by any amount where ours fits better. The dynamic Theta models,
which have closed forms, are within 1.5 % of the series' mean.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from forecasting.methods import ets, simple, theta
from forecasting.methods.points import BUCKET_SMOOTHINGS
from forecasting.methods.ragged import Ragged
from scripts.statsforecast_reference import HORIZON, series

PATH = Path(__file__).with_name("statsforecast_reference.csv")
ROWS = list(csv.DictReader(PATH.read_text().splitlines()))
SERIES = series()
FORMS = {"ets-level": ets.LEVEL, "ets-linear": ets.LINEAR, "ets-damped": ets.DAMPED}


def reference(row: dict[str, str]) -> tuple[np.ndarray, float, np.ndarray]:
    y = SERIES[row["series"]]
    assert float(row["total"]) == pytest.approx(y.sum(), rel=1e-6), "make the stored values again"
    return y, float(row["squares"]), np.array([float(row[f"step-{step}"]) for step in range(1, HORIZON + 1)])


def alone(y: np.ndarray) -> Ragged:
    return Ragged((y / y.mean())[:, None], np.array([len(y)]), np.ones(len(y), dtype=np.int64))


def of(*models: str) -> pytest.MarkDecorator:
    rows = [row for row in ROWS if row["model"] in models]
    assert rows
    return pytest.mark.parametrize("row", rows, ids=[f"{row['model']}-{row['series']}" for row in rows])


@of("theta-optimised", "theta-standard")
def test_dynamic_theta_is_statsforecasts(row: dict[str, str]) -> None:
    y, squares, ahead = reference(row)
    weight = theta.STANDARD if row["model"] == "theta-standard" else None
    data = alone(y)
    found = theta.fit(data, theta.lines_through(data), weight=weight)
    assert found.squares[0] * y.mean() ** 2 <= 1.001 * squares
    made = theta.theta(data, HORIZON, weight=weight).mean[:, 0] * y.mean()
    assert made == pytest.approx(ahead, abs=0.015 * y.mean())


@of(*FORMS)
def test_smoothing_fits_as_well_as_statsforecasts_and_goes_on_alike(row: dict[str, str]) -> None:
    y, squares, ahead = reference(row)
    data = alone(y)
    found = ets.fit(data, FORMS[row["model"]])
    ours = float(found.squares[0]) * y.mean() ** 2
    assert ours <= 1.005 * squares
    apart = np.abs(ets._ahead(data, found, HORIZON)[:, 0] * y.mean() - ahead).max()
    assert apart <= 0.2 * np.sqrt(squares / len(y)) or ours < 1.0025 * squares
    # Two optima of nearly the same height may lie apart, but not where there is only one.
    assert apart <= 0.05 * y.mean() or ours < 0.99 * squares


@of("tsb", "adida", "imapa")
def test_intermittent_methods_are_statsforecasts(row: dict[str, str]) -> None:
    y, squares, ahead = reference(row)
    matrix, lengths = y[None, :], np.array([len(y)])
    if row["model"] == "tsb":
        level, _ = simple.running_tsb(matrix, lengths, occurrence=0.15, size=0.15)
        assert level[0] == pytest.approx(ahead[0], rel=0.005)
        return
    adida, imapa = simple.by_buckets(matrix, lengths, smoothings=BUCKET_SMOOTHINGS)
    level = {"adida": adida, "imapa": imapa}[row["model"]]
    assert abs(level[0] - ahead[0]) <= 0.2 * np.sqrt(squares / len(y))
