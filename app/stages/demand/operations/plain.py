"""A plain pledge: a new one in usual cells, of codes that are known, which no rule has to look at twice.

Most pledges of a burst are plain. They share the turn of their channel, move no cell, and take three
statements.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from app.core.access import Actor, Role
from app.stages.demand import rules
from app.stages.demand.models import Signal, SignalTrace
from app.stages.demand.operations import rollups, storing
from app.stages.demand.operations.sent import MAPPING, SentPledge
from app.stages.demand.operations.turns import CHANNEL, share_turn
from app.stages.demand.queries.pledges import PledgeFact, PledgeWorld, look_around
from app.stages.demand.rules import CampaignState, Commitment, Reason, SignalFacts
from app.stages.demand.rules.buyers import sketch_of
from app.stages.imports import queries as mappings
from app.stages.imports.rules import usual

_CHANGE = (
    f"INSERT INTO demand_change ({', '.join(rollups.COLUMNS)}) SELECT {', '.join(rollups.CELL)}, "
    "CASE commitment WHEN 'paid' THEN reason ELSE commitment END, "
    "1, quantity, quantity, quantity, CAST(quantity AS BIGINT) * unit_price_minor, {sketch} FROM "
)
STORE = (
    f"WITH new AS (INSERT INTO signal ({', '.join(storing.COLUMNS)}) "
    f"VALUES ({', '.join(['%s'] * len(storing.COLUMNS))}) "
    "ON CONFLICT (channel_id, external_id) DO NOTHING RETURNING *), "
    f"change AS ({_CHANGE.format(sketch='CAST(%s AS BYTEA)')} new RETURNING id) "
    "SELECT new.id, change.id FROM new, change"
)
"""The columns of a signal, and the sketch of its buyer."""
_TOLD = (
    "external_id",
    "commitment",
    "sku",
    "region",
    "campaign",
    "quantity",
    "unit_price_minor",
    "currency",
    "ordered_at",
    "buyer",
    "status",
)
_CHANGE_OF = text(f"{_CHANGE.format(sketch=':sketch')} signal WHERE id = :id RETURNING id")


def take_plain_pledge(
    session: Session, *, sent: SentPledge, actor: Actor, pseudonym_key: bytes
) -> PledgeFact | None:
    """Take one pledge if it is plain; returns it as it is stored.

    None: it is not plain, or known already. Nothing was stored; end the transaction, which shares a turn, and
    take the pledge with `take_pledge`.
    """
    actor.must_be(Role.MERCHANDISER)
    row = as_usual(sent, pseudonym_key=pseudonym_key)
    if row is None:
        return None
    share_turn(session, channel=sent.channel, buyer=row["buyer"] if row["campaign"] else None)
    here = look_around(
        session,
        channel=sent.channel,
        **{name: row[name] for name in ("external_id", "sku", "region", "campaign", "buyer")},
    )
    if not is_plain(row, here):
        return None
    signal = signal_of(row, here)
    id_ = _store(session, signal)
    if id_ is None:
        return None
    traces = {name: row[name] for name in storing.TRACES if row[name] is not None}
    if traces:
        session.execute(insert(SignalTrace).values(signal_id=id_, **traces))
    return fact_of(id_, sent.channel, row, signal, here)


def as_usual(sent: SentPledge, *, pseudonym_key: bytes) -> dict[str, Any] | None:
    """The row of a pledge in usual cells, by `rules.usual`; None for any other."""
    currency = sent.cells.get("currency")
    if sent.flaws or currency is None or not CHANNEL.fullmatch(sent.channel):
        return None
    return usual(
        sent.cells,
        mappings.mapping(MAPPING),
        currency=currency,
        key=pseudonym_key,
        channel=sent.channel,
    )


def fact_of(
    id_: int, channel: str, row: dict[str, Any], signal: dict[str, Any], here: PledgeWorld
) -> PledgeFact:
    """The pledge as it is stored."""
    return PledgeFact(
        id=id_,
        channel=channel,
        day=signal["day"],
        reason=signal["reason"],
        received_status=row["status"],
        goods=True,
        campaign_id=here.campaign_id,
        **{name: row[name] for name in _TOLD},
    )


def is_plain(row: dict[str, Any], here: PledgeWorld) -> bool:
    """Whether what the pledge meets leaves nothing to decide but that it counts."""
    if here.waits or here.currency != row["currency"] or here.sku_id is None or here.region_id is None:
        return False
    if here.committed or (row["campaign"] is None and row["commitment"] != Commitment.PAID):
        return False  # of two commitments to one thing one may replace the other
    if row["campaign"] is not None and not _is_open(row, here):
        return False
    facts = SignalFacts(
        goods=here.goods and row["goods"],
        status=row["status"],
        quantity=row["quantity"],
        unit_price_minor=row["unit_price_minor"],
        commitment=row["commitment"],
    )
    return rules.classify(facts) == Reason.VALID


def _is_open(row: dict[str, Any], here: PledgeWorld) -> bool:
    """Whether the campaign takes the pledge without counting what it holds already."""
    if here.campaign_id is None or here.state != CampaignState.OPEN or here.cap_units is not None:
        return False
    assert here.opens_at is not None and here.closes_at is not None
    if not here.opens_at <= row["ordered_at"] < (here.fill_starts_at or here.closes_at):
        return False
    limit = here.per_buyer_limit
    return limit is None or row["buyer"] is None or (not here.known_buyer and row["quantity"] <= limit)


def signal_of(row: dict[str, Any], here: PledgeWorld) -> dict[str, Any]:
    assert here.timezone is not None
    return {
        **{name: row[name] for name in storing.COLUMNS if name in row},
        "channel_id": here.channel_id,
        "batch_id": None,
        "sku_id": here.sku_id,
        "region_id": here.region_id,
        "campaign_id": here.campaign_id,
        "day": row["ordered_at"].astimezone(ZoneInfo(here.timezone)).date(),
        "reason": Reason.VALID.value,
    }


def stored_with(signal: dict[str, Any]) -> tuple[Any, ...]:
    """What STORE asks for."""
    return *(signal[name] for name in storing.COLUMNS), _sketch(signal)


def _sketch(signal: dict[str, Any]) -> bytes | None:
    if signal["campaign_id"] is None or signal["buyer"] is None or signal["commitment"] in rules.INTEREST:
        return None
    return sketch_of(signal["buyer"])


def _store(session: Session, signal: dict[str, Any]) -> int | None:
    """The signal and the change of its cells; returns its id, or None where its identity is known."""
    if session.get_bind().dialect.name == "sqlite":
        new = sqlite.insert(Signal).values(signal)
        new = new.on_conflict_do_nothing(index_elements=["channel_id", "external_id"])
        id_ = session.scalar(new.returning(Signal.id))
        change = None if id_ is None else session.scalar(_CHANGE_OF, {"id": id_, "sketch": _sketch(signal)})
    else:
        run = session.connection().exec_driver_sql
        stored = run(STORE, stored_with(signal)).one_or_none()
        id_, change = stored if stored is not None else (None, None)
    if change is not None and change % rollups.FOLD_EVERY == 0:
        rollups.fold(session)
    return id_
