"""A long search that is killed goes on from its state file, and a cluster finds the plan of one process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from distributed import Client

from benchmarks.allocation_scale import problem
from optimizer import Infeasible, Problem, Settings, Solution, StateError, check, solve
from optimizer.__main__ import main
from optimizer.search import solving as solving_module
from optimizer.search.journal import MAGIC, Journal
from support.processes import cluster

# Small, and yet with every step of a large search.
FEW = problem(3, suppliers=3, warehouses=1, regions=3, sold_in=1)
CLOSE = Settings(gap=1e-4, time_limit=3600)
ROOT = Path(__file__).resolve().parents[3]
# Solves in a process of its own and kills it, unasked, at the so-many-th step of a phase.
KILLED = """
import json, os, signal, sys
from optimizer import Problem, Settings, solve
from optimizer.search import solving
solving.AT_ONCE_WAYS = solving.SECOND_OPINION_WAYS = -1
problem, state, phase, step = sys.argv[1:]
left = int(step)
def tell(told):
    global left
    left -= told["phase"] == phase
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
solve(Problem.from_json(json.load(open(problem))), Settings(gap=1e-4, state=state), progress=tell)
"""


@pytest.fixture(autouse=True)
def always_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving_module, "AT_ONCE_WAYS", -1)
    monkeypatch.setattr(solving_module, "SECOND_OPINION_WAYS", -1)


def planned(made: Problem, settings: Settings, **more: Any) -> Solution:
    answer = solve(made, settings, **more)
    assert not isinstance(answer, Infeasible)
    return answer


def text(solution: Solution) -> str:
    return json.dumps(solution.to_json() | {"seconds": 0})


@pytest.fixture(scope="module")
def whole() -> str:
    """The plan of a search that nobody stopped and that keeps no state."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solving_module, "AT_ONCE_WAYS", -1)
        patch.setattr(solving_module, "SECOND_OPINION_WAYS", -1)
        return text(planned(FEW, CLOSE))


def test_a_search_cancelled_and_killed_ends_with_the_plan_to_the_byte_and_knows_it(
    tmp_path: Path, whole: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, state = tmp_path / "problem.json", tmp_path / "state"
    made.write_text(json.dumps(FEW.to_json()))
    settings = replace(CLOSE, state=str(state))
    cut = planned(FEW, settings, progress=lambda told: told["phase"] != "SKUs")
    assert cut.limit == "cancelled"
    sizes = [state.stat().st_size]
    command = [sys.executable, "-c", KILLED, str(made), str(state), "combine", "9"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    sizes.append(state.stat().st_size)
    with state.open("ab") as file:
        file.write(b"\0\0\1\0half a record")
    solution = planned(FEW, settings)
    assert text(solution) == whole
    assert check(FEW, solution).total == pytest.approx(solution.objective)
    sizes.append(state.stat().st_size)
    assert len(MAGIC) < sizes[0] < sizes[1] < sizes[2]
    for name in ("workers.do", "starting.greedy_plan", "decomposition.repair"):
        monkeypatch.setattr(f"optimizer.search.{name}", None)  # nothing is worked out again
    assert text(planned(FEW, settings)) == whole
    assert state.stat().st_size == sizes[2]


def test_a_state_of_something_else_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state, made = tmp_path / "state", tmp_path / "problem.json"
    made.write_text(json.dumps(FEW.to_json()))
    other = problem(2, suppliers=3, warehouses=1, regions=3, sold_in=1)
    with Journal(state, other), pytest.raises(StateError, match="in use"):
        solve(other, Settings(state=str(state)))
    with pytest.raises(StateError, match="another problem"):
        solve(FEW, Settings(state=str(state)))
    with pytest.raises(StateError, match="can't be opened"):
        solve(FEW, Settings(state=str(tmp_path / "missing" / "state")))
    before = made.read_bytes()
    assert main(["solve", str(made), "--out", os.devnull, "--state", str(made)]) == 2
    assert "is no state of a search" in capsys.readouterr().err
    assert made.read_bytes() == before


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with cluster() as client:
        yield client


@pytest.mark.slow
def test_a_cluster_gives_the_plan_to_the_byte_also_when_a_worker_dies(client: Client, whole: str) -> None:
    killed: list[int] = []

    def kill_one(told: dict[str, Any]) -> None:
        if told["phase"] == "SKUs" and not killed:
            killed.append(min(client.run(os.getpid).values()))
            os.kill(killed[0], signal.SIGKILL)

    cut = planned(FEW, CLOSE, client=client, progress=lambda told: told["phase"] != "SKUs")
    assert cut.limit == "cancelled"
    assert text(planned(FEW, CLOSE, client=client, progress=kill_one)) == whole
    assert killed
