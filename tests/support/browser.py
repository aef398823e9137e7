"""Debian's Chromium, driven by Playwright, without the talk to its maker's servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
INSTALL = "Chromium is missing: install Debian's package `chromium` (as root: apt-get install chromium)."
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
    "--disable-domain-reliability",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        raise RuntimeError(INSTALL)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


class Pages:
    """Opens pages, each in a context of its own, and remembers what went wrong in any of them."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[object] = []
        self.problems: list[str] = []

    def __call__(
        self,
        *,
        base_url: str,
        locale: str = "en-GB",
        width: int = 1280,
        height: int = 800,
        color_scheme: str = "light",
    ) -> Page:
        """A fresh visitor: no cookies, the given language, and the given size of window in pixels."""
        context = self._browser.new_context(
            base_url=base_url,
            locale=locale,
            viewport={"width": width, "height": height},
            color_scheme=color_scheme,  # type: ignore[arg-type]
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
        )
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))
        page.on("console", lambda message: self._heard(page, message))
        self._contexts.append(context)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()  # type: ignore[attr-defined]

    def _heard(self, page: Page, message: ConsoleMessage) -> None:
        """Errors count, broken content policy among them; a refused form (4xx) is a page's normal answer."""
        if message.type == "error" and "status of 4" not in message.text:
            self.problems.append(f"{page.url}: {message.text}")
