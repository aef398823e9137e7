"""When a channel is silent, by its own usual pause."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.stages.alerts.rules import LEAST_DAYS, SHORTEST_SILENCE, silence_after

HOUR = 3600
NIGHTS = [9 * HOUR] * 24


def test_a_channel_that_pauses_at_night_is_silent_after_half_as_long_again() -> None:
    assert silence_after(NIGHTS) == 13.5 * HOUR


def test_a_pause_every_sunday_is_usual_and_one_long_failure_is_not() -> None:
    assert silence_after([*NIGHTS, *[33 * HOUR] * 4]) == 49.5 * HOUR
    assert silence_after([*NIGHTS, 200 * HOUR]) == 13.5 * HOUR


def test_a_busy_channel_is_given_an_hour_and_a_new_one_is_not_judged() -> None:
    assert silence_after([60] * 28) == SHORTEST_SILENCE
    assert silence_after([60] * (LEAST_DAYS - 1)) is None


@given(st.lists(st.integers(0, 10**7), min_size=LEAST_DAYS, max_size=60))
def test_the_order_of_days_is_no_matter_and_longer_pauses_never_make_it_sooner(
    pauses: list[int],
) -> None:
    after = silence_after(pauses)
    assert after == silence_after(pauses[::-1])
    assert after is not None and after <= (silence_after([one * 2 for one in pauses]) or 0)


@pytest.mark.parametrize("pauses", [[], [1]])
def test_nothing_known_is_no_silence(pauses: list[int]) -> None:
    assert silence_after(pauses) is None
