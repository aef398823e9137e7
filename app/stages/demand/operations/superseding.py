"""A graver commitment stands for the lighter ones its buyer made before for the same thing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, func, select
from sqlalchemy.orm import Session

from app.core.db import among
from app.stages.demand.models import LIGHTER, Campaign, Signal
from app.stages.demand.operations.exclusions import exclude_by_rule, take_back
from app.stages.demand.operations.moving import AT_ONCE
from app.stages.demand.queries.exclusions import decided_signals
from app.stages.demand.rules import Reason
from app.stages.demand.rules.commitments import Said, superseded

RULE = "rule:superseded"
"""Who replaces and, when the graver commitment is gone, takes back. A person's word always stands."""
NO_WORD = (Reason.TEST, Reason.NOT_GOODS, Reason.UNPRICED, Reason.SUSPECTED)
"""What neither replaces nor is replaced: no word of a buyer. A cancelled order is one, and the latest."""
REPLACED = (Reason.VALID, Reason.INTEREST, Reason.UNPAID, Reason.OVER_LIMIT, Reason.OVER_CAP)
_SPOT = Signal.campaign_id.is_(None)
TWICE = (func.min(Signal.commitment) != func.max(Signal.commitment)) | (
    func.max(case((Signal.reason == Reason.SUPERSEDED, 1), else_=0)) == 1
)
"""Of the signals of one buyer and SKU: they differ in commitment, or one was replaced before."""


def decide_of_file(session: Session, *, batch_id: int, now: dt.datetime) -> None:
    """Decide again for every buyer of this file's campaigns who committed twice."""
    pledged = select(Signal.campaign_id).where(Signal.batch_id == batch_id, ~_SPOT)
    for campaign_id in session.scalars(select(Campaign.id).where(Campaign.id.in_(pledged))).all():
        _decide(session, Signal.campaign_id == campaign_id, now=now)


def decide_of_buyers(session: Session, *, buyers: Iterable[tuple[int | None, str]], now: dt.datetime) -> None:
    """Decide again for these buyers (campaign id, pseudonym); those of spot demand wait for the cycle."""
    wanted, by_campaign = set(buyers), dict[int, set[str]]()
    for campaign_id, buyer in _in_question(session, wanted):
        by_campaign.setdefault(campaign_id, set()).add(buyer)
    for campaign_id, theirs in sorted(by_campaign.items()):
        names = sorted(theirs)
        for start in range(0, len(names), AT_ONCE):
            here = (Signal.campaign_id == campaign_id) & Signal.buyer.in_(names[start : start + AT_ONCE])
            _decide(session, here, now=now)


def replace_spot(session: Session, *, now: dt.datetime) -> None:
    """Decide of all spot demand; every turn must be taken. Its orders have no index by buyer, so it is read
    as a whole, once a cycle, and only where there is any that is no paid order."""
    if session.scalar(select(Signal.id).where(LIGHTER).limit(1)) is not None:
        lighter = select(Signal.buyer).where(LIGHTER, Signal.buyer.is_not(None))
        _decide(session, _SPOT & Signal.buyer.in_(lighter), now=now)


def _in_question(session: Session, wanted: set[tuple[int | None, str]]) -> list[tuple[int, str]]:
    """Buyers of campaigns who said different things of one SKU, by one statement for all campaigns."""
    campaigns = sorted({campaign_id for campaign_id, _ in wanted if campaign_id is not None})
    names = sorted({buyer for campaign_id, buyer in wanted if campaign_id is not None})
    if not names:
        return []
    here = Signal.campaign_id.in_(campaigns) & among(session, Signal.buyer, names)
    query = select(Signal.campaign_id, Signal.buyer).where(*_spoken(here)).distinct()
    query = query.group_by(Signal.campaign_id, Signal.buyer, Signal.sku_id).having(TWICE)
    found = [(int(row[0] or 0), str(row[1])) for row in session.execute(query)]
    return [one for one in found if one in wanted]


def _decide(session: Session, here: ColumnElement[bool], *, now: dt.datetime) -> None:
    """Signals count in the order they were made, whatever the order they arrived in."""
    rows = session.execute(_committed_twice(here)).all()
    if not rows:
        return
    kept = decided_signals(session, ids=[row.id for row in rows])
    evidence: dict[int, dict[str, Any]] = {}
    back: list[int] = []
    for _, group in groupby(rows, lambda row: (row.buyer, row.sku_id)):
        theirs = {row.id: row for row in group}
        replaced = superseded([_said(row) for row in theirs.values()])
        for id_, row in theirs.items():
            graver = theirs.get(replaced.get(id_, 0))
            if id_ in kept:
                continue
            if graver is not None and row.reason in REPLACED:
                evidence[id_] = {"replaced_by": graver.external_id, "commitment": graver.commitment}
            elif graver is None and row.reason == Reason.SUPERSEDED:
                back.append(id_)
    exclude_by_rule(session, evidence=evidence, reason=Reason.SUPERSEDED, rule=RULE, now=now)
    take_back(session, ids=back, rule=RULE, now=now)


def _said(row: Row[Any]) -> Said:
    return Said(
        made_at=row.ordered_at,
        channel_id=row.channel_id,
        external_id=row.external_id,
        id=row.id,
        commitment=row.commitment,
        quantity=row.quantity,
        stands=row.reason in (*REPLACED, Reason.SUPERSEDED),
    )


def _spoken(here: ColumnElement[bool]) -> tuple[ColumnElement[bool], ...]:
    return here, Signal.buyer.is_not(None), Signal.quantity > 0, Signal.reason.not_in(NO_WORD)


def _committed_twice(here: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The signals of buyers who said different things of one SKU, by buyer and SKU."""
    spoken = _spoken(here)
    twice = (
        select(Signal.buyer, Signal.sku_id)
        .where(*spoken)
        .group_by(Signal.buyer, Signal.sku_id)
        .having(TWICE)
        .subquery()
    )
    columns = (
        Signal.id,
        Signal.buyer,
        Signal.sku_id,
        Signal.ordered_at,
        Signal.channel_id,
        Signal.external_id,
        Signal.commitment,
        Signal.quantity,
        Signal.reason,
    )
    same = (Signal.buyer == twice.c.buyer) & (Signal.sku_id == twice.c.sku_id)
    return select(*columns).join(twice, same).where(*spoken).order_by(Signal.buyer, Signal.sku_id, Signal.id)
