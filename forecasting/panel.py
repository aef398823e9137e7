"""A panel of series on one regular calendar, held flat so that ragged series cost what they hold.

Missing periods between a series' first and last row are filled with 0: a demand history lists what was
sold, and no row means nothing was. Zeros before the first sale are cut, since a SKU that was not yet on
offer says nothing about its demand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecasting import frames
from forecasting.errors import ForecastInputError
from forecasting.periods import Calendar, calendar_for, off_grid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# A wrong year in one row would otherwise ask for gigabytes of zeros.
LONGEST_SERIES = 100_000
MOST_CELLS = 400_000_000


@dataclass(frozen=True)
class Panel:
    """n series: `values[offsets[i]:offsets[i + 1]]` is series i, oldest first, from its first sale on.

    `observed` (n,) counts periods before that cut; `last` (n,) numbers each series' last period; `hash`
    (n,) is a stable pseudo-random number of the id, which draws samples that don't depend on the order.
    """

    values: Floats
    offsets: Ints
    observed: Ints
    last: Ints
    hash: Ints

    def __len__(self) -> int:
        return len(self.observed)

    @property
    def lengths(self) -> Ints:
        return np.asarray(np.diff(self.offsets))

    def cut(self, periods: int) -> Panel:
        """The panel as it was `periods` before each series' end (series without a sale by then: empty)."""
        lengths = np.maximum(self.lengths - periods, 0)
        keep = positions(self.offsets[:-1], lengths)
        observed = np.maximum(self.observed - periods, 0)
        return Panel(self.values[keep], _offsets(lengths), observed, self.last - periods, self.hash)

    def take(self, rows: Ints) -> Panel:
        """Series `rows` only."""
        lengths = self.lengths[rows]
        keep = positions(self.offsets[rows], lengths)
        return Panel(
            self.values[keep], _offsets(lengths), self.observed[rows], self.last[rows], self.hash[rows]
        )

    def matrix(self, rows: Ints) -> Floats:
        """Series `rows` right-aligned as (len(rows), longest), zeros on the left."""
        lengths = self.lengths[rows]
        width = int(lengths.max(initial=0))
        matrix = np.zeros((len(rows), width))
        column = np.arange(width)
        matrix[column >= width - lengths[:, None]] = self.values[positions(self.offsets[rows], lengths)]
        return matrix

    def series(self, row: int) -> Floats:
        return self.values[self.offsets[row] : self.offsets[row + 1]]


@dataclass(frozen=True)
class Named:
    """A panel with what is needed to name its answer: ids in order of first appearance, and the calendar."""

    panel: Panel
    ids: NDArray[np.object_]
    calendar: Calendar
    zone: Any


def positions(starts: Ints, lengths: Ints) -> Ints:
    """Flat positions of the runs [start, start + length), one after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.asarray(np.arange(total) + np.repeat(starts - (ends - lengths), lengths))


def read_panel(history: Any, *, freq: Any, end: Any = None) -> Named:
    """Check `history` (unique_id, ds, y; any order of rows) and lay it on the calendar of `freq`."""
    cells = frames.columns(history, ("unique_id", "ds", "y"), "history")
    owner = frames.labels(cells["unique_id"], "unique_id")
    if not len(owner):
        raise ForecastInputError("The history has no rows.", field="history")
    stamped = frames.stamps(cells["ds"], "ds", owner)
    y = frames.numbers(cells["y"], "y", owner)
    calendar = calendar_for(freq, stamped.values)
    period = calendar.number(stamped.values)
    _on_grid(calendar, stamped.values, period, owner)
    code, ids = pd.factorize(owner)
    _refuse_duplicates(code, period, owner, stamped.values)
    until = None if end is None else _end_number(end, calendar)
    panel = _lay(code, period, y, ids, until)
    return Named(panel, np.asarray(ids, dtype=object), calendar, stamped.zone)


def _on_grid(calendar: Calendar, values: Any, period: Ints, owner: NDArray[np.object_]) -> None:
    wrong = off_grid(calendar, values, period)
    if wrong is not None:
        raise ForecastInputError(
            f"ds of series {owner[wrong]} must be {calendar.label} for frequency {calendar.code}.",
            field="ds", series=owner[wrong], row=wrong + 1, ds=pd.Timestamp(values[wrong]),
        )  # fmt: skip


def _refuse_duplicates(code: Any, period: Ints, owner: NDArray[np.object_], values: Any) -> None:
    twice = pd.DataFrame({"code": code, "period": period}).duplicated().to_numpy()
    if twice.any():
        row = int(np.argmax(twice))
        raise ForecastInputError(
            f"Series {owner[row]} has two rows for one period; add them up before.",
            field="ds", series=owner[row], row=row + 1, ds=pd.Timestamp(values[row]),
        )  # fmt: skip


def _end_number(end: Any, calendar: Calendar) -> int:
    try:
        stamp = pd.Timestamp(end)
    except (ValueError, TypeError) as error:
        raise ForecastInputError(f"end {end!r} is no date.", field="end") from error
    wall = np.array([stamp.tz_localize(None).to_datetime64()]).astype("datetime64[ns]")
    return int(calendar.number(wall)[0])


def _lay(code: Any, period: Ints, y: Floats, ids: Any, until: int | None) -> Panel:
    """Fill the grid; with `until`, later rows are not looked at and all series end there."""
    count = len(ids)
    if until is not None:
        known = period <= until
        code, period, y = code[known], period[known], y[known]
    first, sale = _earliest(code, period, count), _earliest(code[y > 0], period[y > 0], count)
    last = -_earliest(code, -period, count) if until is None else np.full(count, until)
    seen = first < _NEVER
    observed = np.where(seen, last - first + 1, 0)
    lengths = np.where(sale < _NEVER, last - sale + 1, 0)
    _refuse_long(observed, lengths, ids)
    offsets = _offsets(lengths)
    values = np.zeros(int(offsets[-1]))
    inside = period >= sale[code]
    spot = offsets[code[inside]] + period[inside] - sale[code[inside]]
    values[spot] = y[inside]
    digest = pd.util.hash_array(np.array([str(name) for name in ids], dtype=object))
    return Panel(values, offsets, observed, last, (digest >> np.uint64(1)).astype(np.int64))


_NEVER = np.iinfo(np.int64).max // 4


def _earliest(code: Any, period: Ints, count: int) -> Ints:
    first = np.full(count, _NEVER)
    np.minimum.at(first, code, period)
    return first


def _refuse_long(observed: Ints, lengths: Ints, ids: Any) -> None:
    longest = int(np.argmax(observed))
    if observed[longest] > LONGEST_SERIES or int(lengths.sum()) > MOST_CELLS:
        raise ForecastInputError(
            f"Series {ids[longest]} spans {observed[longest]} periods; check its first and last ds.",
            field="ds", series=ids[longest],
        )  # fmt: skip


def _offsets(lengths: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
