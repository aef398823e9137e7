"""What the import linter can't see: who commits, who reads a clock, how functions are called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support import house

ROOT = Path(__file__).parents[2]
Rule = Callable[[Path], list[str]]


@pytest.mark.parametrize("rule", [house.commits, house.clocks, house.positional, house.half_counts])
def test_the_house_rule_is_kept(rule: Rule) -> None:
    assert rule(ROOT) == []


@pytest.mark.parametrize(
    ("rule", "file", "code"),
    [
        (house.commits, "app/stages/stock/operations.py", "def f(session):\n    session.commit()\n"),
        (house.commits, "app/entrypoints/door.py", "with engine.begin() as connection:\n    pass\n"),
        (house.clocks, "app/stages/stock/rules.py", "import datetime as dt\ndt.datetime.now(dt.UTC)\n"),
        (house.clocks, "app/core/jobs.py", "from datetime import date as day\nday.today()\n"),
        (house.clocks, "app/cycle.py", "from time import time\ntime()\n"),
        (house.clocks, "forecasting/input/panel.py", "import time\ntime.time_ns()\n"),
        (house.clocks, "app/stages/stock/queries.py", "from sqlalchemy import func\nfunc.now()\n"),
        (house.positional, "app/stages/stock/operations.py", "def move(session, quantity): ...\n"),
        (house.positional, "app/stages/stock/queries/pool.py", "def list_them(session, *ids): ...\n"),
        (house.half_counts, "app/stages/alerts/queries.py", "select(func.sum(DemandDay.units))\n"),
    ],
)
def test_a_planted_violation_is_found(rule: Rule, file: str, code: str, tmp_path: Path) -> None:
    planted = tmp_path / file
    planted.parent.mkdir(parents=True)
    planted.write_text(code)
    assert [sentence.split(":")[0] for sentence in rule(tmp_path)] == [file]


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("app/core/db.py", "session.begin()\nsession.commit()\n"),
        ("app/stages/stock/operations.py", "import time\ntime.perf_counter()\nsession.begin_nested()\n"),
        (
            "app/stages/stock/operations.py",
            "def move(session, *, quantity, now): ...\ndef _help(a, b): ...\n",
        ),
        ("app/entrypoints/door.py", "import datetime as dt\ndt.datetime.now(dt.UTC)\n"),
    ],
)
def test_what_the_house_allows_is_left_alone(file: str, code: str, tmp_path: Path) -> None:
    allowed = tmp_path / file
    allowed.parent.mkdir(parents=True)
    allowed.write_text(code)
    assert [*house.commits(tmp_path), *house.clocks(tmp_path), *house.positional(tmp_path)] == []
