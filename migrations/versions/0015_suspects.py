"""Pledges that a person should look at, as the last judgement found them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "suspect",
        sa.Column("signal_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("campaign_id", BIG_ID, nullable=False),
        sa.Column("cluster", sa.String(length=16), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("score BETWEEN 0 AND 1", name=op.f("ck_suspect_score_in_range")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_suspect_campaign_id")),
        sa.ForeignKeyConstraint(["signal_id"], ["signal.id"], name=op.f("fk_suspect_signal_id")),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_suspect")),
    )
    op.create_index("ix_suspect_cluster", "suspect", ["cluster"])


def downgrade() -> None:
    op.drop_table("suspect")
