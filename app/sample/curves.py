"""When the pledges of a pre-sale come: a burst at the launch, a lull, a rise towards the close."""

from __future__ import annotations

import numpy as np

from app.sample.buyers import HOURS, WEEKDAYS, Floats, Ints

OPENS_HOUR, CLOSES_HOUR = 10, 22
DAY_NOISE = 0.14
LIVE_STREAM_SHARE = 0.05


def cumulative_curve(
    window: int, *, opens_weekday: int, live_stream: float, rng: np.random.Generator
) -> Floats:
    """Share of pledges made by the end of each hour, from 0 to 1; shape (hours + 1,).

    The window runs from 10:00 on the first day to 22:00 on the day `window` days later. The parts of launch,
    lull and close, and how fast the ends decay, differ from campaign to campaign. `live_stream` > 0 puts an
    honest one-hour peak at that fraction of the window.
    """
    hours = window * 24 + CLOSES_HOUR - OPENS_HOUR
    clock = OPENS_HOUR + np.arange(hours)
    rhythm = HOURS[clock % 24] * WEEKDAYS[(opens_weekday + clock // 24) % 7]
    noise = np.exp(rng.normal(0, DAY_NOISE, size=window + 2))[clock // 24]
    rate = _u_shape(hours, rng) * rhythm * noise
    if live_stream:
        rate[_evening(hours, live_stream)] += LIVE_STREAM_SHARE * rate.sum()
    return np.concatenate([[0.0], np.cumsum(rate) / rate.sum()])


def moments(curve: Floats, count: int, rng: np.random.Generator) -> Ints:
    """Seconds after the opening of `count` pledges in order; each takes its own slice of the curve."""
    position = (np.arange(count) + rng.random(count)) / count
    hour = np.interp(position, curve, np.arange(len(curve)))
    return np.floor(hour * 3600).astype(np.int64)


def _u_shape(hours: int, rng: np.random.Generator) -> Floats:
    elapsed = (np.arange(hours) + 0.5) / hours
    launch, lull, close = rng.dirichlet([40, 34, 46])
    burst = np.exp(-elapsed / rng.uniform(0.05, 0.08))
    rise = np.exp((elapsed - 1) / rng.uniform(0.07, 0.11))
    return launch * burst / burst.sum() + lull / hours + close * rise / rise.sum()


def _evening(hours: int, fraction: float) -> int:
    """The hour that begins at 20:00 nearest before this fraction of the window."""
    day = int(hours * fraction) // 24
    return day * 24 + 20 - OPENS_HOUR
