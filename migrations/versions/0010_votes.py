"""Votes on designs: designs, rounds, ballots, and the volumes that rounds promised."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "design",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_zh", sa.String(length=200), nullable=True),
        sa.Column("category", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_design")),
        sa.UniqueConstraint("code", name=op.f("uq_design_code")),
    )
    op.create_index(op.f("ix_design_category"), "design", ["category"], unique=False)
    op.create_table(
        "design_sku",
        sa.Column("sku_id", BIG_ID, nullable=False),
        sa.Column("design_id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(["design_id"], ["design.id"], name=op.f("fk_design_sku_design_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_design_sku_sku_id")),
        sa.PrimaryKeyConstraint("sku_id", name=op.f("pk_design_sku")),
    )
    op.create_index(op.f("ix_design_sku_design_id"), "design_sku", ["design_id"], unique=False)
    op.create_table(
        "vote_round",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_zh", sa.String(length=200), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state = 'open' OR state = 'closed'", name=op.f("ck_vote_round_state_known")),
        sa.CheckConstraint("closes_at > opens_at", name=op.f("ck_vote_round_closes_after_opening")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vote_round")),
        sa.UniqueConstraint("code", name=op.f("uq_vote_round_code")),
    )
    op.create_table(
        "vote_choice",
        sa.Column("round_id", BIG_ID, nullable=False),
        sa.Column("design_id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(["design_id"], ["design.id"], name=op.f("fk_vote_choice_design_id")),
        sa.ForeignKeyConstraint(["round_id"], ["vote_round.id"], name=op.f("fk_vote_choice_round_id")),
        sa.PrimaryKeyConstraint("round_id", "design_id", name=op.f("pk_vote_choice")),
    )
    op.create_index(op.f("ix_vote_choice_design_id"), "vote_choice", ["design_id"], unique=False)
    op.create_table(
        "ballot",
        sa.Column("round_id", BIG_ID, nullable=False),
        sa.Column("buyer", sa.String(length=32), nullable=False),
        sa.Column("design_id", BIG_ID, nullable=False),
        sa.Column("cast_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id", "design_id"],
            ["vote_choice.round_id", "vote_choice.design_id"],
            name=op.f("fk_ballot_round_id_design_id"),
        ),
        sa.PrimaryKeyConstraint("round_id", "buyer", name=op.f("pk_ballot")),
    )
    op.create_table(
        "vote_prior",
        sa.Column("campaign_id", BIG_ID, nullable=False),
        sa.Column("design_id", BIG_ID, nullable=False),
        sa.Column("round_id", BIG_ID, nullable=False),
        sa.Column("voters", sa.Integer(), nullable=False),
        sa.Column("learnt", sa.Integer(), nullable=False),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.Column("units", sa.Double(), nullable=False),
        sa.Column("lo_80", sa.Double(), nullable=False),
        sa.Column("hi_80", sa.Double(), nullable=False),
        sa.Column("ordered", sa.Integer(), nullable=True),
        sa.Column("landed_units", sa.BigInteger(), nullable=True),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("voters >= 1 AND learnt >= 0", name=op.f("ck_vote_prior_counts_positive")),
        sa.CheckConstraint("0 <= rate AND rate <= 1", name=op.f("ck_vote_prior_rate_in_unit")),
        sa.CheckConstraint(
            "0 <= lo_80 AND lo_80 <= units AND units <= hi_80", name=op.f("ck_vote_prior_interval_in_order")
        ),
        sa.CheckConstraint(
            "(scored_at IS NULL) = (landed_units IS NULL) AND (scored_at IS NULL) = (ordered IS NULL)",
            name=op.f("ck_vote_prior_score_whole"),
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_vote_prior_campaign_id")),
        sa.ForeignKeyConstraint(["design_id"], ["design.id"], name=op.f("fk_vote_prior_design_id")),
        sa.ForeignKeyConstraint(["round_id"], ["vote_round.id"], name=op.f("fk_vote_prior_round_id")),
        sa.PrimaryKeyConstraint("campaign_id", "design_id", name=op.f("pk_vote_prior")),
    )


def downgrade() -> None:
    op.drop_table("vote_prior")
    op.drop_table("ballot")
    op.drop_index(op.f("ix_vote_choice_design_id"), table_name="vote_choice")
    op.drop_table("vote_choice")
    op.drop_table("vote_round")
    op.drop_index(op.f("ix_design_sku_design_id"), table_name="design_sku")
    op.drop_table("design_sku")
    op.drop_index(op.f("ix_design_category"), table_name="design")
    op.drop_table("design")
