"""Plans that can be asked about: their documents, explanations, refusals, and figures of running jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("job", sa.Column("figures", sa.JSON(), nullable=True))
    op.create_table(
        "plan_document",
        sa.Column("run_id", BIG_ID, nullable=False),
        sa.Column("problem", sa.LargeBinary(), nullable=False),
        sa.Column("plan", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["allocation_run.id"], name=op.f("fk_plan_document_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_plan_document")),
    )
    op.create_table(
        "plan_explanation",
        sa.Column("run_id", BIG_ID, nullable=False),
        sa.Column("relief", sa.JSON(), nullable=False),
        sa.Column("caps", sa.JSON(), nullable=False),
        sa.Column("why", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["allocation_run.id"], name=op.f("fk_plan_explanation_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_plan_explanation")),
    )
    op.create_table(
        "plan_refusal",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("problem_digest", sa.String(length=64), nullable=False),
        sa.Column("clashes", sa.JSON(), nullable=False),
        sa.Column("relaxations", sa.JSON(), nullable=False),
        sa.Column("lowest_share", sa.Double(), nullable=True),
        sa.Column("created_by", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.JSON(), nullable=True),
        sa.Column("decided_by", sa.String(length=254), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(decided_by IS NULL) = (decided_at IS NULL)", name=op.f("ck_plan_refusal_decision_whole")
        ),
        sa.CheckConstraint(
            "(decision IS NULL) = (decided_at IS NULL)", name=op.f("ck_plan_refusal_decision_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_refusal")),
        sa.UniqueConstraint("problem_digest", name=op.f("uq_plan_refusal_problem_digest")),
    )


def downgrade() -> None:
    op.drop_table("plan_refusal")
    op.drop_table("plan_explanation")
    op.drop_table("plan_document")
    op.drop_column("job", "figures")
