"""Whatever order pledges, corrections and cancellations arrive in, and how often: the same demand pool."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.core.access import SYSTEM
from app.core.db import Database
from app.stages.catalog import operations as catalog
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.demand.operations import PledgeSettings, SentPledge, rollups
from app.stages.demand.queries.pledges import find_pledges
from support.rows import restarted

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
SETTINGS = PledgeSettings(pseudonym_key=b"key", currency="CNY", timezone="Asia/Shanghai")
CAMPAIGNS = (
    "campaign,name,name_zh,sku,opens_at,closes_at,expected_units,go_factor,due_week,per_buyer_limit,tiers\n"
    "C1,One,,MUG,2026-11-01T00:00:00+08:00,2026-12-01T00:00:00+08:00,100,1.2,2026-12-07,4,0:19.90\n"
)
IDENTITIES = {  # quantity, price, status, buyer, campaign
    "A": ("3", "19.90", "placed", "u1", "C1"),
    "B": ("2", "19.90", "placed", "u1", "C1"),
    "C": ("1", "0.00", "placed", "u1", ""),
    "D": ("4", "19.90", "cancelled", "u2", "C1"),
}


@dataclass(frozen=True)
class Event:
    """A pledge arrives (`hour` is None), or a correction that the channel made at `hour`."""

    identity: str
    hour: int | None = None
    quantity: int | None = None
    status: str | None = None

    @property
    def place(self) -> tuple[bool, int, int, int]:
        """Its place in order; of two words of one instant the larger quantity and graver status are last."""
        words = (None, "placed", "cancelled", "test")
        return (self.hour is not None, self.hour or 0, self.quantity or 0, words.index(self.status))


identities = st.sampled_from("AAAABBCD")  # often the same one, at one of few hours: words that meet
hours = st.integers(0, 2)
pledges = st.builds(Event, identities)
quantities = st.builds(Event, identities, hours, quantity=st.integers(1, 4))
statuses = st.builds(
    Event, identities, hours, status=st.sampled_from(["placed", "cancelled", "cancelled", "test"])
)
histories = st.lists(st.one_of(pledges, quantities, statuses), min_size=4, max_size=12).flatmap(
    lambda events: st.tuples(
        st.just(events),
        st.lists(st.sampled_from(events), max_size=5).flatmap(lambda more: st.permutations(events + more)),
    )
)
_numbers = itertools.count()


@pytest.fixture
def pool(db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Database]:
    """A campaign; changes of roll-ups are folded so soon that histories are seen before and after."""
    monkeypatch.setattr(rollups, "FOLD_EVERY", 3)
    path = tmp_path / "campaigns.csv"
    path.write_text(CAMPAIGNS, encoding="utf-8")
    with db.transaction() as session:
        catalog.register_unknown(
            session, skus=[("MUG", None, True)], regions=["CN-GD"], timezone="Asia/Shanghai"
        )
        demand.import_campaigns(session, path=path, actor=SYSTEM, now=NOW)
    return restarted(db)


@settings(max_examples=14, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories)
def test_any_arrival_ends_in_the_state_of_the_order_in_which_things_happened(
    pool: Callable[[], Database], history: tuple[list[Event], list[Event]]
) -> None:
    db = pool()
    happened, arrived = history
    number = next(_numbers)
    ordered, shuffled = f"o{number}", f"s{number}"
    for event in sorted(happened, key=lambda one: one.place):
        arrive(db, ordered, event)
    for event in arrived:
        arrive(db, shuffled, event)
    with db.reading() as session:
        assert demands.recount(session) == []
    assert state(db, shuffled) == state(db, ordered)
    assert [row[:2] for row in state(db, ordered)[0]] == predicted(happened)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.sampled_from(sorted(IDENTITIES)), st.integers(0, 3)), max_size=12),
    cuts=st.lists(st.integers(0, 12), max_size=3),
)
def test_every_row_of_any_batches_is_accepted_known_or_rejected_and_counts_once(
    pool: Callable[[], Database], rows: list[tuple[str, int]], cuts: list[int]
) -> None:
    """Rows whose number is not 0 carry another quantity than the first of their identity, or a bad one."""
    db, channel = pool(), f"b{next(_numbers)}"
    sent = [pledge(channel, identity, plus=plus) for identity, plus in rows]
    places = [0, *sorted(cuts), len(sent)]
    results = [
        result
        for start, end in itertools.pairwise(places)
        for result in take(db, sent[start : max(start, end)])
    ]
    first: dict[str, int] = {}
    for (identity, plus), result in zip(rows, results, strict=True):
        if plus == 3:
            assert result.flaws[0].code == "quantity_zero"
        elif identity not in first:
            first[identity] = plus
            assert result.outcome == "accepted"
        else:
            assert result.outcome == ("duplicate" if plus == first[identity] else "rejected")
    with db.reading() as session:
        assert demands.recount(session) == []
        here = next((one.id for one in demands.list_channels(session) if one.code == channel), None)
        raw = demands.waterfall(session, channel_id=here).raw_units if here else 0
    assert raw == sum(int(IDENTITIES[identity][0]) + plus for identity, plus in first.items())


def pledge(channel: str, identity: str, *, plus: int = 0) -> SentPledge:
    quantity, price, status, buyer, campaign = IDENTITIES[identity]
    cells = {
        "external_id": identity,
        "commitment": "pledge",
        "sku": "MUG",
        "region": "CN-GD",
        "quantity": "0" if plus == 3 else str(int(quantity) + plus),
        "unit_price": price,
        "currency": "CNY",
        "ordered_at": f"2026-11-0{1 + sorted(IDENTITIES).index(identity)}T10:00:00+08:00",
        "buyer": buyer,
        "status": status,
    }
    return SentPledge(channel, cells | ({"campaign": campaign} if campaign else {}))


def take(db: Database, rows: list[SentPledge]) -> list[demand.PledgeResult]:
    with db.transaction() as session:
        return demand.take_pledges(session, rows=rows, actor=SYSTEM, now=NOW, settings=SETTINGS)


def take_plain(db: Database, sent: SentPledge) -> bool:
    with db.transaction() as session:
        taken = demand.take_plain_pledge(session, sent=sent, actor=SYSTEM, pseudonym_key=b"key")
        if taken is not None:
            here = next(one.id for one in demands.list_channels(session) if one.code == sent.channel)
            found = find_pledges(session, channel_id=here, external_ids=[taken.external_id])
            assert found == {taken.external_id: taken}
    return taken is not None


def arrive(db: Database, channel: str, event: Event) -> None:
    if event.hour is None:
        sent = pledge(channel, event.identity)
        if not (channel.startswith("s") and take_plain(db, sent)):  # as the API takes it, or as in a batch
            assert take(db, [sent])[0].outcome in ("accepted", "duplicate")
        return
    with db.transaction() as session:
        demand.correct_pledge(
            session,
            channel=channel,
            external_id=event.identity,
            quantity=event.quantity,
            status=event.status,
            changed_at=NOW - dt.timedelta(hours=10 - event.hour),
            actor=SYSTEM,
            now=NOW,
            currency="CNY",
        )


def state(db: Database, channel: str) -> tuple[list[tuple[object, ...]], object]:
    """The signals of a channel with the reasons for which they are excluded, and its waterfall."""
    query = (
        "SELECT s.external_id, s.quantity, s.reason, (SELECT min(e.reason) FROM exclusion e "
        "WHERE e.signal_id = s.id AND e.undone_at IS NULL), (SELECT count(*) FROM exclusion e "
        "WHERE e.signal_id = s.id AND e.undone_at IS NULL) FROM signal s JOIN channel c "
        "ON c.id = s.channel_id WHERE c.code = :channel ORDER BY s.external_id"
    )
    with db.reading() as session:
        signals = [tuple(row) for row in session.execute(text(query), {"channel": channel})]
        here = next(one.id for one in demands.list_channels(session) if one.code == channel)
        return signals, demands.waterfall(session, channel_id=here)


def predicted(happened: list[Event]) -> list[tuple[object, ...]]:
    """Identity and quantity of each pledge that came: the quantity of its last correction, or its own."""
    told = []
    for identity in sorted({event.identity for event in happened if event.hour is None}):
        said = [event for event in happened if event.identity == identity and event.quantity is not None]
        last = max(said, key=lambda one: one.place, default=None)
        told.append((identity, last.quantity if last else int(IDENTITIES[identity][0])))
    return told
