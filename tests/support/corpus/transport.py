"""Bodies that are not as long as they say, or never end, as a server hands them to the service."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app
from werkzeug.wrappers import Request

from app.core.access import Role
from support.corpus.door import Door, Seen
from support.corpus.elsewhere import Elsewhere
from support.corpus.entries import Entry

THREADS = 8
"""Of the server, as docs/operations.md has it."""
MOST_READ = 8 << 20
"""Bytes of an endless body that may be read before it is refused."""


class Endless(io.RawIOBase):
    """As many brackets as anybody will read."""

    def __init__(self) -> None:
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        buffer[:] = b"[" * len(buffer)
        self.given += len(buffer)
        return len(buffer)


def body(door: Door, entry: Entry, sent: bytes | None, _: str) -> Seen:
    if entry.made_by == "short_body":
        return _posted(door, io.BytesIO(b'{"channel": "x"'), CONTENT_LENGTH="100")
    if entry.made_by == "slow_body":
        return _slow(door, int(entry.arguments["clients"]))
    if entry.made_by != "endless_chunked":
        raise Elsewhere(f"no scenario plays {entry.made_by}")
    endless = Endless()
    seen = _posted(
        door,
        endless,
        HTTP_TRANSFER_ENCODING="chunked",
        **{"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )
    assert endless.given <= MOST_READ, f"{endless.given:,} bytes were read"
    return seen


class Slow(io.RawIOBase):
    """Nothing comes until the sender breaks off."""

    def __init__(self, ended: Event) -> None:
        self._ended = ended

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._ended.wait()
        return 0


def _slow(door: Door, clients: int) -> Seen:
    """A server of eight threads and so many slow senders: whoever else asks is answered meanwhile."""
    ended = Event()
    with ThreadPoolExecutor(THREADS) as server:
        slow = [server.submit(_posted, door, Slow(ended), CONTENT_LENGTH="99") for _ in range(clients)]
        try:
            alive = server.submit(door.call, "GET", "/healthz", role=None).result(timeout=60)
        finally:
            ended.set()
        told = [one.result() for one in slow]
    assert alive.status == 200  # while every body was still on its way
    assert {one.status for one in told} == {400, 408}
    assert sum(one.status == 400 for one in told) <= THREADS  # of those that still waited as all broke off
    return next(one for one in told if one.status == 408)


def raw(door: Door, entry: Entry, sent: bytes | None, _: str) -> Seen:
    raise Elsewhere("the server drops one of two lengths before the service is asked: see docs/operations.md")


def _posted(door: Door, stream: io.IOBase, **more: Any) -> Seen:
    key = door.keys[Role.MERCHANDISER]
    asked = EnvironBuilder("/api/v1/pledges", method="POST", headers=key, content_type="application/json")
    environ = {**asked.get_environ(), "wsgi.input": stream, **more}
    answer, status, headers = run_wsgi_app(door.app.wsgi_app, environ, buffered=True)
    response = TestResponse(answer, status, headers, Request(environ))
    return Seen(response.status_code, response)
