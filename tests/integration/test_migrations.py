"""One history for both databases: up from nothing, down and up with rows in place, equal to the models."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, insert, inspect, select, text
from sqlalchemy.exc import DatabaseError

from app import create_app  # noqa: F401  (every model is known once the service is)
from app.core import schema
from app.core.audit import AuditEntry
from app.core.db import Base, Database
from support import postgres

APPEND_ONLY = ("audit_entry", "stock_movement", "answer")
NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'bare.db'}"
    else:
        cluster = request.getfixturevalue("postgres_url")
        url = postgres.create_database(
            cluster, f"bare_{request.getfixturevalue('worker_id')}_{tmp_path.name}"
        )
    database = Database(url)
    yield database
    database.dispose()


def revisions() -> list[str]:
    """All revisions, the newest first."""
    history = ScriptDirectory(str(schema.MIGRATIONS)).walk_revisions()
    return [script.revision for script in history]


def tables(db: Database) -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def rows(connection: Connection) -> dict[str, int]:
    names = Base.metadata.tables
    return {name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in names}


def test_migrations_lead_from_nothing_to_the_tables_of_the_models(bare: Database) -> None:
    assert schema.current(bare) is None
    assert schema.migrate(bare) == schema.head() == revisions()[0]
    assert tables(bare) == set(Base.metadata.tables)


def test_migrations_lead_back_to_nothing(bare: Database) -> None:
    schema.migrate(bare)
    schema.downgrade(bare, revision="base")
    assert tables(bare) == set()
    schema.migrate(bare)
    assert tables(bare) == set(Base.metadata.tables)


def test_one_revision_down_and_up_again_keeps_every_row(db: Database) -> None:
    fill(db)
    with db.engine.connect() as connection:
        before = rows(connection)
    schema.downgrade(db, revision=revisions()[1])
    assert schema.current(db) == revisions()[1]
    schema.migrate(db)
    with db.engine.connect() as connection:
        assert rows(connection) == before
        assert connection.execute(select(AuditEntry.at, AuditEntry.data)).one() == (NOW, {"说": "好"})


def test_migrating_twice_changes_nothing(db: Database) -> None:
    assert schema.migrate(db) == schema.migrate(db) == schema.head()


def test_the_models_equal_the_migrated_schema(db: Database) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_every_check_of_the_models_is_in_the_database(db: Database) -> None:
    """Alembic's comparison does not look at CHECKs, and batch mode on SQLite may lose them."""
    found = inspect(db.engine)
    for table in Base.metadata.sorted_tables:
        wanted = {check.name for check in table.constraints if isinstance(check, CheckConstraint)}
        assert {check["name"] for check in found.get_check_constraints(table.name)} == wanted, table.name


def test_every_constraint_has_a_name(db: Database) -> None:
    found = inspect(db.engine)
    for name in tables(db):
        constraints = [
            found.get_pk_constraint(name),
            *found.get_foreign_keys(name),
            *found.get_unique_constraints(name),
            *found.get_check_constraints(name),
        ]
        assert [one for one in constraints if not one["name"]] == [], name


def test_every_state_column_is_checked(db: Database) -> None:
    """A state machine's words are a CHECK in the table, so that no other way in can write another word."""
    found = inspect(db.engine)
    for table in Base.metadata.sorted_tables:
        if "state" in table.columns:
            names = {check["name"] for check in found.get_check_constraints(table.name)}
            assert f"ck_{table.name}_state_known" in names


@pytest.mark.parametrize("bare", ["sqlite"], indirect=True)
def test_a_further_word_in_a_check_leaves_tables_indexes_and_triggers_as_they_are(bare: Database) -> None:
    def definitions() -> dict[str, str]:
        query = text("SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        with bare.engine.connect() as connection:
            return {
                name: sql.replace(" OR reason = 'suspected'", "") for name, sql in connection.execute(query)
            }

    schema.migrate(bare, revision="0005")
    before = definitions()
    schema.migrate(bare, revision="0006")
    assert definitions() == before
    schema.downgrade(bare, revision="0005")
    assert definitions() == before


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_what_must_never_change_cannot(db: Database, table: str, verb: str) -> None:
    fill(db)
    statement = f"UPDATE {table} SET id = id + 1" if verb == "UPDATE" else f"DELETE FROM {table}"
    with pytest.raises(DatabaseError, match=f"{table} is append-only"), db.transaction() as session:
        session.execute(text(statement))
    with db.reading() as session:
        assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 1


def fill(db: Database) -> None:
    """A row in each append-only table; the rows they refer to are left out, with foreign keys off."""
    values = {
        "audit_entry": {
            "at": NOW,
            "actor": "a tester",
            "action": "test.begun",
            "subject": "test:1",
            "data": {"说": "好"},
            "previous_hash": "0" * 64,
            "hash": "1" * 64,
        },
        "stock_movement": {
            "sku_id": 1,
            "warehouse_id": 1,
            "quantity": 7,
            "kind": "opening",
            "source": "test",
            "occurred_at": NOW,
        },
        "answer": {
            "line_id": 1,
            "kind": "confirm",
            "note": "",
            "answered_by": "a tester",
            "answered_at": NOW,
        },
    }
    off = "PRAGMA foreign_keys = OFF" if db.is_sqlite else "SET session_replication_role = replica"
    with db.engine.connect() as connection:
        connection.connection.cursor().execute(off)  # on SQLite only before a transaction begins
        for table, row in values.items():
            connection.execute(insert(Base.metadata.tables[table]).values(row))
        connection.commit()
        connection.invalidate()  # the setting ends with the connection
