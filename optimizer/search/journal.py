"""What a long search has worked out so far, kept in a file, so that one that was killed goes on from there.

A search asks the same questions in the same order every time. Each answer, the plan of one SKU at the prices
asked, is appended to the file as it comes. A search that starts again finds its questions answered up to
where it was killed, and comes to the same plan as if it had never stopped: prices, bound and the best plan so
far follow from the answers. An answer that does not fit its question, because the clock had cut the search
short before it, is dropped with all that follow.

The file: a line with the schema, then records, each its length (4 bytes) and so many bytes of deflated JSON;
the first says whose state it is. What a kill left half written at the end is cut off.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from optimizer.form.errors import StateError
from optimizer.form.problem import Problem
from optimizer.model.parts import Part
from optimizer.model.picks import Pick

MAGIC = b"allocation-state/1\n"
LENGTH = 4
# Answers written at a time: a kill loses fewer.
TOGETHER = 16
OF_PICK = ("extra", "source", "via", "demand", "units", "delay")


def problem_digest(problem: Problem) -> str:
    """SHA-256 of everything the problem says, as hex."""
    found = hashlib.sha256()
    for one in fields(problem):
        if one.init:
            value = getattr(problem, one.name)
            found.update(f"{one.name}:".encode())
            for row in value if isinstance(value, tuple) else (value,):
                found.update(f"{row!r};".encode())
    return found.hexdigest()


class Journal:
    """Context manager over the state file at path, made where there is none.

    Raises StateError when the file is that of another problem, no state at all, in use, or can't be opened.
    """

    def __init__(self, path: Path, problem: Problem) -> None:
        self._path = path
        try:
            path.touch()
            self._file = path.open("r+b")
        except OSError as error:
            raise StateError(str(path), f"can't be opened: {error.strerror}") from error
        try:
            self._at = self._begin({"digest": problem_digest(problem)})
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def answers(
        self, question: str, count: int, work: Callable[[int], Iterable[Part]], *, stop: Callable[[], bool]
    ) -> Iterator[Part]:
        """The count answers to one question: those kept, then work(how many those were), kept as they
        come."""
        done = 0
        while done < count and (kept := self._kept(question, done)):
            for one in kept:
                if stop():
                    return
                yield part_from_json(one)
            done += len(kept)
        fresh: list[Part] = []
        try:
            for part in work(done) if done < count else ():
                fresh.append(part)
                if len(fresh) == TOGETHER:
                    self._write(question, done, fresh)
                    done, fresh = done + len(fresh), []
                yield part
        finally:
            if fresh:
                self._write(question, done, fresh)

    def _begin(self, header: dict[str, str]) -> int:
        """Read or write the head of the file; returns where its answers start."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateError(str(self._path), "is in use by another search") from error
        magic = self._file.read(len(MAGIC))
        if not MAGIC.startswith(magic):
            raise StateError(str(self._path), "is no state of a search")
        known, end = self._record(len(MAGIC))
        if known is None:  # new, or killed before its first answer
            self._file.truncate(0)
            self._file.seek(0)
            self._file.write(MAGIC)
            return self._append(header)
        if known != header:
            raise StateError(
                str(self._path), "is the state of another problem: name another file for this one"
            )
        return end

    def _record(self, at: int) -> tuple[Any, int]:
        """The record that starts there and where it ends; None where it is not whole."""
        self._file.seek(at)
        size = int.from_bytes(self._file.read(LENGTH), "big")
        data = self._file.read(size)
        try:
            return json.loads(zlib.decompress(data)), at + LENGTH + size
        except (zlib.error, ValueError):
            return None, at

    def _kept(self, question: str, at: int) -> list[dict[str, Any]]:
        """The next answers if they are to the question from there on; else the file ends here."""
        record, end = self._record(self._at)
        if record is not None and (record["question"], record["at"]) == (question, at):
            self._at = end
            return list(record["parts"])
        self._file.truncate(self._at)
        self._file.seek(self._at)
        return []

    def _write(self, question: str, at: int, parts: list[Part]) -> None:
        self._at = self._append(
            {"question": question, "at": at, "parts": [part_to_json(one) for one in parts]}
        )

    def _append(self, record: dict[str, Any]) -> int:
        data = zlib.compress(json.dumps(record).encode(), 3)
        self._file.write(len(data).to_bytes(LENGTH, "big") + data)
        self._file.flush()
        return self._file.tell()


def part_to_json(one: Part) -> dict[str, Any]:
    """A SKU's plan as a JSON document, exact to the bit."""
    pick = one.pick
    return {
        "sku": one.sku,
        "bound": one.bound,
        "cost": one.cost,
        "rows": _listed(one.rows),
        "amounts": _listed(one.amounts),
        "support": _listed(one.support),
        "pick": None if pick is None else {name: _listed(getattr(pick, name)) for name in OF_PICK},
    }


def part_from_json(data: dict[str, Any]) -> Part:
    """The plan part_to_json wrote."""
    pick = data["pick"]
    return Part(
        sku=data["sku"],
        bound=data["bound"],
        cost=data["cost"],
        rows=_array(data["rows"]),
        amounts=_array(data["amounts"]),
        support=_array(data["support"]),
        pick=None if pick is None else Pick(**{name: _array(pick[name]) for name in OF_PICK}),
    )


def _listed(values: Any) -> list[Any] | None:
    return None if values is None else [values.dtype.str, values.tolist()]


def _array(data: list[Any] | None) -> Any:
    return None if data is None else np.array(data[1], dtype=data[0])
