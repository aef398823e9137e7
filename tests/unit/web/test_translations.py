"""Every sentence of the pages has its Chinese, with the same placeholders."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

WEB = Path(__file__).parents[3] / "app/entrypoints/web"
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}
KEYWORDS: dict[str, Any] = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}


def written() -> set[Any]:
    """What the code and the templates say in English; a plural is a pair."""
    found = extract_from_dir(str(WEB), METHODS, OPTIONS, keywords=KEYWORDS)
    return {message for _, _, message, _, _ in found if message}


def translated() -> Catalog:
    with (WEB / "translations/zh_Hans_CN/LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file, locale="zh_Hans_CN")


def forms(text: Any) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def test_every_sentence_is_translated_and_no_translation_is_left_over() -> None:
    chinese = {message.id for message in translated() if message.id and all(forms(message.string))}
    assert written() - chinese == set()
    assert chinese - written() == set()


def test_no_translation_is_only_a_guess() -> None:
    assert [message.id for message in translated() if message.id and message.fuzzy] == []


def test_a_translation_names_the_same_values() -> None:
    for message in translated():
        if message.id:
            names = {name for form in forms(message.id) for name in PLACEHOLDER.findall(form)}
            assert {name for form in forms(message.string) for name in PLACEHOLDER.findall(form)} == names


def test_no_sentence_has_a_bare_percent_sign() -> None:
    """A literal one breaks the formatting of the sentence; percentages come as named values."""
    said = [*written(), *(message.string for message in translated() if message.id)]
    bare = [one for one in said if any("%" in PLACEHOLDER.sub("", form) for form in forms(one))]
    assert bare == []


def test_english_text_in_templates_goes_through_the_catalog() -> None:
    """Words between tags that no `_()` wraps would stay English on a Chinese page."""
    loose = []
    for path in (WEB / "templates").rglob("*.html"):
        text = re.sub(
            r"\{[{%#].*?[}%#]\}|<script\b.*?</script>|<svg\b.*?</svg>",
            "",
            path.read_text(encoding="utf-8"),
            flags=re.S,
        )
        for words in re.findall(r">([^<>]*[A-Za-z]{3,}[^<>]*)<", text):
            if words.strip() not in {"HHI", "· Headwater"}:
                loose.append(f"{path.name}: {words.strip()}")
    assert loose == []
