"""Channels that are asked page by page; rejected rows of events; alerts about channels that fell silent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.core.checks import Change, one_of, replace_checks

revision = "0018"
down_revision = "0017"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
OLD_FK = "fk_channel_event_channel_id"
ALERTS = ("concentration", "unmet_demand", "answer_overdue", "declined", "campaign_at_risk", "balance_due")
WITH_SILENCE = (*ALERTS, "channel_silent")


def upgrade() -> None:
    op.create_table(
        "channel_pull",
        sa.Column("channel_id", BIG_ID, nullable=False),
        sa.Column("mapping", sa.String(length=60), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Text(), nullable=True),
        sa.Column("since", INSTANT, nullable=True),
        sa.Column("reached", INSTANT, nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("succeeded_at", INSTANT, nullable=True),
        sa.Column("failed_at", INSTANT, nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(failed_at IS NULL) = (failure IS NULL)", name=op.f("ck_channel_pull_failure_whole")
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_channel_pull_channel_id")),
        sa.PrimaryKeyConstraint("channel_id", name=op.f("pk_channel_pull")),
    )
    with op.batch_alter_table("channel_event") as table:
        table.drop_constraint(op.f(OLD_FK), type_="foreignkey")
        table.create_foreign_key(op.f(OLD_FK), "channel", ["channel_id"], ["id"])
        table.add_column(sa.Column("changed_at", INSTANT, nullable=True))
    op.create_index("ix_channel_event_channel_id_received_at", "channel_event", ["channel_id", "received_at"])
    op.create_index("ix_channel_event_received_at", "channel_event", ["received_at"])
    op.create_table(
        "channel_reject",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("event_id", BIG_ID, nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["channel_event.id"], name=op.f("fk_channel_reject_event_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_reject")),
    )
    op.create_index("ix_channel_reject_event_id", "channel_reject", ["event_id"])
    replace_checks(Change("alert", "kind_known", one_of("kind", ALERTS), one_of("kind", WITH_SILENCE)))


def downgrade() -> None:
    op.execute("DELETE FROM alert WHERE kind = 'channel_silent'")
    replace_checks(Change("alert", "kind_known", one_of("kind", WITH_SILENCE), one_of("kind", ALERTS)))
    op.drop_table("channel_reject")
    op.drop_index("ix_channel_event_received_at", "channel_event")
    op.drop_index("ix_channel_event_channel_id_received_at", "channel_event")
    op.execute("DELETE FROM channel_event WHERE channel_id NOT IN (SELECT channel_id FROM channel_source)")
    with op.batch_alter_table("channel_event") as table:
        table.drop_column("changed_at")
        table.drop_constraint(op.f(OLD_FK), type_="foreignkey")
        table.create_foreign_key(op.f(OLD_FK), "channel_source", ["channel_id"], ["channel_id"])
    op.drop_table("channel_pull")
