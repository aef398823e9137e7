"""What signals came with besides their content: pseudonyms of device, address and payment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = ("device", "address", "payment")


def upgrade() -> None:
    op.create_table(
        "signal_trace",
        sa.Column("signal_id", BIG_ID, autoincrement=False, nullable=False),
        *(sa.Column(kind, sa.String(length=32), nullable=True) for kind in KINDS),
        sa.Column("account_created_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "device IS NOT NULL OR address IS NOT NULL OR payment IS NOT NULL "
            "OR account_created_at IS NOT NULL",
            name=op.f("ck_signal_trace_says_something"),
        ),
        sa.ForeignKeyConstraint(["signal_id"], ["signal.id"], name=op.f("fk_signal_trace_signal_id")),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_signal_trace")),
    )


def downgrade() -> None:
    op.drop_table("signal_trace")
