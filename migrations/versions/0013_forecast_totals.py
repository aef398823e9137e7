"""Forecasts of totals with intervals of their own.

Runs that are there get the sums of their lines: bounds that are right if all series err together, which is never
too narrow. The next cycle makes a run with intervals from errors of totals.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ORDERED = "0 <= lo_95 AND lo_95 <= lo_80 AND lo_80 <= hi_80 AND hi_80 <= hi_95"
BOUNDS = ("lo_80", "hi_80", "lo_95", "hi_95")


def upgrade() -> None:
    op.create_table(
        "forecast_total",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("run_id", BIG_ID, nullable=False),
        sa.Column("sku_id", BIG_ID, nullable=True),
        sa.Column("region_id", BIG_ID, nullable=True),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("mean", sa.Double(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in BOUNDS),
        sa.CheckConstraint(
            "sku_id IS NULL OR region_id IS NULL", name=op.f("ck_forecast_total_of_more_than_one_series")
        ),
        sa.CheckConstraint(ORDERED, name=op.f("ck_forecast_total_ordered")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_forecast_total_region_id")),
        sa.ForeignKeyConstraint(["run_id"], ["forecast_run.id"], name=op.f("fk_forecast_total_run_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_forecast_total_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast_total")),
    )
    op.create_index("ix_forecast_total_run", "forecast_total", ["run_id", "sku_id", "region_id"])
    sums = ", ".join(f"SUM({name})" for name in ("mean", *BOUNDS))
    for sku, region, keys in (
        ("sku_id", "NULL", "sku_id, "),
        ("NULL", "region_id", "region_id, "),
        ("NULL", "NULL", ""),
    ):
        op.execute(
            f"INSERT INTO forecast_total (run_id, sku_id, region_id, week, mean, {', '.join(BOUNDS)}) "
            f"SELECT run_id, {_typed(sku)}, {_typed(region)}, week, {sums} FROM forecast_line "
            f"GROUP BY run_id, {keys}week"
        )


def _typed(column: str) -> str:
    return "CAST(NULL AS BIGINT)" if column == "NULL" else column


def downgrade() -> None:
    op.drop_index("ix_forecast_total_run", table_name="forecast_total")
    op.drop_table("forecast_total")
