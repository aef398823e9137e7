"""No plan keeps all rules: the clash in words, one click out of it, and back; then why a plan is so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app import cycle
from app.core.access import Role
from app.core.jobs import JobFact, Progress
from app.entrypoints import worker
from app.entrypoints.door import Services, attached
from app.stages.allocation import operations as allocation
from app.stages.allocation.rules import Base, Limit, Scope
from support import brand

if TYPE_CHECKING:
    import pytest
    from flask import Flask
    from journeys.conftest import Brand
    from playwright.sync_api import Page

Enter = Callable[..., "Page"]


def quick_cycle(here: Services, _job: JobFact, progress: Progress) -> dict[str, Any]:
    """A turn whose forecast is given; its plan is made as always."""
    run = brand.store_forecast(here.db, mugs=24)
    with here.db.reading() as session:
        fact = cycle.forecast_runs.get_run(session, run_id=run)
    assert fact is not None
    actor, watch = brand.MERCHANDISER, cycle._Watch(progress)
    plan = cycle._allocate(here.db, here.config, fact, brand.MONDAY, actor, here.clock, brand.SETTINGS, watch)
    return {"allocation_run_id": plan.run_id}


def test_a_clash_is_resolved_by_one_click_and_taken_back(
    enter: Enter, app: Flask, planned: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(worker.TASKS, "run-cycle", quick_cycle)
    hard = Limit(Scope.SKU, Base.UNITS, 40, True, None)
    with planned.db.transaction() as session:
        allocation.set_limit(session, limit=hard, actor=brand.MERCHANDISER, now=brand.NOW)
    page = enter(Role.MERCHANDISER)
    page.goto("/plan")
    page.get_by_role("button", name="Re-plan now").click()
    page.locator("#job", has_text="Planning cycle").wait_for()
    worker.work_off(attached(app))
    page.locator("#job", has_text="Failed").wait_for()
    page.goto("/plan")
    clash = page.locator("#refusal")
    assert "Hard limit of 40% on Bag" in clash.inner_text()
    clash.get_by_role("button", name="Do this and plan again").first.click()
    page.get_by_text("The limit is set, and the plan is made again").wait_for()
    worker.work_off(attached(app))
    page.get_by_text("The new plan is ready").wait_for()
    page.locator("#refusal", has_text="A way out was taken").get_by_role("button", name="Take back").click()
    page.get_by_text("The limits are again what they were").wait_for()

    page.get_by_role("button", name="Explain this plan").click()
    page.locator("#job", has_text="Explaining the plan").wait_for()
    worker.work_off(attached(app))
    page.locator("#explained", has_text="What relief is worth").wait_for()
    assert "nobody else makes it" in page.locator("section", has_text="Why these shares").last.inner_text()
