"""A merchandiser looks at a vote, closes it, and says what was made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from journeys.conftest import PHONE, Brand
from journeys.looking import faults

from app.core.access import Role
from app.stages.demand import operations as demand
from app.stages.demand.operations import NewDesign, SentBallot
from support import brand

if TYPE_CHECKING:
    from playwright.sync_api import Page

Enter = Callable[..., "Page"]


def vote(planned: Brand) -> None:
    with planned.db.transaction() as session:
        opened = demand.open_round(
            session,
            code="CUPS",
            name="Which cup?",
            opens_at=brand.NOW - dt.timedelta(days=3),
            closes_at=brand.NOW + dt.timedelta(days=3),
            designs=[NewDesign(code=code, name=code.title(), category="home") for code in ("TALL", "WIDE")],
            actor=brand.MERCHANDISER,
            now=brand.NOW,
        )
        rows = [
            SentBallot(
                channel="shop", buyer=f"v{number}", design="TALL" if number % 3 else "WIDE", verified=True
            )
            for number in range(30)
        ]
        demand.cast_ballots(
            session, round_id=opened.id, rows=rows, actor=brand.MERCHANDISER, now=brand.NOW, key=b"key"
        )


@pytest.mark.parametrize("view", [{}, {"color_scheme": "dark", **PHONE}], ids=["desk", "phone-dark"])
def test_a_merchandiser_closes_a_round_and_names_what_was_made(
    enter: Enter, planned: Brand, view: dict[str, Any]
) -> None:
    vote(planned)
    page = enter(Role.MERCHANDISER, **view)
    page.goto("/votes")
    page.get_by_role("link", name="Which cup?").click()
    page.locator("tr", has_text="Tall").get_by_text("66.7%").first.wait_for()
    page.get_by_role("button", name="Close the round").click()
    page.get_by_text("The round is closed.").wait_for()
    assert page.get_by_role("button", name="Close the round").count() == 0

    page.get_by_label("Tall", exact=True).fill("MUG, CUP")
    page.get_by_role("button", name="Keep the SKUs of Tall").click()
    page.get_by_text("There is no SKU 'CUP'").wait_for()
    assert page.get_by_label("Tall", exact=True).input_value() == "MUG, CUP"
    assert faults(page) == []
    page.get_by_label("Tall", exact=True).fill("MUG")
    page.get_by_role("button", name="Keep the SKUs of Tall").click()
    page.get_by_text("The SKUs of the design are kept.").wait_for()
    assert page.get_by_label("Tall", exact=True).input_value() == "MUG"
    assert faults(page) == []


def test_a_merchandiser_puts_designs_to_the_vote_and_drafts_the_campaign_of_one(
    enter: Enter, planned: Brand
) -> None:
    page = enter(Role.MERCHANDISER)
    page.goto("/votes")
    page.get_by_role("link", name="New vote round").click()
    page.get_by_label("Code").fill("BAGS")
    page.get_by_label("Name", exact=True).fill("Which bag?")
    page.get_by_label("Designs").fill("RED, Red bag")
    page.get_by_role("button", name="Open the round").click()
    page.get_by_text("Write code, name and category on each line").wait_for()
    assert page.get_by_label("Designs").input_value() == "RED, Red bag"
    assert faults(page) == []
    page.get_by_label("Designs").fill("RED, Red bag, bags\nBLUE, Blue bag, bags, 蓝包")
    page.get_by_role("button", name="Open the round").click()
    page.get_by_text("The round is open.").wait_for()

    page.get_by_label("Blue bag", exact=True).fill("BAG")
    page.get_by_role("button", name="Keep the SKUs of Blue bag").click()
    page.get_by_text("The SKUs of the design are kept.").wait_for()
    page.get_by_role("link", name="Draft the campaign of Blue bag").click()
    assert page.get_by_label("SKUs").input_value() == "BAG"
    assert page.get_by_label("Name", exact=True).input_value() == "Blue bag"
    assert page.get_by_label("Chinese name").input_value() == "蓝包"
    assert faults(page) == []
