"""What the database itself keeps of a campaign, and its migration with rows in place."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from app.core import schema
from app.core.db import Database
from app.stages.demand import queries as demand
from app.stages.demand.models import Campaign
from support import brand

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)


def _campaign(state: str) -> Campaign:
    return Campaign(
        code=f"C-{state}",
        name="One",
        state=state,
        opens_at=NOW,
        closes_at=NOW + dt.timedelta(days=9),
        expected_units=100,
        due_week=dt.date(2027, 1, 4),
    )


@pytest.mark.parametrize(
    "change", ["expected_units = 1", "go_factor_percent = 1", "state = 'draft'", "expected_units = 101"]
)
@pytest.mark.parametrize("state", ["open", "reached", "closed"])
def test_the_database_keeps_the_expected_volume_of_a_launched_campaign(
    db: Database, state: str, change: str
) -> None:
    with db.transaction() as session:
        session.add(_campaign(state))
    with pytest.raises(DatabaseError, match="frozen at launch"), db.transaction() as session:
        session.execute(text(f"UPDATE campaign SET {change}"))


def test_what_a_draft_expects_may_change_and_the_rest_of_a_launched_campaign_too(db: Database) -> None:
    with db.transaction() as session:
        session.add_all([_campaign("draft"), _campaign("open")])
    with db.transaction() as session:
        session.execute(text("UPDATE campaign SET expected_units = 7 WHERE state = 'draft'"))
        session.execute(text("UPDATE campaign SET state = 'open' WHERE state = 'draft'"))
        session.execute(text("UPDATE campaign SET name = 'Two', cap_units = 9"))


@pytest.mark.parametrize(
    "verb", ["UPDATE campaign_decision SET reason = 'x'", "DELETE FROM campaign_decision"]
)
def test_a_decision_is_never_altered(db: Database, verb: str) -> None:
    with db.transaction() as session:
        session.add(_campaign("open"))
        session.flush()
        session.execute(
            text(
                "INSERT INTO campaign_decision (campaign_id, kind, from_state, to_state, valid_units, "
                "expected_units, go_factor_percent, inputs, decided_by, decided_at) "
                "SELECT id, 'launch', 'draft', 'open', 0, 100, 120, '{}', 'mei', opens_at FROM campaign"
            )
        )
    with pytest.raises(DatabaseError, match="append-only"), db.transaction() as session:
        session.execute(text(verb))


def test_the_version_before_counts_what_was_over_the_cap_and_keeps_what_was_said(
    db: Database, tmp_path: Path
) -> None:
    brand.load_network(db, tmp_path)
    brand.load_campaign(db, tmp_path, pledges=3)
    with db.transaction() as session:
        run = session.execute
        run(text("UPDATE signal SET reason = 'over_cap' WHERE external_id = 'P1'"))
        for table in ("campaign_day", "demand_day"):
            run(text(f"UPDATE {table} SET signals = 2, units = 2, raw_units = 2, valid_units = 2"))
            run(text(f"UPDATE {table} SET amount_minor = 39800"))
            columns = session.execute(text(f"SELECT * FROM {table}")).mappings().one()
            row = {**columns, "reason": "over_cap", "signals": 1, "units": 1, "raw_units": 1}
            row |= {"valid_units": 0, "amount_minor": 19900}
            names = ", ".join(row)
            run(text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(':' + name for name in row)})"), row)
        run(
            text(
                "INSERT INTO correction (channel_id, external_id, fill_quantity, received_quantity) "
                "SELECT channel_id, external_id, 4, 1 FROM signal WHERE external_id = 'P2'"
            )
        )
    schema.downgrade(db, revision="0006")
    with db.reading() as session:
        said = session.execute(text("SELECT quantity FROM correction")).scalar_one()
        valid = session.execute(text("SELECT valid_units FROM campaign_day")).scalar_one()
    schema.migrate(db)
    assert (said, valid) == (4, 3)
    with db.reading() as session:
        assert demand.recount(session) == []
