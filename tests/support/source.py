"""A REST source on a free loopback port, in a thread of the test: changes, page by page, by a cursor."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, dict[str, str], bytes]
PAGE = 2


@dataclass
class Source:
    """`events` are answered in their order; `instead` says what a request is answered with, for a while."""

    address: str = ""
    token: str = "the source's secret"
    events: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    instead: list[Answer | None] = field(default_factory=list)
    before: Callable[[int], None] = lambda number: None

    def add(self, external_id: str, at: str, kind: str = "pledge.created", **members: Any) -> None:
        data = {
            "external_id": external_id,
            "commitment": "paid",
            "sku": "MUG",
            "region": "CN-GD",
            "quantity": 1,
            "unit_price": "19.90",
            "currency": "CNY",
            "ordered_at": "2026-11-02T10:00:00+08:00",
            "buyer": "quxi.kanariya@example.org",
            "changed_at": at,
        }
        self.events.append({"type": kind, "data": {**data, **members}})

    def answer(self, path: str, authorization: str | None) -> Answer:
        self.asked.append(path)
        self.before(len(self.asked))
        instead = self.instead.pop(0) if self.instead else None
        if instead is not None:
            return instead
        if authorization != f"Bearer {self.token}":
            return 401, {}, b"{}"
        query = parse_qs(urlsplit(path).query)
        since = query.get("since", [""])[0]
        fresh = [one for one in self.events if one["data"]["changed_at"] >= since]
        start = int(query.get("cursor", ["0"])[0])
        following = str(start + PAGE) if start + PAGE < len(fresh) else None
        page = {"events": fresh[start : start + PAGE], "next_cursor": following}
        return 200, {}, json.dumps(page).encode()


@contextmanager
def sourced() -> Iterator[Source]:
    """A source, until the end of the block."""
    source = Source()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = source.answer(self.path, self.headers.get("Authorization"))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    source.address = f"http://127.0.0.1:{server.server_port}/changes"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield source
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
