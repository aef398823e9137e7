"""What progress is told: one dict a step, always with the same keys."""

from __future__ import annotations

from typing import Any


def report(
    phase: str, done: int, total: int, *, bound: float | None = None, incumbent: float | None = None
) -> dict[str, Any]:
    """phase, done of total, and as far as known the proven bound, the incumbent's cost and their gap."""
    gap = (incumbent - bound) / incumbent if bound is not None and incumbent else None
    return {
        "phase": phase,
        "done": done,
        "total": total,
        "bound": bound,
        "incumbent": incumbent,
        "gap": gap,
    }
