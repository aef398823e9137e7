"""Cells of a campaign are kept by SKU first: the days of one SKU are read without those of the others."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0023"
down_revision = "0022"

BY_SKU = "campaign_id, sku_id, day, region_id, reason"
BY_DAY = "campaign_id, day, sku_id, region_id, reason"


def upgrade() -> None:
    _sort(BY_DAY, BY_SKU)


def downgrade() -> None:
    _sort(BY_SKU, BY_DAY)


def _sort(old: str, new: str) -> None:
    """Give the table another primary key of the same columns.

    Raises:
        RuntimeError: the table has another definition than this migration knows; nothing is changed.
    """
    if op.get_bind().dialect.name != "sqlite":
        op.execute("ALTER TABLE campaign_day DROP CONSTRAINT pk_campaign_day")
        op.execute(f"ALTER TABLE campaign_day ADD CONSTRAINT pk_campaign_day PRIMARY KEY ({new})")
        return
    run = op.get_bind().execute
    named = text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'campaign_day'")
    definition: str = run(named).scalar_one().replace('"campaign_day"', "campaign_day", 1)  # renamed once
    head, key = "CREATE TABLE campaign_day ", f"PRIMARY KEY ({old})"
    if not definition.startswith(head) or definition.count(key) != 1:
        raise RuntimeError("the table campaign_day has another definition than this migration knows")
    moved = definition.replace(head, "CREATE TABLE campaign_day_moved ", 1).replace(
        key, f"PRIMARY KEY ({new})"
    )
    run(text(moved))
    run(text("INSERT INTO campaign_day_moved SELECT * FROM campaign_day"))
    run(text("DROP TABLE campaign_day"))
    run(text("ALTER TABLE campaign_day_moved RENAME TO campaign_day"))
