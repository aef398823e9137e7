"""A merchandiser speaks against the forecast, takes it back, and sees what it was worth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from journeys.conftest import PHONE, Brand
from journeys.looking import drawn, faults

from app.core.access import Role
from app.stages.catalog import queries as catalog
from app.stages.forecasts import operations
from support import brand

if TYPE_CHECKING:
    from playwright.sync_api import Page

Enter = Callable[..., "Page"]


def mug(planned: Brand) -> int:
    with planned.db.reading() as session:
        return catalog.sku_ids(session)["MUG"]


@pytest.mark.parametrize("view", [{}, {"color_scheme": "dark", **PHONE}], ids=["desk", "phone-dark"])
def test_a_merchandiser_overrides_a_forecast_and_withdraws_it(
    enter: Enter, planned: Brand, view: dict[str, Any]
) -> None:
    page = enter(Role.MERCHANDISER, **view)
    page.goto(f"/forecasts?sku={mug(planned)}")
    page.get_by_role("button", name="Override in all regions").click()
    page.locator("#overrides .invalid-feedback").first.wait_for()
    page.locator("#overrides select[name=week]").select_option(index=1)
    page.locator("#overrides [name=units]").fill("70")
    page.locator("#overrides [name=reason]").fill("A fair in town")
    page.get_by_role("button", name="Override in all regions").click()
    page.get_by_text("The override counts from the next plan on").wait_for()
    row = page.locator("#overrides tbody tr")
    assert "A fair in town" in row.inner_text()
    assert "Counts" in row.inner_text()
    drawn(page)
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    row.get_by_role("button", name="Withdraw").click()
    page.get_by_text("The override is withdrawn").wait_for()
    assert page.get_by_role("button", name="Withdraw").count() == 0


def test_an_override_of_one_region_is_scored(enter: Enter, planned: Brand, tmp_path: Path) -> None:
    page = enter(Role.MERCHANDISER)
    page.goto(f"/forecasts?sku={mug(planned)}")
    page.locator("#fan-region").select_option(label="Guangdong")
    page.get_by_role("button", name="Override in Guangdong").wait_for()
    page.locator("#overrides [name=units]").fill("31")
    page.locator("#overrides [name=reason]").fill("A fair in town")
    page.get_by_role("button", name="Override in Guangdong").click()
    page.get_by_text("The override counts from the next plan on").wait_for()

    page.get_by_role("link", name="Accuracy").click()
    page.get_by_text("Nothing is scored yet").wait_for()
    order = "S1,paid,MUG,CN-GD,30,19.90,CNY,2026-11-24T12:00:00+08:00,,,"
    brand.load_orders(planned.db, tmp_path, rows=[order], name="sold.csv")
    with planned.db.transaction() as session:
        operations.score_forecasts(session, as_of=brand.MONDAY + dt.timedelta(weeks=1))
    page.reload()
    page.locator("h2", has_text="By class of SKU").wait_for()
    assert page.get_by_text("30 sold, 40 forecast").is_visible()
    assert faults(page) == []
    page.get_by_role("link", name="Forecasts").first.click()
    page.goto(f"/forecasts?sku={mug(planned)}")
    assert "30 sold, 20 forecast" in page.locator("#overrides tbody tr").inner_text()
