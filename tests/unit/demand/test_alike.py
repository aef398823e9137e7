"""Small groups that share, judged by all that are like them: rings, families, shops and dormitories."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl
import pytest

from app.stages.demand.rules.alike import PLACE, Trait, chance_of_people
from app.stages.demand.rules.suspicion import EXCLUDED_FROM, PLEDGES, REVIEWED_FROM, TRACES, find_suspects

NOON, DAY = 1_793_000_000, 86_400
Row = dict[str, Any]


def person(name: str, *, age: float | None = None, region: int | None = None, **traces: Any) -> Row:
    """A pledge at some moment of ten days; its account is so many days old, or as old as people's are."""
    draw = np.random.default_rng(list(name.encode()))
    at, lives = NOON + int(draw.integers(0, 10 * DAY)), int(draw.integers(1, 11))
    days = float(draw.uniform(1, 900)) if age is None else age
    traces = {"device": f"d-{name}", "address": f"a-{name}", "payment": f"p-{name}", **traces}
    made = {"created": at - int(days * DAY) - 7201}
    return {"buyer": name, "region_id": region or lives, "sku_id": 1, "at": at, **traces, **made}


PEOPLE = [person(f"h{n}") for n in range(300)]
HALF = [f"h{n}" for n in range(0, 300, 2)]


def scores(rows: Iterable[Row], known: Iterable[str] = ()) -> dict[str, float]:
    frame = pl.DataFrame([{"id": n, **row} for n, row in enumerate(rows)], schema={**PLEDGES, **TRACES})
    found = find_suspects(frame, known_elsewhere=lambda buyers: set(buyers) & set(known))
    return dict(frame.join(found, on="id").select("buyer", "score").rows())


def excluded(rows: Iterable[Row], known: Iterable[str] = ()) -> set[str]:
    return {buyer for buyer, score in scores(rows, known).items() if score >= EXCLUDED_FROM}


def rings(count: int, size: int, *, ages: Iterable[float | None], prefix: str = "b") -> list[Row]:
    """Accounts that share a card by so many, each with a home of its own."""
    old = list(ages)
    numbers = range(count * size)
    return [
        person(f"{prefix}{n}", age=old[n % len(old)], payment=f"{prefix}card{n // size}") for n in numbers
    ]


def names(rows: Iterable[Row]) -> set[str]:
    return {row["buyer"] for row in rows}


@pytest.mark.parametrize("size", [3, 4, 5])
def test_rings_too_small_by_themselves_are_found_by_how_young_all_of_them_are(size: int) -> None:
    young = rings(6, size, ages=[1, 3, 8, 14, 20])
    assert excluded([*PEOPLE, *young]) == names(young)


def test_pairs_are_not_looked_at() -> None:
    assert excluded([*PEOPLE, *rings(9, 2, ages=[1, 3, 8])]) == set()


@pytest.mark.parametrize("size", [3, 4, 5])
def test_friends_who_share_a_card_and_are_as_old_as_people_are_none(size: int) -> None:
    assert excluded([*PEOPLE, *rings(12, size, ages=[None])]) == set()


def test_one_young_ring_among_many_groups_of_friends_is_too_little_to_go_by() -> None:
    rows = [*PEOPLE, *rings(20, 3, ages=[None], prefix="f"), *rings(1, 3, ages=[1, 2, 3])]
    assert excluded(rows) == set()


def test_rings_made_of_accounts_older_than_people_are_found_as_well() -> None:
    new = [person(f"h{n}", age=1 + n % 40 / 10) for n in range(300)]  # everybody signed up for the campaign
    bought = rings(6, 4, ages=[200, 220, 250, 270])
    assert excluded([*new, *bought]) == names(bought)


def test_who_is_known_speaks_where_nobody_tells_an_age() -> None:
    rows = [{**row, "created": None} for row in [*PEOPLE, *rings(8, 5, ages=[None])]]
    assert excluded(rows, HALF) == {f"b{n}" for n in range(40)}
    assert excluded(rows, [*HALF, *(f"b{n}" for n in range(0, 40, 2))]) == set()


def test_without_ages_and_acquaintance_a_small_ring_is_only_odd() -> None:
    rows = [{**row, "created": None} for row in [*PEOPLE, *rings(8, 5, ages=[None])]]
    assert {REVIEWED_FROM <= one < EXCLUDED_FROM for one in scores(rows).values()} == {True}


def test_a_ring_that_is_known_from_every_campaign_is_one_all_the_same() -> None:
    young = rings(6, 5, ages=[1, 3, 8, 14, 20])
    known = [*(f"h{n}" for n in range(0, 300, 4)), *sorted(names(young))[1:]]
    assert excluded([*PEOPLE, *young], known) == names(young)


@pytest.mark.parametrize(("accounts", "found"), [(3, False), (4, True), (7, True)])
def test_homes_of_more_new_accounts_than_families_have_are_rings(accounts: int, found: bool) -> None:
    homes = [
        person(
            f"b{n}", age=1 + n % 9, address=f"home{n // accounts}", device=f"phone{n // accounts}", region=3
        )
        for n in range(10 * accounts)
    ]
    assert excluded([*PEOPLE, *homes]) == (names(homes) if found else set())


def test_large_families_of_people_are_none() -> None:
    homes = [person(f"f{n}", address=f"home{n // 6}", device=f"phone{n // 6}", region=3) for n in range(60)]
    assert excluded([*PEOPLE, *homes]) == set()


def test_a_dormitory_where_many_are_new_is_people_by_those_who_are_not() -> None:
    dormitory = [person(f"s{n}", age=5 if n % 3 == 0 else None, address="hall", region=3) for n in range(90)]
    assert excluded([*PEOPLE, *dormitory]) == set()


def test_an_address_of_nobody_but_new_accounts_is_a_place_to_collect_at_even_where_nobody_is_known() -> None:
    drop = [person(f"b{n}", age=1 + n % 9, address="drop", region=3) for n in range(12)]
    assert excluded([*PEOPLE, *drop]) == names(drop)


def test_the_tablet_of_a_shop_is_left_to_a_person_where_nobody_is_known() -> None:
    shop = [person(f"s{n}", device="tablet", region=3) for n in range(20)]
    found = scores([*PEOPLE, *shop])
    assert found.keys() == names(shop)
    assert all(REVIEWED_FROM <= one < EXCLUDED_FROM for one in found.values())


def test_a_device_of_people_all_over_the_country_is_no_tablet_of_a_shop() -> None:
    farm = [person(f"s{n}", device="tablet") for n in range(20)]
    assert excluded([*PEOPLE, *farm]) == names(farm)


def gifts(buyers: int) -> list[Row]:
    """People of one region who send something to five others each, within an hour."""
    rows = [person(f"g{n % buyers}", region=3) for n in range(5 * buyers)]
    at = NOON + 90_003 + np.random.default_rng(2).integers(0, 3000, size=len(rows))
    return [{**row, "at": int(at[n]), "address": f"to{n}"} for n, row in enumerate(rows)]


def test_people_who_pledge_again_and_again_are_people_by_those_whom_one_knows() -> None:
    assert excluded([*PEOPLE, *gifts(5)], [*HALF, "g0", "g2", "g4"]) == set()
    assert excluded([*PEOPLE, *gifts(5)], HALF) == {f"g{n}" for n in range(5)}


def test_where_nobody_is_known_people_who_pledge_again_are_people_by_being_old_and_young() -> None:
    assert excluded([*PEOPLE, *gifts(5)]) == set()
    young = [{**row, "created": row["at"] - DAY - 60 * n} for n, row in enumerate(gifts(5))]
    assert excluded([*PEOPLE, *young]) == {f"g{n}" for n in range(5)}


def crowd(age: float, count: int = 15) -> list[Row]:
    rows = [person(f"c{n}", region=3) for n in range(count)]
    at = [NOON + 400_003 + 53 * n * (1 + n % 3) for n in range(count)]
    made = [moment - int(age * DAY * (1 + n % 4)) for n, moment in enumerate(at)]
    return [{**row, "at": when, "created": then} for row, when, then in zip(rows, at, made, strict=True)]


def test_strangers_whose_accounts_are_young_are_bots_where_nobody_is_known() -> None:
    assert excluded([*PEOPLE, *crowd(2)]) == names(crowd(2))


def test_strangers_who_sign_up_to_pledge_are_what_a_live_stream_brings() -> None:
    assert excluded([*PEOPLE, *crowd(0.01)]) == set()


def of_groups(sizes: list[int], has: list[int], *, usual: float = 0.5, kind: int = 0) -> np.ndarray:
    """Of groups so large of which so many have what people have: what is made of them."""
    label = np.repeat(np.arange(len(sizes)), sizes)
    flags = np.concatenate([np.arange(size) < many for size, many in zip(sizes, has, strict=True)])
    trait = Trait(np.ones(len(label), dtype=np.bool_), flags, usual)
    beforehand = np.full(PLACE + 1, 0.5)
    kinds = np.full(len(sizes), kind)
    return chance_of_people(label, np.arange(len(label)), kinds, beforehand, [[trait]])


def test_a_group_alone_of_its_kind_goes_by_what_is_believed_and_by_itself() -> None:
    by_chance = 0.5**4
    assert of_groups([4], [0])[0] == pytest.approx(2 * by_chance / (1 + by_chance))


def test_the_more_people_are_among_others_like_it_the_likelier_a_group_is_peoples() -> None:
    doubts = [of_groups([4, 20, 20], [0, many, many])[0] for many in (0, 2, 5, 9)]
    assert doubts == sorted(doubts) and doubts[0] < 0.05 and doubts[-1] > 0.5


def test_a_group_that_looks_like_people_is_not_condemned_by_others() -> None:
    assert of_groups([40, 400], [15, 0])[0] > 0.5
