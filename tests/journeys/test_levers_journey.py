"""A merchandiser sees what a campaign is short of, uses what tolerant buyers allow, and takes it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from journeys.conftest import PHONE, Brand
from journeys.looking import faults

from app.core.access import Role
from app.stages.demand import operations as demand
from app.stages.demand.operations import PledgeSettings, SentPledge
from support import brand

if TYPE_CHECKING:
    from playwright.sync_api import Page

Enter = Callable[..., "Page"]


def tolerate(planned: Brand) -> None:
    cells = {
        "external_id": "T1",
        "commitment": "pledge",
        "sku": "BAG",
        "region": "CN-GD",
        "quantity": "1",
        "unit_price": "199.00",
        "currency": "CNY",
        "ordered_at": "2026-11-10T10:00:00+08:00",
        "buyer": "t1",
        "status": "placed",
        "campaign": "PS-BAG",
        "max_quantity": "3",
    }
    settings = PledgeSettings(pseudonym_key=b"key", currency="CNY", timezone="Asia/Shanghai")
    with planned.db.transaction() as session:
        demand.take_pledges(
            session,
            rows=[SentPledge("shop", cells)],
            actor=brand.MERCHANDISER,
            now=brand.NOW,
            settings=settings,
        )
    brand.draw_landings(planned.db)


def test_tolerance_is_used_and_taken_back_on_a_phone(enter: Enter, planned: Brand) -> None:
    tolerate(planned)
    page = enter(Role.MERCHANDISER, color_scheme="dark", **PHONE)
    page.goto("/campaigns/1")
    go = page.locator("#levers tbody tr").first
    assert "Ask tolerant buyers (1): 2 units" in go.inner_text()
    go.get_by_role("button", name="Use what tolerant buyers allow for the go line").click()
    page.get_by_text("2 units gained.").wait_for()
    assert faults(page) == []
    page.get_by_role("button", name="Take back").click()
    page.get_by_text("The units are taken back.").wait_for()
    assert page.get_by_role("button", name="Take back").count() == 0
