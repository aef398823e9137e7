"""Whatever order ballots arrive in, and how often: one of each buyer, and the same shares."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.core.access import SYSTEM
from app.core.db import Database
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.demand.operations import NewDesign, SentBallot
from app.stages.demand.rules.conversion import Followed, expect, learn
from app.stages.demand.rules.votes import shares

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
DESIGNS = ("A", "B", "C")
_numbers = itertools.count()

ballots = st.builds(
    SentBallot,
    channel=st.just("shop"),
    buyer=st.sampled_from(["u1", "u2", "u3"]),
    design=st.sampled_from(DESIGNS),
    cast_at=st.integers(1, 3).map(lambda hours: NOW - dt.timedelta(hours=hours)),
    verified=st.booleans(),
)
histories = st.lists(ballots, min_size=1, max_size=8).flatmap(
    lambda said: st.tuples(
        st.just(said),
        st.lists(st.sampled_from(said), max_size=4).flatmap(lambda more: st.permutations(said + more)),
    )
)


def opened(db: Database) -> int:
    with db.transaction() as session:
        return demand.open_round(
            session,
            code=f"R{next(_numbers)}",
            name="Which one?",
            opens_at=NOW - dt.timedelta(days=1),
            closes_at=NOW + dt.timedelta(days=1),
            designs=[NewDesign(code=code, name=code, category="bags") for code in DESIGNS],
            actor=SYSTEM,
            now=NOW,
        ).id


def cast(db: Database, round_id: int, rows: list[SentBallot]) -> list[str]:
    with db.transaction() as session:
        results = demand.cast_ballots(
            session, round_id=round_id, rows=rows, actor=SYSTEM, now=NOW, key=b"key"
        )
    return [result.outcome.value for result in results]


def state(db: Database, round_id: int) -> list[tuple[object, ...]]:
    query = "SELECT buyer, design_id, cast_at, verified FROM ballot WHERE round_id = :id ORDER BY buyer"
    with db.reading() as session:
        return [tuple(row) for row in session.execute(text(query), {"id": round_id})]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories, cut=st.integers(0, 12))
def test_ballots_in_any_order_and_cut_end_in_the_same_votes(
    db: Database, history: tuple[list[SentBallot], list[SentBallot]], cut: int
) -> None:
    happened, arrived = history
    ordered, shuffled = opened(db), opened(db)
    for one in sorted(happened, key=lambda one: (one.cast_at, one.design)):
        cast(db, ordered, [one])
    cast(db, shuffled, arrived[:cut])
    cast(db, shuffled, arrived[cut:])
    assert state(db, shuffled) == state(db, ordered)
    assert len(state(db, ordered)) == len({one.buyer for one in happened})
    assert set(cast(db, shuffled, happened)) <= {"unchanged", "outdated"}
    with db.reading() as session:
        told = demands.round_shares(session, round_id=shuffled)
        counted = demands.get_round(session, round_id=shuffled)
    verified = {one.buyer for one in happened if one.verified}
    assert sum(one.votes for one in told) == counted.voters == len(verified)
    assert sum(one.share for one in told) == pytest.approx(1.0 if verified else 0.0)


@given(votes=st.dictionaries(st.integers(1, 50), st.integers(0, 10**7), min_size=2))
def test_shares_add_up_and_lie_in_their_intervals(votes: dict[int, int]) -> None:
    found = shares(votes)
    assert sum(one.share for one in found.values()) == pytest.approx(1.0 if any(votes.values()) else 0.0)
    assert all(0 <= one.low <= one.share <= one.high <= 1 for one in found.values())


campaigns = st.integers(1, 5000).flatmap(
    lambda voters: st.builds(Followed, st.just(voters), st.integers(0, voters), st.integers(0, 10 * voters))
)


@given(told=st.lists(campaigns, max_size=6), voters=st.integers(1, 10**6), data=st.data())
def test_what_is_learnt_needs_no_order_and_promises_more_for_more_votes(
    told: list[Followed], voters: int, data: st.DataObject
) -> None:
    learnt = learn(told)
    again = learn(data.draw(st.permutations(told)))
    assert again.rate == pytest.approx(learnt.rate) and again.multiple == pytest.approx(learnt.multiple)
    assert 0 < learnt.rate < 1
    low, high = learnt.rate_interval
    assert low <= learnt.rate <= high
    one, more = expect(learnt, voters=voters), expect(learnt, voters=voters + 1)
    assert 0 < one.lo_80 < one.units < one.hi_80
    assert more.units > one.units
