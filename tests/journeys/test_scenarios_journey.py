"""What if: a scenario is drafted, planned, compared, discarded; a counter-offer is looked into and taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from journeys.conftest import PHONE
from journeys.looking import drawn, faults

from app.core import jobs
from app.core.access import SYSTEM, Role
from app.entrypoints import worker
from app.entrypoints.door import attached
from app.stages.catalog import queries as catalog
from app.stages.confirmation import operations as confirmation
from app.stages.confirmation import queries as lines
from support.brand import MERCHANDISER, NOW

if TYPE_CHECKING:
    from flask import Flask
    from journeys.conftest import Brand
    from playwright.sync_api import Page

Enter = Callable[..., "Page"]


def test_a_scenario_is_drafted_planned_compared_and_discarded(
    enter: Enter, app: Flask, planned: Brand
) -> None:
    page = enter(Role.MERCHANDISER)
    page.goto("/plan")
    page.get_by_role("link", name="Scenarios").click()
    page.get_by_text("No scenario yet").wait_for()
    page.get_by_role("button", name="Plan this scenario").click()
    page.get_by_text("Choose at least one change").wait_for()
    page.locator("[name=out]").select_option(label="Yiwu")
    page.locator("[name=demand]").fill("+20")
    page.get_by_role("button", name="Plan this scenario").click()
    row = page.locator("#scenarios tbody tr", has_text="Yiwu makes nothing")
    row.get_by_text("Waiting for a worker").wait_for()
    assert worker.work_off(attached(app)) == 1
    row.locator("td[data-label=Change]", has_text="+").wait_for()
    row.get_by_role("link").click()
    page.get_by_role("heading", name="Parts of the cost").wait_for()
    drawn(page)
    assert faults(page) == []
    assert "Jingdezhen" in page.locator("section", has_text="What moves").last.inner_text()
    page.get_by_role("button", name="Discard").click()
    page.get_by_text("No scenario yet").wait_for()


def test_a_scenario_that_waits_is_stopped_and_told_in_chinese(enter: Enter, planned: Brand) -> None:
    page = enter(Role.MERCHANDISER, locale="zh-CN", color_scheme="dark", **PHONE)
    page.locator("form[action='/language'] button:visible").click()
    page.goto("/plan/1/scenarios")
    page.locator("[name=capacity]").fill("-30")
    page.get_by_role("button", name="计划此情景").click()
    row = page.locator("#scenarios tbody tr", has_text="产能 −30%")
    row.get_by_role("button", name="停止").click()
    row.get_by_text("已停止").wait_for()
    assert faults(page) == []
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0


def test_a_counter_offer_is_looked_into_before_it_is_taken(enter: Enter, app: Flask, planned: Brand) -> None:
    with planned.db.transaction() as session:
        mug = catalog.sku_ids(session)["MUG"]
        asked = lines.supplier_lines(session, actor=MERCHANDISER, sku_id=mug)
        line = max(asked, key=lambda one: (one.quantity, one.id))
        confirmation.record_answer(
            session,
            actor=SYSTEM,
            line_id=line.id,
            version=line.version,
            kind="counter",
            quantity=max(line.quantity // 2, 1),
            now=NOW,
        )
    page = enter(Role.MERCHANDISER)
    page.goto("/confirmations")
    page.get_by_role("button", name="See what it would do").click()
    page.get_by_text("The plan is made again with this counter-offer").wait_for()
    worker.work_off(attached(app))
    diff = page.locator(f"#diff-{line.id}")
    diff.get_by_text("If accepted").wait_for()
    assert "Plan cost" in diff.inner_text() and "Accepting moves" in diff.inner_text()
    assert faults(page) == []
    page.get_by_role("button", name="Accept").first.click()
    page.get_by_text("The counter-offer is accepted").wait_for()
    assert page.locator(f"#diff-{line.id}").count() == 0
    with planned.db.reading() as session:
        assert jobs.open_job(session, name="preview-counter") is None
