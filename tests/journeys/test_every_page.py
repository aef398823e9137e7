"""Every page, for everybody: in both languages, light and dark, on a desk and on a phone, with axe."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from journeys.conftest import PHONE
from journeys.looking import drawn, faults

from app.core.access import Role

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from support.browser import Pages

Enter = Callable[..., "Page"]
PAGES = {
    Role.MERCHANDISER: [
        "/",
        "/campaigns",
        "/campaigns/1",
        "/campaigns/1?dry=1",
        "/campaigns/new",
        "/votes",
        "/demand?days=0",
        "/demand/review",
        "/demand/parts?days=0&by=campaign",
        "/demand/signals?days=0",
        "/demand/weights",
        "/forecasts?sku=1",
        "/forecasts/accuracy",
        "/plan",
        "/plan/1/scenarios",
        "/plan/settings",
        "/confirmations",
        "/alerts",
        "/imports",
        "/imports/1",
        "/channels",
        "/channels/shop",
        "/no-such-page",
    ],
    Role.SUPPLIER: ["/supplier", "/supplier/promised", "/account"],
    Role.WAREHOUSE_PLANNER: ["/warehouse", "/warehouse/atp?sku=MUG&quantity=5"],
    Role.ADMINISTRATOR: [
        "/admin/accounts",
        "/admin/accounts/1",
        "/admin/jobs",
        "/admin/limits",
        "/admin/audit",
    ],
}
VIEWS: list[dict[str, Any]] = [
    {"locale": "en-GB", "color_scheme": "light"},
    {"locale": "zh-CN", "color_scheme": "dark", **PHONE},
]


@pytest.mark.parametrize("view", VIEWS, ids=["desk-en-light", "phone-zh-dark"])
@pytest.mark.parametrize("role", PAGES)
def test_every_page_is_open_to_everybody(enter: Enter, role: Role, view: dict[str, Any]) -> None:
    page = enter(role, **view)
    if view["locale"] == "zh-CN":
        page.locator("form[action='/language'] button:visible").click()
        page.locator("html[lang=zh-Hans-CN]").wait_for(state="attached")
    found: list[str] = []
    for address in PAGES[role]:
        page.goto(address)
        drawn(page)
        found += faults(page)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{address} is {wide} pixels wider than the window"
    assert found == []


def test_language_and_theme_are_kept(enter: Enter) -> None:
    page = enter(Role.MERCHANDISER)
    assert page.locator("html").get_attribute("data-bs-theme") == "light"
    page.locator("[data-theme-switch]:visible").click()
    page.locator("html[data-bs-theme=dark]").wait_for(state="attached")
    page.locator("form[action='/language'] button:visible").click()
    page.locator("h1", has_text="控制塔").wait_for()
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"

    page.locator("button[aria-label='退出登录']:visible").click()
    page.locator("h1", has_text="登录").wait_for()
    page.locator("[name=email]").fill("merchandiser@brand.example")
    page.locator("[name=password]").fill("a long enough password")
    page.locator(".door-card .btn-primary").click()
    page.locator("h1", has_text="控制塔").wait_for()


def test_the_sign_in_refuses_and_then_leads_where_one_wanted_to_go(
    live_server: str, planned: object, new_page: Pages
) -> None:
    page = new_page(base_url=live_server)
    page.goto("/plan?run=1")
    assert "/sign-in?next=" in page.url
    assert faults(page) == []
    page.locator("[name=email]").fill("merchandiser@brand.example")
    page.locator("[name=password]").fill("not this one at all")
    page.locator(".door-card .btn-primary").click()
    page.get_by_text("E-mail and password do not match an account").wait_for()
    page.locator("[name=password]").fill("a long enough password")
    page.locator(".door-card .btn-primary").click()
    page.locator("h1", has_text="Plan").wait_for()
    assert page.url.endswith("/plan?run=1")
