"""Fits of dense series in coarse chunks, on this process or on several; the answer is the same to the bit."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from forecasting.simple import recent_mean
from forecasting.smoothing import Fit, cost, fit_dense

Floats = NDArray[np.float64]

CHUNK = 48
# Starting interpreters with statsmodels takes some seconds: less work (milliseconds) is sooner done here.
WORTH_PROCESSES = 8000.0
FALLBACK, FALLBACK_WINDOW = "mean-fallback", 13
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_environment = threading.Lock()


@dataclass(frozen=True)
class Chunk:
    """Some dense series, to be forecast `horizon` steps ahead."""

    series: tuple[Floats, ...]
    horizon: int
    season_length: int


def fit_all(
    series: Sequence[Floats],
    *,
    horizon: int,
    season_length: int,
    processes: int = 1,
    step: Callable[[int], None] = lambda count: None,
) -> list[Fit]:
    """One Fit per series, in order; `step(count)` is told of every chunk and may raise to stop."""
    chunks = [
        Chunk(tuple(series[start : start + CHUNK]), horizon, season_length)
        for start in range(0, len(series), CHUNK)
    ]
    if processes > 1 and sum(map(cost, series)) >= WORTH_PROCESSES:
        done = _fit_in_processes(chunks, processes, step)
    else:
        done = {}
    for number, chunk in enumerate(chunks):
        if number not in done:
            done[number] = fit_chunk(chunk)
            step(len(chunk.series))
    return [fit for number in range(len(chunks)) for fit in done[number]]


def fit_chunk(chunk: Chunk) -> list[Fit]:
    """One Fit per series; a series whose fit fails gets the recent mean, and its method says so."""
    with warnings.catch_warnings():
        # An optimiser that stops early still leaves usable smoothing constants.
        warnings.simplefilter("ignore")
        return [_fit_or_fall_back(y, chunk.horizon, chunk.season_length) for y in chunk.series]


def _fit_or_fall_back(y: Floats, horizon: int, season_length: int) -> Fit:
    try:
        with np.errstate(all="ignore"):
            return fit_dense(y, horizon=horizon, season_length=season_length)
    except Exception:
        # Whatever an optimiser trips over, the other series must still be forecast.
        level, sigma = recent_mean(y[None, :], np.array([len(y)]), window=FALLBACK_WINDOW)
        return Fit(np.full(horizon, level[0]), float(sigma[0]), FALLBACK)


def _fit_in_processes(
    chunks: Sequence[Chunk], processes: int, step: Callable[[int], None]
) -> dict[int, list[Fit]]:
    """Fits by chunk number; chunks lost with a worker that died are left out, for the caller to do itself."""
    done: dict[int, list[Fit]] = {}
    # Spawned, not forked: a fork beside running threads can inherit a lock that nobody will release.
    executor = ProcessPoolExecutor(min(processes, len(chunks)), mp_context=get_context("spawn"))
    try:
        with _one_thread_each():
            futures: dict[Future[list[Fit]], int] = {
                executor.submit(fit_chunk, chunk): number for number, chunk in enumerate(chunks)
            }
        for future in as_completed(futures):
            done[futures[future]] = future.result()
            step(len(chunks[futures[future]].series))
    except BrokenProcessPool:
        pass
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
    return done


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Children started inside use one BLAS thread each; numpy reads this only while it is being loaded."""
    with _environment:
        before = {name: os.environ.get(name) for name in _THREADS}
        os.environ.update(dict.fromkeys(_THREADS, "1"))
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
