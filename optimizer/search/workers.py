"""Many SKUs at the same prices: in this process, in child processes, or on the workers of a Dask client.

Each SKU is solved alone and deterministically, and results come back in the order asked, so the plan does not
depend on where the work was done.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from optimizer.form.clock import Deadline, never
from optimizer.model.build import Floats
from optimizer.model.item import compile_item
from optimizer.model.network import Network
from optimizer.model.parts import Effort, Part, refit, sharpen_part, solve_part
from optimizer.search.journal import Journal, part_to_json, problem_digest
from optimizer.search.team import Heard, Team

# Jobs are handed out up to so many at once, but so few that every process has several turns.
CHUNK, CHUNKS_EACH = 12, 8
# Chunks a client holds at a time: enough for many workers, few enough for the memory of the scheduler.
UNDERWAY = 256


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A SKU to plan anew within room [rows]; known is its plan if nothing else fits."""

    known: Part
    room: Floats


@dataclass(frozen=True, kw_only=True)
class Crew:
    """Who does the work: threads processes, or the workers of client (`distributed.Client`) if there is one.

    journal keeps what they find.
    """

    threads: int = 1
    client: Any = None
    journal: Journal | None = None


# A SKU to solve, what is known of one to make better, or one to plan anew in the room it has.
Job = str | Part | Fit
# Some of them, the prices, and how hard to work.
Chunk = tuple[list[Job], Floats, Effort]


class _Late(Exception):
    """The deadline has passed."""


def _chunk(net: Network, asked: Chunk, heard: Heard = None) -> list[Part]:
    jobs, prices, effort = asked
    return [do(net, job, prices, effort) for job in jobs]


def do(net: Network, job: Job, prices: Floats, effort: Effort) -> Part:
    """Lay out one SKU and do what the job asks at the prices."""
    item = compile_item(net, net.problem.sku_of[_sku(job)])
    if isinstance(job, str):
        return solve_part(net, item, prices, effort)
    if isinstance(job, Part):
        return sharpen_part(net, item, prices, effort, job)
    known = job.known.pick if effort.searched else None
    return refit(net, item, prices, room=job.room, effort=effort, known=known) or job.known


def _sku(job: Job) -> str:
    return job if isinstance(job, str) else job.known.sku if isinstance(job, Fit) else job.sku


class Workers:
    """Context manager over the crew's work on one problem."""

    def __init__(self, net: Network, crew: Crew) -> None:
        self._net = net
        self._crew = crew
        self._deadline = never()
        self._team: Team | None = None
        self._sent: Any = None
        self._asked = hashlib.sha256()
        if crew.journal is not None:
            self._asked.update(problem_digest(net.problem).encode())
        if crew.client is None and crew.threads > 1:
            self._team = Team(net, size=crew.threads, heard=self._heard)

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._team is not None:
            self._team.end()

    def sweep(
        self, jobs: Sequence[Job], prices: Floats, effort: Effort, *, deadline: Deadline
    ) -> Iterator[Part]:
        """One Part a job in the order of jobs; ends early when the deadline has passed."""
        journal = self._crew.journal
        if journal is None:
            yield from self._work(jobs, prices, effort, deadline)
            return
        question = self._question(jobs, prices, effort)
        rest = lambda done: self._work(jobs[done:], prices, effort, deadline)  # noqa: E731
        yield from journal.answers(question, len(jobs), rest, stop=deadline.passed)

    def kept(self, name: str, make: Callable[[], list[Part]], *, deadline: Deadline) -> dict[str, Part]:
        """make(), one Part a SKU of the problem, or what the journal has of it; what the clock cut is not
        kept."""
        made: list[Part] = []

        def rest(done: int) -> list[Part]:
            made.extend(make())
            return [] if deadline.passed() else made[done:]

        journal, count = self._crew.journal, len(self._net.problem.skus)
        if journal is None:
            return {one.sku: one for one in make()}
        found = list(journal.answers(self._next(name), count, rest, stop=lambda: False))
        return {one.sku: one for one in made or found}

    def _question(self, jobs: Sequence[Job], prices: Floats, effort: Effort) -> str:
        """The name of a question: what is asked, of which problem, after which other questions."""
        self._asked.update(prices.tobytes())
        for job in jobs:
            told = job if isinstance(job, str) else part_to_json(job.known if isinstance(job, Fit) else job)
            self._asked.update(json.dumps(told).encode())
            if isinstance(job, Fit):
                self._asked.update(job.room.tobytes())
        return self._next(repr(effort))

    def _next(self, name: str) -> str:
        self._asked.update(name.encode())
        return self._asked.hexdigest()[:32]

    def _work(
        self, jobs: Sequence[Job], prices: Floats, effort: Effort, deadline: Deadline
    ) -> Iterator[Part]:
        client = self._crew.client
        if client is not None:
            each = max(1, sum(client.nthreads().values()))
            if self._sent is None:
                self._sent = client.submit(_whole, self._net, pure=False)
            chunks = ((chunk, prices, effort) for chunk in _chunks(jobs, each))
            waiting = (client.submit(_chunk, self._sent, one, pure=False) for one in chunks)
            yield from _collect(waiting, client.cancel, deadline=deadline)
        elif self._team is not None:
            yield from self._by_team(self._team, jobs, prices, effort, deadline)
        else:
            for job in jobs:
                if deadline.passed():
                    return
                yield do(self._net, job, prices, effort)

    def _by_team(
        self, team: Team, jobs: Sequence[Job], prices: Floats, effort: Effort, deadline: Deadline
    ) -> Iterator[Part]:
        self._deadline = deadline
        chunks = _chunks(jobs, self._crew.threads)
        numbers = [team.ask(_chunk, (chunk, prices, effort)) for chunk in chunks]
        try:
            for number in numbers:
                yield from team.answer(number)
        except _Late:
            return
        finally:
            team.forget()

    def _heard(self) -> None:
        if self._deadline.passed():
            raise _Late


def _chunks(jobs: Sequence[Job], processes: int) -> list[list[Job]]:
    size = max(1, min(CHUNK, len(jobs) // (CHUNKS_EACH * processes)))
    return [list(jobs[at : at + size]) for at in range(0, len(jobs), size)]


def _whole(net: Network) -> Network:
    """The network as a task of the cluster: lost with a worker it is made again; scattered data is not."""
    return net


def _collect(
    futures: Iterable[Any], cancel: Callable[[list[Any]], object], *, deadline: Deadline
) -> Iterator[Part]:
    """Results in order, with UNDERWAY futures at most; those not waited for are cancelled."""
    coming = iter(futures)
    waiting: deque[Any] = deque()
    try:
        while True:
            while len(waiting) < UNDERWAY and (one := next(coming, None)) is not None:
                waiting.append(one)
            if not waiting:
                return
            limit = None if math.isinf(deadline.left) else deadline.left
            try:
                found = waiting[0].result(timeout=limit)
            except TimeoutError:
                return
            waiting.popleft()
            yield from found
    finally:
        cancel(list(waiting))
