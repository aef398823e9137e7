"""`python -m forecasting demand|landing|reconcile`: the doors on files, CSV or Parquet by suffix."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

from forecasting.demand import forecast_demand
from forecasting.input.errors import ForecastInputError
from forecasting.landing import forecast_landing
from forecasting.reconcile import reconcile

SUFFIXES = (".csv", ".parquet")
_IDS = ("unique_id", "campaign_id", "sku", "region")
_DATES = ("ds", "end")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when the answer is written, 1 when bad series were left out of it, 2 with one
    sentence on stderr when the input is bad and nothing is written."""
    chosen = _parser().parse_args(arguments)
    chosen.bad = []
    try:
        _check_place(chosen.out)
        answer = _COMMANDS[chosen.command](chosen)
        _write(answer, chosen.out)
    except ForecastInputError as error:
        print(f"forecasting: {error}", file=sys.stderr)
        return 2
    except (OSError, pl.exceptions.PolarsError) as error:
        print(f"forecasting: {chosen.out} can't be written: {_first_line(error)}", file=sys.stderr)
        return 2
    for fault in chosen.bad:
        others = len(set(fault.affected)) - 1
        print(f"left out: {fault}" + f" So are {others} others." * bool(others), file=sys.stderr)
    print(f"{len(answer)} rows written to {chosen.out}", file=sys.stderr)
    return 1 if chosen.bad else 0


def _first_line(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error).strip() or type(error).__name__).splitlines()[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m forecasting", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    demand = commands.add_parser("demand", help="spot demand per series and period")
    demand.add_argument("history", type=Path, help="unique_id, ds, y")
    demand.add_argument("--horizon", type=int, required=True, help="periods ahead")
    demand.add_argument("--freq", required=True, help="D, W, M, Q, Y or H")
    demand.add_argument("--season-length", type=int, nargs="+", help="periods; usual ones unless given")
    demand.add_argument("--end", help="the last period known, unless each series' last row")
    demand.add_argument("--future", type=Path, help="known-ahead columns")
    demand.add_argument("--calendar", type=Path, help="ds, and columns that hold for all series")
    demand.add_argument("--tier", default="auto", help="auto, bulk, accurate or explain")
    demand.add_argument("--processes", type=int, default=1)
    landing = commands.add_parser("landing", help="final volume of running campaigns")
    landing.add_argument("finished", type=Path)
    landing.add_argument("running", type=Path)
    adding = commands.add_parser("reconcile", help="forecasts of parts and totals that add up")
    adding.add_argument("forecasts", type=Path, help="the answer of demand, on parts and totals")
    adding.add_argument("groups", type=Path, help="unique_id of each part, and a column per kind of total")
    for command in (demand, landing):
        command.add_argument("--levels", default="80,95", help="percent, with commas")
        command.add_argument("--skip-bad", action="store_true", help="leave bad series out, and end with 1")
    for command in (demand, landing, adding):
        command.add_argument("--out", type=Path, required=True, help=" or ".join(SUFFIXES))
    return parser


def _demand(chosen: argparse.Namespace) -> pd.DataFrame:
    shown = _Bar()
    try:
        return forecast_demand(
            _read(chosen.history),
            horizon=chosen.horizon,
            freq=chosen.freq,
            season_length=chosen.season_length,
            levels=_levels(chosen.levels),
            future=None if chosen.future is None else _read(chosen.future),
            calendar=None if chosen.calendar is None else _read(chosen.calendar),
            end=chosen.end,
            tier=chosen.tier,
            progress=shown,
            processes=chosen.processes,
            on_bad=chosen.bad.append if chosen.skip_bad else None,
        )
    finally:
        shown.close()


def _landing(chosen: argparse.Namespace) -> pd.DataFrame:
    shown = _Bar()
    try:
        return forecast_landing(
            _read(chosen.finished),
            _read(chosen.running),
            levels=_levels(chosen.levels),
            progress=shown,
            on_bad=chosen.bad.append if chosen.skip_bad else None,
        )
    finally:
        shown.close()


def _reconcile(chosen: argparse.Namespace) -> pd.DataFrame:
    return reconcile(_read(chosen.forecasts), _read(chosen.groups, all_text=True))


_COMMANDS = {"demand": _demand, "landing": _landing, "reconcile": _reconcile}


class _Bar:
    """Progress on one line of stderr, told again only when the percentage moves."""

    def __init__(self) -> None:
        self._percent = -1

    def __call__(self, done: int, total: int) -> None:
        percent = 100 * done // max(total, 1)
        if percent != self._percent:
            self._percent = percent
            print(f"\rforecast {percent:3d} %", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._percent >= 0:
            print(file=sys.stderr)


def _levels(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise ForecastInputError(
            f"Levels {text!r} are not percentages such as 80,95.", field="levels"
        ) from error


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ForecastInputError(f"{path} must end in {' or '.join(SUFFIXES)}.", field="file")
    return suffix


def _check_place(path: Path) -> None:
    """Said before hours of work, not after."""
    _suffix(path)
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise ForecastInputError(
            f"{path} can't be written: there is no such folder to write to.", field="out"
        )


def _read(path: Path, *, all_text: bool = False) -> pl.DataFrame:
    """The file as polars frame; ids stay text as written, dates are parsed by the doors."""
    suffix = _suffix(path)
    if not path.is_file():
        raise ForecastInputError(f"There is no file {path}.", field="file")
    try:
        if suffix == ".parquet":
            return pl.read_parquet(path)
        as_text: dict[str, Any] = dict.fromkeys((*_IDS, *_DATES), pl.String)
        if all_text:
            return pl.read_csv(path, infer_schema=False)
        return _named_once(pl.read_csv(path, schema_overrides=as_text, infer_schema_length=None), path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ForecastInputError(f"{path} can't be read: {_first_line(error)}", field="file") from error


def _named_once(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    """polars gives the second of two columns of one name another name."""
    for name in frame.columns:
        first, mark, _ = name.rpartition("_duplicated_")
        if mark and first in frame.columns:
            raise ForecastInputError(f"{path} has two columns {first}; leave one out.", field=first)
    return frame


def _write(answer: pd.DataFrame, path: Path) -> None:
    frame = pl.DataFrame({name: _column(answer[name]) for name in answer.columns})
    if _suffix(path) == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_csv(path)


def _column(cells: pd.Series[Any]) -> pl.Series:
    """Without pyarrow only plain arrays go over to polars: aware times go as UTC, then get their zone."""
    if isinstance(cells.dtype, pd.DatetimeTZDtype):
        wall = pl.Series(cells.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())
        zone = str(cells.dtype.tz)
        utc = wall.dt.replace_time_zone("UTC")
        return utc.dt.convert_time_zone(zone) if "/" in zone else utc
    if cells.dtype == object:
        return pl.Series(cells.to_list())
    values = pl.Series(cells.to_numpy())
    return values.cast(pl.Date) if values.dtype.is_temporal() and _midnights(cells) else values


def _midnights(cells: pd.Series[Any]) -> bool:
    return bool((cells.dt.normalize() == cells).all())


if __name__ == "__main__":
    sys.exit(main())
