"""What buyers would take instead of what they asked for, and what was made of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LARGEST_QUANTITY = 1_000_000_000


def upgrade() -> None:
    op.create_table(
        "tolerance",
        sa.Column("signal_id", BIG_ID, nullable=False),
        sa.Column("min_quantity", sa.Integer(), nullable=True),
        sa.Column("max_quantity", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            f"min_quantity >= 1 AND max_quantity <= {LARGEST_QUANTITY}",
            name=op.f("ck_tolerance_range_possible"),
        ),
        sa.CheckConstraint("min_quantity <= max_quantity", name=op.f("ck_tolerance_range_in_order")),
        sa.ForeignKeyConstraint(["signal_id"], ["signal.id"], name=op.f("fk_tolerance_signal_id")),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_tolerance")),
    )
    op.create_table(
        "tolerance_sku",
        sa.Column("signal_id", BIG_ID, nullable=False),
        sa.Column("sku_id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["signal_id"], ["tolerance.signal_id"], name=op.f("fk_tolerance_sku_signal_id")
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_tolerance_sku_sku_id")),
        sa.PrimaryKeyConstraint("signal_id", "sku_id", name=op.f("pk_tolerance_sku")),
    )
    op.create_table(
        "tolerance_fill",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("campaign_id", BIG_ID, nullable=False),
        sa.Column("sku_id", BIG_ID, nullable=True),
        sa.Column("wanted_units", sa.Integer(), nullable=False),
        sa.Column("gained_units", sa.Integer(), nullable=False),
        sa.Column("buyers", sa.Integer(), nullable=False),
        sa.Column("applied_by", sa.String(length=254), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_by", sa.String(length=254), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(undone_by IS NULL) = (undone_at IS NULL)", name=op.f("ck_tolerance_fill_undo_whole")
        ),
        sa.CheckConstraint(
            "wanted_units >= 1 AND gained_units >= 1 AND buyers >= 1",
            name=op.f("ck_tolerance_fill_counts_positive"),
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_tolerance_fill_campaign_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_tolerance_fill_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tolerance_fill")),
    )
    op.create_index(op.f("ix_tolerance_fill_campaign_id"), "tolerance_fill", ["campaign_id"], unique=False)
    op.create_table(
        "tolerance_step",
        sa.Column("fill_id", BIG_ID, nullable=False),
        sa.Column("signal_id", BIG_ID, nullable=False),
        sa.Column("from_sku_id", BIG_ID, nullable=False),
        sa.Column("to_sku_id", BIG_ID, nullable=False),
        sa.Column("from_quantity", sa.Integer(), nullable=False),
        sa.Column("to_quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "from_quantity >= 1 AND to_quantity >= from_quantity", name=op.f("ck_tolerance_step_grows")
        ),
        sa.CheckConstraint(
            "from_sku_id <> to_sku_id OR to_quantity > from_quantity",
            name=op.f("ck_tolerance_step_changes_something"),
        ),
        sa.ForeignKeyConstraint(["fill_id"], ["tolerance_fill.id"], name=op.f("fk_tolerance_step_fill_id")),
        sa.ForeignKeyConstraint(["from_sku_id"], ["sku.id"], name=op.f("fk_tolerance_step_from_sku_id")),
        sa.ForeignKeyConstraint(["signal_id"], ["signal.id"], name=op.f("fk_tolerance_step_signal_id")),
        sa.ForeignKeyConstraint(["to_sku_id"], ["sku.id"], name=op.f("fk_tolerance_step_to_sku_id")),
        sa.PrimaryKeyConstraint("fill_id", "signal_id", name=op.f("pk_tolerance_step")),
    )
    op.create_index(op.f("ix_tolerance_step_signal_id"), "tolerance_step", ["signal_id"], unique=False)


def downgrade() -> None:
    for table in ("tolerance_step", "tolerance_fill", "tolerance_sku", "tolerance"):
        op.drop_table(table)
