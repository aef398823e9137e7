"""Which pledges of a campaign look like bots or brushing, reckoned from the rows as they stand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import polars as pl
from sqlalchemy import BigInteger, ColumnElement, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.stages.demand.models import Campaign, Signal, SignalTrace
from app.stages.demand.rules import Reason
from app.stages.demand.rules.suspicion import (
    PLEDGES,
    TRACES,
    find_suspects,
)

JUDGED = {**PLEDGES, **TRACES, "channel_id": pl.Int64, "quantity": pl.Int64, "reason": pl.String}
JUDGED_REASONS = (
    Reason.VALID,
    Reason.INTEREST,
    Reason.UNPAID,
    Reason.OVER_LIMIT,
    Reason.SUSPECTED,
    Reason.OVER_CAP,
)
EARLIER = 50
"""The latest campaigns in which a buyer may be known."""
AT_ONCE = 500


def judged_pledges(session: Session, *, campaign_id: int) -> pl.DataFrame:
    """Every pledge of a campaign that counts, or would without a rule: columns JUDGED and SUSPECTS.

    Those without suspicion have nulls.
    """
    rows = session.execute(
        select(
            Signal.id,
            Signal.buyer,
            Signal.region_id,
            Signal.sku_id,
            _seconds(session, Signal.ordered_at),
            SignalTrace.device,
            SignalTrace.address,
            SignalTrace.payment,
            _seconds(session, SignalTrace.account_created_at),
            Signal.channel_id,
            Signal.quantity,
            Signal.reason,
        )
        .outerjoin(SignalTrace, SignalTrace.signal_id == Signal.id)
        .where(
            Signal.campaign_id == campaign_id,
            Signal.quantity > 0,
            Signal.reason.in_(JUDGED_REASONS),
        )
    )
    pledges = pl.DataFrame([tuple(row) for row in rows], schema=JUDGED, orient="row")

    def known_elsewhere(buyers: Collection[str]) -> set[str]:
        return _known_elsewhere(session, campaign_id, sorted(buyers))

    suspects = find_suspects(pledges.select(*PLEDGES, *TRACES), known_elsewhere=known_elsewhere)
    return pledges.join(suspects, on="id", how="left").sort("id")


def evidence(row: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a suspicion, from a row with the columns SUSPECTS."""
    shared = {name: row[name] for name in ("devices", "addresses", "payments") if row[name]}
    return {
        "rule": row["rule"],
        "score": round(row["score"], 3),
        "window_start": _instant(row["start"]).isoformat(),
        **{name: row[name] for name in ("seconds", "pledges", "buyers")},
        **shared,
        "expected_pledges": row["expected"],
    }


def _instant(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC)


def _seconds(session: Session, instant: InstrumentedAttribute[Any]) -> ColumnElement[int]:
    """A moment in whole seconds since 1970."""
    if session.get_bind().dialect.name == "sqlite":
        return cast(func.strftime("%s", instant), BigInteger)
    return cast(func.floor(func.extract("epoch", instant)), BigInteger)


def _known_elsewhere(session: Session, campaign_id: int, buyers: list[str]) -> set[str]:
    """Those of the buyers who pledged in one of the latest other campaigns."""
    others = select(Campaign.id).where(Campaign.id != campaign_id)
    latest = session.scalars(others.order_by(Campaign.opens_at.desc(), Campaign.id).limit(EARLIER)).all()
    known: set[str] = set()
    for start in range(0, len(buyers), AT_ONCE):
        part = buyers[start : start + AT_ONCE]
        query = select(Signal.buyer).where(Signal.campaign_id.in_(latest), Signal.buyer.in_(part)).distinct()
        known.update(one for one in session.scalars(query) if one is not None)
    return known
