"""Many SKUs at the same prices, in this process or in child processes; results come back in the order asked.

Each SKU is solved alone and deterministically, so the plan does not depend on how many processes there are.
"""

from __future__ import annotations

import math
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from types import TracebackType

from optimizer.build import Floats
from optimizer.clock import Deadline
from optimizer.item import compile_item
from optimizer.network import Network, network
from optimizer.parts import Effort, Part, refit, sharpen_part, solve_part
from optimizer.problem import Problem

# Jobs are handed out up to so many at once, but so few that every process has several turns.
CHUNK, CHUNKS_EACH = 12, 8


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A SKU to plan anew within room [rows]; known is its plan if nothing else fits."""

    known: Part
    room: Floats


# A SKU to solve, what is known of one to make better, or one to plan anew in the room it has.
Job = str | Part | Fit
_net: Network | None = None


def _start(problem: Problem) -> None:
    """HiGHS prints a few lines of its own whatever it is told; a child's output is nobody's to read."""
    global _net
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _net = network(problem)


def _chunk(jobs: list[Job], prices: Floats, effort: Effort) -> list[Part]:
    assert _net is not None
    return [do(_net, job, prices, effort) for job in jobs]


def do(net: Network, job: Job, prices: Floats, effort: Effort) -> Part:
    """Lay out one SKU and do what the job asks at the prices."""
    sku = job if isinstance(job, str) else job.known.sku if isinstance(job, Fit) else job.sku
    item = compile_item(net, net.problem.sku_of[sku])
    if isinstance(job, str):
        return solve_part(net, item, prices, effort)
    if isinstance(job, Part):
        return sharpen_part(net, item, prices, effort, job)
    return refit(net, item, prices, room=job.room, effort=effort) or job.known


class Workers:
    """Context manager. threads=1 works here; more start that many spawned child processes."""

    def __init__(self, net: Network, *, threads: int) -> None:
        self._net = net
        self._threads = threads
        self._pool: ProcessPoolExecutor | None = None
        if threads > 1:
            self._pool = ProcessPoolExecutor(
                max_workers=threads,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_start,
                initargs=(net.problem,),
            )

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def sweep(
        self, jobs: Sequence[Job], prices: Floats, effort: Effort, *, deadline: Deadline
    ) -> Iterator[Part]:
        """One Part a job in the order of jobs; ends early when the deadline has passed."""
        if self._pool is None:
            for job in jobs:
                if deadline.passed():
                    return
                yield do(self._net, job, prices, effort)
            return
        size = max(1, min(CHUNK, len(jobs) // (CHUNKS_EACH * self._threads)))
        chunks = [list(jobs[at : at + size]) for at in range(0, len(jobs), size)]
        waiting = [self._pool.submit(_chunk, chunk, prices, effort) for chunk in chunks]
        yield from _collect(waiting, deadline=deadline)


def _collect(waiting: list[Future[list[Part]]], *, deadline: Deadline) -> Iterator[Part]:
    for number, future in enumerate(waiting):
        try:
            yield from future.result(timeout=None if math.isinf(deadline.left) else deadline.left)
        except TimeoutError:
            for other in waiting[number:]:
                other.cancel()
            return
