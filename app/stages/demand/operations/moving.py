"""Moving signals from one reason to another, with the roll-ups in step."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.stages.demand import rules
from app.stages.demand.models import Signal
from app.stages.demand.operations import rollups
from app.stages.demand.rules import Reason

COLUMNS = {
    "id": pl.Int64,
    "channel_id": pl.Int64,
    "campaign_id": pl.Int64,
    "sku_id": pl.Int64,
    "region_id": pl.Int64,
    "day": pl.Date,
    "reason": pl.String,
    "quantity": pl.Int64,
    "unit_price_minor": pl.Int64,
    "commitment": pl.String,
}
AT_ONCE = 500


def move(session: Session, *, ids: Sequence[int], reason: Reason | None) -> None:
    """Give the signals this reason; their units leave the old cells and enter the new ones.

    Args:
        reason: None lets them stand as they were told: as valid demand, returned units, or interest.
    """
    becomes = rules.counted_expression() if reason is None else pl.lit(reason.value)
    for start in range(0, len(ids), AT_ONCE):
        part = sorted(ids)[start : start + AT_ONCE]
        query = (
            select(*(getattr(Signal, name) for name in COLUMNS)).where(Signal.id.in_(part)).with_for_update()
        )
        signals = pl.DataFrame(
            [tuple(row) for row in session.execute(query.order_by(Signal.id))], schema=COLUMNS, orient="row"
        )
        moved = signals.with_columns(becomes.alias("reason"))
        rollups.append(session, pl.concat([rollups.changes(signals, sign=-1), rollups.changes(moved)]))
        for (word,), theirs in moved.group_by("reason"):
            session.execute(
                update(Signal).where(Signal.id.in_(theirs["id"].to_list())).values(reason=word),
                execution_options={"synchronize_session": False},
            )


def move_sku(session: Session, *, signal_id: int, sku_id: int) -> None:
    """Give a signal another SKU; its units leave the old cells and enter the new ones."""
    query = select(*(getattr(Signal, name) for name in COLUMNS)).where(Signal.id == signal_id)
    rows = [tuple(row) for row in session.execute(query.with_for_update())]
    signal = pl.DataFrame(rows, schema=COLUMNS, orient="row")
    moved = signal.with_columns(pl.lit(sku_id).cast(pl.Int64).alias("sku_id"))
    rollups.append(session, pl.concat([rollups.changes(signal, sign=-1), rollups.changes(moved)]))
    session.execute(
        update(Signal).where(Signal.id == signal_id).values(sku_id=sku_id),
        execution_options={"synchronize_session": False},
    )
