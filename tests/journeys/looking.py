"""Looking at a page: are its charts drawn, does everybody have access."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page


def drawn(page: Page) -> None:
    """Wait until every chart of the page stands."""
    expect(page.locator("[data-chart]:not(.ready)")).to_have_count(0)


def ink(page: Page, chart: str, *, columns: int) -> list[float]:
    """Of each of so many columns of a chart's canvas, from left to right, the part that is not empty."""
    parts: list[float] = page.evaluate(
        """([chart, columns]) => {
            const canvas = document.querySelector(`[data-chart=${chart}] canvas`);
            const { width, height } = canvas;
            const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
            const full = Array(columns).fill(0);
            for (let at = 0; at < width * height; at++)
                if (pixels[4 * at + 3]) full[Math.floor((at % width) * columns / width)]++;
            return full.map((one) => one * columns / (width * height));
        }""",
        [chart, columns],
    )
    return parts


def faults(page: Page) -> list[str]:
    """What axe finds serious or critical on the page, past its content policy (by the debugger's door)."""
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": _axe()})
    found = session.send(
        "Runtime.evaluate",
        {
            "expression": "axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify("
            "r.violations.map(v => [v.impact, v.id, v.nodes.map(n => n.html.slice(0, 200))])))",
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    violations = json.loads(found["result"]["value"])
    return [
        f"{page.url}: {rule} {nodes}"
        for impact, rule, nodes in violations
        if impact in ("serious", "critical")
    ]


def _axe() -> str:
    """The vendored axe-core, without importing the package around it."""
    spec = importlib.util.find_spec("axe_core_python")
    assert spec is not None and spec.submodule_search_locations
    return (Path(spec.submodule_search_locations[0]) / "axe.min.js").read_text(encoding="utf-8")
