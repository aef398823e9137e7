"""How far an import is: it goes chunk by chunk, and may be stopped, or killed, and go on."""

from __future__ import annotations

from alembic import op

from app.core.checks import Change, one_of, replace_checks

revision = "0020"
down_revision = "0019"

BEFORE, AFTER = ("absorbed",), ("importing", "stopping", "stopped", "absorbed")


def upgrade() -> None:
    op.execute("ALTER TABLE import_batch ADD COLUMN last_row BIGINT DEFAULT 0 NOT NULL")
    replace_checks(Change("import_batch", "state_known", one_of("state", BEFORE), one_of("state", AFTER)))


def downgrade() -> None:
    """The code before knows only files that are all there; it would take what has stopped for one."""
    op.execute(
        "UPDATE import_batch SET state = 'absorbed', digest = 'stopped ' || id WHERE state <> 'absorbed'"
    )
    replace_checks(Change("import_batch", "state_known", one_of("state", AFTER), one_of("state", BEFORE)))
    op.execute("ALTER TABLE import_batch DROP COLUMN last_row")
