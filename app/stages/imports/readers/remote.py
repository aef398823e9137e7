"""One page of a REST source, over a connection that leads nowhere but to the public network.

A name is looked up once, and the connection goes to the very address that was checked, so that a name which
changes its mind in between leads nowhere else. Redirects are not followed.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

from app.core.errors import RuleBroken
from app.stages.imports.rules.paging import check_address, is_public

LARGEST_PAGE = 16 * 1024 * 1024
SILENCE = 30.0
"""Seconds a source may be silent."""
LONGEST = 120.0
"""Seconds a page may take, however steadily it drips."""
AT_ONCE = 64 * 1024
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})


class SourceBusy(Exception):
    """The source did not answer now; another time it may. `wait`: the seconds it asked to wait, or None."""

    def __init__(self, sentence: str, *, wait: int | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it was answered: its JSON document, and its header Link."""

    document: Any
    link: str


def read_page(url: str, *, headers: Mapping[str, str], trusted: Collection[str]) -> Page:
    """Ask for one page.

    Args:
        trusted: hosts that may be asked over http, and at addresses of one's own network.

    Raises:
        SourceBusy: it can't be reached, asks to wait (429), or has trouble of its own (5xx).
        RuleBroken: `source_address`, `source_private`, `source_redirects`, `source_refused`,
            `source_too_large`, `source_unreadable`.
    """
    check_address(url, trusted=trusted)
    parts = urlsplit(url)
    until = time.monotonic() + LONGEST
    try:
        connection = _connected(parts, trusted)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            said = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "headwater"}
            connection.request("GET", target, headers={**said, **headers})
            with connection.getresponse() as answer:
                _refuse(answer)
                return Page(_document(_body(answer, until)), answer.headers.get("Link", ""))
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise SourceBusy(f"The source does not answer ({type(error).__name__}).") from error


def _connected(parts: SplitResult, trusted: Collection[str]) -> http.client.HTTPConnection:
    assert parts.hostname is not None
    host, secure = parts.hostname, parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    found = {str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    if host not in trusted and not all(map(is_public, found)):
        raise RuleBroken(
            "source_private", f"{host} is no address of the public network; see the setting PULL_HOSTS."
        )
    plain = socket.create_connection((sorted(found)[0], port), timeout=SILENCE)
    if not secure:
        connection = http.client.HTTPConnection(host, port)
        connection.sock = plain
        return connection
    connection = http.client.HTTPSConnection(host, port)
    try:
        connection.sock = _trust().wrap_socket(plain, server_hostname=host)
    except OSError:
        plain.close()
        raise
    return connection


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _refuse(answer: http.client.HTTPResponse) -> None:
    if answer.status in BUSY:
        told = answer.headers.get("Retry-After", "").strip()
        wait = int(told) if told.isascii() and told.isdigit() and len(told) < 6 else None
        raise SourceBusy(f"The source answers {answer.status}.", wait=wait)
    if 300 <= answer.status < 400:
        raise RuleBroken("source_redirects", "The source answers with another address; ask it there instead.")
    if answer.status != 200:
        raise RuleBroken(
            "source_refused", f"The source answers {answer.status}; check its address and secret."
        )
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise RuleBroken("source_unreadable", "The source packs its answer though it was asked not to.")


def _body(answer: http.client.HTTPResponse, until: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := answer.read1(AT_ONCE):
        size += len(part)
        if size > LARGEST_PAGE:
            raise RuleBroken(
                "source_too_large",
                f"A page is larger than {LARGEST_PAGE >> 20} MB; ask for fewer rows.",
            )
        if time.monotonic() > until:
            raise SourceBusy(f"The source takes more than {LONGEST:.0f} seconds for a page.")
        parts.append(part)
    if answer.length:
        raise SourceBusy("The source broke off in the middle of a page.")
    return b"".join(parts)


def _document(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise RuleBroken("source_unreadable", "The source answers with no JSON document in UTF-8.") from None
