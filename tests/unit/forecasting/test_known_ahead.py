"""Price, promotions and holidays that are known ahead, on generated demand whose effects are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecasting import ForecastInputError, backtest, forecast_demand
from forecasting.input.panel import read_panel
from forecasting.known import factors
from forecasting.known.columns import read_known

WEEKS, AHEAD = 104, 8
ELASTICITY, PROMO, HOLIDAY = -2.0, 0.7, 0.3


def world(count: int = 40, *, seed: int = 0, differ: float = 0.2) -> tuple[pd.DataFrame, pd.DataFrame]:
    """History and future (with what was really sold) of series with slow levels and strong effects."""
    draw = np.random.default_rng(seed)
    total = WEEKS + AHEAD
    week = np.arange(total)
    parts = []
    for number in range(count):
        level = draw.lognormal(3, 0.7) * np.exp(0.3 * np.sin(2 * np.pi * (week / 52 + draw.random())))
        promo = (draw.random(total) < 0.15).astype(float)
        price = 10 * np.exp(draw.normal(0, 0.03, total)) * np.where(promo, draw.uniform(0.7, 0.9, total), 1)
        holiday = np.isin(week % 52, (10, 50)).astype(float)
        own = draw.normal(0, differ, 2)
        logs = (ELASTICITY + own[0]) * np.log(price / 10) + (PROMO + own[1]) * promo + HOLIDAY * holiday
        units = draw.negative_binomial(4, 1 / (1 + level * np.exp(logs) / 4)).astype(float)
        parts.append(pd.DataFrame({
            "unique_id": f"s{number}", "ds": pd.Timestamp("2022-01-03") + pd.to_timedelta(7 * week, unit="D"),
            "y": units, "price": price, "promo": promo, "holiday": holiday, "level": level,
        }))  # fmt: skip
    frame = pd.concat(parts, ignore_index=True)
    late = frame["ds"] >= pd.Timestamp("2022-01-03") + pd.Timedelta(weeks=WEEKS)
    return frame[~late], frame[late]


def learn(history: pd.DataFrame, future: pd.DataFrame | None, horizon: int = AHEAD) -> Any:
    named = read_panel(history, freq="W")
    known = read_known(history, future, named, horizon=horizon)
    return named, known, factors.learn(named.panel, known)


def columns(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    return frame[["unique_id", "ds", *names]]


EFFECTS = ("price", "promo", "holiday")


@pytest.fixture(scope="module")
def learnt() -> tuple[pd.DataFrame, Any, Any]:
    """Of a large panel: the future, the columns known, and the effects."""
    history, future = world(200, seed=3)
    _, known, effects = learn(columns(history, "y", *EFFECTS), columns(future, *EFFECTS))
    return future, known, effects


def test_the_panels_effects_are_found(learnt: tuple[pd.DataFrame, Any, Any]) -> None:
    _, _, effects = learnt
    assert effects.slopes.mean(axis=0) == pytest.approx([ELASTICITY, PROMO, HOLIDAY], abs=0.2)


def test_promotion_weeks_are_not_biased(learnt: tuple[pd.DataFrame, Any, Any]) -> None:
    """Ahead: the true level times the factors that were learnt, against what was sold."""
    future, _, effects = learnt
    promo = future["promo"].to_numpy().reshape(-1, AHEAD) > 0
    sold = future["y"].to_numpy().reshape(-1, AHEAD)
    told = future["level"].to_numpy().reshape(-1, AHEAD) * effects.factors
    assert told[promo].sum() / sold[promo].sum() == pytest.approx(1, abs=0.05)


def test_what_is_left_has_no_promotions_in_it(learnt: tuple[pd.DataFrame, Any, Any]) -> None:
    _, known, effects = learnt
    promo = known.past[:, 1] > 0
    level = effects.panel.values
    assert level[promo].mean() == pytest.approx(level[~promo].mean(), rel=0.05)


def test_a_series_that_reacts_otherwise_keeps_its_own_effect() -> None:
    history, future = world(20, seed=5, differ=0.0)
    odd = history["unique_id"] == "s0"
    history.loc[odd & (history["promo"] > 0), "y"] = 0.0
    history.loc[odd, "y"] += 50.0
    _, _, effects = learn(columns(history, "y", *EFFECTS), columns(future, *EFFECTS))
    assert effects.slopes[0, 1] < effects.slopes[1:, 1].min() - 0.3


def test_what_sells_thirty_times_as_much_is_believed_once_seen() -> None:
    """Deep, advertised cuts do so for whole chains; held to twenty times, half of it would be missed."""
    history, future = (
        frame.assign(y=frame["y"] * np.where(frame["promo"] > 0, 12.0, 1.0)) for frame in world(20, seed=8)
    )
    _, _, effects = learn(columns(history, "y", *EFFECTS), columns(future, *EFFECTS))
    promo = future["promo"].to_numpy().reshape(-1, AHEAD) > 0
    told = future["level"].to_numpy().reshape(-1, AHEAD) * effects.factors
    sold = future["y"].to_numpy().reshape(-1, AHEAD)
    assert effects.factors[promo].mean() > 30
    assert told[promo].sum() / sold[promo].sum() == pytest.approx(1, abs=0.15)


def test_weeks_out_of_stock_are_filled_with_what_would_have_sold() -> None:
    history, _ = world(20, seed=6)
    draw = np.random.default_rng(1)
    out = (draw.random(len(history)) < 0.2) & (history.groupby("unique_id").cumcount() > 3)
    stocked = history.assign(y=history["y"].where(~out, 0.0), in_stock=(~out).astype(int))
    _, known, effects = learn(columns(stocked, "y", "in_stock"), None)
    assert not known.counted.all()
    assert effects.panel.values.mean() == pytest.approx(history["y"].mean(), rel=0.05)
    assert (effects.factors == 1).all()


def test_columns_that_never_vary_change_nothing() -> None:
    history, future = (frame.assign(promo=0, price=9.5, shops=40) for frame in world(5))
    names = ("price", "promo", "shops")
    named, _, effects = learn(columns(history, "y", *names), columns(future, *names))
    assert effects.factors == pytest.approx(np.ones((5, AHEAD)))
    assert effects.panel.values == pytest.approx(named.panel.values)


def test_a_column_of_any_scale_is_taken() -> None:
    history, future = world(40, seed=7)
    wide = [frame.assign(spent=1000 + 500 * frame["promo"]) for frame in (history, future)]
    _, _, effects = learn(columns(wide[0], "y", "spent"), columns(wide[1], "spent"))
    promo = future["promo"].to_numpy().reshape(-1, AHEAD) > 0
    assert effects.factors[promo].min() > effects.factors[~promo].max()


def test_a_never_sold_series_and_gaps_do_no_harm() -> None:
    history, future = world(3, seed=8)
    history.loc[history["unique_id"] == "s1", "y"] = 0.0
    sparse = history.drop(index=history.index[::7])
    sparse = pd.concat([sparse, history.groupby("unique_id").tail(1)]).drop_duplicates(["unique_id", "ds"])
    _, _, effects = learn(columns(sparse, "y", *EFFECTS), columns(future, *EFFECTS))
    assert np.isfinite(effects.panel.values).all()
    assert np.isfinite(effects.factors).all()


def test_a_future_that_ends_early_is_named() -> None:
    history, future = world(3)
    short = future[(future["unique_id"] != "s1") | (future["ds"] < future["ds"].max())]
    with pytest.raises(ForecastInputError, match="no row of series s1") as caught:
        learn(columns(history, "y", *EFFECTS), columns(short, *EFFECTS))
    assert (caught.value.series, caught.value.ds) == ("s1", future["ds"].max())


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [("price", 0.0, "price of series s0 is 0"), ("promo", np.nan, "promo of series s0 has no value")],
)
def test_bad_cells_are_named(column: str, value: float, sentence: str) -> None:
    history, future = world(2)
    future.iloc[2, future.columns.get_loc(column)] = value
    with pytest.raises(ForecastInputError, match=sentence) as caught:
        learn(columns(history, "y", *EFFECTS), columns(future, *EFFECTS))
    assert caught.value.row == 3


def test_a_missing_future_is_named() -> None:
    history, future = world(2)
    with pytest.raises(ForecastInputError, match="give a future frame"):
        learn(columns(history, "y", "promo"), None)
    with pytest.raises(ForecastInputError, match="future lacks the column promo"):
        learn(columns(history, "y", "promo"), columns(future))
    with pytest.raises(ForecastInputError, match="future has the column price"):
        learn(columns(history, "y", "promo"), columns(future, "price", "promo"))


def test_forecasts_use_what_is_known_ahead() -> None:
    history, future = world(60, seed=9)
    plain = forecast_demand(columns(history, "y"), horizon=AHEAD, freq="W")
    told = columns(future, *EFFECTS)
    found = forecast_demand(columns(history, "y", *EFFECTS), future=told, horizon=AHEAD, freq="W")
    sold, promo = future["y"].to_numpy(), future["promo"].to_numpy() > 0
    assert list(found["unique_id"]) == list(future["unique_id"])
    assert np.abs(found["mean"] - sold).sum() < 0.9 * np.abs(plain["mean"] - sold).sum()
    assert found.loc[promo, "mean"].sum() / sold[promo].sum() == pytest.approx(1, abs=0.05)
    assert 0.72 < np.mean((sold >= found["lo-80"]) & (sold <= found["hi-80"])) < 0.88
    assert found["method"].str.endswith("+known").all()


def test_a_backtest_uses_what_was_known_ahead() -> None:
    history, _ = world(140, seed=11)
    plain = backtest(columns(history, "y"), horizon=AHEAD, freq="W", tier="bulk")
    found = backtest(columns(history, "y", *EFFECTS), horizon=AHEAD, freq="W", tier="bulk")
    assert found["wape"].iloc[-1] < 0.9 * plain["wape"].iloc[-1]


def test_stock_outs_are_not_taken_for_falling_demand() -> None:
    history, _ = world(20, seed=10)
    late = history.groupby("unique_id").cumcount() >= WEEKS - 3
    stocked = history.assign(y=history["y"].where(~late, 0.0), in_stock=(~late).astype(int))
    naive = forecast_demand(columns(stocked, "y"), horizon=4, freq="W")
    found = forecast_demand(columns(stocked, "y", "in_stock"), horizon=4, freq="W")
    assert found["mean"].sum() > 1.2 * naive["mean"].sum()


def festive(weeks: int = 110, *, seed: int = 12) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Demand of 60 series that rises into a festival of three weeks at the end of each year and 2.2 times it:
    history up to the second one, the calendar with the third, and the level of all without festivals."""
    draw = np.random.default_rng(seed)
    week = np.arange(weeks)
    days = pd.Timestamp("2022-01-03") + pd.to_timedelta(7 * week, unit="D")
    season = np.exp(0.35 * np.sin(2 * np.pi * (week - 35) / 52))
    shows = np.isin(week % 52, (44, 45, 46))
    units = draw.poisson(12 * season * np.where(shows, 2.2, 1.0), (60, weeks))
    ids = np.repeat([f"s{number}" for number in range(60)], weeks)
    history = pd.DataFrame({"unique_id": ids, "ds": np.tile(days, 60), "y": units.ravel().astype(float)})
    return history, pd.DataFrame({"ds": days[shows], "festival": 1.0}), 720 * season


def test_a_festival_is_told_from_the_season_that_rises_into_it() -> None:
    history, calendar, level = festive(99)
    named = read_panel(history, freq="W")
    known = read_known(history, None, named, horizon=0, calendar=calendar)
    assert known is not None
    effects = factors.learn(named.panel, known)
    assert np.exp(effects.slopes[:, 0].mean()) == pytest.approx(2.2, rel=0.06)
    freed = effects.panel.values.reshape(60, -1).sum(axis=0)
    assert freed[-3:].sum() == pytest.approx(level[96:99].sum(), rel=0.06)


def test_a_festival_ahead_is_forecast_and_one_just_over_is_not_taken_for_more_demand() -> None:
    history, calendar, level = festive(110)
    days = np.sort(history["ds"].unique())
    known = history[history["ds"] < days[99]]
    plain, told = (
        forecast_demand(known, horizon=6, freq="W", calendar=one, tier="bulk").groupby("ds")["mean"].sum()
        for one in (None, calendar)
    )
    assert np.abs(told - level[99:105]).sum() < 0.5 * np.abs(plain - level[99:105]).sum()
    before = history[history["ds"] < days[95]]
    told = forecast_demand(before, horizon=6, freq="W", calendar=calendar, tier="bulk")
    ahead = told.groupby("ds")["mean"].sum()
    assert ahead.iloc[1:4].mean() / ahead.iloc[[0, 4, 5]].mean() == pytest.approx(2.2, rel=0.1)


def test_a_backtest_knows_the_calendar() -> None:
    history, calendar, _ = festive(100)
    plain, told = (
        backtest(history, horizon=6, freq="W", calendar=one, tier="bulk")["wape"].iloc[-1]
        for one in (None, calendar)
    )
    assert told < 0.8 * plain


@pytest.mark.parametrize(
    ("spoil", "field", "sentence"),
    [
        (lambda c: pd.concat([c, c.head(1)]), "ds", "two rows for one period"),
        (lambda c: c.assign(ds=c["ds"] + pd.Timedelta(days=1)), "ds", "must be a Monday"),
        (lambda c: c.assign(festival=np.nan), "festival", "of the calendar has no value"),
        (lambda c: c.assign(unique_id="s1"), "unique_id", "holds for all series"),
        (lambda c: c.drop(columns="ds"), "ds", "calendar lacks the column ds"),
        (lambda c: c.assign(**{f"c{n}": 0 for n in range(60)}), "calendar", "61 columns"),
    ],
)
def test_a_bad_calendar_is_named(spoil: Any, field: str, sentence: str) -> None:
    history, calendar, _ = festive(60)
    told: list[ForecastInputError] = []
    with pytest.raises(ForecastInputError, match=sentence) as caught:
        forecast_demand(history, horizon=4, freq="W", calendar=spoil(calendar), on_bad=told.append)
    assert caught.value.field == field
    assert not told  # it is no fault of a series that could be left out


def test_nothing_is_forecast_where_nothing_can_be_sold() -> None:
    history, future = world(40, seed=13)
    out = future["ds"] == future["ds"].min()
    told = columns(future, "promo").assign(in_stock=(~out).astype(int))
    found = forecast_demand(columns(history, "y", "promo"), future=told, horizon=AHEAD, freq="W")
    numbers = found[["mean", "lo-95", "hi-95"]]
    assert (numbers[out.to_numpy()] == 0).all(axis=None)
    free = forecast_demand(
        columns(history, "y", "promo"), future=columns(future, "promo"), horizon=AHEAD, freq="W"
    )
    pd.testing.assert_frame_equal(found[~out.to_numpy()], free[~out.to_numpy()])


def test_bounds_allow_for_an_effect_that_was_never_seen_and_hardly_for_a_well_known_one() -> None:
    history, calendar, _ = festive(100)
    days = np.sort(history["ds"].unique())
    known = history[history["ds"] < days[96]]
    told = calendar.assign(jubilee=0.0)
    told.loc[len(told)] = {"ds": days[99], "festival": 0.0, "jubilee": 1.0}
    found = forecast_demand(known, horizon=5, freq="W", calendar=told.sort_values("ds"), tier="bulk")
    width = ((found["hi-80"] - found["lo-80"]) / found["mean"]).groupby(found["ds"]).mean().to_numpy()
    usual, festival, jubilee = width[4], width[:3].max(), width[3]
    assert festival < 1.3 * usual
    assert jubilee > 1.3 * usual
