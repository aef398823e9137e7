"""Service levels and the charge for changes that plans are made with; what a counter-offer would do to the plan."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "plan_policy",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(f"service_{one}", sa.Integer(), nullable=True) for one in "abc"),
        sa.Column("churn_minor", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_plan_policy_one_row")),
        *(
            sa.CheckConstraint(
                f"service_{one} IS NULL OR service_{one} BETWEEN 50 AND 97",
                name=op.f(f"ck_plan_policy_service_{one}_in_range"),
            )
            for one in "abc"
        ),
        sa.CheckConstraint(
            "churn_minor IS NULL OR churn_minor >= 1", name=op.f("ck_plan_policy_churn_positive")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_policy")),
    )
    op.create_table(
        "counter_preview",
        sa.Column("line_id", BIG_ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["line_id"], ["plan_line.id"], name=op.f("fk_counter_preview_line_id")),
        sa.PrimaryKeyConstraint("line_id", name=op.f("pk_counter_preview")),
    )


def downgrade() -> None:
    op.drop_table("counter_preview")
    op.drop_table("plan_policy")
