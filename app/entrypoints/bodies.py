"""Bodies that come byte by byte: some threads may wait for them, and never all.

A server hands a request over when its head is there, so that whoever reads the body waits for the sender.
Some slow senders would hold every thread of the service.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask
from werkzeug.exceptions import RequestTimeout

AT_ONCE = 6
"""Threads that may be reading bodies; the server has more of them (see docs/operations.md)."""
PATIENCE = 0.25
"""Seconds from which on a reading is slow."""
SLOW = "Too many bodies come slowly at this moment. Send the request again, as a whole."


class Readers:
    """Who is reading: entered for as long as a read takes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._since: dict[int, float] = {}

    def __enter__(self) -> None:
        """Raises RequestTimeout where all that may read do, and all of them are slow."""
        with self._changed:
            while len(self._since) >= AT_ONCE:
                left = max(self._since.values()) + PATIENCE - time.monotonic()
                if left <= 0:
                    raise RequestTimeout(SLOW)
                self._changed.wait(left)
            self._since[threading.get_ident()] = time.monotonic()

    def __exit__(self, *_: object) -> None:
        with self._changed:
            del self._since[threading.get_ident()]
            self._changed.notify()


class Body:
    """A request's body whose every read counts."""

    def __init__(self, stream: Any, readers: Readers) -> None:
        self._stream = stream
        self._readers = readers

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._stream, name)
        if not callable(found):
            return found

        def read(*arguments: Any) -> Any:
            with self._readers:
                return found(*arguments)

        return read


class Bodies:
    """Stands before everything that reads."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self._readers = Readers()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" in environ:
            environ["wsgi.input"] = Body(environ["wsgi.input"], self._readers)
        return self._app(environ, start)


def register(app: Flask) -> None:
    app.wsgi_app = Bodies(app.wsgi_app)  # type: ignore[assignment, method-assign]
