"""Suspicion, whatever comes in whatever order: one end, undo is the inverse, and everything adds up."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.core.access import SYSTEM, Actor, Role
from app.core.db import Database
from app.stages.catalog import operations as catalog
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.demand.operations import PledgeSettings, SentPledge
from app.stages.demand.rules.suspicion import PLEDGES, TRACES, find_suspects
from support.rows import restarted

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
START = dt.datetime(2026, 11, 10, 4, 0, 7, tzinfo=dt.UTC)
ANNA = Actor("anna@brand.example", Role.MERCHANDISER)
SETTINGS = PledgeSettings(pseudonym_key=b"key", currency="CNY", timezone="Asia/Shanghai")
REGIONS = ("CN-GD", "CN-ZJ", "CN-FJ")
HEAD = "campaign,name,name_zh,sku,opens_at,closes_at,expected_units,go_factor,due_week,per_buyer_limit,tiers"
CAMPAIGN = "C{n},One,,MUG,2026-11-01T00:00:00+08:00,2026-12-01T00:00:00+08:00,100,1.2,2026-12-28,4,0:19.90"
DAY = 86_400
PEOPLE = [(f"h{n}", n % 3, 5_827 * n) for n in range(60)]
BURST = [(f"b{n % 4}", 1, 100_000 + 29 * n) for n in range(14)]
HASTY = [("q", 2, 150_000 + 9 * n) for n in range(6)]
RINGS = [(f"r{n}", n % 3, 7_001 * n) for n in range(20)]
ALL = [*PEOPLE, *BURST, *HASTY, *RINGS]
"""Buyer, region and seconds after the start."""
CANCELS = st.sets(st.integers(0, len(ALL) - 1), max_size=12)
_numbers = itertools.count(1)


@given(st.permutations(range(len(ALL))), st.sets(st.integers(0, len(ALL) - 1), max_size=20))
def test_the_judgement_depends_on_the_pledges_not_on_their_order(order: list[int], gone: set[int]) -> None:
    origin = int(START.timestamp())
    rows = [(n, ALL[n][0], ALL[n][1], 1, origin + ALL[n][2]) for n in order if n not in gone]
    frame = pl.DataFrame(rows, schema=PLEDGES, orient="row")
    found = find_suspects(frame, known_elsewhere=lambda _: set())
    assert found.equals(find_suspects(frame.sort("id"), known_elsewhere=lambda _: set()))
    assert found["id"].is_unique().all() and found["score"].is_between(0, 1).all()


def traces(one: int) -> dict[str, str | int]:
    """What a pledge came with: rings of four new accounts share a card; people share nothing."""
    buyer, _, seconds = ALL[one]
    ring, number = buyer.startswith("r"), int(buyer[1:] or 0)
    days = 2 + number % 5 if ring else 3 + 11 * number
    made = int(START.timestamp()) + seconds - days * DAY
    card = f"ring{number // 4}" if ring else f"card-{buyer}"
    return {"device": f"phone-{buyer}", "address": f"home-{buyer}", "payment": card, "created": made}


@given(st.permutations(range(len(ALL))), st.sets(st.integers(0, len(ALL) - 1), max_size=20))
def test_groups_that_are_alike_are_judged_by_the_pledges_not_by_their_order(
    order: list[int], gone: set[int]
) -> None:
    origin = int(START.timestamp())
    rows = [
        {
            "id": n,
            "buyer": ALL[n][0],
            "region_id": ALL[n][1],
            "sku_id": 1,
            "at": origin + ALL[n][2],
            **traces(n),
        }
        for n in order
        if n not in gone
    ]
    frame = pl.DataFrame(rows, schema={**PLEDGES, **TRACES})
    found = find_suspects(frame, known_elsewhere=lambda _: set())
    assert found.equals(find_suspects(frame.sort("id"), known_elsewhere=lambda _: set()))
    if not gone:
        rings = frame.filter(pl.col("buyer").str.starts_with("r"))["id"].sort()
        assert found.filter(pl.col("rule") == "alike", pl.col("score") >= 0.9)["id"].equals(rings)


@pytest.fixture
def pool(db: Database) -> Callable[[], Database]:
    """Nothing but codes, for each example."""
    with db.transaction() as session:
        catalog.register_unknown(
            session, skus=[("MUG", None, True)], regions=REGIONS, timezone="Asia/Shanghai"
        )
    return restarted(db)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32 - 1),
    cuts=st.lists(st.integers(0, len(ALL)), max_size=3),
    cancelled=CANCELS,
    undone=st.integers(0, 30),
)
def test_any_arrival_ends_the_same_and_undoing_is_the_inverse(
    pool: Callable[[], Database],
    tmp_path: Path,
    seed: int,
    cuts: list[int],
    cancelled: set[int],
    undone: int,
) -> None:
    db = pool()
    ordered, shuffled = (_campaign(db, tmp_path, next(_numbers)) for _ in range(2))
    _send(db, ordered, list(range(len(ALL))))
    _cancel(db, ordered, cancelled)
    order = np.random.default_rng(seed).permutation(len(ALL)).tolist()
    places = [0, *sorted(cuts), len(ALL)]
    early = {n for n in cancelled if n % 2}
    _cancel(db, shuffled, early)
    for start, end in itertools.pairwise(places):
        _send(db, shuffled, order[start:end])
        _judge(db)
    _cancel(db, shuffled, cancelled - early)
    _judge(db)
    assert _state(db, shuffled) == _state(db, ordered)
    _undo_and_redo(db, shuffled, undone)


def _undo_and_redo(db: Database, number: int, chosen: int) -> None:
    """A person counts a suspected pledge: no rule takes it again; excluded again, all is as before."""
    with db.transaction() as session:
        campaign = demands.campaign_ids(session)[f"C{number}"]
        mine = [
            one
            for one in demands.list_exclusions(session, reason="suspected", limit=1000)
            if one.created_by == "rule:suspected"
        ]
        if not mine:
            return
        before, one = demands.waterfall(session), mine[chosen % len(mine)]
        demand.undo_exclusion(session, actor=ANNA, exclusion_id=one.id, now=NOW)
        counted = demands.waterfall(session)
        assert counted.valid_units == before.valid_units + one.quantity
        demand.exclude_suspected(session, now=NOW)
        assert demands.waterfall(session).valid_units == counted.valid_units
        demand.exclude_signal(
            session, actor=ANNA, signal_id=one.signal_id, reason="suspected", evidence={}, now=NOW
        )
        demand.exclude_suspected(session, now=NOW)
        assert demands.waterfall(session) == before
        assert demands.recount(session) == []
        water = demands.waterfall(session, campaign_id=campaign)
        assert water.raw_units - sum(step.units for step in water.steps) == water.valid_units


def _campaign(db: Database, folder: Path, number: int) -> int:
    path = folder / f"c{number}.csv"
    path.write_text(f"{HEAD}\n{CAMPAIGN.format(n=number)}\n", encoding="utf-8")
    with db.transaction() as session:
        demand.import_campaigns(session, path=path, actor=SYSTEM, now=NOW)
    return number


def _send(db: Database, number: int, chosen: list[int]) -> None:
    rows = [_pledge(number, one) for one in chosen]
    with db.transaction() as session:
        demand.take_pledges(session, rows=rows, actor=SYSTEM, now=NOW, settings=SETTINGS)


def _pledge(number: int, one: int) -> SentPledge:
    buyer, region, seconds = ALL[one]
    cells = {
        "external_id": f"{one}",
        "commitment": "pledge",
        "sku": "MUG",
        "region": REGIONS[region],
        "quantity": "1",
        "unit_price": "19.90",
        "currency": "CNY",
        "ordered_at": (START + dt.timedelta(seconds=seconds)).isoformat(),
        "buyer": f"{buyer}",
        "campaign": f"C{number}",
        "status": "placed",
        **{name: str(trace) for name, trace in traces(one).items() if name != "created"},
        "account_created_at": dt.datetime.fromtimestamp(int(traces(one)["created"]), tz=dt.UTC).isoformat(),
    }
    return SentPledge(f"shop{number}", cells)


def _cancel(db: Database, number: int, chosen: set[int]) -> None:
    for one in sorted(chosen):
        with db.transaction() as session:
            demand.correct_pledge(
                session,
                channel=f"shop{number}",
                external_id=f"{one}",
                status="cancelled",
                actor=SYSTEM,
                now=NOW,
                currency="CNY",
            )


def _judge(db: Database) -> None:
    with db.transaction() as session:
        demand.exclude_suspected(session, now=NOW)
        assert demand.exclude_suspected(session, now=NOW) == 0
        assert demands.recount(session) == []


def _state(db: Database, number: int) -> list[tuple[str, str]]:
    """External id and reason of each pledge of the campaign."""
    query = (
        "SELECT s.external_id, s.reason FROM signal s JOIN channel c ON c.id = s.channel_id "
        "WHERE c.code = :channel ORDER BY s.external_id"
    )
    with db.reading() as session:
        return [tuple(row) for row in session.execute(text(query), {"channel": f"shop{number}"})]
