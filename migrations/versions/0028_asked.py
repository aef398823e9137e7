"""When suppliers were last asked for a plan; one that was only made ahead has none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.add_column("allocation_run", sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE allocation_run SET asked_at = (SELECT max(created_at) FROM production_plan "
        "WHERE production_plan.allocation_run_id = allocation_run.id)"
    )


def downgrade() -> None:
    op.drop_column("allocation_run", "asked_at")
