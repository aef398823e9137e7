"""Bodies that come byte by byte: some threads may wait for them, and never all.

A server hands a request over when its head is there, so that whoever reads the body waits for the sender.
Some slow senders would hold every thread of the service, and those of one place every thread that may read:
so nobody has more than half of these.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from flask import Flask
from werkzeug.exceptions import RequestTimeout

AT_ONCE = 6
"""Threads that may be reading bodies; the server has more of them (see docs/operations.md)."""
OF_ONE = 3
"""Of these, for one address; of IPv6 for one /64, which is what a household is given."""
PATIENCE = 0.25
"""Seconds from which on a reading is slow."""
SLOW = "Too many bodies come slowly at this moment. Send the request again, as a whole."


class Readers:
    """Who is reading: counted for as long as a read takes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._since: dict[int, tuple[str, float]] = {}

    @contextmanager
    def reading(self, sender: str) -> Iterator[None]:
        """Raises RequestTimeout where all that may read for this sender do, and all of them are slow."""
        with self._changed:
            while held := self._in_the_way(sender):
                left = max(held) + PATIENCE - time.monotonic()
                if left <= 0:
                    raise RequestTimeout(SLOW)
                self._changed.wait(left)
            self._since[threading.get_ident()] = sender, time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                del self._since[threading.get_ident()]
                self._changed.notify_all()

    def _in_the_way(self, sender: str) -> list[float]:
        """Since when those read of whom one has to end first; nobody, where there is room."""
        own = [since for one, since in self._since.values() if one == sender]
        if len(own) >= OF_ONE:
            return own
        return [since for _, since in self._since.values()] if len(self._since) >= AT_ONCE else []


def place(address: str) -> str:
    """What counts as one sender: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    return str(IPv6Network((known, 64), strict=False)) if isinstance(known, IPv6Address) else address


class Body:
    """A request's body whose every read counts."""

    def __init__(self, stream: Any, readers: Readers, sender: str) -> None:
        self._stream = stream
        self._readers = readers
        self._sender = sender

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._stream, name)
        if not callable(found):
            return found

        def read(*arguments: Any) -> Any:
            with self._readers.reading(self._sender):
                return found(*arguments)

        return read


class Bodies:
    """Stands before everything that reads."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self._readers = Readers()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" in environ:
            sender = place(environ.get("REMOTE_ADDR", ""))
            environ["wsgi.input"] = Body(environ["wsgi.input"], self._readers, sender)
        return self._app(environ, start)


def register(app: Flask) -> None:
    app.wsgi_app = Bodies(app.wsgi_app)  # type: ignore[assignment, method-assign]
