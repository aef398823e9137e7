"""Public instances with published optima through the public door: the optimum to a millionth, proven."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.published import instances
from optimizer import Infeasible, Problem, Settings, check, solve

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("HEADWATER_SHARED", str(ROOT.parent / "shared"))) / "data" / "cflp"
QUICK = ("cap41", "cap44", "cap51", "cap63", "cap74", "cap82", "cap91", "cap94")
TEXTBOOK = ("trnsport", "ampl_multi", "ampl_multmip1", "gams_bid", "wagner_whitin_snyder_shen")
pytestmark = pytest.mark.real_data


@pytest.mark.parametrize("name", QUICK + TEXTBOOK)
def test_the_published_optimum_is_found_and_proven(name: str) -> None:
    if not DATA.is_dir():
        pytest.skip(f"{DATA} is not there; set HEADWATER_SHARED to the folder with the real data")
    optimum, data = next((best, made) for found, best, made in instances(DATA) if found == name)
    problem = Problem.from_json(data)
    solution = solve(problem, Settings(gap=0.0))
    assert not isinstance(solution, Infeasible)
    assert solution.objective == pytest.approx(optimum, rel=1e-6)
    assert solution.gap <= 1e-9
    assert solution.status == "optimal"
    assert check(problem, solution).total == pytest.approx(solution.objective)
