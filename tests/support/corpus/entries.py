"""The entries of the corpus, and the bytes that each one sends."""

from __future__ import annotations

import importlib.util
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

FULL = bool(os.environ.get("HEADWATER_CORPUS_FULL"))
"""Send every input at its full size; otherwise the largest are cut to what is refused the same way."""
ENOUGH: dict[str, dict[str, int]] = {
    "gzip_body": {"mb": 64},
    "csv_unbalanced": {"n": 20_000},
    "csv_wide": {"n": 50_000},
    "xlsx_bomb": {"mb": 600},
    "xlsx_many_entries": {"n": 10_100},
    "pq_rle_bomb": {"n": 150_000_000},
}
"""Beyond the limits of what is read, or long enough to show that one line does not swallow the others."""


@dataclass(frozen=True)
class Entry:
    """One hostile or malformed input: where it goes, what it is, and what must come of it."""

    id: str
    boundary: str
    title: str
    slot: str
    input: dict[str, Any]
    statuses: tuple[Any, ...]
    effect: str

    @property
    def made_by(self) -> str | None:
        """The function that makes the input, where it is not written out."""
        return self.input["gen"]["fn"] if "gen" in self.input else None

    @property
    def arguments(self) -> dict[str, Any]:
        return dict(self.input["gen"].get("args", {}))

    @property
    def may_be_taken(self) -> bool:
        """Whether any of the statuses lets something in."""
        return any(str(one) in ("200", "201", "202", "204", "job:completed") for one in self.statuses)


def entries(folder: Path) -> list[Entry]:
    """The corpus in `folder`; none where there is no such file."""
    path = folder / "corpus" / "bad-input.yaml"
    if not path.exists():
        return []
    listed = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return [
        Entry(
            id=one["id"],
            boundary=one["boundary"],
            title=one["title"],
            slot=one["slot"],
            input=one["input"],
            statuses=tuple(one["expect"]["status"]),
            effect=one["expect"]["effect"],
        )
        for one in listed["entries"]
    ]


@cache
def generator(folder: Path) -> ModuleType:
    """The script beside the corpus that makes the larger inputs."""
    spec = importlib.util.spec_from_file_location("corpus_generator", folder / "corpus" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def content(entry: Entry, folder: Path) -> bytes | None:
    """What the entry sends; None for a scenario that only the running product can play."""
    if entry.made_by is None:
        return _written_out(entry.input)
    make = generator(folder).F.get(entry.made_by)
    if make is None:
        return None
    arguments = entry.arguments
    if not FULL:
        arguments |= ENOUGH.get(entry.made_by, {})
    made: bytes = make(**arguments)
    return made


def _written_out(given: dict[str, Any]) -> bytes:
    if "hex" in given:
        return bytes.fromhex(given["hex"])
    for name in ("body", "json_value", "text"):
        if name in given:
            return str(given[name]).encode("utf-8", "surrogateescape")
    return b""


def json_value(entry: Entry, sent: bytes) -> Any:
    """The value of a field's JSON source, for what came of it to be compared with."""
    return json.loads(sent)
