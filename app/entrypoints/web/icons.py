"""Icons and the logo as inline SVG, so that they take the colour of the text beside them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from markupsafe import Markup

STATIC = Path(__file__).parent / "static"


@cache
def icon(name: str, extra: str = "") -> Markup:
    """One of the vendored Tabler icons; decoration only, so hidden from screen readers."""
    text = (vendor_folder("@tabler/icons") / f"{name}.svg").read_text()
    paths = "".join(re.findall(r"<(?:path|circle|rect|line)\b[^>]*?/>", text)[1:])
    classes = f"icon {extra}".strip()
    return Markup(  # the file is ours and hashed in the manifest
        f'<svg class="{classes}" width="24" height="24" viewBox="0 0 24 24" fill="none" '
        f'stroke="currentColor" stroke-width="1.75" stroke-linecap="round" '
        f'stroke-linejoin="round" aria-hidden="true">{paths}</svg>'
    )


@cache
def vendor_folder(package: str) -> Path:
    return STATIC / "vendor" / vendored()[package]


@cache
def vendored() -> dict[str, str]:
    """Package name → its folder under static/vendor; the version is part of the folder's name."""
    manifest = json.loads((STATIC / "vendor" / "MANIFEST.json").read_text())
    return {package["name"]: package["folder"] for package in manifest["packages"]}
