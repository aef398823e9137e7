"""Corrections of pledges, which may come before what they correct."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

LARGEST_QUANTITY = 1_000_000_000


def upgrade() -> None:
    byte_ordered = sa.String(200).with_variant(sa.String(200, collation="C"), "postgresql")
    op.create_table(
        "correction",
        sa.Column("channel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("external_id", byte_ordered, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=True),
        sa.Column("quantity_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=True),
        sa.Column("status_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_quantity", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "status = 'placed' OR status = 'cancelled' OR status = 'test'",
            name=op.f("ck_correction_status_known"),
        ),
        sa.CheckConstraint(
            f"quantity BETWEEN 1 AND {LARGEST_QUANTITY}", name=op.f("ck_correction_quantity_in_range")
        ),
        sa.CheckConstraint(
            "(quantity IS NULL) = (quantity_at IS NULL)", name=op.f("ck_correction_quantity_timed")
        ),
        sa.CheckConstraint("(status IS NULL) = (status_at IS NULL)", name=op.f("ck_correction_status_timed")),
        sa.CheckConstraint(
            "quantity IS NOT NULL OR status IS NOT NULL", name=op.f("ck_correction_says_something")
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_correction_channel_id")),
        sa.PrimaryKeyConstraint("channel_id", "external_id", name=op.f("pk_correction")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("correction")
