"""What mass rows refer to is looked for once a statement: over the distinct rows of ids, not column by column.

To read all rows of a large file again for each column took a tenth of its import.
"""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"

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

FUNCTION = """
CREATE OR REPLACE FUNCTION {table}_references() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_sort = off AS $$
DECLARE lost text[];
BEGIN
    WITH came AS MATERIALIZED (SELECT DISTINCT {columns} FROM arrived)
    SELECT one.reference INTO lost FROM ({looks}
    ) AS one LIMIT 1;
    IF lost IS NOT NULL THEN
        RAISE foreign_key_violation USING CONSTRAINT = 'fk_{table}_' || lost[1], TABLE = '{table}',
            MESSAGE = format('a row of {table} refers by %s to a row of %s that is not there', lost[1], lost[2]);
    END IF;
    RETURN NULL;
END $$"""
LOOK = """
        SELECT ARRAY['{column}', '{target}'] AS reference
        FROM (SELECT DISTINCT {column} AS id FROM came WHERE {column} IS NOT NULL) AS came_to
        WHERE NOT EXISTS (SELECT FROM {target} WHERE id = came_to.id FOR KEY SHARE)"""
"""All of them are done unless one finds something: whatever is referred to is locked."""


COLUMN_BY_COLUMN = """
CREATE OR REPLACE FUNCTION {table}_references() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off AS $$ BEGIN {looks}
    RETURN NULL; END $$"""
ONE_COLUMN = """
    IF EXISTS (SELECT FROM (SELECT DISTINCT {column} FROM arrived WHERE {column} IS NOT NULL) AS one
               WHERE NOT EXISTS (SELECT FROM {target} WHERE id = one.{column} FOR KEY SHARE)) THEN
        RAISE foreign_key_violation USING CONSTRAINT = 'fk_{table}_{column}', TABLE = '{table}',
            MESSAGE = 'a row of {table} refers by {column} to a row of {target} that is not there';
    END IF;"""


def upgrade() -> None:
    _look(FUNCTION, LOOK, between="\n        UNION ALL")


def downgrade() -> None:
    _look(COLUMN_BY_COLUMN, ONE_COLUMN, between="")


def _look(function: str, look: str, *, between: str) -> None:
    """Replace what the triggers run; SQLite has foreign keys instead."""
    if op.get_bind().dialect.name == "sqlite":
        return
    for table, columns in REFERENCES.items():
        looks = (look.format(table=table, column=column, target=target) for column, target in columns.items())
        op.execute(function.format(table=table, columns=", ".join(columns), looks=between.join(looks)))
