"""A large file is sent in parts over a connection that breaks, and imported by the worker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from journeys.looking import faults

from app.core.access import Role
from app.entrypoints import worker
from app.entrypoints.door import attached

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    from support.browser import Pages

Enter = Callable[..., "Page"]
HEAD = "external_id,commitment,sku,region,quantity,unit_price,currency,ordered_at,buyer,campaign,status"
ROWS = [f"L{n},paid,MUG,CN-GD,1,19.90,CNY,2026-11-18T10:00:00+08:00,b{n},," for n in range(40)]


def test_a_large_file_goes_in_parts_and_is_followed_until_it_is_imported(
    app: Flask, enter: Enter, new_page: Pages, tmp_path: Path
) -> None:
    file = tmp_path / "large.csv"
    file.write_text("\n".join([HEAD, *ROWS, ""]), encoding="utf-8")
    page = enter(Role.MERCHANDISER)
    page.goto("/imports")
    page.locator("form[data-resumable]").evaluate("form => { form.dataset.part = 1000 }")
    sent: list[str] = []

    def break_the_second(route: Route) -> None:
        if route.request.method != "PATCH":
            return route.continue_()
        sent.append(route.request.headers["upload-offset"])
        return route.abort() if len(sent) == 2 else route.continue_()

    page.route("**/api/v1/uploads/*", break_the_second)
    page.locator("[name=file]").set_input_files(file)
    page.locator("[name=channel]").fill("shop")
    page.get_by_role("button", name="Import").click()
    page.locator("#job", has_text="Importing a file").wait_for()
    assert sent == ["0", "1000", "1000", "2000"]
    assert [one for one in new_page.problems if "ERR_FAILED" not in one] == []
    new_page.problems.clear()  # the connection that broke
    assert faults(page) == []
    worker.work_off(attached(app))
    page.get_by_role("link", name="large.csv").wait_for()
    page.get_by_role("row", name="large.csv").get_by_role("cell", name="40").first.wait_for()
