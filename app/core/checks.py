"""Other words in a CHECK of a table that is in use: for migrations.

On SQLite the table's definition is rewritten in place, the way its manual gives for constraints
(lang_altertable, "PRAGMA writable_schema"): a copy of the table would lose its triggers and partial
indexes, and could not be made while others refer to it. On PostgreSQL the new CHECK is added unvalidated,
and then validated without keeping writers out. Rows that are there must keep the new CHECK already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alembic import op
from sqlalchemy import text


@dataclass(frozen=True, slots=True)
class Change:
    """The CHECK `ck_<table>_<name>`, before and after."""

    table: str
    name: str
    before: str
    after: str


def one_of(column: str, words: Sequence[str]) -> str:
    """The same text as that of app.core.db.one_of."""
    return " OR ".join(f"{column} = '{word}'" for word in words)


def replace_checks(*changes: Change) -> None:
    """Put other CHECKs in the place of old ones.

    Raises:
        RuntimeError: on SQLite, when a definition does not hold the old CHECK exactly once.
    """
    if op.get_bind().dialect.name == "sqlite":
        return _rewrite(changes)
    for one in changes:
        named = f"ck_{one.table}_{one.name}"
        op.execute(f"ALTER TABLE {one.table} DROP CONSTRAINT IF EXISTS {named}")
        op.execute(f"ALTER TABLE {one.table} ADD CONSTRAINT {named} CHECK ({one.after}) NOT VALID")
    with op.get_context().autocommit_block():  # the locks on the tables end here
        for one in changes:
            op.execute(f"ALTER TABLE {one.table} VALIDATE CONSTRAINT ck_{one.table}_{one.name}")
    op.execute("SET LOCAL lock_timeout = '3s'")  # again, for the migrations that follow


def _rewrite(changes: Sequence[Change]) -> None:
    run = op.get_bind().execute
    version = run(text("PRAGMA schema_version")).scalar_one()
    definitions = {one.table: _definition(one.table) for one in changes}
    for one in changes:
        old = f"CHECK ({one.before})"
        if definitions[one.table].count(old) != 1:
            raise RuntimeError(f"the table {one.table} has another definition than this migration knows")
        definitions[one.table] = definitions[one.table].replace(old, f"CHECK ({one.after})")
    run(text("PRAGMA writable_schema = ON"))
    try:
        for table, definition in definitions.items():
            change = text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :table")
            run(change, {"sql": definition, "table": table})
        run(text(f"PRAGMA schema_version = {version + 1}"))
    finally:
        run(text("PRAGMA writable_schema = OFF"))
    for table in definitions:  # refused here, and rolled back, if it can't be read
        run(text(f"SELECT * FROM {table} LIMIT 1")).all()


def _definition(table: str) -> str:
    named = text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table")
    return str(op.get_bind().execute(named, {"table": table}).scalar_one())
