"""A wrong problem can't be built: each fault is named with its path, and nothing unknown is ignored."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from unit.optimizer.allocation_problems import document, need, offer, plan, with_suppliers

from optimizer import Problem, ProblemError, Solution
from optimizer.__main__ import main

NAN = float("nan")
FAULTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "another schema": ({"schema": "allocation/9"}, "schema", "must be"),
    "an unknown field": ({"colour": 1}, "colour", "not a field"),
    "an unknown offer field": ({"offers": [offer(colour=1)]}, "offers[0].colour", "not a field"),
    "an unknown supplier": ({"offers": [offer("X")]}, "offers[0].supplier", "unknown supplier"),
    "an unknown region": ({"demand": [need(5, region="X")]}, "demand[0].region", "unknown region"),
    "empty demand": ({"demand": []}, "demand", "empty"),
    "demand listed twice": ({"demand": [need(5), need(5)]}, "demand[1]", "second demand"),
    "a week outside": ({"demand": [need(5, week=4)]}, "demand[0].week", "above"),
    "a negative quantity": ({"demand": [need(-5)]}, "demand[0].quantity", "at least 0"),
    "a fraction of a unit": ({"demand": [need(1.5)]}, "demand[0].quantity", "whole"),  # type: ignore[arg-type]
    "a billion units": ({"demand": [need(10**9)]}, "demand[0].quantity", "largest"),
    "a NaN price": ({"offers": [offer(price=NAN)]}, "offers[0].breaks[0][1]", "finite"),
    "breaks out of order": (
        {"offers": [offer(breaks=[[0, 2], [9, 1], [5, 1]])]},
        "offers[0].breaks[2]",
        "order",
    ),
    "breaks not from zero": ({"offers": [offer(breaks=[[5, 2]])]}, "offers[0].breaks[0]", "start"),
    "MOQ above max": ({"offers": [offer(moq=9, max=5)]}, "offers[0].moq", "above max"),
    "MOQ above week capacity": (
        {"offers": [offer(moq=9, week_capacity=5)]},
        "offers[0].moq",
        "week_capacity",
    ),
    "a lead beyond the horizon": ({"offers": [offer(lead_weeks=4)]}, "offers[0].lead_weeks", "horizon"),
    "a text for a number": ({"offers": [offer(moq="9")]}, "offers[0].moq", "whole"),
    "capacity for too few weeks": (
        {"suppliers": [{"id": "S", "capacity": [1]}]},
        "suppliers[0].capacity",
        "weeks",
    ),
    "a lane to a supplier": ({"lanes": [{"from": "R", "to": "S"}]}, "lanes[0]", "goes from"),
    "the same id twice": ({"regions": [{"id": "R"}, {"id": "R"}]}, "regions[1].id", "already"),
    "a locked order without an offer": (
        {"offers": [], "locked": [{"supplier": "S", "sku": "A", "week": 0, "to": "R", "quantity": 1}]},
        "locked[0]",
        "no offer",
    ),
    "a share above one": (
        {"share_caps": [{"scope": "plan", "max_share": 1.2}]},
        "share_caps[0].max_share",
        "largest",
    ),
    "MOQ above capacity": (
        {"suppliers": [{"id": "S", "capacity": [5, 8, 0, 5]}], "offers": [offer(moq=9)]},
        "offers[0].moq",
        "capacity 8",
    ),
    "MOQ and set-up above capacity": (
        {"suppliers": [{"id": "S", "capacity": 9}], "offers": [offer(moq=9, setup_capacity=1)]},
        "offers[0].moq",
        "uses 10",
    ),
    "MOQ above the capacity of all weeks": (
        {"suppliers": [{"id": "S", "horizon_capacity": 8}], "offers": [offer(moq=9)]},
        "offers[0].moq",
        "horizon_capacity",
    ),
    "an unknown material": ({"offers": [offer(recipe={"M": 1})]}, "offers[0].recipe.M", "unknown material"),
    "a negative recipe": (
        {"materials": [{"id": "M"}], "skus": [{"id": "A", "materials": {"M": -1}}]},
        "skus[0].materials.M",
        "negative",
    ),
    "a negative lane capacity": (
        {"lanes": [{"from": "S", "to": "R", "capacity": -5}]},
        "lanes[0].capacity[0]",
        "negative",
    ),
    "a lane minimum above its capacity": (
        {"lanes": [{"from": "S", "to": "R", "capacity": 5, "minimum": 6}]},
        "lanes[0].minimum",
        "above",
    ),
    "cyclic lanes": (
        {
            "warehouses": [{"id": "V"}, {"id": "W"}],
            "lanes": [{"from": "V", "to": "W"}, {"from": "W", "to": "V"}],
        },
        "lanes[1]",
        "cycle",
    ),
    "a share of something else": (
        {"share_caps": [{"scope": "plan", "base": "weight"}]},
        "share_caps[0].base",
        "units or spend",
    ),
    "a NaN churn cost": ({"churn_cost": NAN}, "churn_cost", "finite"),
    "a billion weeks": ({"weeks": 10**9, "suppliers": [{"id": "S", "capacity": 1}]}, "weeks", "from 1 to"),
    "a number of four hundred digits": ({"churn_cost": 10**400}, "churn_cost", "401 digits"),
    "true for a number": ({"offers": [offer(price=True)]}, "offers[0].breaks[0][1]", "must be a number"),
    "half a letter": ({"regions": [{"id": "\ud800"}]}, "regions[0].id", "Unicode"),
    "a text for a flag": ({"continuous": "yes"}, "continuous", "true or false"),
    "an alternative that is not there": (
        {"locked": [{"supplier": "S", "sku": "A", "week": 0, "to": "R", "quantity": 1, "alternative": 1}]},
        "locked[0].alternative",
        "largest",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_problem_is_refused_for(name: str) -> None:
    change, path, reason = FAULTS[name]
    with pytest.raises(ProblemError) as refused:
        Problem.from_json(document(**change))
    assert refused.value.path == path
    assert reason in refused.value.reason


@pytest.mark.parametrize("data", [None, [], 5, "x", {"schema": "allocation/1", "weeks": 3, "demand": 5}])
def test_what_is_no_problem_at_all_is_refused(data: Any) -> None:
    with pytest.raises(ProblemError):
        Problem.from_json(data)


def test_a_problem_and_a_plan_survive_their_json() -> None:
    data = with_suppliers(2, [10.0, 11.0], share_caps=[{"scope": "sku", "penalty": 2.0}])
    problem, solution = plan(data)
    assert Problem.from_json(json.loads(json.dumps(problem.to_json()))) == problem
    again = Solution.from_json(json.loads(json.dumps(solution.to_json())))
    assert (again.orders, again.flows, again.cost) == (solution.orders, solution.flows, solution.cost)


def test_the_command_solves_checks_and_tells_by_its_exit_code(tmp_path: Path) -> None:
    problem, out = tmp_path / "p.json", tmp_path / "plan.json"
    problem.write_text(json.dumps(document()))
    assert main(["solve", str(problem), "--out", str(out)]) == 0
    assert main(["check", str(problem), str(out)]) == 0
    broken = json.loads(out.read_text())
    broken["orders"][0]["quantity"] = 10
    out.write_text(json.dumps(broken))
    assert main(["check", str(problem), str(out)]) == 1
    problem.write_text("{")
    assert main(["solve", str(problem), "--out", str(out)]) == 2
    problem.write_text(json.dumps(document()).replace("10.0", "NaN"))
    assert main(["solve", str(problem), "--out", str(out)]) == 2
    caps = [{"scope": "sku", "max_share": 0.4, "hard": True}]
    problem.write_text(json.dumps(document(share_caps=caps)))
    assert main(["solve", str(problem), "--out", str(out)]) == 3
    assert json.loads(out.read_text())["status"] == "infeasible"


FILES = {
    "a key twice": ('{"schema": "allocation/1", "weeks": 3, "weeks": 4}', "weeks: is given twice"),
    "too deep": ("[" * 100_000, "is not JSON"),
    "no text": (b"\xff\xfe{}", "is not JSON"),
    "nothing": ("", "is not JSON"),
    "a number of ten thousand digits": ('{"weeks": ' + "9" * 10_000 + "}", "is not JSON"),
    "an infinite number": ('{"weeks": Infinity}', "Infinity is not a number"),
    "a plan": ('{"status": "optimal"}', "schema: must be"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_problem_is_refused_with_the_reason(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, reason = FILES[name]
    problem = tmp_path / "p.json"
    problem.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["solve", str(problem), "--out", str(tmp_path / "plan.json")]) == 2
    assert main(["check", str(problem), str(problem)]) == 2
    assert capsys.readouterr().err.count(reason) == 2


def test_what_cannot_be_read_written_or_meant_is_said_before_the_search(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = tmp_path / "p.json"
    problem.write_text(json.dumps(document()))
    assert main(["solve", str(tmp_path / "missing.json"), "--out", "x"]) == 2
    assert main(["solve", str(problem), "--out", str(tmp_path / "missing" / "plan.json")]) == 2
    assert capsys.readouterr().err.count("No such file") == 2
    for wrong in (
        ["--gap", "nan"],
        ["--gap", "-1"],
        ["--threads", "0"],
        ["--seed", "x"],
        ["--time-limit", "-1"],
    ):
        with pytest.raises(SystemExit) as ended:
            main(["solve", str(problem), "--out", str(tmp_path / "plan.json"), *wrong])
        assert ended.value.code == 2


def test_the_package_brings_no_web_framework_or_database() -> None:
    code = "import optimizer, sys; print([m for m in ('flask', 'sqlalchemy') if m in sys.modules])"
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"


NOISY = """
import ctypes, runpy, sys
from optimizer.model import engine
ask = engine._ask

def noisy(*given, **more):
    ctypes.CDLL(None).puts(b"lines of a solver")
    return ask(*given, **more)

engine._ask = noisy
sys.argv[:1] = ["optimizer"]
runpy.run_module("optimizer", run_name="__main__", alter_sys=True)
"""


def test_what_a_solver_writes_by_itself_is_not_on_stdout(tmp_path: Path) -> None:
    problem = tmp_path / "p.json"
    problem.write_text(json.dumps(document()))
    asked = ["solve", str(problem), "--out", str(tmp_path / "plan.json"), "--threads", "1", "--no-explain"]
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", NOISY, *asked], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout == "optimal: cost 950.00, bound 950.00, gap 0.00%\n"


def test_demand_that_was_looked_at_is_looked_at_again_where_what_it_names_is_gone() -> None:
    problem = Problem.from_json(document())
    for gone in ({"skus": ()}, {"regions": ()}, {"weeks": 0}):
        with pytest.raises(ProblemError):
            replace(problem, offers=(), lanes=(), **gone)
    late = Problem.from_json(document(demand=[need(5, week=3)]))
    with pytest.raises(ProblemError) as refused:
        replace(late, weeks=2)
    assert refused.value.path == "demand[0].week"
