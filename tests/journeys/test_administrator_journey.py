"""An administrator adds a colleague, tightens a limit, and checks the audit log."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from journeys.conftest import PASSWORD
from playwright.sync_api import expect

from app.core.access import Role

if TYPE_CHECKING:
    from playwright.sync_api import Page

Enter = Callable[..., "Page"]


def test_whoever_is_closed_is_signed_out_at_the_next_click(enter: Enter) -> None:
    supplier, page = enter(Role.SUPPLIER), enter(Role.ADMINISTRATOR)
    page.goto("/admin/accounts")
    page.get_by_role("link", name="supplier@brand.example").click()
    page.get_by_text("in 1 browser").wait_for()
    page.get_by_role("button", name="Close this account").click()
    page.get_by_text("This is needed").wait_for()
    page.get_by_label("Reason").fill("left the company")
    page.get_by_role("button", name="Close this account").click()
    page.get_by_text("supplier@brand.example is closed and signed out everywhere").wait_for()
    supplier.reload()
    supplier.locator("[name=email]").fill("supplier@brand.example")
    supplier.locator("[name=password]").fill(PASSWORD)
    supplier.locator(".door-card .btn-primary").click()
    supplier.get_by_text("do not match an account").wait_for()
    page.goto("/admin/audit")
    page.get_by_text("left the company").wait_for()
    expect(page.locator(".menu [aria-current]:visible")).to_be_in_viewport(ratio=0.9)
    page.go_back()
    page.get_by_role("button", name="Open again").click()
    page.get_by_role("button", name="Close this account").wait_for()
    supplier.locator("[name=password]").fill(PASSWORD)
    supplier.locator(".door-card .btn-primary").click()
    supplier.locator("h1.page-title").wait_for()


def test_an_administrator_adds_an_account_sets_a_limit_and_verifies_the_log(enter: Enter) -> None:
    page = enter(Role.ADMINISTRATOR)
    page.get_by_role("link", name="Accounts").first.click()
    form = page.locator("form.card-body")
    form.locator("[name=email]").fill("new@brand.example")
    form.locator("[name=name]").fill("New")
    form.locator("[name=password]").fill("short")
    form.get_by_role("button", name="Create account").click()
    page.get_by_text("A password has at least 12 characters").wait_for()
    form.locator("[name=password]").fill("long enough for this")
    form.get_by_role("button", name="Create account").click()
    page.get_by_text("new@brand.example may sign in now").wait_for()

    page.get_by_role("link", name="supplier@brand.example").click()
    page.get_by_role("button", name="Set the password").click()
    page.get_by_text("This is needed").wait_for()
    page.locator("[name=password]").fill("another one, long enough")
    page.get_by_role("button", name="Set the password").click()
    page.get_by_text("has another password and is signed out everywhere").wait_for()

    page.get_by_role("link", name="Concentration limits").first.click()
    page.locator("[name=threshold_percent]").fill("101")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The number must be from 1 to 100").wait_for()
    page.locator("[name=threshold_percent]").fill("35")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("cell", name="35%").wait_for()

    page.get_by_role("link", name="Audit log").first.click()
    page.get_by_text("limit.set").first.wait_for()
    page.get_by_role("button", name="Verify the chain").click()
    page.get_by_text("The chain is whole").wait_for()
    page.get_by_role("link", name="Jobs").first.click()
    page.get_by_text("No job yet").wait_for()
