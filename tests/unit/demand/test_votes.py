"""Votes: whose word stands, how sure shares are, and what votes promise."""

from __future__ import annotations

import datetime as dt

import pytest

from app.core.errors import RuleBroken
from app.stages.demand.rules.conversion import ALIKE, Followed, expect, learn
from app.stages.demand.rules.votes import Word, check_round, shares, standing

NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


def hour(number: int) -> dt.datetime:
    return NOON + dt.timedelta(hours=number)


def test_the_later_word_stands_and_verified_stays() -> None:
    first, second = Word(hour(0), 7, True), Word(hour(1), 3, False)
    assert standing(first, second) == standing(second, first) == Word(hour(1), 3, True)


def test_of_two_words_of_one_instant_the_newer_design_stands() -> None:
    assert standing(Word(NOON, 3, False), Word(NOON, 7, False)).design_id == 7
    assert standing(Word(NOON, 7, False), Word(NOON, 3, False)).design_id == 7


@pytest.mark.parametrize(
    ("closes", "designs", "code"),
    [
        (0, ["A", "B"], "round_window"),
        (1, ["A"], "round_designs"),
        (1, ["A", "A"], "round_designs"),
        (1, [f"D{number}" for number in range(51)], "round_designs"),
    ],
)
def test_a_round_without_sense_is_refused(closes: int, designs: list[str], code: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        check_round(opens_at=NOON, closes_at=hour(closes), designs=designs)
    assert refused.value.code == code


def test_the_interval_of_one_of_two_designs_is_wilsons_at_half_the_error() -> None:
    """Wilson's interval of 40 of 100 at 97.5 %, by hand: z = 2.2414."""
    found = shares({1: 40, 2: 60})[1]
    assert (found.share, round(found.low, 4), round(found.high, 4)) == (0.4, 0.2975, 0.5120)


def test_without_a_vote_nothing_is_known() -> None:
    assert [(one.share, one.low, one.high) for one in shares({1: 0, 2: 0}).values()] == [(0.0, 0.0, 1.0)] * 2


def test_without_a_campaign_the_stated_prior_is_all_there_is() -> None:
    prior = learn([])
    assert (prior.rate, round(prior.multiple, 9), prior.campaigns) == (0.10, 3.0, 0)
    volume = expect(prior, voters=1000)
    assert volume.units == pytest.approx(300)
    assert volume.lo_80 < 300 / 4 and volume.hi_80 > 300 * 4


def test_one_campaign_weighs_as_fifty_voters_however_many_it_had() -> None:
    many = learn([Followed(1_000_000, 500_000, 1_500_000)])
    assert many.alpha + many.beta == pytest.approx(20 + 1 / ALIKE, rel=1e-3)
    assert many.rate == pytest.approx((2 + 25) / 70, rel=1e-3)


def test_campaigns_that_agree_make_the_next_one_surer_and_move_it_to_them() -> None:
    told = [Followed(400, 80, 480)] * 12
    before, after = expect(learn([]), voters=500), expect(learn(told), voters=500)
    assert after.hi_80 / after.lo_80 < before.hi_80 / before.lo_80 / 3
    assert after.units == pytest.approx(500 * 0.2 * 6, rel=0.25)


def test_a_campaign_nobody_who_voted_ordered_in_teaches_without_breaking() -> None:
    told = learn([Followed(50, 0, 0), Followed(0, 0, 10)])
    assert told.campaigns == 1
    assert 0 < told.rate < 0.10
    assert expect(told, voters=1).lo_80 > 0
