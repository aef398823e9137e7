"""The whole life of a campaign: its terms, its decisions, and what may not change once it was launched.

A trigger keeps the expected volume and the go factor of a launched campaign: the go line is judged against
what was promised at launch, whoever writes to the table. Old code keeps running: every column may be empty or
has a default.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.core.checks import Change, one_of, replace_checks

revision = "0007"
down_revision = "0006"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COLUMNS = {
    "cap_units": ("INTEGER", "cap_positive", "cap_units IS NULL OR cap_units >= 1"),
    "deposit_minor": ("BIGINT", "deposit_positive", "deposit_minor IS NULL OR deposit_minor >= 1"),
    "deposit_due_at": ("TIME", "", ""),
    "balance_due_at": ("TIME", "", ""),
    "fill_starts_at": ("TIME", "", ""),
    "late_until": ("TIME", "", ""),
    "launched_at": ("TIME", "", ""),
    "version": ("INTEGER NOT NULL DEFAULT 1", "version_positive", "version >= 1"),
}
STATES = (
    "draft",
    "open",
    "reached",
    "missed",
    "cancelled",
    "in_production",
    "shipping",
    "closed",
)
KINDS = ("launch", "extend", "go", "no_go", "cancel", "produce", "ship", "finish")
NEW = "over_cap"
SIGNAL = ("valid", "cancelled", "returned", "test", "not_goods", "unpriced", "over_limit", "suspected")
ALL = ("valid", "duplicate", *SIGNAL[1:])
TABLES = {"signal": SIGNAL, "exclusion": ALL, "demand_day": ALL, "campaign_day": ALL}
ROLL_UPS = {
    "demand_day": ("sku_id", "region_id", "day", "channel_id"),
    "campaign_day": ("campaign_id", "day", "sku_id", "region_id"),
}
MEASURES = {
    "signals": "count(*)",
    "units": "sum(quantity)",
    "raw_units": "sum(quantity)",
    "valid_units": "sum(quantity)",
    "amount_minor": "sum(quantity * unit_price_minor)",
}
ALERTS = ("concentration", "unmet_demand", "answer_overdue", "declined", "campaign_at_risk")
SAID = "quantity IS NOT NULL OR status IS NOT NULL"
SAID_IN_FILL = f"{SAID} OR fill_quantity IS NOT NULL OR waiting IS NOT NULL"


def upgrade() -> None:
    for column, (kind, name, rule) in COLUMNS.items():
        check = f"\n CONSTRAINT ck_campaign_{name} CHECK ({rule})" if name else ""
        op.execute(f"ALTER TABLE campaign ADD COLUMN {column} {_kind(kind)}{check}")
    op.execute("UPDATE campaign SET launched_at = opens_at WHERE state <> 'draft'")
    op.execute("ALTER TABLE campaign_sku ADD COLUMN option VARCHAR(80)")
    op.execute(
        "ALTER TABLE correction ADD COLUMN fill_quantity INTEGER"
        "\n CONSTRAINT ck_correction_fill_positive CHECK (fill_quantity IS NULL OR fill_quantity >= 1)"
    )
    op.execute("ALTER TABLE correction ADD COLUMN waiting JSON")
    _create_tables()
    _keep_decisions()
    _freeze_expected()
    replace_checks(*_reasons(add=True), *_others(add=True))


def downgrade() -> None:
    """Units over the cap count again, and what was said in a fill phase stands: the code before knows none."""
    for table, key in ROLL_UPS.items():
        _count_again(table, key)
    op.execute(f"DELETE FROM exclusion WHERE reason = '{NEW}'")
    op.execute(f"UPDATE signal SET reason = 'valid' WHERE reason = '{NEW}'")
    op.execute("DELETE FROM alert WHERE kind = 'balance_due'")
    op.execute(
        "UPDATE correction SET quantity = fill_quantity, "
        "quantity_at = COALESCE(quantity_at, status_at, '2000-01-01 00:00:00') "
        "WHERE fill_quantity IS NOT NULL AND (quantity IS NULL OR quantity < fill_quantity)"
    )
    op.execute(f"DELETE FROM correction WHERE NOT ({SAID})")
    replace_checks(*_reasons(add=False), *_others(add=False))
    _thaw_expected()
    for table in ("campaign_decision", "limited_tier"):
        op.drop_table(table)
    for column in ("waiting", "fill_quantity"):
        op.execute(f"ALTER TABLE correction DROP COLUMN {column}")
    op.execute("ALTER TABLE campaign_sku DROP COLUMN option")
    for column in reversed(COLUMNS):
        op.execute(f"ALTER TABLE campaign DROP COLUMN {column}")


def _kind(kind: str) -> str:
    if kind != "TIME":
        return kind
    return "DATETIME" if _is_sqlite() else "TIMESTAMP WITH TIME ZONE"


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _create_tables() -> None:
    op.create_table(
        "limited_tier",
        sa.Column("campaign_id", BIG_ID, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("place >= 1", name=op.f("ck_limited_tier_place_positive")),
        sa.CheckConstraint(
            "units >= 1 AND unit_price_minor >= 0", name=op.f("ck_limited_tier_units_and_price_positive")
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_limited_tier_campaign_id")),
        sa.PrimaryKeyConstraint("campaign_id", "place", name=op.f("pk_limited_tier")),
    )
    op.create_table(
        "campaign_decision",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("campaign_id", BIG_ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("from_state", sa.String(length=16), nullable=False),
        sa.Column("to_state", sa.String(length=16), nullable=False),
        sa.Column("valid_units", sa.BigInteger(), nullable=False),
        sa.Column("expected_units", sa.Integer(), nullable=False),
        sa.Column("go_factor_percent", sa.Integer(), nullable=False),
        sa.Column("rule_goes", sa.Boolean(), nullable=True),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("decided_by", sa.String(length=254), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(one_of("kind", KINDS), name=op.f("ck_campaign_decision_kind_known")),
        sa.CheckConstraint(one_of("from_state", STATES), name=op.f("ck_campaign_decision_from_state_known")),
        sa.CheckConstraint(one_of("to_state", STATES), name=op.f("ck_campaign_decision_to_state_known")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_decision_campaign_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_decision")),
    )
    op.create_index("ix_campaign_decision_campaign_id", "campaign_decision", ["campaign_id"])


def _keep_decisions() -> None:
    """No UPDATE and no DELETE, as with the other append-only tables; a dropped table takes its triggers along."""
    if _is_sqlite():
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER campaign_decision_no_{verb.lower()} BEFORE {verb} ON campaign_decision "
                "BEGIN SELECT RAISE(ABORT, 'campaign_decision is append-only'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER campaign_decision_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
        "ON campaign_decision EXECUTE FUNCTION refuse_change()"
    )


def _freeze_expected() -> None:
    frozen = (
        "OLD.state <> 'draft' AND (NEW.expected_units <> OLD.expected_units "
        "OR NEW.go_factor_percent <> OLD.go_factor_percent OR NEW.state = 'draft')"
    )
    if _is_sqlite():
        op.execute(
            f"CREATE TRIGGER campaign_expected_frozen BEFORE UPDATE ON campaign WHEN {frozen} "
            "BEGIN SELECT RAISE(ABORT, 'the expected volume of a campaign is frozen at launch'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION refuse_thaw() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION 'the expected volume of a campaign is frozen at launch'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER campaign_expected_frozen BEFORE UPDATE ON campaign FOR EACH ROW WHEN ({frozen}) "
        "EXECUTE FUNCTION refuse_thaw()"
    )


def _thaw_expected() -> None:
    if _is_sqlite():
        op.execute("DROP TRIGGER campaign_expected_frozen")
        return
    op.execute("DROP TRIGGER campaign_expected_frozen ON campaign")
    op.execute("DROP FUNCTION refuse_thaw()")


def _count_again(table: str, key: tuple[str, ...]) -> None:
    keys = ", ".join(key)
    op.execute(f"DELETE FROM {table} WHERE reason = '{NEW}'")
    op.execute(
        f"INSERT INTO {table} ({keys}, reason, {', '.join(MEASURES)}) "
        f"SELECT {keys}, 'valid', {', '.join(MEASURES.values())} FROM signal "
        f"WHERE reason = '{NEW}' AND {key[0]} IS NOT NULL GROUP BY {keys} "
        f"ON CONFLICT ({keys}, reason) DO UPDATE SET "
        + ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in MEASURES)
    )


def _reasons(*, add: bool) -> list[Change]:
    changes = [
        Change(table, "reason_known", one_of("reason", words), one_of("reason", (*words, NEW)))
        for table, words in TABLES.items()
    ]
    return changes if add else [_turned(one) for one in changes]


def _others(*, add: bool) -> list[Change]:
    changes = [
        Change("alert", "kind_known", one_of("kind", ALERTS), one_of("kind", (*ALERTS, "balance_due"))),
        Change("correction", "says_something", SAID, SAID_IN_FILL),
    ]
    return changes if add else [_turned(one) for one in changes]


def _turned(one: Change) -> Change:
    return Change(one.table, one.name, one.after, one.before)
