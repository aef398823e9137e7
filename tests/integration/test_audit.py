from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from app.core import audit
from app.core.access import SYSTEM
from app.core.db import Database


def write(db: Database, now: dt.datetime, count: int) -> None:
    with db.transaction() as session:
        for number in range(count):
            audit.record(
                session,
                actor=SYSTEM,
                action="thing.done",
                subject=f"thing:{number}",
                data={"n": number},
                now=now,
            )


def test_the_chain_of_an_untouched_log_holds(db: Database, now: dt.datetime) -> None:
    write(db, now, 3)
    write(db, now + dt.timedelta(seconds=1), 2)
    with db.reading() as session:
        assert audit.first_broken(session) is None
        assert [entry.subject for entry in audit.entries(session, limit=2)] == ["thing:1", "thing:0"]


@pytest.mark.parametrize("verb", ["UPDATE audit_entry SET actor = 'nobody'", "DELETE FROM audit_entry"])
def test_the_database_refuses_to_change_the_log(db: Database, now: dt.datetime, verb: str) -> None:
    write(db, now, 1)
    with pytest.raises(DatabaseError, match="append-only"), db.transaction() as session:
        session.execute(text(verb))


@pytest.mark.parametrize(
    "verb", ["UPDATE audit_entry SET actor = 'nobody' WHERE id = 2", "DELETE FROM audit_entry WHERE id = 2"]
)
def test_an_entry_altered_behind_the_triggers_breaks_the_chain(
    db: Database, now: dt.datetime, verb: str
) -> None:
    write(db, now, 3)
    with db.transaction() as session:
        _switch_triggers(db, session, on=False)
        session.execute(text(verb))
        _switch_triggers(db, session, on=True)
    with db.reading() as session:
        assert audit.first_broken(session) in (2, 3)


def _switch_triggers(db: Database, session, *, on: bool) -> None:  # type: ignore[no-untyped-def]
    if not db.is_sqlite:
        session.execute(text(f"ALTER TABLE audit_entry {'ENABLE' if on else 'DISABLE'} TRIGGER USER"))
    elif not on:
        session.execute(text("DROP TRIGGER audit_entry_no_update"))
        session.execute(text("DROP TRIGGER audit_entry_no_delete"))
