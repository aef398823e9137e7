"""Wish lists and enquiries, interest that is no order, what a graver commitment replaced, unpaid past due.

Interest was valid demand until now, as if it were ordered. The cells of every level are counted again from the
signals, because those that count are told apart by commitment from now on. What was received again (duplicate)
is in no signal, and stays. Weights of commitments are learnt by the first cycle. A word on a
cluster of suspects keeps its key, so that it can be taken back as one.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text

revision = "0019"
down_revision = "0018"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
OLD = (
    "valid",
    "cancelled",
    "returned",
    "test",
    "not_goods",
    "unpriced",
    "over_limit",
    "suspected",
    "over_cap",
)
NEW = (
    "valid", "cancelled", "returned", "test", "not_goods", "unpriced", "superseded", "unpaid", "over_limit",
    "suspected", "over_cap", "interest",
)  # fmt: skip
OLD_WORDS = ("paid", "deposit", "pledge", "waitlist", "vote")
NEW_WORDS = (*OLD_WORDS, "wish_list", "enquiry")
INTEREST = "('waitlist', 'vote', 'wish_list', 'enquiry')"
LEVELS = {
    "demand_day": ("sku_id", "region_id", "day", "channel_id"),
    "demand_sku_day": ("sku_id", "day"),
    "demand_total_day": ("day", "channel_id"),
    "campaign_day": ("campaign_id", "day", "sku_id", "region_id"),
    "campaign_region_day": ("campaign_id", "region_id", "day"),
    "campaign_total_day": ("campaign_id", "day"),
}
MEASURES = {
    "signals": "count(*)",
    "units": "sum(quantity)",
    "raw_units": "sum(CASE WHEN quantity > 0 THEN quantity ELSE 0 END)",
    "valid_units": "sum(CASE WHEN reason IN ('valid', 'returned') THEN quantity ELSE 0 END)",
    "amount_minor": "sum(quantity * unit_price_minor)",
}


def upgrade() -> None:
    _replace(_checks(back=False))
    op.execute(
        "UPDATE exclusion SET undone_by = 'rule:interest', undone_at = created_at "
        "WHERE undone_at IS NULL AND reason = 'unpriced' AND signal_id IN "
        f"(SELECT id FROM signal WHERE reason = 'unpriced' AND commitment IN {INTEREST})"
    )
    op.execute(
        "UPDATE signal SET reason = 'interest' WHERE reason IN ('valid', 'returned', 'unpriced') "
        f"AND commitment IN {INTEREST}"
    )
    _count_again("CASE WHEN reason IN ('valid', 'interest') AND commitment <> 'paid' "
                 "THEN commitment ELSE reason END")  # fmt: skip
    where = sa.text("commitment <> 'paid' AND campaign_id IS NULL")
    op.create_index(
        "ix_signal_lighter", "signal", ["buyer", "sku_id"], sqlite_where=where, postgresql_where=where
    )
    op.add_column("exclusion", sa.Column("cluster", sa.String(length=16), nullable=True))
    named = sa.text("cluster IS NOT NULL")
    op.create_index(
        "ix_exclusion_cluster", "exclusion", ["cluster"], sqlite_where=named, postgresql_where=named
    )
    _create_weights()


def downgrade() -> None:
    """What was replaced or unpaid counts again, and interest as if it were ordered, as it did before."""
    op.drop_table("commitment_weight")
    op.drop_table("weight_run")
    op.drop_index("ix_exclusion_cluster", "exclusion")
    op.execute("ALTER TABLE exclusion DROP COLUMN cluster")
    op.drop_index("ix_signal_lighter", "signal")
    op.execute("DELETE FROM exclusion WHERE reason IN ('superseded', 'unpaid')")
    op.execute("UPDATE signal SET reason = CASE WHEN quantity > 0 THEN 'valid' ELSE 'returned' END "
               "WHERE reason IN ('superseded', 'unpaid', 'interest')")  # fmt: skip
    op.execute("UPDATE signal SET commitment = 'waitlist' WHERE commitment IN ('wish_list', 'enquiry')")
    _count_again("reason")
    _replace(_checks(back=True))


def _create_weights() -> None:
    op.create_table(
        "weight_run",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("learnt_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weight_run")),
    )
    op.create_table(
        "commitment_weight",
        sa.Column("run_id", BIG_ID, nullable=False),
        sa.Column("category", sa.String(length=80), nullable=False),
        sa.Column("commitment", sa.String(length=10), nullable=False),
        sa.Column("prior_mean", sa.Double(), nullable=False),
        sa.Column("prior_signals", sa.Double(), nullable=False),
        sa.Column("campaigns", sa.Integer(), nullable=False),
        sa.Column("signals", sa.BigInteger(), nullable=False),
        sa.Column("converted", sa.BigInteger(), nullable=False),
        sa.Column("permille", sa.Integer(), nullable=False),
        sa.Column("lo_permille", sa.Integer(), nullable=False),
        sa.Column("hi_permille", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            " OR ".join(f"commitment = '{word}'" for word in NEW_WORDS),
            name=op.f("ck_commitment_weight_commitment_known"),
        ),
        sa.CheckConstraint(
            "0 <= lo_permille AND lo_permille <= permille AND permille <= hi_permille AND hi_permille <= 1000",
            name=op.f("ck_commitment_weight_in_order"),
        ),
        sa.CheckConstraint(
            "0 <= converted AND converted <= signals", name=op.f("ck_commitment_weight_converted_of_signals")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["weight_run.id"], name=op.f("fk_commitment_weight_run_id")),
        sa.PrimaryKeyConstraint("run_id", "category", "commitment", name=op.f("pk_commitment_weight")),
    )


def _count_again(kind: str) -> None:
    op.execute("DELETE FROM demand_change WHERE reason <> 'duplicate'")
    for table, key in LEVELS.items():
        keys = ", ".join(key)
        op.execute(f"DELETE FROM {table} WHERE reason <> 'duplicate'")
        op.execute(
            f"INSERT INTO {table} ({keys}, reason, {', '.join(MEASURES)}) "
            f"SELECT {keys}, {kind}, {', '.join(MEASURES.values())} FROM signal "
            f"WHERE {key[0]} IS NOT NULL GROUP BY {keys}, {kind}"
        )


def _checks(*, back: bool) -> dict[tuple[str, str], tuple[str, str]]:
    """The CHECK of each column, before and after."""
    order = ("valid", "duplicate", *OLD[1:]), ("valid", "duplicate", *NEW[1:])
    cells = tuple(word for word in order[1] if word != "interest")
    words = {
        ("signal", "reason"): (OLD, NEW),
        ("signal", "commitment"): (OLD_WORDS, NEW_WORDS),
        ("exclusion", "reason"): order,
        ("demand_day", "reason"): (order[0], (*cells, *NEW_WORDS[1:])),
        ("campaign_day", "reason"): (order[0], (*cells, *NEW_WORDS[1:])),
    }
    return {
        (table, column): tuple(
            " OR ".join(f"{column} = '{word}'" for word in side) for side in (pair[::-1] if back else pair)
        )
        for (table, column), pair in words.items()
    }  # type: ignore[return-value]


def _replace(checks: dict[tuple[str, str], tuple[str, str]]) -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rewrite(checks)
        return
    for (table, column), (_, new) in checks.items():
        name = f"ck_{table}_{column}_known"
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({new}) NOT VALID")
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def _rewrite(checks: dict[tuple[str, str], tuple[str, str]]) -> None:
    """Put other CHECKs into the definitions of tables; their rows, indexes and triggers stay as they are.

    Raises:
        RuntimeError: a definition does not hold the old CHECK exactly once; nothing is changed.
    """
    run = op.get_bind().execute
    version = run(text("PRAGMA schema_version")).scalar_one()
    definitions: dict[str, str] = {}
    for (table, _), (old, new) in checks.items():
        named = text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table")
        definition = definitions.get(table) or run(named, {"table": table}).scalar_one()
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
