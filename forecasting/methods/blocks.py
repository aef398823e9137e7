"""Blocks of series side by side: on threads of this process, or on the workers of a Dask client."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from forecasting.input.panel import Panel

Ints = NDArray[np.int64]
Result = TypeVar("Result")
Work = Callable[[Panel, Ints], Result]

# Blocks a client holds at a time: enough for many workers, few enough for the memory of the scheduler.
UNDERWAY = 256


def on_threads(
    work: Work[Result], panel: Panel, blocks: Sequence[Ints], *, threads: int
) -> Generator[Result, None, None]:
    """`work(panel, rows)` of each block in order; numpy lets go of the interpreter, and nothing is copied."""
    with ThreadPoolExecutor(threads) as executor:
        try:
            yield from executor.map(lambda rows: work(panel, rows), blocks)
        except BaseException:
            executor.shutdown(cancel_futures=True)
            raise


def on_client(
    work: Work[Result], panel: Panel, blocks: Sequence[Ints], *, client: Any
) -> Generator[Result, None, None]:
    """The same on the workers of a Dask client (`distributed.Client`), each block sent with its series alone.

    What a worker that dies had in hand goes to another one: the client sees to that.
    """
    waiting: deque[Any] = deque()
    try:
        for rows in blocks:
            waiting.append(client.submit(work, panel.take(rows), np.arange(len(rows)), pure=False))
            if len(waiting) == UNDERWAY:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        client.cancel(list(waiting))
