"""A problem file with something wrong in it is refused by name; one that is only odd is planned."""

from __future__ import annotations

import contextlib
import copy
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.__main__ import main

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NASTY: list[Any] = [
    None,
    True,
    False,
    -1,
    0,
    1,
    0.5,
    3,
    1e308,
    1e-308,
    10**9,
    10**400,
    -(10**400),
    "",
    "A",
    "X",
]
NASTY += [
    "\ud800",
    "a\n\x00",
    [],
    {},
    [[]],
    [0],
    [[0, 1.0]],
    {"M": 1},
    {"M": True},
    "NaN",
    "1",
    [1, 2],
    99,
    1e9,
]
VALID: dict[str, Any] = {
    "schema": "allocation/1",
    "weeks": 3,
    "continuous": False,
    "churn_cost": 1.0,
    "suppliers": [
        {"id": "S", "award_cost": 2, "capacity": [20, 20, 20], "horizon_capacity": 50, "risk": 0.1},
        {"id": "T", "capacity": None},
    ],
    "warehouses": [{"id": "W", "award_cost": 1, "storage": 30, "inbound": [30, 30, 30], "throughput": 60}],
    "regions": [{"id": "R", "single_source": False}, {"id": "Q"}],
    "skus": [
        {"id": "A", "category": "C", "materials": {"M": 1}, "volume": 2, "holding_cost": 0.1},
        {"id": "B"},
    ],
    "materials": [{"id": "M", "available": [40, 40, 40]}],
    "offers": [
        {
            "supplier": "S",
            "sku": "A",
            "moq": 5,
            "multiple": 5,
            "max": 40,
            "lead_weeks": 1,
            "breaks": [[0, 9], [10, 8]],
        },
        {
            "supplier": "T",
            "sku": "A",
            "recipe": {"M": 2},
            "order_cost": 3,
            "setup_capacity": 1,
            "breaks": [[0, 10.5]],
        },
        {
            "supplier": "T",
            "sku": "B",
            "price_mode": "incremental",
            "week_capacity": 20,
            "breaks": [[0, 4], [5, 3]],
        },
    ],
    "lanes": [
        {"from": "S", "to": "W", "cost": 1, "capacity": 40},
        {"from": "W", "to": "R", "fixed_cost": 2, "lead_weeks": 0},
        {"from": "T", "to": "R", "lead_weeks": 1, "minimum": 2},
        {"from": "T", "to": "Q"},
    ],
    "demand": [
        {"sku": "A", "region": "R", "week": 2, "quantity": 12, "late_cost": 1, "short_cost": 50},
        {"sku": "B", "region": "Q", "week": 1, "quantity": 7, "max_late_weeks": 1},
    ],
    "stock": [{"sku": "A", "warehouse": "W", "quantity": 3, "week": 0}],
    "locked": [{"supplier": "S", "sku": "A", "week": 0, "to": "W", "quantity": 5}],
    "previous": [{"supplier": "T", "sku": "A", "week": 0, "to": "R", "quantity": 4}],
    "share_caps": [
        {"scope": "sku", "max_share": 0.4, "penalty": 1},
        {"scope": "plan", "key": None, "base": "spend", "max_share": 0.7, "hard": True},
    ],
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every key and index in a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [one for key, each in inside for one in ((*path, key), *places(each, (*path, key)))]


@st.composite
def harmed(draw: st.DrawFn) -> dict[str, Any]:
    """The valid problem with one or two values replaced, left out, doubled, or put under another name."""
    data = copy.deepcopy(VALID)
    for _ in range(draw(st.integers(1, 2))):
        *path, last = draw(st.sampled_from(places(data)))
        holder = data
        for key in path:
            holder = holder[key]
        how = draw(st.sampled_from(["value", "value", "value", "drop", "twice", "name"]))
        if how == "value":
            holder[last] = draw(st.sampled_from(NASTY))
        elif how == "drop":
            del holder[last]
        elif how == "twice" and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[last]))
        elif isinstance(holder, dict):
            holder[draw(st.sampled_from(["id", "sku", "x", "weeks"]))] = holder.pop(last)
    return data


def command(*arguments: str) -> tuple[int, str]:
    told = io.StringIO()
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()):
        return main(list(arguments)), told.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bad")


@FEW
@given(data=harmed())
def test_a_harmed_problem_is_refused_by_name_or_planned_and_checked(
    folder: Path, data: dict[str, Any]
) -> None:
    made, out = folder / "problem.json", folder / "plan.json"
    made.write_text(json.dumps(data))
    code, told = command("solve", str(made), "--out", str(out), "--gap", "0.05", "--no-explain")
    assert code in (0, 2, 3), told
    if code == 2:
        path, _, reason = told.removeprefix("invalid input: ").partition(": ")
        assert path and reason.strip()
    if code == 0:
        assert command("check", str(made), str(out)) == (0, "")


@FEW
@given(data=st.data())
def test_a_harmed_plan_is_refused_or_breaks_a_rule_or_says_the_same(
    folder: Path, data: st.DataObject
) -> None:
    made, out = folder / "valid.json", folder / "valid-plan.json"
    if not out.exists():
        made.write_text(json.dumps(VALID))
        assert command("solve", str(made), "--out", str(out), "--no-explain")[0] == 0
    plan = json.loads(out.read_text())
    *path, last = data.draw(st.sampled_from(places(plan)))
    holder = plan
    for key in path:
        holder = holder[key]
    before = holder[last]
    holder[last] = value = data.draw(st.sampled_from(NASTY))
    harmed = folder / "harmed-plan.json"
    harmed.write_text(json.dumps(plan))
    code, told = command("check", str(made), str(harmed))
    assert code in (0, 1, 2)
    if path and path[0] in ("orders", "flows", "unmet") and value != before and last != "reason":
        assert code != 0 or path[-1] == "numbers" or last in ("numbers", "alternative"), (path, last, value)
    assert (code == 0) == (told == "")
