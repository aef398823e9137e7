"""English and Simplified Chinese: which one a request speaks, and the catalog it speaks from.

The catalog is read from the `.po` file itself when the service starts: there is no compiled copy to forget.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, g, has_request_context, request, session
from flask_babel import Babel, Domain, get_locale
from flask_login import current_user

from app.core.access import LOCALES
from app.entrypoints.door import attached

TRANSLATIONS = Path(__file__).parent / "translations"
TAGS = {"en": "en", "zh_Hans_CN": "zh-Hans-CN"}
"""What the `lang` attribute of a page calls our locales."""


class ShippedDomain(Domain):
    """Messages from the `.po` files beside this module."""

    def get_translations(self) -> NullTranslations:
        return catalog(str(get_locale() or "en"))


@cache
def catalog(locale: str) -> NullTranslations:
    """The messages of one language; English needs none, its sentences are the keys."""
    path = TRANSLATIONS / locale / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return Translations()
    with path.open("rb") as source:
        messages = read_po(source, locale=locale)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Translations(compiled)


def choose() -> str:
    """This browser's choice, else the account's, else what the browser prefers."""
    if not has_request_context():
        return "en"
    if "locale" in g:
        return str(g.locale)
    if (chosen := session.get("locale")) in LOCALES:
        return str(chosen)
    if current_user.is_authenticated:
        return str(current_user.account.locale)
    tag = request.accept_languages.best_match(["en", "zh-CN", "zh-Hans-CN", "zh"], default="en")
    return "en" if tag == "en" else "zh_Hans_CN"


def speaks_chinese() -> bool:
    locale = get_locale()
    return locale is not None and locale.language == "zh"


def register(app: Flask) -> None:
    babel = Babel()
    babel.init_app(app, locale_selector=choose, default_timezone=attached(app).config.timezone)
    babel.domain_instance = ShippedDomain()
