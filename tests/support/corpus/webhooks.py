"""Events that come in as webhooks."""

from __future__ import annotations

from support.corpus.door import Door, Seen
from support.corpus.elsewhere import Elsewhere
from support.corpus.entries import Entry


def event(door: Door, entry: Entry, sent: bytes | None, _: str) -> Seen:
    raise Elsewhere("no channel takes webhooks")
