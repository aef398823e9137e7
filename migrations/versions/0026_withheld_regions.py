"""A line that goes straight to a region of fewer than five buyers does not tell the supplier which region."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    withheld = sa.Column("region_withheld", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("plan_line", withheld)


def downgrade() -> None:
    op.drop_column("plan_line", "region_withheld")
