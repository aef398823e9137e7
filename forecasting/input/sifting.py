"""Series that can't be forecast from are left out and told, so that they don't stop the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import polars as pl

from forecasting.input.errors import ForecastInputError

Read = TypeVar("Read")


def sift(
    read: Callable[..., Read],
    frames: dict[str, Any],
    on_bad: Callable[[ForecastInputError], None] | None,
    *,
    key: str = "unique_id",
    asked: str = "history",
) -> Read:
    """`read(*frames)`; with `on_bad`, without the series (by `key`) it refuses, each fault told once.

    A fault of no series, and one of all of those in the frame `asked`, is raised all the same. Rows are
    numbered as given.
    """
    frames = dict(frames)
    kinds = (pd.DataFrame, pl.DataFrame)
    rows = {name: np.arange(1, len(frame) + 1) for name, frame in frames.items() if isinstance(frame, kinds)}
    while True:
        try:
            return read(*frames.values())
        except ForecastInputError as error:
            if error.row is not None and error.frame in rows:
                error.row = int(rows[error.frame][error.row - 1])
            if on_bad is None or not len(error.affected):
                raise
            kept = {
                name: ~pd.Index(frames[name][key].to_list(), dtype=object).isin(error.affected)
                for name in rows
            }
            if not kept[asked].any() or all(mask.all() for mask in kept.values()):
                raise
            for name, mask in kept.items():
                frames[name], rows[name] = _chosen(frames[name], np.flatnonzero(mask)), rows[name][mask]
            on_bad(error)


def _chosen(frame: Any, rows: Any) -> Any:
    return frame[rows] if isinstance(frame, pl.DataFrame) else frame.iloc[rows]
