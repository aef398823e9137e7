"""Landings of running campaigns, with none to many finished ones behind them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from forecasting import ForecastInputError, forecast_landing

DAYS = 40
BOUNDS = ["lo-95", "lo-80", "mean", "hi-80", "hi-95"]


def curve(name: str, units: Any, *, sku: str = "S", region: str = "R", window: int = DAYS) -> pd.DataFrame:
    return pd.DataFrame({
        "campaign_id": name, "sku": sku, "region": region, "end": pd.Timestamp("2024-03-01"),
        "window_days": window,
        "elapsed_day": np.arange(len(units)), "cum_units": np.asarray(units, dtype=float),
    })  # fmt: skip


def drawn(count: int, *, seed: int = 0, regions: tuple[str, ...] = ("N", "S")) -> pd.DataFrame:
    """Back-loaded curves of some hundred units."""
    draw = np.random.default_rng(seed)
    share = (np.arange(DAYS + 1) / DAYS) ** 2
    rise = np.diff(share, prepend=0)
    return pd.concat(
        curve(f"c{number}", np.cumsum(draw.poisson(rise * draw.gamma(8, 40))), region=region)
        for number in range(count)
        for region in regions
    )


def cut(frame: pd.DataFrame, day: int) -> pd.DataFrame:
    return frame[frame["elapsed_day"] <= day]


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


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cum_units", np.nan), ("cum_units", -1.0), ("cum_units", np.inf), ("elapsed_day", 41),
        ("elapsed_day", 2), ("elapsed_day", 1.5), ("window_days", 0), ("window_days", 41),
        ("end", "2010-02-30"),
        ("sku", None),
    ],
)  # fmt: skip
def test_bad_cells_are_named_by_row_and_field(field: str, value: Any) -> None:
    running = drawn(1, regions=("N",)).head(4).astype({field: object})
    running.iloc[3, running.columns.get_loc(field)] = value
    with pytest.raises(ForecastInputError) as caught:
        forecast_landing(drawn(2), running)
    assert caught.value.field == field
    assert caught.value.row == (1 if (field, value) == ("window_days", 41) else 4) or field == "window_days"


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ForecastInputError, match="finished lacks the column sku"):
        forecast_landing(drawn(1).drop(columns="sku"), drawn(1))
