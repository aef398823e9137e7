"""Landings of running campaigns, with none to many finished ones behind them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from forecasting import forecast_landing
from forecasting.curves import process
from forecasting.curves.prior import Form, form_of
from forecasting.curves.scaled import read_curves
from tests.unit.forecasting.landing_worlds import BOUNDS, DAYS, curve, cut, drawn


@pytest.mark.parametrize("finished", [0, 1, 5, 30])
@pytest.mark.parametrize("day", [0, 10, 39, 40])
def test_the_answer_is_whole_ordered_and_never_below_what_is_there(finished: int, day: int) -> None:
    known = drawn(max(finished, 1)).iloc[: 0 if finished == 0 else None]
    running = cut(drawn(3, seed=9), day)
    found = forecast_landing(known, running)
    assert list(found.columns) == [
        "campaign_id", "sku", "region", "elapsed_day", "mean", "median",
        "lo-80", "hi-80", "lo-95", "hi-95", "method",
    ]  # fmt: skip
    assert len(found) == 6
    assert (found["elapsed_day"] == day).all()
    bounds = found[BOUNDS].to_numpy(dtype=float)
    assert np.isfinite(bounds).all()
    assert (np.diff(bounds, axis=1) >= 0).all()
    there = running.groupby(["campaign_id", "region"], sort=False)["cum_units"].last().to_numpy()
    assert (bounds >= there[:, None]).all()
    assert (found["median"].between(found["lo-80"], found["hi-80"])).all()
    few = "pickup-credibility" if finished else "pickup-prior"
    assert set(found["method"]) == {"pickup-process" if finished >= 5 and day < DAYS else few}


def test_a_closed_campaign_lands_where_it_is() -> None:
    done = drawn(1, seed=4)
    found = forecast_landing(drawn(10), done)
    final = done.groupby("region", sort=False)["cum_units"].last().to_numpy()
    for name in (*BOUNDS, "median"):
        assert found[name].to_numpy(dtype=float) == pytest.approx(final, abs=1e-6)


def test_history_teaches_the_form_of_the_curve() -> None:
    known, running = drawn(30), drawn(20, seed=77)
    final = running.groupby(["campaign_id", "region"], sort=False)["cum_units"].last().to_numpy()
    learnt = forecast_landing(known, cut(running, 20))["mean"].to_numpy(dtype=float)
    naive = cut(running, 20).groupby(["campaign_id", "region"], sort=False)["cum_units"].last().to_numpy() * 2
    assert np.abs(learnt - final).sum() / final.sum() < 0.2
    assert np.abs(learnt - final).sum() < np.abs(naive - final).sum()


def test_intervals_cover_what_they_say() -> None:
    known, running = drawn(40), drawn(100, seed=78)
    found = forecast_landing(known, cut(running, 20))
    final = running.groupby(["campaign_id", "region"], sort=False)["cum_units"].last().to_numpy()
    assert 0.7 < np.mean((final >= found["lo-80"]) & (final <= found["hi-80"])) < 0.95


def test_intervals_are_wider_with_less_history() -> None:
    running = cut(drawn(1, seed=9), 10)
    wide, narrow = (
        forecast_landing(known, running).eval("`hi-80` - `lo-80`").sum()
        for known in (drawn(1).iloc[:0], drawn(40))
    )
    assert wide > narrow


def test_a_net_curve_may_land_below_where_it_stands() -> None:
    falling = [0, *np.linspace(10, 100, 20), *np.linspace(98, 60, 20)]
    known = pd.concat([curve(f"c{number}", np.array(falling) * (1 + number / 20)) for number in range(12)])
    found = forecast_landing(known, curve("now", falling[:21]))
    assert found["mean"].iloc[0] < 95
    assert found["lo-95"].iloc[0] >= 0


def test_the_other_regions_of_a_campaign_pull_along() -> None:
    known = drawn(20)
    quiet = cut(curve("now", np.zeros(DAYS + 1), region="N"), 10)
    strong = cut(curve("now", np.linspace(0, 2000, DAYS + 1), region="S"), 10)
    alone = forecast_landing(known, quiet)["mean"].iloc[0]
    along = forecast_landing(known, pd.concat([quiet, strong]))["mean"].iloc[0]
    assert along > alone


def test_windows_of_other_length_are_compared_by_the_share_elapsed() -> None:
    known = pd.concat([curve(f"c{n}", np.linspace(0, 100, 21), window=20) for n in range(10)])
    found = forecast_landing(known, cut(curve("now", np.linspace(0, 100, 41)), 20))
    assert found["mean"].iloc[0] == pytest.approx(100, rel=0.02)


def test_campaigns_that_are_nearly_closed_tell_how_campaigns_go_these_days() -> None:
    """Finished ones came to some 320. Three that close tomorrow began like the new one, and came to 3,000."""
    known = drawn(20)
    rise = np.concatenate([5 * np.arange(6) / 5, 5 + 3000 * np.arange(1, DAYS - 4) / (DAYS - 5)])
    begun = cut(curve("begun", rise, region="N"), 5)
    closing = [cut(curve(f"closing{number}", rise, region="N"), 39) for number in range(3)]
    alone = forecast_landing(known, begun)["mean"].iloc[0]
    along = forecast_landing(known, pd.concat([begun, *closing]))["mean"].iloc[0]
    assert along > 1.2 * alone


def test_the_order_of_rows_changes_no_number() -> None:
    known, running = drawn(9), cut(drawn(4, seed=3), 15)
    shuffled = forecast_landing(known.sample(frac=1, random_state=1), running.sample(frac=1, random_state=2))
    keys = ["campaign_id", "region"]
    left, right = (
        frame.sort_values(keys).reset_index(drop=True)
        for frame in (forecast_landing(known, running), shuffled)
    )
    pd.testing.assert_frame_equal(left, right, rtol=1e-9)


def test_polars_frames_are_taken() -> None:
    known, running = drawn(3), cut(drawn(1, seed=3), 15)
    frames = [pl.DataFrame({c: frame[c].to_list() for c in frame.columns}) for frame in (known, running)]
    pd.testing.assert_frame_equal(forecast_landing(*frames), forecast_landing(known, running))


def test_nothing_running_is_nothing_to_tell() -> None:
    found = forecast_landing(drawn(2), drawn(1).iloc[:0])
    assert len(found) == 0
    assert "hi-95" in found.columns


@pytest.mark.parametrize("factor", [0.01, 1000.0])
def test_scaling_units_scales_the_landing(factor: float) -> None:
    known, running = drawn(20, regions=("N",)), cut(drawn(3, seed=3, regions=("N",)), 15)
    plain, scaled = (
        forecast_landing(*(frame.assign(cum_units=frame["cum_units"] * by) for frame in (known, running)))
        for by in (1.0, factor)
    )
    assert scaled[BOUNDS].to_numpy(dtype=float) == pytest.approx(
        factor * plain[BOUNDS].to_numpy(dtype=float), rel=1e-6
    )


def test_more_running_curves_than_may_teach_leave_the_finished_ones_their_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known, running = drawn(20), cut(drawn(30, seed=3), 15)
    monkeypatch.setattr(process, "MOST_CURVES", 24)
    found = forecast_landing(known, running)
    final = drawn(30, seed=3).groupby(["campaign_id", "region"], sort=False)["cum_units"].last().to_numpy()
    assert np.abs(found["mean"].to_numpy(dtype=float) - final).sum() / final.sum() < 0.3
    shuffled = forecast_landing(known.sample(frac=1, random_state=1), running.sample(frac=1, random_state=2))
    keys = ["campaign_id", "region"]
    left, right = (frame.sort_values(keys).reset_index(drop=True) for frame in (found, shuffled))
    pd.testing.assert_frame_equal(left, right, rtol=1e-9)


def test_progress_is_told_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    running = pd.concat([cut(drawn(1), 5), cut(drawn(1, seed=1).replace("c0", "c1"), 9)])
    forecast_landing(drawn(1).replace("c0", "done"), running, progress=lambda *at: told.append(at))
    assert told == [(2, 4), (4, 4)]


PUBLISHED = {1.0: (0.40, 0.50, 0.62, 0.75), 0.0: (0.05, 0.14, 0.30, 0.50)}
AT = np.array([0.1, 0.25, 0.5, 0.75])


def test_the_stated_forms_are_those_published_and_rise_from_nothing_to_all() -> None:
    for lean, published in PUBLISHED.items():
        assert Form(lean).reached(AT) == pytest.approx(published, abs=0.035)
    for lean in (0.0, 0.3, 0.5, 1.0):
        whole = Form(lean).reached(np.linspace(0, 1, 101))
        assert (np.diff(whole) > 0).all()
        assert whole[[0, -1]] == pytest.approx([0, 1], abs=1e-2)


@pytest.mark.parametrize("day", [4, 10, 20, 30])
def test_how_curves_went_so_far_says_which_form_they_take(day: int) -> None:
    shares = np.arange(DAYS + 1) / DAYS
    early, late = (
        form_of(read_curves(cut(curve("now", 900 * form.reached(shares)), day), what="running")).lean
        for form in (Form(1.0), Form(0.0))
    )
    assert late < 0.4 < 0.6 < early
    nothing = read_curves(cut(curve("now", np.zeros(DAYS + 1)), day), what="running")
    assert form_of(nothing).lean == Form().lean


@pytest.mark.parametrize("power", [0.4, 1.0, 1.3])
def test_without_history_early_and_late_forms_lie_within_the_bounds(power: float) -> None:
    whole = 200 * (np.arange(DAYS + 1) / DAYS) ** power
    for day in (4, 10, 20, 30):
        found = forecast_landing(drawn(1).iloc[:0], cut(curve("now", whole), day)).iloc[0]
        assert found["lo-80"] <= 200 <= found["hi-80"]
