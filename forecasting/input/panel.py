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

from forecasting.input import frames
from forecasting.input.errors import ForecastInputError
from forecasting.input.periods import Calendar, calendar_for, off_grid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# A wrong year in one row would otherwise ask for gigabytes of zeros.
LONGEST_SERIES = 100_000
MOST_CELLS = 400_000_000
ROWS_AT_ONCE = 4_000_000


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


def periods(panel: Panel) -> Ints:
    """Numbers of the periods (cells,) that `panel.values` are of."""
    return np.arange(len(panel.values)) + np.repeat(panel.last + 1 - panel.offsets[1:], panel.lengths)


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


def join(panels: list[Panel]) -> Panel:
    """The series of all `panels`, one panel after the other."""
    parts = {
        name: np.concatenate([getattr(panel, name) for panel in panels])
        for name in ("values", "observed", "last", "hash")
    }
    lengths = np.concatenate([panel.lengths for panel in panels])
    return Panel(offsets=_offsets(lengths), **parts)


def read_panel(history: Any, *, freq: Any, end: Any = None) -> Named:
    """Check `history` (unique_id, ds, y; any order of rows) and lay it on the calendar of `freq`."""
    cells = frames.columns(history, ("unique_id", "ds", "y"), "history")
    owner = frames.labels(cells["unique_id"], "unique_id")
    if not len(owner):
        raise ForecastInputError("The history has no rows.", field="history")
    stamped = frames.stamps(cells["ds"], "ds", owner)
    calendar, zone = calendar_for(freq, stamped.values), stamped.zone
    period = _periods(calendar, stamped.values, owner)
    del stamped
    y = frames.numbers(cells["y"], "y", owner)
    code, ids = pd.factorize(owner)
    del owner
    rows = Rows(code.astype(np.int32), period, y)
    until = None if end is None else _end_number(end, calendar, rows)
    known = rows if until is None else rows.chosen(rows.period <= until)
    if _has_duplicates(known, ids):
        _refuse_duplicates(rows, ids, calendar)
    panel = _lay(known, ids, until)
    return Named(panel, np.asarray(ids, dtype=object), calendar, zone)


@dataclass(frozen=True)
class Rows:
    """The history as given: number of the series, number of the period, and units, (rows,) each.

    A hundred million rows are nothing unusual: whole numbers of four bytes, and no more copies than it takes.
    """

    code: NDArray[np.int32]
    period: NDArray[np.int32]
    y: Floats

    def chosen(self, some: NDArray[np.bool_]) -> Rows:
        return self if some.all() else Rows(self.code[some], self.period[some], self.y[some])


def _periods(calendar: Calendar, stamps: Any, owner: NDArray[np.object_]) -> NDArray[np.int32]:
    """Numbers of the periods (rows,), some rows at a time; a stamp that names none is an error."""
    period = np.empty(len(stamps), dtype=np.int32)
    for start in range(0, len(stamps), ROWS_AT_ONCE):
        part = stamps[start : start + ROWS_AT_ONCE]
        number = calendar.number(part)
        wrong = off_grid(calendar, part, number)
        if wrong is not None:
            row = int(np.argmax(wrong))
            name = owner[start + row]
            raise ForecastInputError(
                f"ds of series {name} must be {calendar.label} for frequency {calendar.code}.",
                field="ds", series=name, row=start + row + 1, ds=pd.Timestamp(part[row]),
                affected=owner[start : start + len(part)][wrong],
            )  # fmt: skip
        period[start : start + ROWS_AT_ONCE] = number
    return period


def _has_duplicates(rows: Rows, ids: Any) -> bool:
    """Mark each row's cell on the grid: fewer marks than rows are rows that share one."""
    first, last = _spans(rows, len(ids))
    observed = np.maximum(last - first + 1, 0)
    _refuse_long(observed, observed, ids)
    offsets = _offsets(observed)
    marks = np.zeros(int(offsets[-1]), dtype=bool)
    marks[_cells(rows, offsets[:-1] - first)] = True
    return bool(np.count_nonzero(marks) < len(rows.code))


def _refuse_duplicates(rows: Rows, ids: Any, calendar: Calendar) -> None:
    twice = pd.DataFrame({"code": rows.code, "period": rows.period}).duplicated().to_numpy()
    row = int(np.argmax(twice))
    name = ids[rows.code[row]]
    raise ForecastInputError(
        f"Series {name} has two rows for one period; add them up before.",
        field="ds", series=name, row=row + 1,
        ds=pd.Timestamp(calendar.stamp(rows.period[row : row + 1].astype(np.int64))[0]),
        affected=ids[rows.code[twice]],
    )  # fmt: skip


def _cells(rows: Rows, start: Ints) -> Ints:
    """Flat positions (rows,) of the rows, where series i would have its period 0 at `start[i]`."""
    cells = start[rows.code]
    cells += rows.period
    return cells


def _end_number(end: Any, calendar: Calendar, rows: Rows) -> int:
    try:
        stamp = frames.stamps(pd.Series([end], dtype=object), "end", np.array(["end"], dtype=object))
    except ForecastInputError as error:
        raise ForecastInputError(
            f"end {end!r} is no date of 1700 to 2200, such as 2024-12-30.", field="end"
        ) from error
    number = int(calendar.number(stamp.values)[0])
    if number < rows.period.min():
        raise ForecastInputError(f"The history has no rows up to the end {end}.", field="end")
    return number


def _lay(rows: Rows, ids: Any, until: int | None) -> Panel:
    """Fill the grid; with `until`, all series end there."""
    count = len(ids)
    first, last = _spans(rows, count)
    seen = first < _NEVER
    if until is not None:
        last = np.full(count, until)
    sold = rows.chosen(rows.y > 0)
    sale = _spans(sold, count)[0]
    observed = np.where(seen, last - first + 1, 0)
    lengths = np.where(sale < _NEVER, last - sale + 1, 0)
    _refuse_long(observed, lengths, ids)
    offsets = _offsets(lengths)
    values = np.zeros(int(offsets[-1]))
    values[_cells(sold, offsets[:-1] - sale)] = sold.y
    digest = pd.util.hash_array(np.array([str(name) for name in ids], dtype=object))
    return Panel(values, offsets, observed, last, (digest >> np.uint64(1)).astype(np.int64))


_NEVER = np.iinfo(np.int32).max


def _spans(rows: Rows, count: int) -> tuple[Ints, Ints]:
    """First and last period (count,) of each series; series without a row begin at `_NEVER`."""
    first = np.full(count, _NEVER, dtype=np.int32)
    last = np.full(count, -_NEVER, dtype=np.int32)
    np.minimum.at(first, rows.code, rows.period)
    np.maximum.at(last, rows.code, rows.period)
    return first.astype(np.int64), last.astype(np.int64)


def _refuse_long(observed: Ints, lengths: Ints, ids: Any) -> None:
    longest = int(np.argmax(observed))
    if observed[longest] > LONGEST_SERIES or int(lengths.sum()) > MOST_CELLS:
        raise ForecastInputError(
            f"Series {ids[longest]} spans {observed[longest]} periods; check its first and last ds.",
            field="ds", series=ids[longest], affected=ids[observed > LONGEST_SERIES],
        )  # fmt: skip


def _offsets(lengths: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
