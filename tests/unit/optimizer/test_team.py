"""Questions answered in processes of their own: in order, with their errors, whoever dies."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from optimizer import Cancelled, ProblemError, SolverError
from optimizer.search.team import Heard, Team


def nothing() -> None:
    """Nobody stops it."""


def product(subject: int, question: int, heard: Heard) -> int:
    return subject * question


def refused(subject: int, question: int, heard: Heard) -> int:
    raise ProblemError("demand[3]", f"can't be {question}")


def dies_once(subject: int, question: str, heard: Heard) -> int:
    """The first process that is asked ends before it answers."""
    mark = Path(question)
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return subject


def dies(subject: int, question: int, heard: Heard) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def test_answers_errors_and_deaths_come_to_whoever_asked(tmp_path: Path) -> None:
    with Team(7, size=2, heard=nothing) as team:
        fine = [team.ask(product, one) for one in range(5)]
        wrong = team.ask(refused, 8)
        once, always = team.ask(dies_once, str(tmp_path / "mark")), team.ask(dies, 0)
        last = team.ask(product, 9)
        assert [team.answer(one) for one in fine] == [0, 7, 14, 21, 28]
        with pytest.raises(ProblemError, match="can't be 8") as error:
            team.answer(wrong)
        assert error.value.path == "demand[3]"
        assert team.answer(once) == 7
        with pytest.raises(SolverError, match="exit code -9"):
            team.answer(always)
        assert team.answer(last) == 63


def test_alone_it_answers_the_same() -> None:
    with Team(7, size=1, heard=nothing) as team:
        asked, wrong = team.ask(product, 6), team.ask(refused, 8)
        assert team.answer(asked) == 42
        with pytest.raises(ProblemError):
            team.answer(wrong)


def test_who_stops_waits_for_nobody() -> None:
    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled), Team(7, size=2, heard=stop) as team:
        team.answer(team.ask(product, 6))


def test_what_nobody_waits_for_any_more_is_not_answered() -> None:
    with Team(7, size=2, heard=nothing) as team:
        first = team.ask(product, 1)
        for one in range(20):
            team.ask(product, one)
        assert team.answer(first) == 7
        team.forget()
        assert team.answer(team.ask(product, 6)) == 42
        assert not team._found and not team._asked
