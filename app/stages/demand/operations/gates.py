"""When a campaign takes signals: what comes before its opening, after its close or in its fill phase."""

from __future__ import annotations

import polars as pl
from sqlalchemy.orm import Session

from app.stages.demand.operations import known
from app.stages.demand.queries.campaigns import window_frame
from app.stages.demand.rules.campaigns import refusal_expression

SENTENCES = {
    "campaign_not_open": (
        "campaign_not_open",
        "ordered_at: the campaign was not open at this time; check the time and the campaign.",
    ),
    "campaign_closed": (
        "campaign_closed",
        "ordered_at: the campaign took no pledge any more at this time; sell it without the campaign.",
    ),
    "fill_phase": (
        "fill_phase",
        "quantity: before its close a campaign's pledges can only grow; units come back after the close.",
    ),
}


def refused(session: Session, rows: pl.DataFrame, *, channel_id: int) -> pl.DataFrame:
    """Those of the rows that their campaign does not take, with the code why: `refusal`.

    A row that is known already is not refused: it was taken when its campaign did.

    Args:
        rows: campaign_id, ordered_at, quantity and external_id among other columns.
    """
    nothing = rows.clear().with_columns(pl.lit(None, dtype=pl.String).alias("refusal"))
    ids = rows["campaign_id"].drop_nulls().unique().to_list()
    if not ids:
        return nothing
    windows = window_frame(session, campaign_ids=ids)
    pledged = rows.select("campaign_id", "ordered_at", "quantity")
    timed = pledged.join(windows, on="campaign_id", how="left", maintain_order="left")
    codes = timed.select(refusal_expression().alias("refusal"))["refusal"]
    if codes.null_count() == rows.height:
        return nothing
    found = rows.with_columns(codes).filter(pl.col("refusal").is_not_null())
    there = known.ids(session, found["external_id"].unique(), channel_id=channel_id)
    return found.filter(~pl.col("external_id").is_in(there.implode()))
