"""The browser libraries in the repository are the ones the manifest names, and nothing else is loaded."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[3] / "app/entrypoints/web"
VENDOR = WEB / "static/vendor"
PACKAGES = json.loads((VENDOR / "MANIFEST.json").read_text(encoding="utf-8"))["packages"]


@pytest.mark.parametrize("package", PACKAGES, ids=[package["name"] for package in PACKAGES])
def test_every_vendored_file_is_the_one_in_the_manifest(package: dict[str, object]) -> None:
    folder = VENDOR / str(package["folder"])
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    assert found == package["files"]
    assert "LICENSE" in found, "a library comes with its licence"


def test_nothing_lies_beside_what_the_manifest_names() -> None:
    assert {path.name for path in VENDOR.iterdir()} == {"MANIFEST.json", *(one["folder"] for one in PACKAGES)}


def test_every_icon_that_a_page_uses_is_shipped_and_every_shipped_one_is_used() -> None:
    sources = [*WEB.rglob("*.html"), *WEB.glob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    icons = next(package for package in PACKAGES if package["name"] == "@tabler/icons")
    shipped = {name.removesuffix(".svg") for name in icons["files"] if name.endswith(".svg")}
    unused = {name for name in shipped if f'"{name}"' not in text}
    assert unused == set()
    asked = set(re.findall(r"icon\(\"([a-z0-9-]+)\"", text)) | set(
        re.findall(r"empty\(\"([a-z0-9-]+)\"", text)
    )
    assert asked - shipped == set()


def test_pages_need_no_inline_script_or_style() -> None:
    faults = []
    for path in (WEB / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        if re.search(r"\sstyle=|<style|\son[a-z]+=\"|hx-on|javascript:", text):
            faults.append(path.name)
        for tag in re.findall(r"<script\b[^>]*>", text):
            if "src=" not in tag and "application/json" not in tag:
                faults.append(f"{path.name}: {tag}")
    assert faults == []
