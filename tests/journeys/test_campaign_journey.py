"""A merchandiser drafts a campaign, sees the checks refuse, mends, launches, extends, dry-runs the close."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from journeys.conftest import PHONE
from journeys.looking import faults

from app.core.access import Role

if TYPE_CHECKING:
    from playwright.sync_api import Page

Enter = Callable[..., "Page"]
DRAFT = {
    "code": "PS-WINTER",
    "name": "Winter bags",
    "skus": "BAG, black",
    "opens_at": "2026-11-20T10:00",
    "closes_at": "2026-12-04T22:00",
    "due_week": "2026-12-09",
    "expected_units": "50",
    "tiers": "0: 199.00\n60: 179.00",
    "deposit": "90",
    "balance_due_at": "2026-12-10T10:00",
}
WORDS = {
    "en": (
        "the earliest week is that of Dec 21",
        "A deposit is at most 20%",
        "Nothing stands against the launch.",
        "The campaign is launched.",
        "The campaign closes later.",
        "Does not go",
    ),
    "zh": (
        "最早为 12月21日 当周",
        "定金最多为最低价的 20%",
        "可以上线。",
        "预售已上线",
        "预售已延期",
        "不成团",
    ),
}


@pytest.mark.parametrize(
    ("language", "view"),
    [("en", {}), ("zh", {"locale": "zh-CN", "color_scheme": "dark", **PHONE})],
    ids=["desk-en", "phone-zh-dark"],
)
def test_a_merchandiser_drafts_mends_launches_extends_and_dry_runs(
    enter: Enter, language: str, view: dict[str, Any]
) -> None:
    late, dear, fine, launched, extended, missed = WORDS[language]
    page = enter(Role.MERCHANDISER, **view)
    if language == "zh":
        page.locator("form[action='/language'] button:visible").click()
        page.locator("html[lang=zh-Hans-CN]").wait_for(state="attached")
    page.goto("/campaigns")
    page.locator("a[href='/campaigns/new']").click()
    assert faults(page) == []
    fill(page, {**DRAFT, "skus": "NOBODY"})
    page.locator("#field-skus.is-invalid").wait_for()
    fill(page, {"skus": DRAFT["skus"]})
    page.locator("#checks").get_by_text(late).wait_for()
    page.locator("#checks").get_by_text(dear).wait_for()
    page.locator("form[action$='/launch'] button").click()
    page.locator(".message", has_text=dear).wait_for()
    assert faults(page) == []

    page.locator("#checks a", has_text=late).click()
    fill(page, {"due_week": "2026-12-28", "deposit": "30.00"})
    page.get_by_text(fine).wait_for()
    page.locator("form[action$='/launch'] button").click()
    page.get_by_text(launched).wait_for()

    step = page.locator("form[action$='/extend']")
    step.locator("[name=days]").fill("2")
    step.locator("[name=reason]").fill("The live stream moved")
    step.locator("button").click()
    page.get_by_text(extended).wait_for()
    page.locator("#decisions").get_by_text("The live stream moved").wait_for()
    page.locator("a[href$='dry=1#dry']").click()
    page.locator("#dry").get_by_text(missed).first.wait_for()
    assert faults(page) == []
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0


def fill(page: Page, said: dict[str, str]) -> None:
    for name, typed in said.items():
        page.locator(f"#field-{name}").fill(typed)
    page.locator("form.draft .btn-primary").click()
