"""Who looks like a bot: each rule at its edges, honest crowds, and how well it does on hidden truth."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from app.stages.demand.rules.suspicion import EXCLUDED_FROM, PLEDGES, REVIEWED_FROM, find_suspects
from benchmarks.generated_pledges import PEAKS
from benchmarks.suspicion import Score, score_sample, score_shape

NOON = 1_793_016_000
Pledge = tuple[str, int, int, int]


def calm(count: int = 600) -> list[Pledge]:
    """Buyer, region, SKU and time of people who come once each, from ten regions over ten days."""
    rng = np.random.default_rng(5)
    at = NOON + rng.integers(0, 10 * 86_400, size=count)
    return [(f"h{n}", int(rng.integers(1, 11)), 1, int(at[n])) for n in range(count)]


def suspects(pledges: Iterable[Pledge], known: Iterable[str] = ()) -> dict[str, tuple[str, float]]:
    """Rule and score of each buyer that is found."""
    rows = [(number, *one) for number, one in enumerate(pledges)]
    frame = pl.DataFrame(rows, schema=PLEDGES, orient="row")
    found = find_suspects(frame, known_elsewhere=lambda buyers: set(buyers) & set(known))
    both = found.join(frame, on="id").sort("score")
    return {row["buyer"]: (row["rule"], row["score"]) for row in both.to_dicts()}


def excluded(pledges: Iterable[Pledge], known: Iterable[str] = ()) -> set[str]:
    return {buyer for buyer, (_, score) in suspects(pledges, known).items() if score >= EXCLUDED_FROM}


def test_a_campaign_of_people_has_no_suspects() -> None:
    assert suspects(calm()) == {}


def test_no_pledges_have_no_suspects() -> None:
    assert suspects([]) == {}


@pytest.mark.parametrize(("pledges", "rule"), [(3, None), (4, "review"), (5, "exclude")])
def test_five_pledges_within_a_minute_are_no_person(pledges: int, rule: str | None) -> None:
    found = suspects([*calm(), *(("b", 3, 1, NOON + 5_003 + 11 * n) for n in range(pledges))])
    score = found.get("b", ("", 0.0))[1]
    assert (score >= EXCLUDED_FROM, score >= REVIEWED_FROM) == (rule == "exclude", rule is not None)


def test_a_cart_of_many_skus_is_one_checkout() -> None:
    assert suspects([*calm(), *(("h", 3, sku, NOON + 5_003) for sku in range(1, 9))]) == {}


def test_a_reseller_who_takes_his_time_is_no_bot() -> None:
    assert (
        excluded([*calm(), *(("r", 3, 1, NOON + 5_003 + 900 * n + 83 * (n * n % 5)) for n in range(8))])
        == set()
    )


def test_few_accounts_that_pledge_again_and_again_are_suspected() -> None:
    burst = [(f"b{n % 5}", 3, 1, NOON + 50_003 + 31 * n) for n in range(20)]
    found = suspects([*calm(), *burst])
    assert found.keys() == {f"b{n}" for n in range(5)}
    assert all(rule == "few_accounts" and score >= EXCLUDED_FROM for rule, score in found.values())


def test_accounts_that_take_turns_over_hours_are_told_from_people_who_come_again_by_who_is_known() -> None:
    rng = np.random.default_rng(8)
    at = (NOON + 90_003 + np.cumsum(600 * (1 + rng.normal(0, 0.16, size=72)))).astype(int).tolist()
    script = [
        (f"b{one}", 3, 1, moment) for one, moment in zip(rng.permutation(np.arange(72) % 24), at, strict=True)
    ]
    again = [(f"k{n % 4}", 3, 1, NOON + 91_000 + 4_400 * n) for n in range(8)]
    known = {f"h{n}" for n in range(0, 600, 2)} | {f"k{n}" for n in range(4)}
    robots = {f"b{n}" for n in range(24)}
    assert excluded([*calm(), *script, *again], known) == robots
    assert (
        excluded([*calm(), *script], known | {f"b{n}" for n in range(0, 24, 2)}) == robots
    )  # as known as others


def crowd(count: int, regions: Iterable[int], minutes: int = 4) -> list[Pledge]:
    rng = np.random.default_rng(3)
    at = NOON + 200_003 + rng.integers(0, 60 * minutes, size=count)
    places = list(regions)
    return [(f"c{n}", places[n % len(places)], 1, int(at[n])) for n in range(count)]


def test_strangers_of_one_region_within_minutes_are_suspected_where_others_are_known() -> None:
    known = [f"h{n}" for n in range(0, 600, 2)]
    assert len(excluded([*calm(), *crowd(30, [3])], known)) == 30


def test_people_of_one_region_whom_one_knows_as_well_as_others_are_not() -> None:
    known = [*(f"h{n}" for n in range(0, 600, 2)), *(f"c{n}" for n in range(0, 30, 2))]
    assert excluded([*calm(), *crowd(30, [3])], known) == set()


def test_a_peak_over_all_regions_is_honest() -> None:
    known = [f"h{n}" for n in range(0, 600, 2)]
    assert suspects([*calm(), *crowd(400, range(1, 11), minutes=40)], known) == {}


def test_a_campaign_of_one_region_can_have_its_live_stream() -> None:
    people = [(buyer, 1, sku, at) for buyer, _, sku, at in calm()]
    assert suspects([*people, *crowd(300, [1], minutes=50)]) == {}


def test_pledges_on_a_beat_are_a_script() -> None:
    drip = [(f"b{n % 9}", 3, 1, NOON + 300_003 + 240 * n + n % 2) for n in range(40)]
    assert excluded([*calm(), *drip]) == {f"b{n}" for n in range(9)}


def taking_turns(accounts: int, *, times: int, hours: float) -> list[Pledge]:
    """Accounts of one region that come so often each, at any moment of some hours."""
    rng = np.random.default_rng(7)
    at = NOON + 400_003 + rng.integers(0, int(hours * 3600), size=accounts * times)
    return [(f"b{n % accounts}", 3, 1, int(moment)) for n, moment in enumerate(at)]


@pytest.mark.parametrize("hours", [3, 8])
def test_accounts_that_take_turns_without_hurry_are_a_script(hours: float) -> None:
    drip = taking_turns(15, times=4, hours=hours)
    assert len(excluded([*calm(), *drip])) >= 13


def test_a_few_resellers_of_one_region_and_day_are_no_script() -> None:
    assert excluded([*calm(), *taking_turns(4, times=6, hours=10)]) == set()


def test_times_without_seconds_say_nothing() -> None:
    coarse = [(buyer, region, sku, at // 60 * 60) for buyer, region, sku, at in calm()]
    assert suspects([*coarse, *((f"b{n % 4}", 3, 1, NOON + 60 * n) for n in range(30))]) == {}


def test_nameless_buyers_are_not_one_buyer() -> None:
    rows = [(n, None, 3, 1, NOON + 7 * n + 1) for n in range(9)]
    frame = pl.DataFrame(rows, schema=PLEDGES, orient="row")
    assert find_suspects(frame, known_elsewhere=lambda _: set()).is_empty()


def good(one: Score) -> bool:
    return one.precision >= 0.95 and one.recall >= 0.85 and one.honest_excluded <= 0.01


@pytest.mark.parametrize("shape", ["hammering", "hammering_everywhere", "fresh_accounts", "slow_drip"])
@pytest.mark.parametrize("bots", [0.02, 0.15])
def test_attacks_are_found_and_people_are_left_alone(shape: str, bots: float) -> None:
    found = score_shape((shape,), ("live_stream", "local_event"), seeds=4, pledges=(1_500,), bots=bots)
    assert good(found), found


def test_honest_peaks_lose_nothing_to_speak_of() -> None:
    assert score_shape((), tuple(PEAKS), seeds=4, pledges=(2_000,), bots=0).honest_excluded <= 0.001


def test_the_bots_of_the_sample_brand_are_found(tmp_path: Path) -> None:
    found = score_sample(tmp_path)
    assert good(found), found
