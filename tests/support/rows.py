"""What a database holds, kept and put back: a sample that was loaded once is copied for the next tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from app.core.db import Base, Database
from support import postgres

_kept: dict[tuple[bool, str], Any] = {}


def filled(db: Database, name: str, fill: Callable[[], None]) -> None:
    """Let `fill` fill an empty database; what it made under this name before is put back instead.

    A database that holds something already is always filled anew.
    """
    key = (db.is_sqlite, name)
    empty = _is_empty(db)
    if empty and key in _kept:
        _put(db, _kept[key])
        return
    fill()
    if empty:
        _kept[key] = _look(db)


def restarted(db: Database) -> Callable[[], Database]:
    """Gives the database as it is now, again at each call: examples that find no others' rows stay quick."""
    kept = _look(db)

    def again() -> Database:
        if not db.is_sqlite:
            postgres.empty(db.url)
        _put(db, kept)
        return db

    return again


def _is_empty(db: Database) -> bool:
    filled = " OR ".join(f'EXISTS (SELECT 1 FROM "{table}")' for table in Base.metadata.tables)
    with db.reading() as session:
        return session.connection().exec_driver_sql(f"SELECT 1 WHERE {filled}").first() is None


def _look(db: Database) -> Any:
    """Of SQLite the file, of PostgreSQL each table's rows as COPY writes them, and where its counters are."""
    if db.is_sqlite:
        db.dispose()  # the last connection to go leaves everything in the one file
        return _file(db).read_bytes()
    counters = "SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL"
    with _direct(db) as connection, connection.cursor() as cursor:
        rows = {}
        for table in Base.metadata.tables:
            with cursor.copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as copy:
                rows[table] = b"".join(copy)
        return {table: found for table, found in rows.items() if found}, cursor.execute(counters).fetchall()


def _put(db: Database, kept: Any) -> None:
    if db.is_sqlite:
        db.dispose()
        _file(db).write_bytes(kept)
        return
    rows, counters = kept
    with _direct(db) as connection, connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table, found in rows.items():
            with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
                copy.write(found)
        for counter in counters:
            cursor.execute("SELECT setval(%s, %s)", counter)


def files(db: Database) -> list[Path]:
    """Where SQLite keeps the database, the file itself first; of PostgreSQL nothing."""
    path = Path(db.url.removeprefix("sqlite:///"))
    return sorted(path.parent.glob(f"{path.name}*")) if db.is_sqlite else []


def _file(db: Database) -> Path:
    return files(db)[0]


def _direct(db: Database) -> psycopg.Connection:
    return psycopg.connect(db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False))
