"""An administrator connects channels, pulls one, gives another a new secret, and lets both go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from journeys.looking import faults

from app.core.access import Role
from app.core.config import Config
from app.entrypoints import worker
from app.entrypoints.door import attached
from support.source import sourced

if TYPE_CHECKING:
    from playwright.sync_api import Page

Enter = Callable[..., "Page"]


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, pull_hosts=("127.0.0.1",))


def test_an_administrator_connects_pulls_and_disconnects_channels(app: Flask, enter: Enter) -> None:
    page = enter(Role.ADMINISTRATOR)
    page.get_by_role("link", name="Channels").first.click()
    form = page.locator("form.card-body")
    form.locator("[name=channel]").fill("mall")
    form.locator("[name=secret]").fill("short")
    form.get_by_role("button", name="Connect").click()
    page.get_by_text("A secret has 16 to 200 characters").wait_for()
    form.locator("[name=secret]").fill("")
    form.get_by_role("button", name="Connect").click()
    first = page.locator("#secret").inner_text()
    assert first.startswith("whsec_")
    page.get_by_role("button", name="Change the secret").click()
    page.get_by_text("The secret is shown this once").wait_for()
    assert page.locator("#secret").inner_text() != first
    page.get_by_role("button", name="Disconnect").click()
    page.get_by_text("Webhooks of this channel are refused from now on").wait_for()
    assert page.locator("#secret").count() == 0

    with sourced() as source:
        source.add("P-1", "2026-11-20T01:00:00Z", quantity=3)
        source.add("P-2", "2026-11-20T02:00:00Z", sku="nobody's")
        page.goto("/channels")
        form.locator("[name=channel]").fill("outlet")
        form.locator("[name=way]").select_option("pull")
        form.locator("[name=url]").fill("http://elsewhere.example/orders")
        form.locator("[name=secret]").fill(source.token)
        form.get_by_role("button", name="Connect").click()
        page.get_by_text("A source is asked over https").wait_for()
        form.locator("[name=url]").fill(source.address)
        form.locator("[name=secret]").fill(source.token)
        form.get_by_role("button", name="Connect").click()
        page.get_by_role("button", name="Pull now").click()
        page.locator("#job", has_text="Pulling a channel").wait_for()
        worker.work_off(attached(app))
    page.get_by_text("Rows kept out lately").wait_for()
    page.get_by_role("cell", name="Pulled page").wait_for()
    assert faults(page) == []
    page.get_by_role("button", name="Ask no more").click()
    page.get_by_text("This channel is asked no more").wait_for()
    page.get_by_role("link", name="Channels").first.click()
    assert faults(page) == []
    page.get_by_role("row", name="outlet").get_by_text("Not connected").wait_for()
