"""Draws docs/flow.svg from docs/flow.toml: `python -m scripts.flow_picture` (or `make docs`)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

DOCS = Path(__file__).parents[1] / "docs"
WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 142, 74, 26, 44, 16
STYLE = """
  text { font: 12px system-ui, "Noto Sans", sans-serif; fill: #48566a; }
  .name { font-weight: 600; font-size: 14px; fill: #10233c; }
  .box { fill: #f4f8fd; stroke: #9db8d6; }
  .pure { fill: #f3faf5; stroke: #93c2a5; }
  .line { fill: none; stroke: #3b6ea5; stroke-width: 1.6; }
  .soft { stroke-dasharray: 5 4; stroke-width: 1.3; }
  .head { fill: #3b6ea5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #a9b6c8; } .name { fill: #eef3f9; }
    .box { fill: #16233a; stroke: #41608a; } .pure { fill: #14281f; stroke: #3f7a5a; }
    .line { stroke: #7fb0e6; } .head { fill: #7fb0e6; }
  }
"""


class Box:
    """A rectangle of the grid and its words."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.name: str = given["name"]
        self.says: list[str] = given["says"]
        self.kind = "box pure" if given.get("pure") else "box"
        columns = given.get("columns", 1)
        self.left = MARGIN + given["column"] * (WIDTH + GAP_X)
        self.width = columns * WIDTH + (columns - 1) * GAP_X
        self.height = HEIGHT - 18 * (2 - len(self.says))
        self.top = MARGIN + (given["row"] * (HEIGHT + GAP_Y) - (4 if given["row"] else 0))

    @property
    def middle(self) -> float:
        return self.left + self.width / 2

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def drawn(self) -> str:
        lines = [
            f'<rect class="{self.kind}" x="{self.left}" y="{self.top}" width="{self.width}" '
            f'height="{self.height}" rx="9"/>',
            _text(self.middle, self.top + 23, self.name, kind="name"),
        ]
        lines += [_text(self.middle, self.top + 43 + 17 * at, line) for at, line in enumerate(self.says)]
        return "\n".join(lines)


def draw(source: dict[str, Any]) -> str:
    """The SVG document of a parsed flow.toml."""
    boxes = {given["name"]: Box(given) for given in source["box"]}
    parts = [box.drawn() for box in boxes.values()]
    for link in source["link"]:
        parts.append(_link(boxes[link["from"]], boxes[link["to"]], soft="kind" in link))
    for feedback in source["feedback"]:
        parts.append(_feedback(boxes[feedback["from"]], boxes[feedback["to"]], feedback["says"]))
    width = max(box.right for box in boxes.values()) + MARGIN
    height = max(box.bottom for box in boxes.values()) + MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            'aria-label="The stages of the planning cycle and what flows between them">',
            f"<style>{STYLE}</style>",
            '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
            'orient="auto"><path class="head" d="M0 0L10 5L0 10z"/></marker></defs>',
            *parts,
            "</svg>\n",
        ]
    )


def _link(start: Box, end: Box, *, soft: bool) -> str:
    """Straight along a row or a column; else down from the start and sideways into the end."""
    if start.top == end.top:
        y = start.top + start.height / 2
        path = f"M{start.right} {y:g}H{end.left - 2}"
    elif start.left == end.left:
        path = f"M{start.middle:g} {start.bottom}V{end.top - 2}"
    else:
        path = f"M{start.middle:g} {start.bottom}V{end.top + end.height / 2:g}H{end.right + 2}"
    return _line(path, soft=soft)


def _feedback(start: Box, end: Box, words: str) -> str:
    """Back to the left: over the boxes of one row, or out of a lower row up into a higher one."""
    if start.top == end.top:
        level = start.top - 18
        path = f"M{start.middle:g} {start.top}V{level}H{end.middle:g}V{end.top - 2}"
        return _line(path, soft=True) + "\n" + _text((start.middle + end.middle) / 2, level - 8, words)
    side, level = end.right + GAP_X / 2, end.bottom + 16
    middle = start.top + start.height / 2
    path = f"M{start.left} {middle:g}H{side:g}V{level}H{end.right - 24}V{end.bottom + 2}"
    return _line(path, soft=True) + "\n" + _text(side + 32, level + 10, words)


def _line(path: str, *, soft: bool) -> str:
    return f'<path class="line{" soft" if soft else ""}" d="{path}" marker-end="url(#head)"/>'


def _text(x: float, y: float, words: str, *, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:g}" y="{y:g}" text-anchor="middle">{escape(words)}</text>'


def picture() -> str:
    return draw(tomllib.loads((DOCS / "flow.toml").read_text()))


if __name__ == "__main__":
    (DOCS / "flow.svg").write_text(picture())
