"""The import rules hold, and each of them bites: a violation planted in a copy is found."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = Path(sys.executable).with_name("lint-imports")


@dataclass(frozen=True)
class Plant:
    """A line added to a file of the copy, and what the contract must then complain about."""

    contract: str
    file: str
    line: str
    complaint: str


PLANTS = [
    Plant("1a", "optimizer/planted_1a.py", "import forecasting", "optimizer.planted_1a -> forecasting"),
    Plant("1a", "forecasting/planted_1a.py", "import app.core", "forecasting.planted_1a -> app.core"),
    Plant("1b", "optimizer/planted_1b.py", "import sqlalchemy", "optimizer.planted_1b -> sqlalchemy"),
    Plant("2", "app/core/planted_2.py", "import app.cycle", "app.core.planted_2 -> app.cycle"),
    Plant("2", "app/helpers.py", "", "- app.helpers"),
    Plant(
        "3",
        "app/stages/catalog/queries.py",
        "import app.stages.demand.rules",
        "app.stages.catalog.queries -> app.stages.demand.rules",
    ),
    Plant(
        "3",
        "app/stages/stock/queries.py",
        "import app.stages.demand.rules",
        "app.stages.stock.queries -> app.stages.demand.rules",
    ),
    *(
        Plant("3", f"app/stages/shipping/{name}.py", "", "- app.stages.shipping")
        for name in ("__init__", "operations", "queries", "models", "rules")
    ),
    Plant(
        "4",
        "app/stages/stock/queries.py",
        "import app.stages.stock.operations",
        "app.stages.stock.queries -> app.stages.stock.operations",
    ),
    Plant("4", "app/stages/stock/utils.py", "", "- app.stages.stock.utils"),
    Plant("5a", "app/stages/stock/rules.py", "import sqlalchemy", "app.stages.stock.rules -> sqlalchemy"),
    Plant(
        "5a",
        "app/stages/demand/rules.py",
        "import app.stages.stock.models",
        "app.stages.demand.rules -> app.stages.stock.models",
    ),
    Plant("5b", "app/core/planted_5b.py", "import flask", "app.core.planted_5b -> flask"),
    Plant(
        "5b",
        "app/stages/alerts/operations.py",
        "import marshmallow",
        "app.stages.alerts.operations -> marshmallow",
    ),
    Plant(
        "5c",
        "app/entrypoints/door.py",
        "import app.stages.stock.rules",
        "app.entrypoints.door -> app.stages.stock.rules",
    ),
    Plant("5c", "app/entrypoints/door.py", "import optimizer", "app.entrypoints.door -> optimizer"),
    Plant("5d", "app/core/planted_5d.py", "import ortools.sat", "app.core.planted_5d -> ortools"),
    Plant("5e", "optimizer/planted_5e.py", "import statsmodels", "optimizer.planted_5e -> statsmodels"),
    Plant(
        "5f",
        "app/entrypoints/worker.py",
        "import app.entrypoints.web",
        "app.entrypoints.worker -> app.entrypoints.web",
    ),
    Plant(
        "5g",
        "app/core/errors.py",
        "import app.core.config; import app.core.planted_5g",
        "- .planted_5g -> .errors",
    ),
    Plant("5g", "app/core/planted_5g.py", "import app.core.errors", "- .planted_5g -> .errors"),
    Plant(
        "5h", "app/sample/planted_5h.py", "import app.core.errors", "app.sample.planted_5h -> app.core.errors"
    ),
    Plant("5i", "app/core/planted_5i.py", "import app.sample", "app.core.planted_5i -> app.sample"),
    Plant(
        "7a",
        "forecasting/input/panel.py",
        "import forecasting.methods",
        "forecasting.input.panel -> forecasting.methods",
    ),
    Plant("7a", "forecasting/helpers.py", "", "- forecasting.helpers"),
    Plant(
        "7b",
        "optimizer/rules/checking.py",
        "import optimizer.model.engine",
        "optimizer.rules.checking -> optimizer.model.engine",
    ),
    Plant("7b", "optimizer/helpers.py", "", "- optimizer.helpers"),
    *(
        Plant(
            f"6 one writer per table: {stage}",
            "app/cycle.py",
            f"import app.stages.{stage}.models",
            f"app.cycle -> app.stages.{stage}.models",
        )
        for stage in (
            "imports",
            "catalog",
            "stock",
            "demand",
            "forecasts",
            "allocation",
            "confirmation",
            "warehouse",
            "alerts",
        )
    ),
    Plant(
        "6 one writer per table: catalog",
        "app/stages/demand/operations.py",
        "import app.stages.catalog.models",
        "app.stages.demand.operations -> app.stages.catalog.models",
    ),
]


def lint(folder: Path) -> str:
    finished = subprocess.run(
        [LINT, "--no-logo", "--no-cache"],
        cwd=folder,
        env={**os.environ, "COLUMNS": "1000"},  # a name that is wrapped could not be found
        capture_output=True,
        text=True,
        check=False,
    )
    return finished.stdout + finished.stderr


def complaints(output: str) -> dict[str, str]:
    """What was said about each broken contract, by its full name."""
    parts = re.split(r"^(.+)\n-{2,}\n", output.partition("Broken contracts")[2], flags=re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def copy_of_the_packages(folder: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", folder)
    for package in ("app", "forecasting", "optimizer"):
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "static")
        )
    return folder


def add(line: str, file: Path) -> None:
    """To the end of a module, which may be a package by now, or to a new one."""
    package = file.with_suffix("") / "__init__.py"
    target = package if package.exists() else file
    target.parent.mkdir(exist_ok=True)
    with target.open("a") as opened:
        opened.write(f"\n{line}\n")


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = copy_of_the_packages(tmp_path_factory.mktemp("planted"))
    for plant in PLANTS:
        add(plant.line, folder / plant.file)
    return complaints(lint(folder))


def test_every_import_rule_is_kept() -> None:
    output = lint(ROOT)
    assert "0 broken" in output, output


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.contract}: {plant.file}: {plant.line}")
def test_a_planted_violation_is_found(plant: Plant, planted: dict[str, str]) -> None:
    said = [text for name, text in planted.items() if name.startswith(plant.contract)]
    assert plant.complaint in " ".join(said)


def test_every_contract_has_a_planted_violation(planted: dict[str, str]) -> None:
    contracts = re.findall(r'^name = "(.+)"$', (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE)
    unproven = [
        name
        for name in contracts
        if name[0].isdigit() and not any(name.startswith(p.contract) for p in PLANTS)
    ]
    assert unproven == []


def test_a_stage_without_one_of_the_four_files_is_found(tmp_path: Path) -> None:
    folder = copy_of_the_packages(tmp_path)
    (folder / "app/stages/stock/rules.py").unlink()
    assert "app.stages.stock.rules does not exist" in " ".join(lint(folder).split())
