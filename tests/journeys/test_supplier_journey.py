"""A supplier on a phone: one line confirmed, one changed, one declined; and nothing of anybody else's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from journeys.conftest import PASSWORD, PHONE
from playwright.sync_api import expect

from app.core.access import Role
from app.stages.confirmation import queries as lines
from support import brand

if TYPE_CHECKING:
    from journeys.conftest import Brand
    from playwright.sync_api import Page

Enter = Callable[..., "Page"]


def test_a_supplier_answers_its_lines_on_a_phone(enter: Enter, planned: Brand) -> None:
    with planned.db.reading() as session:
        mine = lines.supplier_lines(
            session, actor=brand.supplier(planned.db, planned.supplier), states=["asked"]
        )
        asked = len(lines.supplier_lines(session, actor=brand.MERCHANDISER, states=["asked"]))
    first, second, third = mine[:3]
    assert len(mine) < asked, "the test needs lines of another supplier"

    page = enter(Role.SUPPLIER, **PHONE)
    assert page.locator("article.answer-card").count() == min(len(mine), 20)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]

    page.locator(f"#card-{first.id}").get_by_role("button", name="Confirm").click()
    page.locator(f"#card-{first.id} .badge", has_text="Confirmed").wait_for()
    expect(page.locator(".bottom-bar .nav-count")).to_have_text(str(len(mine) - 1))

    card = page.locator(f"#card-{second.id}")
    card.get_by_role("button", name="Change").click()
    card.get_by_label("Units you can make").fill("12.5")
    card.get_by_role("button", name="Send the change").click()
    card.get_by_text("Write a whole number").wait_for()
    card.get_by_label("Units you can make").fill(str(second.quantity - 1))
    card.get_by_label("Note to the buyer").fill("one less")
    card.get_by_role("button", name="Send the change").click()
    page.locator(f"#card-{second.id} .badge", has_text="Counter-offer").wait_for()

    card = page.locator(f"#card-{third.id}")
    card.get_by_role("button", name="Decline", exact=True).click()
    card.get_by_label("Why you decline").fill("no clay")
    card.get_by_role("button", name="Decline this line").click()
    page.locator(f"#card-{third.id} .badge", has_text="Declined").wait_for()

    page.get_by_role("navigation", name="Quick menu").get_by_role("link", name="Promised").click()
    page.locator("h1", has_text="Promised").wait_for()
    assert page.locator(".rows > li").count() == 3

    buyer = enter(Role.MERCHANDISER)
    buyer.goto("/alerts?kind=declined")
    buyer.get_by_text(f"declined 1 line with {third.quantity} units").wait_for()


def test_a_supplier_changes_the_password_on_a_phone(enter: Enter) -> None:
    page, new = enter(Role.SUPPLIER, **PHONE), "a password of my own"
    page.get_by_role("button", name="Menu").click()
    page.locator("#all-pages").get_by_role("link", name="Supplier").click()
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(new)
    page.get_by_label("New password once more").fill(f"{new}!")
    page.get_by_role("button", name="Change the password").click()
    page.get_by_text("This differs from the new password above").wait_for()
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(new)
    page.get_by_label("New password once more").fill(new)
    page.get_by_role("button", name="Change the password").click()
    page.get_by_text("Your password is changed").wait_for()
    page.reload()
    page.get_by_role("heading", name="Your account").wait_for()


def test_a_supplier_that_answers_an_old_page_is_told_to_look_again(enter: Enter, planned: Brand) -> None:
    page = enter(Role.SUPPLIER, **PHONE)
    other = page.context.new_page()
    other.goto("/supplier")
    card = page.locator("article.answer-card").first
    card.get_by_role("button", name="Confirm").click()
    page.locator(".badge", has_text="Confirmed").wait_for()
    other.locator("article.answer-card").first.get_by_role("button", name="Confirm").click()
    other.locator("#messages .alert-danger").wait_for()
    assert other.locator("article.answer-card").first.is_visible()


def test_a_supplier_opens_no_page_of_the_buyer(enter: Enter) -> None:
    page = enter(Role.SUPPLIER, **PHONE)
    for address in ("/plan", "/confirmations", "/demand", "/warehouse", "/admin/accounts"):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 403, address
        assert page.get_by_role("heading", name="Not for your role").is_visible()


def test_the_bare_address_leads_everybody_to_their_own_first_page(enter: Enter) -> None:
    for role, title in ((Role.SUPPLIER, "To answer"), (Role.WAREHOUSE_PLANNER, "Inbound")):
        page = enter(role)
        page.goto("/")
        page.locator("h1", has_text=title).wait_for()
