"""Suspected bots and brushing: excluded by rule where the evidence is strong, taken back when it is gone.

A campaign is judged as a whole from its rows as they stand, so the order in which they came does not matter.
The limit per buyer is decided afterwards, on what is not suspected.
"""

from __future__ import annotations

import datetime as dt

import polars as pl
from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Session

from app.stages.demand.models import Campaign, Exclusion, Signal, Suspect
from app.stages.demand.operations import caps, limits, superseding
from app.stages.demand.operations.exclusions import exclude_by_rule, take_back
from app.stages.demand.operations.moving import AT_ONCE
from app.stages.demand.operations.turns import take_every_turn
from app.stages.demand.queries.exclusions import decided_by_person
from app.stages.demand.queries.reviewing import reviewed_rules
from app.stages.demand.queries.suspicion import evidence, judged_pledges
from app.stages.demand.rules import CampaignState, Reason
from app.stages.demand.rules.reviewing import cluster_key, may_exclude
from app.stages.demand.rules.suspicion import EXCLUDED_FROM, REVIEWED_FROM

RULE = "rule:suspected"


def exclude_suspected(session: Session, *, precision: float = EXCLUDED_FROM, now: dt.datetime) -> int:
    """Judge every open campaign; returns how many signals changed. Online pledges wait meanwhile.

    Args:
        precision: the part of what is excluded without asking that has to be bots'; the rest is for a person.
    """
    take_every_turn(session)
    return sum(_decide(session, one, precision=precision, now=now) for one in _open(session))


def decide_of_file(
    session: Session, *, batch_id: int, channel_id: int, precision: float = EXCLUDED_FROM, now: dt.datetime
) -> None:
    """Judge the open campaigns of this file's pledges, and decide of those of its channel.

    The turn of another channel is not ours: what is found of its pledges waits for the next cycle.
    """
    pledged = select(Signal.campaign_id).where(Signal.batch_id == batch_id, Signal.campaign_id.is_not(None))
    for campaign_id in _open(session, Campaign.id.in_(pledged)):
        _decide(session, campaign_id, channel_id=channel_id, precision=precision, now=now)


def _open(session: Session, *which: ColumnElement[bool]) -> list[int]:
    query = select(Campaign.id).where(Campaign.state == CampaignState.OPEN, *which)
    return list(session.scalars(query.order_by(Campaign.id)))


def _decide(
    session: Session,
    campaign_id: int,
    *,
    channel_id: int | None = None,
    precision: float,
    now: dt.datetime,
) -> int:
    """What a person decided stands; the rest is suspected if, and only if, its score is high enough."""
    kept = list(decided_by_person(session, campaign_id=campaign_id))
    judged = _with_verdict(session, judged_pledges(session, campaign_id=campaign_id), precision=precision)
    guilty, suspected = pl.col("guilty"), pl.col("reason") == Reason.SUSPECTED.value
    changed = judged.filter(
        guilty != suspected,
        ~pl.col("id").is_in(kept),
        pl.lit(True) if channel_id is None else pl.col("channel_id") == channel_id,
    )
    changed = _unmoved(session, changed)
    found = changed.filter(guilty)
    why = {row["id"]: evidence(row) for row in found.to_dicts()}
    exclude_by_rule(session, evidence=why, reason=Reason.SUSPECTED, rule=RULE, now=now)
    take_back(session, ids=changed.filter(suspected)["id"].to_list(), rule=RULE, now=now)
    buyers = changed["buyer"].drop_nulls().unique().sort()
    for part in range(0, len(buyers), AT_ONCE):
        theirs = [(campaign_id, buyer) for buyer in buyers[part : part + AT_ONCE]]
        superseding.decide_of_buyers(session, buyers=theirs, now=now)
        limits.decide_of_buyers(session, buyers=theirs, now=now)
    caps.decide(session, campaigns=[campaign_id], now=now)
    asked = judged.filter(~guilty & (pl.col("score") >= REVIEWED_FROM) & ~pl.col("id").is_in(kept))
    _list_suspects(session, campaign_id, asked, now=now)
    return changed.height


def _with_verdict(session: Session, judged: pl.DataFrame, *, precision: float) -> pl.DataFrame:
    """Add `guilty`: whether a rule may exclude the pledge without asking."""
    reviewed = reviewed_rules(session)
    seen = judged.select("score", "rule").unique().drop_nulls()
    free = [
        may_exclude(score=score, rule=rule, precision=precision, reviewed=reviewed)
        for score, rule in seen.rows()
    ]
    verdicts = seen.with_columns(pl.Series("guilty", free, dtype=pl.Boolean))
    both = judged.join(verdicts, on=["score", "rule"], how="left", maintain_order="left")
    return both.with_columns(pl.col("guilty").fill_null(False))


def _list_suspects(session: Session, campaign_id: int, asked: pl.DataFrame, *, now: dt.datetime) -> None:
    """The campaign's suspects that a person should look at, in place of those of the last judgement."""
    session.execute(
        delete(Suspect).where(Suspect.campaign_id == campaign_id),
        execution_options={"synchronize_session": False},
    )
    rows = []
    for row in asked.to_dicts():
        why = evidence(row)
        rows.append(
            {
                "signal_id": row["id"],
                "campaign_id": campaign_id,
                "cluster": cluster_key(campaign_id, why),
                "score": row["score"],
                "evidence": why,
                "judged_at": now,
            }
        )
    if rows:
        session.execute(insert(Suspect), rows)


def _unmoved(session: Session, judged: pl.DataFrame) -> pl.DataFrame:
    """Those that nobody moved since they were read, locked until the transaction ends.

    Exclusions come first, as where somebody undoes one.
    """
    ids, now = judged["id"].to_list(), []
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE]
        in_force = select(Exclusion.id).where(Exclusion.signal_id.in_(part), Exclusion.undone_at.is_(None))
        session.execute(in_force.order_by(Exclusion.id).with_for_update())
        signals = select(Signal.id, Signal.reason).where(Signal.id.in_(part)).order_by(Signal.id)
        now += [tuple(row) for row in session.execute(signals.with_for_update())]
    same = pl.DataFrame(now, schema={"id": pl.Int64, "reason": pl.String}, orient="row")
    return judged.join(same, on=["id", "reason"], how="semi", maintain_order="left")
