"""When to stop: a limit of wall clock in parts, and somebody who cancels. Nothing else here reads a clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from optimizer.form.errors import Cancelled

Told = Callable[[dict[str, Any]], object]
Tell = Callable[[dict[str, Any]], None]


@dataclass(kw_only=True)
class Clock:
    """limit: seconds of wall clock from now on. cancelled: whoever is told of the progress wants the best
    so far. listened: somebody is told of it."""

    limit: float = math.inf
    cancelled: bool = False
    listened: bool = False
    started: float = field(default_factory=time.monotonic)

    def until(self, part: float) -> Deadline:
        """The moment at which this part of the limit is spent."""
        return Deadline(self, self.started + part * self.limit)

    @property
    def seconds(self) -> float:
        """Wall clock so far."""
        return time.monotonic() - self.started

    def listen(self, progress: Told | None) -> Tell:
        """A tell that stops the search when progress returns False or raises Cancelled."""
        self.listened = progress is not None

        def tell(state: dict[str, Any]) -> None:
            if progress is None or self.cancelled:
                return
            try:
                self.cancelled = progress(state) is False
            except Cancelled:
                self.cancelled = True

        return tell


@dataclass(frozen=True)
class Deadline:
    """A moment of a clock; it has passed too when the search was cancelled."""

    clock: Clock
    at: float

    def passed(self, *, after: float = 0.0) -> bool:
        """Whether to stop now, or would have so many seconds ago."""
        return self.clock.cancelled or time.monotonic() > self.at + after

    @property
    def left(self) -> float:
        """Seconds until then, never below 0."""
        return 0.0 if self.clock.cancelled else max(0.0, self.at - time.monotonic())


def never() -> Deadline:
    """A deadline that does not come."""
    return Deadline(Clock(), math.inf)
