"""Many questions about one subject, answered here or in processes of their own, with the same answers.

Each question is answered by itself from the subject alone, so an answer does not depend on who gave it. A
process that dies costs its question a second try, in a process of its own.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any

from optimizer.form.errors import OURS, SolverError

# What is to be called now and then and may raise to stop; None in a process of its own, which is ended.
Heard = Callable[[], object] | None
# do(subject, question, heard) -> answer
Do = Callable[[Any, Any, Heard], Any]
# Seconds between two looks at whether to go on, and how often a question is tried.
LOOK, TRIES = 0.5, 2


@dataclass(kw_only=True)
class _Member:
    """A process, our end of the pipe to it, and the number of the question it is at."""

    process: BaseProcess
    pipe: Connection
    at: int | None = None


class Team:
    """Context manager over up to `size` processes that know the subject; with one, all is done here.

    do and what is asked travel by pickle. heard is called about twice a second while answers are waited for
    and may raise to stop: leaving ends the processes at once.
    """

    def __init__(self, subject: Any, *, size: int, heard: Callable[[], object]) -> None:
        self._subject = subject
        self._size = size
        self._heard = heard
        self._asked: dict[int, tuple[Do, Any]] = {}
        self._numbers = count()
        self._tries: dict[int, int] = {}
        self._waiting: deque[int] = deque()
        self._members: list[_Member] = []
        self._found: dict[int, Any] = {}

    def __enter__(self) -> Team:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """End the processes, whatever they are at."""
        for one in self._members:
            _end(one)

    def ask(self, do: Do, question: Any) -> int:
        """Queue a question; its number is what answer() wants."""
        number = next(self._numbers)
        self._asked[number] = do, question
        if self._size > 1:
            self._waiting.append(number)
        return number

    def answer(self, number: int) -> Any:
        """Wait for an answer, which is given once. Raises what answering raised, SolverError where a process
        died each time it was tried, and what heard raises."""
        if self._size <= 1:
            do, question = self._asked.pop(number)
            return do(self._subject, question, self._heard)
        self._hand_out()
        while number not in self._found:
            self._heard()
            self._take_in()
            self._hand_out()
        del self._asked[number]
        found = self._found.pop(number)
        if isinstance(found, Exception):
            raise found
        return found

    def forget(self) -> None:
        """No answer is waited for any more; who is at a question finishes it for nobody."""
        self._asked.clear()
        self._waiting.clear()
        self._found.clear()

    def _hand_out(self) -> None:
        while self._waiting and (member := self._idle()) is not None:
            member.at = self._waiting.popleft()
            try:
                member.pipe.send(self._asked[member.at])
            except OSError:
                self._lost(member)

    def _idle(self) -> _Member | None:
        free = next((one for one in self._members if one.at is None), None)
        if free is None and len(self._members) < self._size:
            free = _start(self._subject)
            self._members.append(free)
        return free

    def _take_in(self) -> None:
        busy = {one.pipe: one for one in self._members if one.at is not None}
        for pipe in wait(list(busy), timeout=LOOK):
            member = next(one for one in busy.values() if one.pipe is pipe)
            try:
                found = member.pipe.recv()
            except (EOFError, OSError):
                self._lost(member)
                continue
            assert member.at is not None
            if member.at in self._asked:
                self._found[member.at] = found
            member.at = None

    def _lost(self, member: _Member) -> None:
        """Its process ended: the question is tried again before any other, or given up."""
        assert member.at is not None
        _end(member)
        self._members.remove(member)
        if member.at not in self._asked:
            return
        tries = self._tries[member.at] = self._tries.get(member.at, 0) + 1
        if tries < TRIES:
            self._waiting.appendleft(member.at)
            return
        self._found[member.at] = SolverError(
            f"a process ended before its work was done, {tries} times over (exit code "
            f"{member.process.exitcode}); a lack of memory does this: use fewer processes"
        )


def _start(subject: Any) -> _Member:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there, subject), daemon=True)
    process.start()
    there.close()
    return _Member(process=process, pipe=here)


def _end(member: _Member) -> None:
    member.process.kill()
    member.process.join()
    member.pipe.close()


def _work(pipe: Connection, subject: Any) -> None:
    """The process: it answers until its pipe is closed. The solver prints lines that are nobody's to read."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    while True:
        try:
            do, question = pipe.recv()
        except EOFError:
            return
        try:
            found = do(subject, question, None)
        except OURS as refused:
            found = refused
        except Exception as error:
            found = SolverError(f"{type(error).__name__}: {error}")
        pipe.send(found)


def told(heard: Heard) -> Callable[[object], object] | None:
    """The progress of a solve that calls heard; none where nobody hears: such a solve starts no process."""
    return None if heard is None else lambda _: heard()
