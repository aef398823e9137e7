"""Coarser roll-ups, and changes that wait to be folded into the cells.

The coarser levels are sums of those that are there. On the way back what waits is folded first.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

MEASURES = ("signals", "units", "raw_units", "valid_units", "amount_minor")
LEVELS = {
    "demand_sku_day": ("demand_day", ("sku_id", "day")),
    "demand_total_day": ("demand_day", ("day", "channel_id")),
    "campaign_region_day": ("campaign_day", ("campaign_id", "region_id", "day")),
    "campaign_total_day": ("campaign_day", ("campaign_id", "day")),
}
FINEST = {
    "demand_day": ("sku_id", "region_id", "day", "channel_id"),
    "campaign_day": ("campaign_id", "day", "sku_id", "region_id"),
}


def upgrade() -> None:
    for table, (finer, key) in LEVELS.items():
        _create(table, key)
        listed = ", ".join((*key, "reason"))
        sums = ", ".join(f"sum({name})" for name in MEASURES)
        op.execute(
            f"INSERT INTO {table} ({listed}, {', '.join(MEASURES)}) SELECT {listed}, {sums} "
            f"FROM {finer} GROUP BY {listed}"
        )
    op.create_table(
        "demand_change",
        _id("id"),
        _id("channel_id"),
        _id("campaign_id", nullable=True),
        _id("sku_id"),
        _id("region_id"),
        *_columns(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demand_change")),
    )


def downgrade() -> None:
    for table, key in FINEST.items():
        listed = ", ".join((*key, "reason"))
        op.execute(
            f"INSERT INTO {table} ({listed}, {', '.join(MEASURES)}) "
            f"SELECT {listed}, {', '.join(f'sum({name})' for name in MEASURES)} FROM demand_change "
            f"WHERE {key[0]} IS NOT NULL GROUP BY {listed} ON CONFLICT ({listed}) DO UPDATE SET "
            + ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in MEASURES)
        )
    op.drop_table("demand_change")
    for table in LEVELS:
        op.drop_table(table)


def _create(table: str, key: tuple[str, ...]) -> None:
    op.create_table(
        table,
        *(_id(name) for name in key if name != "day"),
        *_columns(),
        sa.PrimaryKeyConstraint(*key, "reason", name=op.f(f"pk_{table}")),
        sqlite_with_rowid=False,
    )


def _columns() -> list[sa.Column]:
    measures = [sa.Column(name, sa.BigInteger(), nullable=False) for name in MEASURES]
    return [
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=12), nullable=False),
        *measures,
    ]


def _id(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=nullable)
