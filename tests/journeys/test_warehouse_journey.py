"""A warehouse planner sees what comes in, receives it, and answers when something can be promised."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from app.core.access import Role
from app.stages.confirmation import operations as confirmation
from app.stages.confirmation import queries as lines
from support import brand

if TYPE_CHECKING:
    from journeys.conftest import Brand
    from playwright.sync_api import Page

Enter = Callable[..., "Page"]


def test_a_warehouse_planner_receives_goods_and_promises_stock(enter: Enter, planned: Brand) -> None:
    actor = brand.supplier(planned.db, planned.supplier)
    with planned.db.transaction() as session:
        asked = lines.supplier_lines(session, actor=actor, states=["asked"])
        line = next(line for line in asked if line.warehouse_id is not None)
        confirmation.record_answer(
            session, actor=actor, line_id=line.id, version=line.version, kind="confirm", now=brand.NOW
        )
    page = enter(Role.WAREHOUSE_PLANNER)
    page.locator(f"a.cell[href*='week={line.due_week}']").first.click()
    page.locator("#lines").wait_for()
    row = page.locator(f"#line-{line.id}")
    row.get_by_label("Units").fill("0")
    row.get_by_role("button", name="Receive").click()
    page.locator("#lines .invalid-feedback").wait_for()
    row.get_by_label("Units").fill("1")
    row.get_by_label("Delivery note").fill("DN-1")
    row.get_by_role("button", name="Receive").click()
    page.get_by_text("1 units received").wait_for()
    page.locator(f"#line-{line.id}").get_by_label("Units").wait_for()
    assert page.locator(f"#line-{line.id}").get_by_label("Units").input_value() == str(line.quantity - 1)

    page.get_by_role("link", name="Available to promise").first.click()
    page.locator("#atp tbody tr").first.wait_for()
    page.get_by_role("searchbox").fill("mug")
    expect(page.locator("#atp tbody tr")).to_have_count(1)
    page.locator("[name=sku]").fill("MUG")
    page.locator("[name=quantity]").fill("5")
    page.get_by_role("button", name="When?").click()
    page.locator(".promise b").wait_for()
    page.locator("[name=sku]").fill("NOPE")
    page.get_by_role("button", name="When?").click()
    page.get_by_text("There is no such SKU").wait_for()
