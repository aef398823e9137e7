"""A merchandiser decides on what only looks suspicious: by keyboard, and on a phone in Chinese."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from journeys.conftest import PHONE
from journeys.looking import drawn, faults

from app.core.access import Role
from support import brand

if TYPE_CHECKING:
    from journeys.conftest import Brand
    from playwright.sync_api import Page

Enter = Callable[..., "Page"]
OPENING = dt.datetime(2026, 11, 12, 12, 0, 7, tzinfo=dt.UTC)


def load_odd(planned: Brand, folder: Path) -> None:
    """Two accounts that pledged four times within a minute, among people."""
    people = [
        f"h{n},pledge,BAG,CN-GD,1,199.00,CNY,{at.isoformat()},h{n},PS-BAG,"
        for n in range(30)
        for at in [OPENING + dt.timedelta(minutes=97 * n)]
    ]
    odd = [
        f"{name}{n},pledge,BAG,CN-FJ,1,199.00,CNY,{at.isoformat()},{name},PS-BAG,"
        for hours, name in ((1, "odd"), (9, "queer"))
        for n in range(4)
        for at in [OPENING + dt.timedelta(hours=hours, seconds=13 * n)]
    ]
    brand.load_orders(planned.db, folder, rows=[*people, *odd], name="odd.csv")


def test_a_merchandiser_reviews_what_looks_suspicious_by_keyboard(
    enter: Enter, planned: Brand, tmp_path: Path
) -> None:
    load_odd(planned, tmp_path)
    page = enter(Role.MERCHANDISER)
    page.goto("/demand?days=0")
    page.get_by_role("link", name="2 clusters to review").click()
    page.get_by_text("Nothing was reviewed so far.").wait_for()
    assert page.locator("#reviews li").count() == 2
    page.get_by_role("button", name="Exclude").first.focus()
    page.keyboard.press("Enter")
    page.get_by_text("4 signals are excluded").wait_for()
    page.get_by_role("button", name="Count").focus()
    page.keyboard.press("Enter")
    page.get_by_text("4 signals count").wait_for()
    page.get_by_text("Of the last 2 reviewed, 1 were bots or brushing (50.0%)").wait_for()
    assert page.get_by_text("Nothing to review").is_visible()
    page.get_by_role("button", name="Undo").first.click()
    page.get_by_text("4 signals wait for a word again").wait_for()
    page.get_by_role("button", name="Count").wait_for()
    assert page.get_by_text("From Nov 1").first.is_visible() and page.locator("#reviews li").count() == 2
    page.get_by_role("button", name="Count").click()
    page.get_by_text("4 signals count").wait_for()
    page.goto("/demand?days=0&reason=suspected")
    assert page.locator("#exclusions tbody tr").count() == 4


def test_the_review_list_fits_a_phone(enter: Enter, planned: Brand, tmp_path: Path) -> None:
    load_odd(planned, tmp_path)
    page = enter(Role.MERCHANDISER, locale="zh-CN", color_scheme="dark", **PHONE)
    page.locator("form[action='/language'] button:visible").click()
    page.locator("html[lang=zh-Hans-CN]").wait_for(state="attached")
    page.goto("/demand/review")
    drawn(page)
    assert page.get_by_text("这些是真人吗").is_visible() and faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
