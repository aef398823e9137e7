"""The database: engine, column types, and the only place that commits.

Both databases give the same promises here. Times are aware UTC, also on SQLite, which drops offsets. A writer
on SQLite takes the write lock at its first statement (BEGIN IMMEDIATE): a transaction that reads first and
then writes would otherwise fail at once when another writer was faster, whatever the busy time-out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from alembic.ddl.postgresql import PostgresqlImpl
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    DateTime,
    Dialect,
    Engine,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    any_,
    create_engine,
    event,
    literal,
    text,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from app.core.direct import Direct
from app.core.errors import Conflict

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

BigId = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit key; SQLite only numbers rows by itself in a column declared INTEGER."""


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An aware instant, stored as UTC; a naive value is a programming error and refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r}: pass an aware one")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


def one_of(column: str, words: Iterable[str]) -> CheckConstraint:
    """CHECK that a column holds one of a state machine's words; the constraint is named after the column.

    Written as a chain of comparisons: SQLite builds a small tree for every row it checks against an IN list,
    which tripled the time of a large import.
    """
    listed = " OR ".join(f"{column} = '{word}'" for word in words)
    return CheckConstraint(listed, name=f"{column}_known")


def reference(target: str) -> ForeignKey:
    """A foreign key of a table that takes mass rows; a migration guards it by triggers on PostgreSQL.

    PostgreSQL checks a foreign key row by row, which took three quarters of a large import. The triggers
    refuse the same, once a statement. On SQLite it is a foreign key like any other.
    """
    return ForeignKey(target, info={_GUARDED: True})


_GUARDED = "guarded_by_triggers"


class _ByTriggers(PostgresqlImpl):
    """Tells Alembic, which takes it for this dialect from here on, that these keys are no constraints."""

    __dialect__ = "postgresql"

    def correct_for_autogen_foreignkeys(
        self, conn_fks: set[ForeignKeyConstraint], metadata_fks: set[ForeignKeyConstraint]
    ) -> None:
        guarded = [key for key in metadata_fks if all(one.info.get(_GUARDED) for one in key.elements)]
        metadata_fks.difference_update(guarded)


class Database:
    """One engine and its two doors: `transaction()` writes and commits, `reading()` never does."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)
        self._read_engine = self.engine.execution_options(headwater_reading=True)
        self.direct = Direct(self.engine)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Everything inside happens, or nothing does.

        Raises:
            Conflict: `written_meanwhile`, where somebody else wrote the same key first.
        """
        try:
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                yield session
        except IntegrityError as error:
            if not _is_taken(error):
                raise
            raise Conflict("written_meanwhile", WRITTEN_MEANWHILE) from error

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent view that is rolled back at the end; takes no write lock."""
        with Session(self._read_engine, autoflush=False) as session:
            yield session

    def dispose(self) -> None:
        self.direct.close()
        self.engine.dispose()


WRITTEN_MEANWHILE = "Somebody else wrote the same at this moment. Look how it stands now, then repeat it."
_TAKEN = {"23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}
_TURNED_AWAY = {"40001", "40P01"}


def _is_taken(error: IntegrityError) -> bool:
    """Whether a unique key was in the way, in PostgreSQL's words or SQLite's."""
    return bool(_TAKEN & {getattr(error.orig, name, None) for name in ("sqlstate", "sqlite_errorname")})


def was_turned_away(error: OperationalError) -> bool:
    """Whether PostgreSQL ended the transaction so that another can go on; it may be tried again."""
    return getattr(error.orig, "sqlstate", None) in _TURNED_AWAY


def among(session: Session, column: Any, values: list[str]) -> ColumnElement[bool]:
    """Whether a column of text has one of many values; on PostgreSQL as one parameter, not one for each."""
    if session.get_bind().dialect.name == "sqlite":
        return cast(ColumnElement[bool], column.in_(values))
    return cast(ColumnElement[bool], column == any_(literal(values, ARRAY(String))))


def renew_statistics(session: Session, *models: Any) -> None:
    """Have PostgreSQL look at the tables into which much was written at once.

    It does so by itself, but a minute later at the earliest; until then it plans as if they were as before.
    Who does not own them is told so by the database, and nothing happens.
    """
    if session.get_bind().dialect.name == "postgresql":
        for one in models:
            session.execute(text(f"ANALYZE {one.__table__.name}"))


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, pool_size=10, hide_parameters=True)
    path = url.removeprefix("sqlite:///").split("?")[0]
    if path not in ("", ":memory:"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 30}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    cursor = connection.cursor()
    for pragma in (
        "page_size = 8192",  # of a new file: writing half a million rows takes about a tenth less time
        "foreign_keys = ON",
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "busy_timeout = 30000",
        "cache_size = -65536",
        "temp_store = MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reading = cast(bool, connection.get_execution_options().get("headwater_reading", False))
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
