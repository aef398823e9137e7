"""A further reason: suspected bots or brushing.

A CHECK that lets one more word in holds for every row that is there. On SQLite the table's definition is
rewritten in place, the way its manual gives for constraints (lang_altertable, "PRAGMA writable_schema"): a
copy of the table would lose its triggers and partial indexes, and could not be made while others refer to it.
On PostgreSQL the new CHECK is added unvalidated, and validated without keeping writers out.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0006"
down_revision = "0005"

NEW = "suspected"
SIGNAL = ("valid", "cancelled", "returned", "test", "not_goods", "unpriced", "over_limit")
ALL = ("valid", "duplicate", "cancelled", "returned", "test", "not_goods", "unpriced", "over_limit")
TABLES = {"signal": SIGNAL, "exclusion": ALL, "demand_day": ALL, "campaign_day": ALL}
ROLL_UPS = {
    "demand_day": ("sku_id", "region_id", "day", "channel_id"),
    "campaign_day": ("campaign_id", "day", "sku_id", "region_id"),
}
COUNTED = "CASE WHEN quantity > 0 THEN 'valid' ELSE 'returned' END"
MEASURES = {
    "signals": "count(*)",
    "units": "sum(quantity)",
    "raw_units": "sum(CASE WHEN quantity > 0 THEN quantity ELSE 0 END)",
    "valid_units": "sum(quantity)",
    "amount_minor": "sum(quantity * unit_price_minor)",
}


def upgrade() -> None:
    _replace({table: (words, (*words, NEW)) for table, words in TABLES.items()})


def downgrade() -> None:
    """What was suspected counts again: the code before does not know the reason."""
    for table, key in ROLL_UPS.items():
        _count_again(table, key)
    op.execute(f"DELETE FROM exclusion WHERE reason = '{NEW}'")
    op.execute(f"UPDATE signal SET reason = {COUNTED} WHERE reason = '{NEW}'")
    _replace({table: ((*words, NEW), words) for table, words in TABLES.items()})


def _count_again(table: str, key: tuple[str, ...]) -> None:
    keys = ", ".join(key)
    op.execute(f"DELETE FROM {table} WHERE reason = '{NEW}'")
    op.execute(
        f"INSERT INTO {table} ({keys}, reason, {', '.join(MEASURES)}) "
        f"SELECT {keys}, {COUNTED}, {', '.join(MEASURES.values())} FROM signal "
        f"WHERE reason = '{NEW}' AND {key[0]} IS NOT NULL GROUP BY {keys}, {COUNTED} "
        f"ON CONFLICT ({keys}, reason) DO UPDATE SET "
        + ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in MEASURES)
    )


def _replace(words: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]) -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rewrite({table: (_check(old), _check(new)) for table, (old, new) in words.items()})
        return
    for table, (_, new) in words.items():
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS ck_{table}_reason_known")
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_reason_known CHECK ({_check(new)}) NOT VALID"
        )
    with op.get_context().autocommit_block():  # the locks on the tables end here
        for table in words:
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_reason_known")
    op.execute("SET LOCAL lock_timeout = '3s'")  # again, for the migrations that follow


def _check(words: tuple[str, ...]) -> str:
    return " OR ".join(f"reason = '{word}'" for word in words)


def _rewrite(checks: dict[str, tuple[str, str]]) -> None:
    """Put other CHECKs into the definitions of tables; their rows, indexes and triggers stay as they are.

    Raises:
        RuntimeError: a definition does not hold the old CHECK exactly once; nothing is changed.
    """
    run = op.get_bind().execute
    version = run(text("PRAGMA schema_version")).scalar_one()
    definitions = {}
    for table, (old, new) in checks.items():
        named = text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table")
        definition = run(named, {"table": table}).scalar_one()
        old, new = f"CHECK ({old})", f"CHECK ({new})"
        if definition.count(old) != 1:
            raise RuntimeError(f"the table {table} has another definition than this migration knows")
        definitions[table] = definition.replace(old, new)
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
