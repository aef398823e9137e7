"""Channels that send webhooks, and the events they sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "channel_source",
        sa.Column("channel_id", BIG_ID, nullable=False),
        sa.Column("scheme", sa.String(length=10), nullable=False),
        sa.Column("mapping", sa.String(length=60), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("sealed_old_secret", sa.Text(), nullable=True),
        sa.Column("old_until", INSTANT, nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("failed_at", INSTANT, nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "scheme = 'standard' OR scheme = 'shopify'", name=op.f("ck_channel_source_scheme_known")
        ),
        sa.CheckConstraint(
            "(sealed_old_secret IS NULL) = (old_until IS NULL)",
            name=op.f("ck_channel_source_old_secret_ends"),
        ),
        sa.CheckConstraint(
            "(failed_at IS NULL) = (failure IS NULL)", name=op.f("ck_channel_source_failure_whole")
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_channel_source_channel_id")),
        sa.PrimaryKeyConstraint("channel_id", name=op.f("pk_channel_source")),
    )
    op.create_table(
        "channel_event",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("channel_id", BIG_ID, nullable=False),
        sa.Column("message_id", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("known", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "accepted >= 0 AND known >= 0 AND rejected >= 0", name=op.f("ck_channel_event_counts_positive")
        ),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channel_source.channel_id"], name=op.f("fk_channel_event_channel_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_event")),
        sa.UniqueConstraint("channel_id", "message_id", name=op.f("uq_channel_event_channel_id_message_id")),
    )


def downgrade() -> None:
    op.drop_table("channel_event")
    op.drop_table("channel_source")
