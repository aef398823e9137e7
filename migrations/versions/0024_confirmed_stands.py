"""A confirmed line stands: the database refuses to change or delete it, whoever asks.

A migration that has SQLite recreate `plan_line` drops the trigger silently; it calls `protect` again.
"""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def protect() -> None:
    if _is_sqlite():
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER plan_line_stands_{verb.lower()} BEFORE {verb} ON plan_line "
                "WHEN OLD.state = 'confirmed' "
                "BEGIN SELECT RAISE(ABORT, 'a confirmed line is not changed'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_unconfirming() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION 'a confirmed line is not changed'; END $$"
    )
    op.execute(
        "CREATE TRIGGER plan_line_stands BEFORE UPDATE OR DELETE ON plan_line FOR EACH ROW "
        "WHEN (OLD.state = 'confirmed') EXECUTE FUNCTION refuse_unconfirming()"
    )


def upgrade() -> None:
    protect()


def downgrade() -> None:
    if _is_sqlite():
        for verb in ("update", "delete"):
            op.execute(f"DROP TRIGGER plan_line_stands_{verb}")
        return
    op.execute("DROP TRIGGER plan_line_stands ON plan_line")
    op.execute("DROP FUNCTION refuse_unconfirming()")
