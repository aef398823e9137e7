"""What was worked out of some rows, for problems that share them: explaining changes one row at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Found = TypeVar("Found")


class Remembered(Generic[Found]):
    """The last few results of one piece of work, by the very objects it was worked out of.

    Those must not change: rows of a problem are frozen.
    """

    def __init__(self, most: int = 3) -> None:
        self._most = most
        self._kept: tuple[tuple[tuple[object, ...], Found], ...] = ()

    def of(self, rows: tuple[object, ...], work: Callable[[], Found]) -> Found:
        """What work() gives for these rows. What it raises is not kept."""
        same = (
            one
            for one in self._kept
            if len(one[0]) == len(rows) and all(a is b for a, b in zip(one[0], rows, strict=True))
        )
        mine = next(same, None) or (rows, work())
        self._kept = (mine, *(one for one in self._kept if one is not mine))[: self._most]
        return mine[1]
