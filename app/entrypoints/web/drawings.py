"""Small pictures drawn on the server as SVG: they need no script and no inline style."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

WIDTH, HEIGHT = 240.0, 48.0


def sparkline(values: Sequence[float]) -> Markup:
    """An area line over the values, oldest first, stretched to its box; nothing for fewer than two."""
    if len(values) < 2:
        return Markup("")
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = WIDTH / (len(values) - 1)
    points = [
        (index * step, HEIGHT - 4 - (value - low) / span * (HEIGHT - 10))
        for index, value in enumerate(values)
    ]
    line = _smooth(points)
    return Markup(  # numbers only
        f'<svg class="spark" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" preserveAspectRatio="none" '
        f'aria-hidden="true"><path class="spark-area" d="{line} L{WIDTH:g} {HEIGHT:g} L0 {HEIGHT:g} Z"/>'
        f'<path class="spark-line" d="{line}" vector-effect="non-scaling-stroke"/></svg>'
    )


def _smooth(points: Sequence[tuple[float, float]]) -> str:
    """A path whose bends never overshoot the values (horizontal tangents halfway)."""
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (x0 + x1) / 2
        parts.append(f"C{middle:.1f} {y0:.1f} {middle:.1f} {y1:.1f} {x1:.1f} {y1:.1f}")
    return " ".join(parts)


def meter(
    value: float,
    *,
    full: float,
    mark: float | None = None,
    tone: str = "",
    low: float | None = None,
    high: float | None = None,
) -> Markup:
    """A bar of `value` on the scale 0 … `full`, with a tick at `mark` (a go line, a limit).

    `low` … `high` is drawn as a whisker: how sure the value is.
    """
    full = max(full, 1e-9)
    width = min(max(value / full, 0.0), 1.0) * 100
    tick = ""
    if mark is not None and 0 < mark <= full:
        at = mark / full * 100
        tick = f'<rect class="meter-mark" x="{at - 0.6:.2f}" y="0" width="1.2" height="10"/>'
    if low is not None and high is not None:
        start, end = (min(max(bound / full, 0.0), 1.0) * 100 for bound in (low, high))
        tick += "".join(
            f'<rect class="meter-range" x="{x:.2f}" y="{y}" width="{wide:.2f}" height="{10 - 2 * y:g}"/>'
            for x, y, wide in ((start, 4.4, end - start), (start, 2.5, 0.5), (max(end - 0.5, 0), 2.5, 0.5))
        )
    return Markup(  # numbers, and a tone that our own templates choose
        f'<svg class="meter {tone}" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="meter-track" x="0" y="2" width="100" height="6"/>'
        f'<rect class="meter-fill" x="0" y="2" width="{width:.2f}" height="6"/>{tick}</svg>'
    )
