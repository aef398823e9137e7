"""Buyers by campaign and day, as sketches that say how many ordered and not who.

The sketches of orders that are there are made of them, campaign by campaign. Orders that code of before takes
while this runs bring no buyers; `count-buyers` adds them.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ORDERS = ("paid", "deposit", "pledge")
ROWS_AT_ONCE = 50_000
SIGNAL = sa.table(
    "signal",
    sa.column("campaign_id"),
    sa.column("day", sa.Date()),
    sa.column("buyer"),
    sa.column("commitment"),
)


def upgrade() -> None:
    buyers = op.create_table(
        "campaign_buyers",
        sa.Column("campaign_id", BIG_ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sketch", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "day", name=op.f("pk_campaign_buyers")),
    )
    op.add_column("demand_change", sa.Column("sketch", sa.LargeBinary(), nullable=True))
    for campaign_id in op.get_bind().scalars(sa.text("SELECT id FROM campaign ORDER BY id")).all():
        rows = [
            {"campaign_id": campaign_id, "day": day, "sketch": sketch}
            for day, sketch in sorted(_sketches(campaign_id).items())
        ]
        op.bulk_insert(buyers, rows)


def downgrade() -> None:
    op.drop_column("demand_change", "sketch")
    op.drop_table("campaign_buyers")


def _sketches(campaign_id: int) -> dict[dt.date, bytes]:
    """By day: the highest rank of each register, as register × 32 + rank in two bytes; see `rules.buyers`."""
    query = (
        sa.select(SIGNAL.c.day, sa.func.substr(SIGNAL.c.buyer, 1, 11))
        .where(SIGNAL.c.campaign_id == campaign_id, SIGNAL.c.buyer.is_not(None))
        .where(SIGNAL.c.commitment.in_(ORDERS))
        .distinct()
    )
    registers: dict[dt.date, dict[int, int]] = defaultdict(dict)
    found = op.get_bind().execute(query, execution_options={"yield_per": ROWS_AT_ONCE})
    for day, digits in found:
        register, rest = divmod(int(digits, 16), 2**33)
        rank = min(34 - rest.bit_length(), 31)
        registers[day][register] = max(rank, registers[day].get(register, 0))
    return {
        day: b"".join(
            (register * 32 + rank).to_bytes(2, "little") for register, rank in sorted(ranks.items())
        )
        for day, ranks in registers.items()
    }
