"""When suppliers were last asked for a plan, and whether it was made ahead of its day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.add_column("allocation_run", sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "allocation_run", sa.Column("ahead", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.execute(
        "UPDATE allocation_run SET asked_at = (SELECT max(created_at) FROM production_plan "
        "WHERE production_plan.allocation_run_id = allocation_run.id)"
    )
    op.execute("UPDATE allocation_run SET ahead = (asked_at IS NULL AND created_at < as_of)")


def downgrade() -> None:
    op.drop_column("allocation_run", "ahead")
    op.drop_column("allocation_run", "asked_at")
