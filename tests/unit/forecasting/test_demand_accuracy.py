"""Spot demand on real series: accuracy against published figures, and intervals against their names."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.forecasting.theta import ThetaModel

from forecasting import forecast_demand
from support import competition
from support.competition import Contest

pytestmark = pytest.mark.real_data

M3 = [("yearly", "Y", 1), ("quarterly", "Q", 4), ("monthly", "M", 12), ("other", "Y", 1)]


def forecast(contest: Contest, **rest: Any) -> pd.DataFrame:
    return forecast_demand(contest.history(), horizon=contest.horizon, freq=contest.freq, **rest)


@pytest.fixture(scope="module")
def monthly() -> tuple[Contest, pd.DataFrame]:
    contest = competition.m3("monthly", "M", 12)
    return contest, forecast(contest)


def test_m3_monthly_in_bulk_reaches_its_target(monthly: tuple[Contest, pd.DataFrame]) -> None:
    contest, answer = monthly
    mean = contest.cells(answer, "mean")
    owa = contest.owa(mean)
    print(f"\nM3 monthly: sMAPE {contest.smape(mean):.2f}, MASE {contest.mase(mean):.3f}, OWA {owa:.4f}")
    assert owa < 0.81


def test_m3_monthly_accurately_beats_the_bulk(monthly: tuple[Contest, pd.DataFrame]) -> None:
    contest, answer = monthly
    accurate = forecast(contest, tier="accurate")
    owa = contest.owa(contest.cells(accurate, "mean"))
    covered = {level: contest.coverage(accurate, level) for level in (80, 95)}
    print(f"\nM3 monthly, accurate: OWA {owa:.4f}, coverage {covered[80]:.3f} and {covered[95]:.3f}")
    assert owa < min(0.803, contest.owa(contest.cells(answer, "mean")))
    assert abs(covered[80] - 0.80) < 0.03
    assert abs(covered[95] - 0.95) < 0.03


def test_all_of_m3_beats_the_best_published_method(monthly: tuple[Contest, pd.DataFrame]) -> None:
    """Theta, the competition's winner, has a sMAPE of 13.05 over all 3,003 series."""
    apart, cells = 0.0, 0
    for period, freq, season in M3:
        contest = monthly[0] if period == "monthly" else competition.m3(period, freq, season)
        answer = monthly[1] if period == "monthly" else forecast(contest)
        smape = contest.smape(contest.cells(answer, "mean"))
        print(f"\nM3 {period}: sMAPE {smape:.2f}", end="")
        apart, cells = apart + smape * contest.actual.size, cells + contest.actual.size
    print(f"\nM3, all: sMAPE {apart / cells:.3f}")
    assert apart / cells < 12.72


def test_intervals_of_m3_monthly_cover_and_beat_a_models_own(monthly: tuple[Contest, pd.DataFrame]) -> None:
    contest, answer = monthly
    covered = {level: contest.coverage(answer, level) for level in (80, 95)}
    print(f"\nM3 monthly: coverage {covered[80]:.3f} of 0.80, {covered[95]:.3f} of 0.95")
    assert abs(covered[80] - 0.80) < 0.03
    assert abs(covered[95] - 0.95) < 0.03
    rows = np.arange(0, len(contest.known), 24)
    some = Contest([contest.known[row] for row in rows], contest.actual[rows], "M", 12)
    ours = some.interval_score(
        *(
            {level: contest.cells(answer, f"{side}-{level}")[rows] for level in (80, 95)}
            for side in ("lo", "hi")
        ),
        contest.cells(answer, "mean")[rows],
    )
    own = some.interval_score(*_statsmodels_theta(some))
    print(f"interval score {ours:.3f}, of statsmodels' Theta {own:.3f}, {len(rows)} series")
    assert ours < own


def _statsmodels_theta(contest: Contest) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray], np.ndarray]:
    low: dict[int, list[np.ndarray]] = {80: [], 95: []}
    high: dict[int, list[np.ndarray]] = {80: [], 95: []}
    mid = []
    for y in contest.known:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = ThetaModel(y, period=contest.season).fit()
            mid.append(np.asarray(fit.forecast(contest.horizon)))
            for level in low:
                bounds = fit.prediction_intervals(contest.horizon, alpha=1 - level / 100)
                low[level].append(bounds["lower"].to_numpy())
                high[level].append(bounds["upper"].to_numpy())
    return (
        *({level: np.array(found) for level, found in side.items()} for side in (low, high)),
        np.array(mid),
    )


def test_hospital_counts_are_covered() -> None:
    contest = competition.wide("hospital_wide.parquet", 12)
    answer = forecast(contest)
    covered = {level: contest.coverage(answer, level) for level in (80, 95)}
    mase = contest.mase(contest.cells(answer, "mean"))
    print(f"\nhospital: MASE {mase:.3f}, coverage {covered[80]:.3f} of 0.80, {covered[95]:.3f} of 0.95")
    assert mase < 0.76
    assert abs(covered[80] - 0.80) < 0.03
    assert abs(covered[95] - 0.95) < 0.03


def test_hours_follow_the_day_and_the_week() -> None:
    contest = competition.m4_hourly()
    answer = forecast(contest)
    owa = contest.owa(contest.cells(answer, "mean"))
    print(f"\nM4 hourly: OWA {owa:.3f}, coverage {contest.coverage(answer, 80):.3f} of 0.80")
    assert owa < 0.55


def test_totals_of_spare_parts_over_half_a_year() -> None:
    contest = competition.wide("carparts_wide.parquet", 6)
    answer = forecast(contest)
    mean, actual = contest.cells(answer, "mean").sum(axis=1), contest.actual.sum(axis=1)
    wape = np.abs(mean - actual).sum() / actual.sum()
    print(f"\ncarparts: WAPE of totals {wape:.3f}, coverage {contest.coverage(answer, 80):.3f} of 0.80")
    assert wape < 0.84
