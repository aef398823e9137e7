"""Where campaigns would land if they closed later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ORDERED = "0 <= lo_95 AND lo_95 <= lo_80 AND lo_80 <= hi_80 AND hi_80 <= hi_95"


def upgrade() -> None:
    op.create_table(
        "landing_extension",
        sa.Column("campaign_id", BIG_ID, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("mean", sa.Double(), nullable=False),
        sa.Column("median", sa.Double(), nullable=False),
        sa.Column("lo_80", sa.Double(), nullable=False),
        sa.Column("hi_80", sa.Double(), nullable=False),
        sa.Column("lo_95", sa.Double(), nullable=False),
        sa.Column("hi_95", sa.Double(), nullable=False),
        sa.CheckConstraint(ORDERED, name=op.f("ck_landing_extension_ordered")),
        sa.CheckConstraint("days >= 1", name=op.f("ck_landing_extension_days_positive")),
        sa.ForeignKeyConstraint(
            ["campaign_id", "as_of"],
            ["landing.campaign_id", "landing.as_of"],
            name=op.f("fk_landing_extension_campaign_id_as_of"),
        ),
        sa.PrimaryKeyConstraint("campaign_id", "as_of", "days", name=op.f("pk_landing_extension")),
    )


def downgrade() -> None:
    op.drop_table("landing_extension")
