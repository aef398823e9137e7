"""Every input of the corpus against the product on both databases: status, effect, and the eight oracles.

The corpus is no part of the project: without it these tests skip. tests/support/corpus says where each slot
leads; `differences` there lists where our answer is another one on purpose.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.stages.imports import queries as mappings
from support import postgres
from support.corpus.differences import OURS
from support.corpus.door import Cost, Door, Seen, problem_of, watched
from support.corpus.elsewhere import Elsewhere
from support.corpus.entries import Entry, content, entries
from support.corpus.files import add_mappings
from support.corpus.slots import send
from support.run import TestRun

SHARED = Path(os.environ.get("HEADWATER_SHARED") or Path(__file__).parents[3] / "shared")
LEAKS = re.compile(r"Traceback|File \"|SELECT |INSERT |/app/|site-packages|psycopg|sqlite3|only for tests")
SECONDS, FILE_SECONDS = 2.0, 30.0
GROWTH = 256 << 20
"""What an answer may cost: CPU seconds, of a file more, and bytes of memory."""
LONGEST_ANSWER = 64 << 10
ALSO: dict[str, tuple[str | int, ...]] = {
    "303": (302,),
    "422": ("job:failed",),
    "job:completed": (201,),
    "job:completed_with_errors": (201,),
}
"""Other words for an answer. A file is imported while its sender waits: the end of the job is the answer."""


@pytest.fixture(scope="module")
def doors(
    test_run: TestRun,
    postgres_url: str,
    worker_id: str,
    quick: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[Door]]:
    """The product on SQLite and on PostgreSQL, side by side, for the whole corpus."""
    folder = tmp_path_factory.mktemp("corpus")
    shutil.copy(test_run.sqlite_template(), folder / "headwater.db")
    urls = [
        f"sqlite:///{folder / 'headwater.db'}",
        postgres.create_database(postgres_url, f"corpus_{worker_id}", template=TestRun.TEMPLATE),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mappings, "FOLDER", add_mappings(mappings.FOLDER, folder / "mappings"))
        mappings.mapping.cache_clear()
        opened = []
        for number, url in enumerate(urls):
            place = folder / str(number)
            place.mkdir()
            opened.append(Door(url, place))
        yield opened
        for door in opened:
            door.dispose()
    mappings.mapping.cache_clear()


def test_the_corpus_is_here() -> None:
    if not entries(SHARED):
        pytest.skip(f"the corpus is not here: {SHARED / 'corpus'} (set HEADWATER_SHARED)")


@pytest.mark.parametrize("entry", entries(SHARED), ids=lambda entry: entry.id)
def test_bad_input_is_answered_as_the_corpus_says(entry: Entry, doors: list[Door]) -> None:
    sent = content(entry, SHARED)
    seen = [_played(door, entry, sent) for door in doors]
    first, second = (one.status for one in seen)
    assert first == second, f"SQLite says {first}, PostgreSQL {second}"
    if not all(one.read_back is None for one in seen):
        assert seen[0].read_back == seen[1].read_back, "the databases keep different values"


def _played(door: Door, entry: Entry, sent: bytes | None) -> Seen:
    door.mark()
    with watched() as costs:
        try:
            seen = send(door, entry, sent)
        except Elsewhere as why:
            pytest.skip(str(why))
    _status(entry, seen)
    _cost(entry, costs[0])
    if seen.taken:
        _taken(door, entry, seen)
    else:
        _refused(door, seen, costs[0])
    _alive(door)
    return seen


def _status(entry: Entry, seen: Seen) -> None:
    wanted = set(entry.statuses) | OURS.get(entry.title, (frozenset(), ""))[0]
    told = seen.response.get_data(as_text=True)[:600] if seen.response else ""
    held = {seen.status, *ALSO.get(str(seen.status), ())}
    assert held & wanted, f"{seen.status} is none of {sorted(map(str, wanted))}: {told}"
    assert not (isinstance(seen.status, int) and seen.status >= 500)


def _cost(entry: Entry, cost: Cost) -> None:
    seconds = FILE_SECONDS if entry.slot.startswith(("file", "flow")) else SECONDS
    assert cost.cpu_seconds <= seconds, f"{cost.cpu_seconds:.1f} s of CPU"
    assert cost.grown_bytes <= GROWTH, f"{cost.grown_bytes >> 20} MB of memory"


def _refused(door: Door, seen: Seen, cost: Cost) -> None:
    assert door.digest() == door.before, "a refused input changed what is stored"
    logged = [one for one in cost.logged if one["event"] == "request" and one["status"] == seen.status]
    assert seen.response is None or logged, "a refusal that is in no log"
    if seen.response is None or not seen.response.request.path.startswith("/api/"):
        return
    assert len(seen.response.data) <= LONGEST_ANSWER
    assert not LEAKS.search(seen.response.get_data(as_text=True))
    if seen.response.request.method != "HEAD":
        assert seen.response.content_type == "application/problem+json"
        told = problem_of(seen.response)
        assert told.keys() >= {"type", "title", "status", "code", "detail", "request_id"}
        assert told["status"] == seen.status


def _taken(door: Door, entry: Entry, seen: Seen) -> None:
    if seen.counts:
        assert seen.counts["read"] == sum(seen.counts[name] for name in ("accepted", "duplicate", "rejected"))
    if entry.effect == "accept_verbatim" and seen.sent is not None and seen.read_back is not None:
        assert seen.read_back == seen.sent
    if seen.shown_on:
        page = door.call("GET", seen.shown_on)
        assert page.status == 200 and page.response is not None
        text = page.response.get_data(as_text=True)
        for harm in ("<script>alert", "<img src=x", '" autofocus onfocus=', "\x1b"):
            assert harm not in text
    assert "\ufffd" not in str(seen.read_back)


def _alive(door: Door) -> None:
    assert door.call("GET", "/healthz", role=None).status == 200
    assert door.pledge().status == 200, "the pledge that is known is not answered as before"
