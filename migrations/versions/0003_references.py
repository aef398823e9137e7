"""References of the tables that take mass rows: on PostgreSQL checked once a statement, not once a row.

The triggers refuse what the foreign keys refused, from both sides and with the same error. A row that comes
locks what it refers to (FOR KEY SHARE), so that it can't be deleted before the row is committed. SQLite checks
a foreign key faster than a trigger, and keeps its foreign keys.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

REFERENCES = {
    "signal": {
        "channel_id": "channel",
        "batch_id": "import_batch",
        "sku_id": "sku",
        "region_id": "region",
        "campaign_id": "campaign",
    },
    "demand_day": {"channel_id": "channel", "sku_id": "sku", "region_id": "region"},
    "campaign_day": {"campaign_id": "campaign", "sku_id": "sku", "region_id": "region"},
}

CHECK = """
    IF EXISTS (SELECT FROM (SELECT DISTINCT {column} FROM arrived WHERE {column} IS NOT NULL) AS one
               WHERE NOT EXISTS (SELECT FROM {target} WHERE id = one.{column} FOR KEY SHARE)) THEN
        RAISE foreign_key_violation USING CONSTRAINT = 'fk_{table}_{column}', TABLE = '{table}',
            MESSAGE = 'a row of {table} refers by {column} to a row of {target} that is not there';
    END IF;"""

KEEP = """
    IF EXISTS (SELECT FROM {table} WHERE {column} = OLD.id) THEN
        RAISE foreign_key_violation USING CONSTRAINT = 'fk_{table}_{column}', TABLE = '{table}',
            MESSAGE = 'a row of {table} refers by {column} to this row of {target}';
    END IF;"""

READ_COMMITTED = """
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE feature_not_supported USING
            MESSAGE = 'rows of {target} are deleted in transactions of READ COMMITTED only',
            DETAIL = 'A transaction with an older view would not see a row that refers to them.';
    END IF;"""

FUNCTION = (
    "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql {settings} "
    "AS $$ BEGIN {body}\n    RETURN NULL; END $$"
)
BY_INDEX = "SET enable_seqscan = off"
"""A plan made while a table was small would read all of it for every id, and stay when it has grown."""


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    for table, columns in REFERENCES.items():
        for column in columns:
            op.drop_constraint(f"fk_{table}_{column}", table, type_="foreignkey")
        _check_what_comes(table, columns)
    for target in _targets():
        _keep_what_is_referred_to(target)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    for target in _targets():
        for what in ("kept", "not_emptied"):
            op.execute(f"DROP TRIGGER {target}_{what} ON {target}")
            op.execute(f"DROP FUNCTION {target}_{what}()")
    for table, columns in REFERENCES.items():
        for verb in ("insert", "update"):
            op.execute(f"DROP TRIGGER {table}_references_{verb} ON {table}")
        op.execute(f"DROP FUNCTION {table}_references()")
        for column, target in columns.items():
            op.create_foreign_key(f"fk_{table}_{column}", table, target, [column], ["id"])


def _check_what_comes(table: str, columns: dict[str, str]) -> None:
    checks = (CHECK.format(table=table, column=column, target=target) for column, target in columns.items())
    op.execute(FUNCTION.format(name=f"{table}_references", body="".join(checks), settings=BY_INDEX))
    for verb in ("insert", "update"):
        op.execute(
            f"CREATE TRIGGER {table}_references_{verb} AFTER {verb} ON {table} "
            f"REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT EXECUTE FUNCTION {table}_references()"
        )


def _keep_what_is_referred_to(target: str) -> None:
    """Refuse to delete or renumber a row that is referred to, and to empty the table."""
    referring = [
        (table, column)
        for table, columns in REFERENCES.items()
        for column, referred in columns.items()
        if referred == target
    ]
    body = READ_COMMITTED + "".join(
        KEEP.replace("{table}", table).replace("{column}", column) for table, column in referring
    )
    op.execute(FUNCTION.format(name=f"{target}_kept", body=body.format(target=target), settings=""))
    op.execute(
        f"CREATE TRIGGER {target}_kept AFTER DELETE OR UPDATE OF id ON {target} "
        f"FOR EACH ROW EXECUTE FUNCTION {target}_kept()"
    )
    filled = " OR ".join(f"EXISTS (SELECT FROM {table})" for table, _ in referring)
    refused = f"RAISE foreign_key_violation USING MESSAGE = 'rows of {target} are referred to';"
    body = f"IF {filled} THEN {refused} END IF;"
    op.execute(FUNCTION.format(name=f"{target}_not_emptied", body=body, settings=""))
    op.execute(
        f"CREATE TRIGGER {target}_not_emptied BEFORE TRUNCATE ON {target} "
        f"EXECUTE FUNCTION {target}_not_emptied()"
    )


def _targets() -> list[str]:
    return sorted({target for columns in REFERENCES.values() for target in columns.values()})
