"""Slow senders of one place leave room for everybody else."""

from __future__ import annotations

from contextlib import ExitStack
from queue import Queue
from threading import Event, Thread

import pytest
from werkzeug.exceptions import RequestTimeout

from app.entrypoints import bodies
from app.entrypoints.bodies import AT_ONCE, OF_ONE, Readers, place


class Slow:
    """Senders that never end, each in a thread of its own."""

    def __init__(self, readers: Readers, senders: list[str]) -> None:
        self.ended = Event()
        self.threads = [Thread(target=self._read, args=(readers, one)) for one in senders]
        self._told: Queue[str] = Queue()
        for thread in self.threads:
            thread.start()
        self.begun = [self._told.get(timeout=60) for _ in senders]

    def _read(self, readers: Readers, sender: str) -> None:
        try:
            with readers.reading(sender):
                self._told.put("reads")
                self.ended.wait(60)
        except RequestTimeout:
            self._told.put("refused")

    def stop(self) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "PATIENCE", 0.0)


def test_whoever_sends_slowly_from_one_place_holds_half_and_no_more() -> None:
    readers = Readers()
    slow = Slow(readers, ["203.0.113.7"] * 20)
    assert sorted(slow.begun) == ["reads"] * OF_ONE + ["refused"] * (20 - OF_ONE)
    with ExitStack() as others:
        for number in range(AT_ONCE - OF_ONE - 1):
            other = Slow(readers, [f"198.51.100.{number}"])
            others.callback(other.stop)
        with readers.reading("192.0.2.1"):  # an honest phone
            pass
    slow.stop()
    with readers.reading("203.0.113.7"):
        pass


def test_all_places_together_hold_no_more_than_may_read() -> None:
    readers = Readers()
    slow = Slow(readers, [f"203.0.113.{number}" for number in range(AT_ONCE)])
    with pytest.raises(RequestTimeout), readers.reading("192.0.2.1"):
        pass
    slow.stop()


def test_a_household_of_ipv6_is_one_place() -> None:
    assert place("2001:db8:1:2::1") == place("2001:db8:1:2:ffff::9") != place("2001:db8:1:3::1")
    assert place("203.0.113.7") == "203.0.113.7" and place("") == "" and place("unix") == "unix"
