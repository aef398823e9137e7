"""A merchandiser's morning: look, correct the demand, plan again, decide a counter-offer, bring in a file."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from journeys.looking import drawn, ink
from playwright.sync_api import expect

from app.core.access import Role
from app.core.jobs import JobFact, Progress
from app.entrypoints import worker
from app.entrypoints.door import Services, attached
from app.stages.confirmation import operations as confirmation
from app.stages.confirmation import queries as lines
from support import brand

if TYPE_CHECKING:
    import pytest
    from flask import Flask
    from journeys.conftest import Brand
    from playwright.sync_api import Page

Enter = Callable[..., "Page"]


def quick_cycle(here: Services, job: JobFact, progress: Progress) -> dict[str, Any]:
    """A turn whose forecast is given: the whole one is tried elsewhere and takes a minute."""
    progress("forecast", 0, 1)
    run = brand.store_forecast(here.db, mugs=24)
    progress("allocate", 0, 1)
    plan = brand.make_plan(here.db, run)
    brand.ask(here.db, plan)
    return {"allocation_run_id": plan.run_id}


def test_a_merchandiser_undoes_an_exclusion_and_plans_again(
    enter: Enter, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(worker.TASKS, "run-cycle", quick_cycle)
    page = enter(Role.MERCHANDISER)
    drawn(page)
    assert page.locator("h1").inner_text() == "Control tower"
    assert page.get_by_text("Plan 1 of").first.is_visible()

    page.goto("/demand?days=0")
    row = page.locator("tr", has_text="Fujian").filter(has=page.get_by_role("button", name="Undo"))
    row.get_by_role("button", name="Undo").click()
    page.get_by_text("The signal counts again").wait_for()
    undone = page.locator("tr.undone")
    undone.get_by_role("button", name="Redo").click()
    page.get_by_text("The signal is excluded again").wait_for()
    page.locator("tr", has_text="Fujian").get_by_role("button", name="Undo").click()
    page.locator("tr.undone").wait_for()

    page.locator("#exclusion-state").select_option("1")
    page.locator("#exclusions tbody tr").first.wait_for()
    with page.expect_response(lambda reply: "days=90" in reply.url):
        page.locator("[name=days]").first.select_option("90")
    expect(page.locator("#exclusion-state")).to_have_value("1")

    page.goto("/")
    page.get_by_role("button", name="Re-plan now").click()
    page.locator("#job", has_text="Planning cycle").wait_for()
    assert worker.work_off(attached(app)) == 1
    page.get_by_text("The new plan is ready").wait_for()
    page.goto("/plan")
    drawn(page)
    assert page.get_by_text("Plan 2 of").first.is_visible()
    assert page.locator("#lines tbody tr").count() > 0


def test_the_flow_is_drawn_whole_for_who_wants_no_motion(enter: Enter) -> None:
    page = enter(Role.MERCHANDISER)
    page.goto("/plan")
    drawn(page)
    suppliers, *_, warehouses = ink(page, "sankey", columns=4)
    assert suppliers > 0 and warehouses > 0, "names at both ends"


def test_a_merchandiser_stops_a_plan_that_waits(enter: Enter) -> None:
    page = enter(Role.MERCHANDISER)
    page.get_by_role("button", name="Re-plan now").click()
    page.locator("#job").get_by_role("button", name="Stop").click()
    page.locator("#job", has_text="Nothing was changed").wait_for()


def test_a_merchandiser_accepts_a_counter_offer(enter: Enter, planned: Brand) -> None:
    actor = brand.supplier(planned.db, planned.supplier)
    with planned.db.transaction() as session:
        line = lines.supplier_lines(session, actor=actor, states=["asked"])[0]
        confirmation.record_answer(
            session,
            actor=actor,
            line_id=line.id,
            version=line.version,
            kind="counter",
            quantity=line.quantity - 1,
            week=line.due_week,
            note="one kiln is down",
            now=brand.NOW,
        )
    page = enter(Role.MERCHANDISER)
    page.get_by_role("link", name="Confirmations").first.click()
    row = page.locator(f"#line-{line.id}")
    assert "one kiln is down" in row.inner_text()
    assert str(line.quantity - 1) in row.inner_text()
    row.get_by_role("button", name="Accept").click()
    page.locator(f"#line-{line.id}", has_text="Confirmed").wait_for()
    page.get_by_text("The counter-offer is accepted").wait_for()


def test_a_file_with_faults_is_accounted_for_row_by_row(enter: Enter, tmp_path: Path) -> None:
    orders = tmp_path / "shop-export.csv"
    orders.write_text(
        "external_id,commitment,sku,region,quantity,unit_price,currency,ordered_at,buyer,campaign,status\n"
        "N1,paid,MUG,CN-GD,2,19.90,CNY,2026-11-20T10:00:00+08:00,n1,,\n"
        "N2,paid,NOPE,CN-GD,2,19.90,CNY,2026-11-20T10:00:00+08:00,n2,,\n"
        "N3,paid,MUG,CN-GD,1.5,19.90,CNY,2026-11-20T10:00:00+08:00,n3,,\n",
        encoding="utf-8",
    )
    page = enter(Role.MERCHANDISER)
    page.goto("/imports")
    page.get_by_role("button", name="Import").click()
    page.locator(".invalid-feedback").first.wait_for()

    page.goto("/imports")
    page.locator("[name=file]").set_input_files(orders)
    page.locator("[name=channel]").fill("shop")
    page.get_by_role("button", name="Import").click()
    page.get_by_text("3 read = 1 accepted + 0 duplicate + 2 rejected").wait_for()
    assert page.get_by_text("Unknown SKU").is_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    with download.value.path().open(encoding="utf-8-sig", newline="") as file:
        rejected = list(csv.DictReader(file))
    assert [(row["row"], row["code"]) for row in rejected] == [
        ("3", "sku_unknown"),
        ("4", "quantity_not_whole"),
    ]

    page.goto("/imports")
    page.locator("[name=file]").set_input_files(orders)
    page.locator("[name=channel]").fill("shop")
    page.get_by_role("button", name="Import").click()
    page.get_by_text("imported before; nothing has changed").wait_for()
