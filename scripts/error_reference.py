"""Writes docs/errors.md from the code: `python -m scripts.error_reference` (or `make docs`).

An error is where a literal meets a parameter called `code`: an exception of app.core.errors, a check of a
file's rows, or a function that passes its own `code` on. The words that follow are its sentence.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
STATUS = {"NotFound": "404", "NotAllowed": "403", "RuleBroken": "422", "Conflict": "409"}
ROW = "row"
SENTENCES = {"sentence", "why"}
CODE = re.compile(r"[a-z]+(_[a-z]+)+")
HEAD = """# Error codes

Written by `make docs` from the code; a test fails when it is stale. `…` stands for a value.

Every refusal has a stable code, a sentence for people, and data. The API answers with problem+json (RFC 9457)
and the status below; a command prints the sentence and exits with 1; a page shows the sentence. A sign-in
that is missing or wrong is answered with 401.

Other HTTP errors are named after their status: `not_found`, `method_not_allowed`, `too_many_requests` …
"""
ROWS = """
## Rows and cells of a file

An order file keeps its good rows; each bad one is rejected with its line, column and sentence. Network files
are stored whole or not at all: what is wrong stands in `errors` of `network_invalid`.

| code | sentence |
| --- | --- |"""


@dataclass(frozen=True, order=True)
class Error:
    code: str
    status: str
    sentence: str


@dataclass(frozen=True)
class Maker:
    """A function or class that takes a code: where it stands among the arguments, and the status it means."""

    position: int
    status: str


def errors(root: Path = ROOT) -> list[Error]:
    """Every error of app/, by code; one that is raised in several places is shown by its longest sentence."""
    trees = [ast.parse(path.read_text()) for path in sorted((root / "app").rglob("*.py"))]
    everywhere = {name: Maker(0, status) for name, status in STATUS.items()}
    for tree in trees:
        everywhere |= {name: maker for name, maker in _makers(tree) if not name.startswith("_")}
    found: dict[str, Error] = {}
    for tree in trees:
        for error in (*_errors(tree, {**everywhere, **dict(_makers(tree))}), *_tabled(tree)):
            known = found.get(error.code, error)
            found[error.code] = max(known, error, key=lambda one: (one.status != ROW, len(one.sentence)))
    return sorted(found.values())


def reference(root: Path = ROOT) -> str:
    """The text of docs/errors.md."""
    known = errors(root)
    refusals = [f"| `{one.code}` | {one.status} | {one.sentence} |" for one in known if one.status != ROW]
    rows = [f"| `{one.code}` | {one.sentence} |" for one in known if one.status == ROW]
    table = "## Refusals\n\n| code | status | sentence |\n| --- | --- | --- |"
    return "\n".join([HEAD, table, *refusals, ROWS, *rows, ""])


def _makers(tree: ast.Module) -> Iterator[tuple[str, Maker]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in node.args.args]
            name, status = node.name, _status(node)
        elif isinstance(node, ast.ClassDef) and node.name not in ("HeadwaterError", *STATUS):
            names = [item.target.id for item in node.body if _is_field(item)]  # type: ignore[attr-defined]
            name, status = node.name, ROW
        else:
            continue
        if "code" in names and SENTENCES & set(names):
            yield name, Maker(names.index("code"), status)


def _is_field(node: ast.stmt) -> bool:
    return isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)


def _status(function: ast.FunctionDef) -> str:
    """What a function that passes its code on means: the status of what it raises, or its own argument."""
    if any(argument.arg == "status" for argument in function.args.args):
        return ""
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    named = {call.id for call in calls if isinstance(call, ast.Name)}
    return next((status for name, status in STATUS.items() if name in named), ROW)


def _errors(tree: ast.Module, makers: dict[str, Maker]) -> Iterator[Error]:
    texts = _assigned(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        maker = makers.get(getattr(node.func, "id", getattr(node.func, "attr", "")))
        if maker is None or len(node.args) <= maker.position:
            continue
        code = _literal(node.args[maker.position])
        if code:
            words = [_words(argument, texts) for argument in node.args[maker.position + 1 :]]
            sentence = "; ".join(word for word in words if " " in word and not word.startswith("^"))
            yield Error(code, maker.status or _literal(node.args[0]), sentence.replace("|", "\\|") or "…")


def _tabled(tree: ast.Module) -> Iterator[Error]:
    """Rows' errors that stand in a table: a dict whose values are pairs of a code and its sentence."""
    for node in ast.walk(tree):
        for pair in node.values if isinstance(node, ast.Dict) else []:
            if isinstance(pair, ast.Tuple) and len(pair.elts) == 2:
                code, sentence = map(_literal, pair.elts)
                if CODE.fullmatch(code) and " " in sentence:
                    yield Error(code, ROW, sentence)


def _assigned(tree: ast.Module) -> list[tuple[str, int, ast.expr]]:
    """Name, line and value of every plain assignment."""
    return [
        (target.id, node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]


def _literal(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) and node.value is not None else ""


def _words(node: ast.expr, texts: list[tuple[str, int, ast.expr]]) -> str:
    """The literal words of a sentence, with … for each value put into it."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.BinOp):
        return (_words(node.left, texts) or "…") + (_words(node.right, texts) or "…")
    if isinstance(node, ast.Call):  # such as pl.format("… {} …", …)
        return next((words.replace("{}", "…") for at in node.args if (words := _words(at, texts))), "")
    if isinstance(node, ast.Name):
        before = [(line, value) for name, line, value in texts if name == node.id and line < node.lineno]
        return _words(max(before, key=lambda found: found[0])[1], []) if before else ""
    return ""


if __name__ == "__main__":
    (ROOT / "docs" / "errors.md").write_text(reference())
