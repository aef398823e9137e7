"""One transaction of prepared statements in two round trips, for the few requests that come in bursts.

On PostgreSQL only, by libpq's pipeline, which psycopg hands through: what a session and its cursors do for
each statement takes several times as long as the statement. What is read comes as libpq's text.
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, pq
from sqlalchemy import Engine

Row = tuple[bytes | None, ...]
SILENCE = 60_000
"""Milliseconds that a statement may take; the locks of a burst are held for a few."""
SETTINGS = (
    "SET TIME ZONE 'UTC'",
    "SET DateStyle = 'ISO'",
    # every look is by a key: planned once, and by its index even while the table is small
    "SET plan_cache_mode = force_generic_plan",
    "SET enable_seqscan = off",
)
FINE = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement with $1, $2 … for its parameters; prepared once a connection."""

    name: bytes
    sql: bytes


Call = tuple[Prepared, Sequence[bytes | None]]
BEGIN, COMMIT, ROLLBACK = (Prepared(word.lower(), word) for word in (b"BEGIN", b"COMMIT", b"ROLLBACK"))


class Direct:
    """Connections of its own, as many as are used at once; one that breaks is thrown away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._idle: deque[_Line] = deque()

    def transact(
        self, look: Sequence[Call], then: Callable[[list[Row | None]], Sequence[Call] | None]
    ) -> list[Row | None] | None:
        """Run statements, and others that depend on what they found; returns the first rows of the latter.

        Args:
            look: the first statements; each sees what was committed before it began.
            then: makes the next ones of their first rows, and commits; None rolls back.

        Raises:
            psycopg.Error: nothing was stored; after an OperationalError it may have been.
        """
        line = self._idle.pop() if self._idle else _Line(self._engine)
        try:
            found = line.run([(BEGIN, ()), *look])[1:]
            calls = then(found)
            if calls is None:
                line.run([(ROLLBACK, ())])
                done = None
            else:
                done = line.run([*calls, (COMMIT, ())])[:-1]
        except BaseException:
            line.close()
            raise
        self._idle.append(line)
        return done

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


class _Line:
    """One connection, and what is prepared on it."""

    def __init__(self, engine: Engine) -> None:
        pooled = engine.raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()
        self._connection: psycopg.Connection[Any] = connection
        connection.rollback()
        connection.autocommit = True
        for setting in SETTINGS:
            connection.execute(setting)
        self._pg = connection.pgconn
        self._prepared: set[bytes] = set()
        self._poll = select.poll()
        self._poll.register(self._pg.socket, select.POLLIN)

    def close(self) -> None:
        self._connection.close()

    def run(self, calls: Sequence[Call]) -> list[Row | None]:
        """All of them in one round trip; the first row of each, or None."""
        pg = self._pg
        for prepared, _ in calls:
            if prepared.name not in self._prepared:
                _fine(pg.prepare(prepared.name, prepared.sql))
                self._prepared.add(prepared.name)
        pg.enter_pipeline_mode()
        for prepared, parameters in calls:
            pg.send_query_prepared(prepared.name, parameters)
        pg.pipeline_sync()
        pg.flush()
        rows = [self._first_row() for _ in calls]
        if self._result().status != pq.ExecStatus.PIPELINE_SYNC:
            raise psycopg.OperationalError("the answers of the database are out of step")
        pg.exit_pipeline_mode()
        return rows

    def _first_row(self) -> Row | None:
        result = _fine(self._result())
        row = None
        if result.ntuples:
            row = tuple(result.get_value(0, column) for column in range(result.nfields))
        self._wait()
        if self._pg.get_result() is not None:
            raise psycopg.OperationalError("the answers of the database are out of step")
        return row

    def _result(self) -> Any:
        self._wait()
        result = self._pg.get_result()
        if result is None:
            raise psycopg.OperationalError("the database answers nothing")
        return result

    def _wait(self) -> None:
        """Wait in the kernel, so that other threads go on, until a result is whole."""
        while self._pg.is_busy():
            if not self._poll.poll(SILENCE):
                raise psycopg.OperationalError("the database does not answer")
            self._pg.consume_input()


def _fine(result: Any) -> Any:
    if result.status not in FINE:
        raise errors.error_from_result(result)
    return result
