"""Tolerance never takes a buyer beyond what it allows, asks the fewest, and can be taken back."""

from __future__ import annotations

import itertools
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from properties.test_pledge_properties import CAMPAIGNS, NOW, SETTINGS
from sqlalchemy import text

from app.core.access import SYSTEM
from app.core.db import Database
from app.stages.catalog import operations as catalog
from app.stages.catalog import queries as catalogs
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.demand.operations import SentPledge
from app.stages.demand.rules.tolerance import Tolerant, fill, spared

LIMIT = 5
SKUS = ("RED", "BLUE", "GREEN")
pledges = st.lists(
    st.builds(
        lambda buyer, sku, quantity, more, skus: (buyer, sku, quantity, quantity + more, frozenset(skus)),
        st.sampled_from("abcde"),
        st.integers(1, 3),
        st.integers(1, 4),
        st.integers(0, 4),
        st.sets(st.integers(1, 3)),
    ),
    min_size=1,
    max_size=7,
).map(lambda rows: [Tolerant(place, *row) for place, row in enumerate(rows)])
_numbers = itertools.count()


@given(
    pledges=pledges,
    units=st.integers(0, 20),
    sku=st.none() | st.integers(1, 3),
    room=st.dictionaries(st.sampled_from("abcde"), st.integers(0, 6)),
)
def test_a_filling_stays_within_what_is_allowed_and_asks_the_fewest(
    pledges: list[Tolerant], units: int, sku: int | None, room: dict[str, int]
) -> None:
    found = fill(pledges, units=units, sku_id=sku, room=room)
    by_id = {one.signal_id: one for one in pledges}
    gained, raised = 0, defaultdict(int)
    for step in found.steps:
        one = by_id[step.signal_id]
        assert (step.from_sku_id, step.from_quantity) == (one.sku_id, one.quantity)
        assert one.quantity <= step.to_quantity <= one.most
        assert step.to_sku_id == one.sku_id or step.to_sku_id in one.skus
        assert sku is None or step.to_sku_id == sku
        raised[one.buyer] += step.to_quantity - step.from_quantity
        gained += step.to_quantity - (step.from_quantity if step.to_sku_id == one.sku_id else 0)
    assert gained == found.gained
    assert all(raised[buyer] <= most for buyer, most in room.items())
    assert found.buyers == len({by_id[step.signal_id].buyer for step in found.steps})
    allowed = sorted((most_of(pledges, buyer, sku, room) for buyer in "abcde"), reverse=True)
    fewest = next((k for k in range(6) if sum(allowed[:k]) >= units), None)
    if fewest is None:
        assert gained == sum(allowed)
    else:
        assert gained >= units and found.buyers == fewest
        moved = [step for step in found.steps if step.to_sku_id != step.from_sku_id]
        assert gained - units < max([step.from_quantity for step in moved], default=1)


@given(
    pledges=pledges,
    units=st.integers(0, 20),
    sku=st.integers(1, 3),
    room=st.dictionaries(st.sampled_from("abcde"), st.integers(0, 6)),
    spare=st.dictionaries(st.integers(1, 3), st.integers(0, 9)),
)
def test_no_sku_gives_more_than_it_can_spare_and_what_it_can_is_given(
    pledges: list[Tolerant], units: int, sku: int, room: dict[str, int], spare: dict[int, int]
) -> None:
    found = fill(pledges, units=units, sku_id=sku, room=room, spare=spare)
    left = dict(spare)
    for step in found.steps:
        if step.from_sku_id != sku and step.from_sku_id in left:
            left[step.from_sku_id] -= step.from_quantity
    assert min(left.values(), default=0) >= 0
    taken = {step.signal_id for step in found.steps}
    could = [
        one
        for one in pledges
        if one.signal_id not in taken and one.sku_id != sku and sku in one.skus
        if one.quantity <= left.get(one.sku_id, one.quantity)
    ]
    assert found.gained >= units or not could
    plenty = dict.fromkeys((1, 2, 3), 99)
    assert fill(pledges, units=units, sku_id=sku, room=room, spare=plenty) == fill(
        pledges, units=units, sku_id=sku, room=room
    )


@given(lands=st.integers(0, 50), need=st.integers(1, 50), taken=st.integers(0, 50))
def test_what_is_spared_leaves_a_sku_at_what_it_needs(lands: int, need: int, taken: int) -> None:
    spare = spared(lands=lands, need=need)
    if spare is None:
        assert lands < need
    else:
        assert (lands - taken >= need) == (taken <= spare)


def most_of(pledges: list[Tolerant], buyer: str, sku: int | None, room: dict[str, int]) -> int:
    """The most units that one buyer allows for the line."""
    theirs = [one for one in pledges if one.buyer == buyer]
    here = [one for one in theirs if sku is None or one.sku_id == sku]
    other = [one for one in theirs if sku is not None and one.sku_id != sku and sku in one.skus]
    raises = sum(one.most - one.quantity for one in here + other)
    return min(raises, room.get(buyer, raises)) + sum(one.quantity for one in other)


def test_the_order_of_equal_buyers_is_that_of_their_pledges() -> None:
    equal = [Tolerant(number, f"b{number}", 1, 1, 2) for number in range(4)]
    assert [step.signal_id for step in fill(equal, units=2).steps] == [0, 1]
    assert [step.signal_id for step in fill(equal[::-1], units=2).steps] == [3, 2]


@pytest.fixture
def pool(db: Database) -> Database:
    with db.transaction() as session:
        skus = [(code, None, True) for code in SKUS]
        catalog.register_unknown(session, skus=skus, regions=["CN-GD"], timezone="Asia/Shanghai")
    return db


rows = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from(SKUS),
        st.integers(1, 3),
        st.integers(0, 3),
        st.sets(st.sampled_from(SKUS)),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=rows, units=st.integers(1, 8), sku=st.none() | st.just("RED"))
def test_using_tolerance_and_taking_it_back_leaves_everything_as_it_was(
    pool: Database,
    tmp_path: Path,
    told: list[tuple[str, str, int, int, set[str]]],
    units: int,
    sku: str | None,
) -> None:
    code, campaign_id = campaign(pool, tmp_path)
    sent = [pledge(code, place, row) for place, row in enumerate(told)]
    assert {one.outcome.value for one in take(pool, sent)} == {"accepted"}
    before = state(pool, campaign_id)
    with pool.transaction() as session:
        sku_id = catalogs.sku_ids(session)[sku] if sku else None
        found = demands.propose_tolerance(session, campaign_id=campaign_id, sku_id=sku_id, units=units)
        if not found.steps:
            return
        used = demand.apply_tolerance(
            session,
            campaign_id=campaign_id,
            sku_id=sku_id,
            units=units,
            fingerprint=found.fingerprint,
            actor=SYSTEM,
            now=NOW,
        )
    after = state(pool, campaign_id)
    assert line_of(after, sku) == line_of(before, sku) + used.gained_units
    with pool.reading() as session:
        assert demands.recount(session) == []
    # the limit of a buyer holds for what counts, as it did before
    assert [row for row in after if row[3] != "valid"] == [row for row in before if row[3] != "valid"]
    assert {one.outcome.value for one in take(pool, sent)} == {"duplicate"}
    with pool.transaction() as session:
        demand.undo_fill(session, fill_id=used.id, actor=SYSTEM, now=NOW)
    assert state(pool, campaign_id) == before
    with pool.reading() as session:
        assert demands.recount(session) == []
    assert {one.outcome.value for one in take(pool, sent)} == {"duplicate"}


def campaign(db: Database, folder: Path) -> tuple[str, int]:
    code = f"C{next(_numbers)}"
    window = "2026-11-01T00:00:00+08:00,2026-12-01T00:00:00+08:00"
    lines = [f"{code},One,,{sku},{window},100,1.2,2026-12-07,{LIMIT},0:19.90" for sku in SKUS]
    path = folder / "campaigns.csv"
    path.write_text("\n".join([CAMPAIGNS.splitlines()[0], *lines]) + "\n", encoding="utf-8")
    with db.transaction() as session:
        demand.import_campaigns(session, path=path, actor=SYSTEM, now=NOW)
    with db.reading() as session:
        return code, next(one.id for one in demands.list_campaigns(session) if one.code == code)


def pledge(channel: str, place: int, row: tuple[str, str, int, int, set[str]]) -> SentPledge:
    buyer, sku, quantity, more, flexible = row
    cells = {
        "external_id": f"P{place}",
        "commitment": "pledge",
        "sku": sku,
        "region": "CN-GD",
        "quantity": str(quantity),
        "unit_price": "19.90",
        "currency": "CNY",
        "ordered_at": f"2026-11-0{1 + place}T10:00:00+08:00",
        "buyer": buyer,
        "status": "placed",
        "campaign": channel,
        "min_quantity": "1",
        "max_quantity": str(quantity + more),
    }
    return SentPledge(channel, cells | ({"flexible_skus": "|".join(flexible)} if flexible else {}))


def take(db: Database, sent: list[SentPledge]) -> list[demand.PledgeResult]:
    with db.transaction() as session:
        return demand.take_pledges(session, rows=sent, actor=SYSTEM, now=NOW, settings=SETTINGS)


def state(db: Database, campaign_id: int) -> list[tuple[object, ...]]:
    """Identity, SKU, quantity and reason of every pledge."""
    query = (
        "SELECT s.external_id, k.code, s.quantity, s.reason FROM signal s JOIN sku k ON k.id = s.sku_id "
        "WHERE s.campaign_id = :id ORDER BY s.external_id"
    )
    with db.reading() as session:
        return [tuple(row) for row in session.execute(text(query), {"id": campaign_id})]


def line_of(rows: list[tuple[object, ...]], sku: str | None) -> int:
    return sum(int(str(row[2])) for row in rows if row[3] == "valid" and sku in (None, row[1]))
