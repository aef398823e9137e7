"""Pulling a channel, for the worker and the command line: page after page, patient with a busy source."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.core.errors import Conflict, HeadwaterError
from app.core.jobs import Progress
from app.entrypoints.door import Services
from app.stages.demand import operations
from app.stages.demand.operations import NextPage, PledgeSettings, SourceBusy

WAITS = (1, 2, 4, 8, 16, 32)
"""Seconds until a busy source is asked again; after the last the pull ends, and the next goes on there."""
LONGEST_WAIT = 300
"""A source that asks to wait longer is left alone until the next pull."""
MOST_PAGES = 100_000


@dataclass(frozen=True, slots=True)
class Puller:
    """`sleep` waits for so many seconds, at most one at a time, so that a pull can be stopped meanwhile."""

    here: Services
    progress: Progress
    sleep: Callable[[float], None] = time.sleep

    def pull(self, channel: str) -> dict[str, Any]:
        """Ask the channel until its last page; returns the pages, and what became of their rows.

        Raises:
            HeadwaterError: why it ended early; the pages until then are taken.
            JobCancelled: somebody asked to stop.
        """
        counts: Counter[str] = Counter(pages=0, accepted=0, known=0, rejected=0)
        try:
            while counts["pages"] < MOST_PAGES:
                self.progress("pull", counts["pages"], 0, _rows(counts))
                with self.here.db.reading() as session:
                    asked = operations.next_page(session, channel=channel, key=self.here.config.secret_key)
                if self._take(asked, counts):
                    break
        except HeadwaterError as refused:
            with self.here.db.transaction() as session:
                operations.note_pull_failure(
                    session, channel=channel, sentence=refused.sentence, now=self.here.clock()
                )
            raise
        return {"channel": channel, **counts}

    def _take(self, asked: NextPage, counts: Counter[str]) -> bool:
        """Take one page; returns whether it was the last."""
        config = self.here.config
        page = self._asked(asked, counts)
        settings = PledgeSettings(
            pseudonym_key=config.pseudonym_key, currency=config.currency, timezone=config.timezone
        )
        with self.here.db.transaction() as session:
            fact = operations.take_page(
                session, asked=asked, page=page, now=self.here.clock(), settings=settings
            )
        counts.update(pages=1, accepted=fact.accepted, known=fact.known, rejected=fact.rejected)
        return fact.last

    def _asked(self, asked: NextPage, counts: Counter[str]) -> Any:
        for wait in (*WAITS, None):
            try:
                return operations.ask(asked, trusted=self.here.config.pull_hosts)
            except SourceBusy as busy:
                told = busy.wait or 0
                if wait is None or told > LONGEST_WAIT:
                    raise Conflict("source_busy", f"{busy.sentence} Pull again later.") from busy
                for _ in range(max(wait, told)):
                    self.progress("pull-wait", counts["pages"], 0, _rows(counts))
                    self.sleep(1)
        raise AssertionError("the last attempt returns or raises")


def _rows(counts: Counter[str]) -> dict[str, float | None]:
    return {name: float(counts[name]) for name in ("accepted", "known", "rejected")}
