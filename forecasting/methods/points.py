"""Point forecasts of a whole panel: each series by the method its shape calls for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.input.panel import Panel
from forecasting.methods import dense, shape, simple
from forecasting.methods.blocks import on_client, on_threads

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Smoothing of chance and size of a sale: best of a grid on weekly wholesale and monthly spare-part demand.
TSB_SMOOTHING = 0.15
BUCKET_SMOOTHINGS = np.linspace(0.05, 0.3, 6)
# A short or sparse series is believed as if the whole panel's chance of a repeat had been seen this often.
CREDIBILITY = 2.0
# A short series that sold nearly always, and at least this often, speaks for itself.
SPEAKS_FOR_ITSELF = 4
SHORT_WINDOW = shape.SHORTEST_DENSE
# Matrices are built for so many cells at a time, which bounds memory whatever the panel.
BLOCK_CELLS = 4_000_000
# Dense series side by side: enough that numpy's calls don't count, few enough to stay in the cache.
BLOCK_SERIES, BLOCK_CELLS_DENSE = 2048, 1_000_000
# "auto" takes the trouble of "accurate" for this share of the dense series: those that sell most.
ACCURATE_SHARE = 0.05
# Series explained one by one, between two tellings of progress.
BLOCK_EXPLAINED = 20


@dataclass(frozen=True)
class Points:
    """mean (n, h), sigma (n,) of one-step errors, kind (n,) as classified and method (n,) as used."""

    mean: Floats
    sigma: Floats
    kind: NDArray[np.object_]
    method: NDArray[np.object_]


@dataclass(frozen=True)
class Plan:
    """What to compute: steps ahead, the cycles to look for (periods, shortest first), on how many cores, in
    which tier, and, with a Dask `client`, on its workers."""

    horizon: int
    cycles: tuple[int, ...]
    processes: int = 1
    tier: str = "bulk"
    client: Any = None


def point_forecasts(
    panel: Panel,
    *,
    plan: Plan,
    kind: NDArray[np.object_] | None = None,
    step: Callable[[int], None] = lambda count: None,
) -> Points:
    """Forecast every series of `panel`; `step(count)` is told how many series are done."""
    kind = shape.classify(panel) if kind is None else kind
    mean, sigma = np.zeros((len(panel), plan.horizon)), np.zeros(len(panel))
    method = kind.copy()
    repeat = repeat_chance(panel, kind)
    for name, level in _LEVELS.items():
        rows = np.flatnonzero(kind == name)
        for block in _blocks(panel, rows):
            value, spread = level(panel.matrix(block), panel.lengths[block], repeat)
            mean[block], sigma[block] = value[:, None], spread
            step(len(block))
    step(int((kind == shape.ZERO).sum()))
    _fit_dense_rows(panel, plan, np.flatnonzero(kind == shape.DENSE), (mean, sigma, method), step)
    return Points(mean, sigma, kind, method)


def repeat_chance(panel: Panel, kind: NDArray[np.object_]) -> float:
    """The chance per period of another sale once there was one, over all series that are not dense.

    The sale that opens a series is the reason it is there, and says nothing about how often it sells:
    with it, series seen for a short time come out at two to three times what they go on to sell. A panel
    in which no series has a second period gives no evidence, and takes what it saw at face value.
    """
    seen = shape.shape(panel)
    counted = (kind != shape.DENSE) & (seen.sales > 0)
    later = int((seen.lengths[counted] - 1).sum())
    return float((seen.sales[counted] - 1).sum() / later) if later else 1.0


def _fit_dense_rows(
    panel: Panel,
    plan: Plan,
    rows: Ints,
    out: tuple[Floats, Floats, NDArray[np.object_]],
    step: Callable[[int], None],
) -> None:
    mean, sigma, method = out
    for tier, chosen in _by_tier(panel, plan.tier, rows):
        blocks = _dense_blocks(panel, chosen, tier)
        work = partial(dense.fit_dense, horizon=plan.horizon, cycles=plan.cycles, tier=tier)
        if plan.client is not None:
            results = on_client(work, panel, blocks, client=plan.client)
        else:
            # Statsmodels' warnings can be silenced in one thread only.
            threads = 1 if tier == "explain" else plan.processes
            results = on_threads(work, panel, blocks, threads=threads)
        with closing(results):  # also when `step` ends the call
            for block, fits in zip(blocks, results, strict=True):
                mean[block], sigma[block], method[block] = fits.mean, fits.sigma, fits.method
                step(len(block))


def _by_tier(panel: Panel, tier: str, rows: Ints) -> list[tuple[str, Ints]]:
    """The rows of each tier; "auto" is accurate where most is sold, and bulk elsewhere."""
    if tier != "auto":
        return [(tier, rows)]
    sold = np.add.reduceat(np.append(panel.values, 0.0), panel.offsets[:-1])[rows]
    order = np.lexsort((panel.hash[rows], -sold))
    most = int(np.ceil(ACCURATE_SHARE * len(rows)))
    return [("accurate", rows[np.sort(order[:most])]), ("bulk", rows[np.sort(order[most:])])]


def _dense_blocks(panel: Panel, rows: Ints, tier: str) -> list[Ints]:
    """`rows` by length, the longest first, as many at a time as are quick side by side."""
    rows = rows[np.argsort(-panel.lengths[rows], kind="stable")]
    longest = int(panel.lengths[rows].max(initial=1))
    size = BLOCK_EXPLAINED if tier == "explain" else min(BLOCK_SERIES, max(2, BLOCK_CELLS_DENSE // longest))
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _intermittent(matrix: Floats, lengths: Ints, repeat: float) -> tuple[Floats, Floats]:
    """The mean of three methods, of what came after the opening sale: that is why the series is there."""
    later = _after_opening(matrix, lengths)
    level, sigma = simple.running_tsb(later, lengths - 1, occurrence=TSB_SMOOTHING, size=TSB_SMOOTHING)
    adida, imapa = simple.by_buckets(later, lengths - 1, smoothings=BUCKET_SMOOTHINGS)
    return (level + adida + imapa) / 3, sigma


def _sparse(matrix: Floats, lengths: Ints, repeat: float) -> tuple[Floats, Floats]:
    """The mean of the level shrunk to the panel and of what its own few buckets say of late."""
    level, sigma = _shrunk(matrix, lengths, repeat)
    later = _after_opening(matrix, lengths)
    _, imapa = simple.by_buckets(later, lengths - 1, smoothings=BUCKET_SMOOTHINGS)
    return (level + imapa) / 2, sigma


def _after_opening(matrix: Floats, lengths: Ints) -> Floats:
    width = matrix.shape[1]
    return np.where(np.arange(width) > width - lengths[:, None], matrix, 0.0)


def _shrunk(matrix: Floats, lengths: Ints, repeat: float) -> tuple[Floats, Floats]:
    """Mean size of a sale × chance of a sale, the opening sale not counted, shrunk to the panel's chance."""
    sales = (matrix > 0).sum(axis=1)
    size = matrix.sum(axis=1) / np.maximum(sales, 1)
    chance = (sales - 1 + CREDIBILITY * repeat) / (lengths - 1 + CREDIBILITY)
    # A compound of a coin and a size no less scattered than it is large.
    return chance * size, size * np.sqrt(chance * (2 - chance))


def _short(matrix: Floats, lengths: Ints, repeat: float) -> tuple[Floats, Floats]:
    sales = (matrix > 0).sum(axis=1)
    steady = (sales >= SPEAKS_FOR_ITSELF) & (lengths <= shape.INTERMITTENT_ABOVE * sales)
    plain = simple.recent_mean(matrix, lengths, window=SHORT_WINDOW)
    shrunk = _shrunk(matrix, lengths, repeat)
    return np.where(steady, plain[0], shrunk[0]), np.where(steady, plain[1], shrunk[1])


_LEVELS: dict[str, Callable[[Floats, Ints, float], tuple[Floats, Floats]]] = {
    shape.INTERMITTENT: _intermittent,
    shape.SPARSE: _sparse,
    shape.SHORT: _short,
}


def _blocks(panel: Panel, rows: Ints) -> Iterator[Ints]:
    """`rows` by length, so many at a time that their matrix stays small."""
    rows = rows[np.argsort(panel.lengths[rows], kind="stable")]
    while len(rows):
        cells = panel.lengths[rows] * np.arange(1, len(rows) + 1)
        count = max(1, int(np.searchsorted(cells, BLOCK_CELLS, side="right")))
        yield rows[:count]
        rows = rows[count:]
