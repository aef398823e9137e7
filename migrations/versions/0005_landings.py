"""Landings of campaigns, overrides of the forecast, and what forecasts were worth."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ORDERED = "0 <= lo_95 AND lo_95 <= lo_80 AND lo_80 <= hi_80 AND hi_80 <= hi_95"


def upgrade() -> None:
    op.create_table(
        "forecast_accuracy",
        sa.Column("run_id", BIG_ID, nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("sku_class", sa.String(length=1), nullable=False),
        sa.Column("region_id", BIG_ID, nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("series", sa.Integer(), nullable=False),
        sa.Column("sold_units", sa.BigInteger(), nullable=False),
        sa.Column("forecast_units", sa.Double(), nullable=False),
        sa.Column("forecast_error", sa.Double(), nullable=False),
        sa.Column("planned_error", sa.Double(), nullable=False),
        sa.Column("scaled_error", sa.Double(), nullable=False),
        sa.Column("scaled_series", sa.Integer(), nullable=False),
        sa.Column("pinball", sa.Double(), nullable=False),
        sa.Column("covered_80", sa.Integer(), nullable=False),
        sa.Column("covered_95", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "sku_class = 'A' OR sku_class = 'B' OR sku_class = 'C'",
            name=op.f("ck_forecast_accuracy_sku_class_known"),
        ),
        sa.CheckConstraint(
            "covered_80 <= covered_95 AND covered_95 <= series",
            name=op.f("ck_forecast_accuracy_covered_in_range"),
        ),
        sa.CheckConstraint("step >= 1", name=op.f("ck_forecast_accuracy_step_positive")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_forecast_accuracy_region_id")),
        sa.ForeignKeyConstraint(["run_id"], ["forecast_run.id"], name=op.f("fk_forecast_accuracy_run_id")),
        sa.PrimaryKeyConstraint(
            "run_id", "week", "sku_class", "region_id", name=op.f("pk_forecast_accuracy")
        ),
    )
    op.create_table(
        "forecast_override",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("sku_id", BIG_ID, nullable=False),
        sa.Column("region_id", BIG_ID, nullable=True),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("created_by", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_by", sa.String(length=254), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("forecast_units", sa.Double(), nullable=True),
        sa.Column("sold_units", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_forecast_override_reason_given")),
        sa.CheckConstraint(
            "(forecast_units IS NULL) = (sold_units IS NULL)", name=op.f("ck_forecast_override_score_whole")
        ),
        sa.CheckConstraint(
            "(withdrawn_by IS NULL) = (withdrawn_at IS NULL)",
            name=op.f("ck_forecast_override_withdrawal_whole"),
        ),
        sa.CheckConstraint("units >= 0", name=op.f("ck_forecast_override_units_positive")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_forecast_override_region_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_forecast_override_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast_override")),
    )
    op.create_index("ix_forecast_override_cell", "forecast_override", ["week", "sku_id"], unique=False)
    op.create_table(
        "landing",
        sa.Column("campaign_id", BIG_ID, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("elapsed_day", sa.Integer(), nullable=False),
        sa.Column("window_days", sa.Integer(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("mean", sa.Double(), nullable=False),
        sa.Column("median", sa.Double(), nullable=False),
        sa.Column("lo_80", sa.Double(), nullable=False),
        sa.Column("hi_80", sa.Double(), nullable=False),
        sa.Column("lo_95", sa.Double(), nullable=False),
        sa.Column("hi_95", sa.Double(), nullable=False),
        sa.Column("method", sa.String(length=60), nullable=False),
        sa.Column("finished", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "0 <= elapsed_day AND elapsed_day <= window_days", name=op.f("ck_landing_day_in_window")
        ),
        sa.CheckConstraint(ORDERED, name=op.f("ck_landing_ordered")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_landing_campaign_id")),
        sa.PrimaryKeyConstraint("campaign_id", "as_of", name=op.f("pk_landing")),
    )
    op.create_table(
        "landing_line",
        sa.Column("campaign_id", BIG_ID, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("sku_id", BIG_ID, nullable=False),
        sa.Column("region_id", BIG_ID, nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("mean", sa.Double(), nullable=False),
        sa.Column("median", sa.Double(), nullable=False),
        sa.Column("lo_80", sa.Double(), nullable=False),
        sa.Column("hi_80", sa.Double(), nullable=False),
        sa.Column("lo_95", sa.Double(), nullable=False),
        sa.Column("hi_95", sa.Double(), nullable=False),
        sa.CheckConstraint(ORDERED, name=op.f("ck_landing_line_ordered")),
        sa.ForeignKeyConstraint(
            ["campaign_id", "as_of"],
            ["landing.campaign_id", "landing.as_of"],
            name=op.f("fk_landing_line_campaign_id_as_of"),
        ),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_landing_line_region_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_landing_line_sku_id")),
        sa.PrimaryKeyConstraint("campaign_id", "as_of", "sku_id", "region_id", name=op.f("pk_landing_line")),
    )


def downgrade() -> None:
    op.drop_table("landing_line")
    op.drop_table("landing")
    op.drop_index("ix_forecast_override_cell", table_name="forecast_override")
    op.drop_table("forecast_override")
    op.drop_table("forecast_accuracy")
