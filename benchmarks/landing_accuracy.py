"""How far landings are off: current ÷ elapsed, classical additive pick-up, and `forecast_landing`.

    python benchmarks/landing_accuracy.py --data FILE [--campaigns 120]

FILE (Parquet) holds `campaign_id, sku, region, end, elapsed_day, cum_units`, one row per day of a window of
as many days for all. Each of the last campaigns is forecast at 10, 25, 50 and 75 % of its window with what
was known by then: campaigns that had ended, and those that were running and end before it or with it, cut
at that day. Then again with nothing running but the campaigns that end with it, and with only the latest 20,
5, 1 or 0 of those that had ended. The same of generated U-shaped campaigns, since no form may be taken for
given.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from forecasting import forecast_landing

SHARES = (0.10, 0.25, 0.50, 0.75)
LEVELS = (80, 95)
ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("HEADWATER_SHARED", str(ROOT.parent / "shared")))
DATA = SHARED / "data" / "advance_bookings_to_2016_09.parquet"


def read(path: Path) -> pd.DataFrame:
    frame = pl.read_parquet(path)
    curves = pd.DataFrame({name: frame[name].to_list() for name in frame.columns})
    return curves.assign(window_days=int(curves["elapsed_day"].max()))


def u_shaped(campaigns: int, *, seed: int = 5) -> pd.DataFrame:
    """Curves of crowdfunding: a rush at the opening, a lull, a rush at the close; two SKUs, four a week."""
    draw = np.random.default_rng(seed)
    elapsed = np.arange(1, 91) / 90
    curves = []
    for number in range(campaigns):
        launch, lull, close = draw.dirichlet([40, 34, 46])
        burst = np.exp(-elapsed / draw.uniform(0.05, 0.08))
        rise = np.exp((elapsed - 1) / draw.uniform(0.07, 0.11))
        rate = launch * burst / burst.sum() + lull / 90 + close * rise / rise.sum()
        volume = draw.lognormal(np.log([60, 300][number % 2]), 0.6)
        units = np.append(0, np.cumsum(draw.poisson(rate * volume)))
        end = pd.Timestamp("2024-01-07") + pd.Timedelta(weeks=number // 4)
        cells = {"campaign_id": f"U{number:04d}", "region": "R", "sku": f"S{number % 2}", "end": end}
        curves.append(pd.DataFrame(cells | {"elapsed_day": np.arange(91), "cum_units": units}))
    return pd.concat(curves, ignore_index=True).assign(window_days=90)


def measure(
    curves: pd.DataFrame,
    share: float,
    *,
    campaigns: int = 120,
    keep: int | None = None,
    open_too: bool = True,
) -> pd.DataFrame:
    """A row per campaign: `actual`, `plain`, `pickup` and the forecast, made at `share` of the window."""
    ends = curves.groupby("campaign_id")["end"].first().sort_values(kind="stable")
    window = int(curves["window_days"].iloc[0])
    day = int(share * window)
    parts = []
    for end, group in ends.iloc[-campaigns:].groupby(ends.iloc[-campaigns:]):
        today = end - pd.Timedelta(days=window - day)
        done = ends.index[ends <= today]
        done = done if keep is None else done[len(done) - keep :]
        finished = curves[curves["campaign_id"].isin(done)]
        latest = end if open_too else today
        running = curves[curves["campaign_id"].isin(group.index) | curves["end"].between(today, latest)]
        running = running[~running["campaign_id"].isin(ends.index[ends <= today])]
        left = (running["end"] - today).dt.days
        running = running[running["elapsed_day"] <= window - left]
        found = forecast_landing(finished, running, levels=LEVELS).set_index("campaign_id")
        parts.append(_against(found.loc[group.index], curves, finished, day, window))
    return pd.concat(parts)


def _against(
    found: pd.DataFrame, curves: pd.DataFrame, finished: pd.DataFrame, day: int, window: int
) -> pd.DataFrame:
    at = {
        at: curves[curves["elapsed_day"] == at].set_index("campaign_id")["cum_units"] for at in (day, window)
    }
    actual, there = at[window][found.index], at[day][found.index]
    picked = _picked_up(finished, day, window)
    own = pd.MultiIndex.from_frame(found[["sku", "region"]])
    usual = picked.groupby(["sku", "region"])["came"].mean().reindex(own).to_numpy()
    otherwise = float(picked["came"].mean()) if len(picked) else 0.0
    pickup = there + np.where(np.isnan(usual), otherwise, usual)
    return found.assign(actual=actual, plain=there * window / day, pickup=pickup)


def _picked_up(finished: pd.DataFrame, day: int, window: int) -> pd.DataFrame:
    """`came`: units of each finished campaign after `day`."""
    ending = finished[finished["elapsed_day"] == window].set_index("campaign_id")
    standing = finished[finished["elapsed_day"] == day].set_index("campaign_id")
    return ending.assign(came=ending["cum_units"] - standing["cum_units"])


def wape(cells: pd.DataFrame, column: str) -> float:
    return float((cells[column].astype(float) - cells["actual"]).abs().sum() / cells["actual"].sum())


def covered(cells: pd.DataFrame, level: int) -> float:
    return float(cells["actual"].between(cells[f"lo-{level}"], cells[f"hi-{level}"]).mean())


def line(label: str, cells: pd.DataFrame) -> str:
    errors = [f"{100 * wape(cells, name):7.1f}" for name in ("plain", "pickup", "mean", "median")]
    bias = 100 * (cells["mean"].sum() / cells["actual"].sum() - 1)
    shares = [f"{100 * covered(cells, level):7.0f}" for level in LEVELS]
    return f"{label:>24}" + "".join(errors) + f"{bias:+7.1f}" + "".join(shares)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--campaigns", type=int, default=120)
    chosen = parser.parse_args()
    if not chosen.data.is_file():
        print(f"{chosen.data} is not there: nothing is measured.")
        return
    curves = read(chosen.data)
    print(f"{'WAPE %, last ' + str(chosen.campaigns):>24}  plain pickup   mean median   bias in80 % in95 %")
    tables(curves, chosen.campaigns, "")
    tables(u_shaped(240), min(chosen.campaigns, 60), "U-shaped, ")


def tables(curves: pd.DataFrame, campaigns: int, of: str) -> None:
    """A line per share of the window, and per how many finished curves were known."""
    for open_too in (True, False):
        for share in SHARES:
            cells = measure(curves, share, campaigns=campaigns, open_too=open_too)
            print(line(f"{of}{share:.0%} {'all running' if open_too else 'its week'}", cells), flush=True)
    for keep in (20, 5, 1, 0):
        for share in SHARES:
            cells = measure(curves, share, campaigns=campaigns, keep=keep, open_too=False)
            print(line(f"{of}{share:.0%} of {keep}", cells), flush=True)


if __name__ == "__main__":
    main()
