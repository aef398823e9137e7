"""Progress told to a caller who may want to stop."""

from __future__ import annotations

from collections.abc import Callable


class Progress:
    """Counts series done and tells `listener(done, total)`; what the listener raises passes through."""

    def __init__(self, listener: Callable[[int, int], None] | None, total: int) -> None:
        self._listener, self._total, self._done = listener, total, 0

    def step(self, count: int) -> None:
        """`count` more series are done."""
        self._done += count
        if self._listener is not None and count:
            self._listener(self._done, self._total)
