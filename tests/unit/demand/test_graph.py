"""Accounts that belong together: farms by what they share; households, lockers and shops that are none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl
import pytest

from app.stages.demand.rules.suspicion import EXCLUDED_FROM, PLEDGES, TRACES, find_suspects
from benchmarks.generated_pledges import PEAKS
from benchmarks.generated_traces import FARMS
from benchmarks.suspicion import score_shape

NOON = 1_793_000_000
Row = dict[str, Any]


def person(name: str, **traces: Any) -> Row:
    """A pledge at some moment of ten days, by an account of some region."""
    draw = np.random.default_rng(list(name.encode()))
    at = NOON + int(draw.integers(0, 10 * 86_400))
    return {"buyer": name, "region_id": int(draw.integers(1, 11)), "at": at, "sku_id": 1, **traces}


def people(count: int = 300) -> list[Row]:
    return [
        person(f"h{n}", device=f"d{n}", address=f"a{n}", payment=f"p{n}", created=NOON - 90_000 * n - 7 * n)
        for n in range(count)
    ]


def excluded(rows: Iterable[Row], known: Iterable[str] = ()) -> set[str]:
    numbered = [{"id": n, **row} for n, row in enumerate(rows)]
    frame = pl.DataFrame(numbered, schema={**PLEDGES, **TRACES})
    found = find_suspects(frame, known_elsewhere=lambda buyers: set(buyers) & set(known))
    ids = found.filter(pl.col("score") >= EXCLUDED_FROM)["id"]
    return set(frame.filter(pl.col("id").is_in(ids.to_list()))["buyer"])


HALF = [f"h{n}" for n in range(0, 300, 2)]


@pytest.mark.parametrize("kind", ["device", "payment"])
def test_accounts_of_many_homes_on_one_device_or_card_are_a_farm(kind: str) -> None:
    farm = [person(f"b{n}", address=f"x{n}", **{kind: "one"}) for n in range(12)]
    assert excluded([*people(), *farm], HALF) == {f"b{n}" for n in range(12)}


def test_devices_that_change_are_one_farm_by_the_addresses_they_share() -> None:
    farm = [person(f"b{n}", device=f"x{n // 3}", address=f"y{n % 8}") for n in range(39)]
    assert excluded([*people(), *farm], HALF) == {f"b{n}" for n in range(39)}


def test_a_family_an_office_and_a_parcel_locker_are_none() -> None:
    family = [person(f"h{n}", device="ours", address="home", payment="card") for n in range(300, 305)]
    office = [person(f"h{n}", device=f"d{n}", address="office", payment=f"p{n}") for n in range(310, 340)]
    locker = [person(f"h{n}", device=f"d{n}", address="locker", payment=f"p{n}") for n in range(340, 400)]
    known = [f"h{n}" for n in range(0, 400, 2)]
    assert excluded([*people(), *family, *office, *locker], known) == set()


def test_an_address_of_nobody_who_is_known_is_a_place_to_collect_at() -> None:
    drop = [person(f"b{n}", device=f"x{n}", address="drop", payment=f"y{n}") for n in range(20)]
    assert excluded([*people(), *drop], HALF) == {f"b{n}" for n in range(20)}


def test_the_tablet_of_a_shop_serves_people_whom_one_knows_as_well_as_others() -> None:
    shop = [person(f"h{n}", device="tablet", address=f"a{n}") for n in range(300, 330)]
    assert excluded([*people(), *shop], [f"h{n}" for n in range(0, 330, 2)]) == set()


def test_accounts_made_one_after_the_other_long_before_they_pledge_are_a_batch() -> None:
    made = NOON - 20 * 86_400 + 3
    batch = [person(f"b{n}", created=made + 13 * n) for n in range(39)]
    assert excluded([*people(), *batch], HALF) == {f"b{n}" for n in range(39)}


def test_a_rush_of_people_who_sign_up_for_the_campaign_ebbs_away_and_is_none() -> None:
    draw = np.random.default_rng(4)
    waits = draw.exponential(1500, 200)
    rush = [person(f"h{n + 300}", created=NOON - 86_400 + int(wait)) for n, wait in enumerate(waits)]
    assert excluded([*people(), *rush]) == set()


def test_accounts_that_pledge_as_soon_as_they_are_made_are_what_a_live_stream_brings() -> None:
    rows = [person(f"h{n + 300}") for n in range(60)]
    at = NOON + 400_003
    crowd = [{**row, "at": at + 11 * n, "created": at + 11 * n - 200} for n, row in enumerate(rows)]
    assert excluded([*people(), *crowd], HALF) == set()


def test_a_device_that_checks_out_faster_than_a_person_is_none() -> None:
    burst = [
        {**person(f"b{n}", device="one", address="home"), "at": NOON + 50_003 + 9 * n, "region_id": 3}
        for n in range(6)
    ]
    assert excluded([*people(), *burst], HALF) == {f"b{n}" for n in range(6)}


@pytest.mark.parametrize("farm", sorted(FARMS))
def test_farms_are_found_and_people_who_share_are_left_alone(farm: str) -> None:
    found = score_shape(
        (farm,), ("live_stream",), seeds=2, pledges=(2_500,), bots=0.06, traces=True, first=900
    )
    assert found.precision >= 0.95 and found.recall >= 0.85 and found.honest_excluded <= 0.01, found


def test_people_who_share_lose_nothing_to_speak_of_at_their_peaks() -> None:
    found = score_shape((), tuple(PEAKS), seeds=2, pledges=(2_500,), bots=0, traces=True, first=900)
    assert found.honest_excluded <= 0.01, found
