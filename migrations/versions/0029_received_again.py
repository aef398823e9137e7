"""What was received again in tables of its own, and no longer beside the cells of what was accepted.

It is moved there from all levels but the totals, and back on the way down. Files wait meanwhile. Code of before
that runs after it puts some beside the others again, where it still counts.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEYS = {
    "demand_again": ("sku_id", "region_id", "day", "channel_id"),
    "demand_sku_again": ("sku_id", "day"),
    "campaign_again": ("campaign_id", "sku_id", "day", "region_id"),
}
SHARED = {
    "demand_day": ("demand_again", ("sku_id", "region_id", "day", "channel_id")),
    "demand_sku_day": ("demand_sku_again", ("sku_id", "day")),
    "campaign_day": ("campaign_again", ("campaign_id", "sku_id", "day", "region_id")),
    "campaign_region_day": ("campaign_again", ("campaign_id", "region_id", "day")),
}
"""The levels that had it among their cells, and what of their key says which."""
MOVED = ("demand_day", "demand_sku_day", "campaign_day")
MEASURES = ("signals", "raw_units")
NONE = ("units", "valid_units", "amount_minor")


def upgrade() -> None:
    _alone()
    for table, key in KEYS.items():
        op.create_table(
            table,
            *(sa.Column(name, sa.Date() if name == "day" else BIG_ID, nullable=False) for name in key),
            *(sa.Column(name, sa.BigInteger(), nullable=False) for name in MEASURES),
            sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{table}")),
            sqlite_with_rowid=False,
        )
    for level in MOVED:
        table, key = SHARED[level]
        columns = ", ".join((*key, *MEASURES))
        op.execute(
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {level} WHERE reason = 'duplicate' "
            f"ORDER BY {', '.join(KEYS[table])}"
        )
    for level in SHARED:
        op.execute(f"DELETE FROM {level} WHERE reason = 'duplicate'")


def downgrade() -> None:
    _alone()
    for level, (table, key) in SHARED.items():
        listed, sums = ", ".join(key), ", ".join(f"sum({name})" for name in MEASURES)
        op.execute(
            f"INSERT INTO {level} ({listed}, reason, {', '.join((*MEASURES, *NONE))}) "
            f"SELECT {listed}, 'duplicate', {sums}, 0, 0, 0 FROM {table} WHERE true GROUP BY {listed} "
            f"ON CONFLICT ({listed}, reason) DO UPDATE SET "
            + ", ".join(f"{name} = {level}.{name} + excluded.{name}" for name in MEASURES)
        )
    for table in KEYS:
        op.drop_table(table)


def _alone() -> None:
    """Nobody else adds to cells meanwhile: the lock of whoever does; SQLite has one writer."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SELECT pg_advisory_xact_lock(hashtext('roll-ups'))")
