"""House rules that an import linter can't see: from a source tree to sentences about what breaks them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

CLOCKS = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime"},
    "func": {"now", "current_timestamp", "current_date", "localtimestamp"},
}
COMMITTING = {"commit", "begin"}
LEVELS = {
    "CampaignAgain",
    "CampaignBuyers",
    "CampaignDay",
    "CampaignRegionDay",
    "CampaignTotalDay",
    "DemandAgain",
    "DemandDay",
    "DemandSkuAgain",
    "DemandSkuDay",
    "DemandTotalDay",
}


def commits(root: Path) -> list[str]:
    """Only app/core/db.py begins and commits."""
    return [
        f"{where}: {name}() – let the door's transaction() do it"
        for path, tree in _modules(root / "app", but=("core/db.py",))
        for where, name in _calls(root, path, tree)
        if name.split(".")[-1] in COMMITTING and "." in name
    ]


def clocks(root: Path) -> list[str]:
    """No calendar clock below an entrypoint; time.perf_counter() measures and is free."""
    trees = [
        *_modules(root / "app", but=("entrypoints/",)),
        *_modules(root / "forecasting"),
        *_modules(root / "optimizer"),
    ]
    return [
        f"{where}: {name}() – take `now` or `as_of` as a parameter"
        for path, tree in trees
        for where, name in _calls(root, path, tree)
        if _reads_a_clock(name)
    ]


def half_counts(root: Path) -> list[str]:
    """Cells of roll-ups are read by counted() or received(), which add the changes that are not folded."""
    return [
        f"{path.relative_to(root)}:{node.lineno}: {node.value.id}.{node.attr} – read counted({node.value.id})"
        for path, tree in _modules(root / "app")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in LEVELS
    ]


def positional(root: Path) -> list[str]:
    """Public functions of operations and queries take one positional argument, the session."""
    return [
        f"{path.relative_to(root)}:{node.lineno}: {node.name} – make all but the first argument keyword-only"
        for path, tree in _modules(root / "app" / "stages")
        if {"operations", "queries"} & set(path.relative_to(root).with_suffix("").parts)
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and _is_public(node.name, path)
        if len(node.args.posonlyargs) + len(node.args.args) > 1 or node.args.vararg
    ]


def _is_public(name: str, path: Path) -> bool:
    """Inside a package public is what its __init__ passes on."""
    door = path.with_name("__init__.py")
    if path.parent.name in ("operations", "queries") and door.exists():
        imports = [node for node in ast.walk(ast.parse(door.read_text())) if isinstance(node, ast.ImportFrom)]
        return any(alias.name == name for node in imports for alias in node.names)
    return not name.startswith("_")


def _reads_a_clock(name: str) -> bool:
    *owner, last = name.split(".")
    return bool(owner) and last in CLOCKS.get(owner[-1], ())


def _modules(folder: Path, *, but: tuple[str, ...] = ()) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(folder.rglob("*.py")):
        if not path.relative_to(folder).as_posix().startswith(but or ("/",)):
            yield path, ast.parse(path.read_text())


def _calls(root: Path, path: Path, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Where, and the dotted name that is called, with names that were imported spelled in full."""
    full = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            first, _, rest = ast.unparse(node.func).partition(".")
            yield (
                f"{path.relative_to(root)}:{node.lineno}",
                ".".join(filter(None, (full.get(first, first), rest))),
            )
