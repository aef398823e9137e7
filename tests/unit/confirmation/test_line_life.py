"""What a supplier may answer, what the buyer may settle, and what stays as it is."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from app.core.errors import Conflict, RuleBroken
from app.stages.confirmation.rules import (
    MOVES,
    AnswerKind,
    Line,
    LineState,
    Terms,
    answer_line,
    check_version,
    move,
    settle_counter,
    shortfall,
)

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
DEADLINE = NOW + dt.timedelta(days=5)
DUE = dt.date(2026, 12, 28)
ASKED = Line(state=LineState.ASKED, version=1, quantity=100, due_week=DUE)


def answered(kind: AnswerKind, line: Line = ASKED, *, now: dt.datetime = NOW, **terms: Any) -> Line:
    return answer_line(line, Terms(kind, **terms), deadline=DEADLINE, now=now)


def refusal(kind: AnswerKind, line: Line = ASKED, *, now: dt.datetime = NOW, **terms: Any) -> str:
    with pytest.raises(RuleBroken) as refused:
        answered(kind, line, now=now, **terms)
    return refused.value.code


def test_a_confirmed_line_promises_what_was_asked() -> None:
    line = answered(AnswerKind.CONFIRM)
    assert (line.state, line.version) == (LineState.CONFIRMED, 2)
    assert (line.promised_quantity, line.promised_week) == (100, DUE)
    assert (line.first_promised_quantity, line.first_promised_week) == (100, DUE)


def test_a_counter_offer_keeps_what_it_does_not_change() -> None:
    line = answered(AnswerKind.COUNTER, quantity=60)
    assert (line.state, line.promised_quantity, line.promised_week) == (LineState.COUNTERED, 60, DUE)
    later = answered(AnswerKind.COUNTER, week=DUE + dt.timedelta(weeks=1))
    assert later.promised_quantity == 100


def test_a_declined_line_promises_nothing() -> None:
    assert answered(AnswerKind.DECLINE).promised_quantity is None


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"quantity": 0}, "counter_quantity"),
        ({"quantity": 101}, "counter_quantity"),
        ({"week": DUE + dt.timedelta(days=1)}, "counter_week"),
        ({}, "counter_empty"),
        ({"quantity": 100, "week": DUE}, "counter_empty"),
    ],
)
def test_a_counter_offer_must_change_something_within_what_was_asked(
    terms: dict[str, Any], code: str
) -> None:
    assert refusal(AnswerKind.COUNTER, **terms) == code


def test_only_a_counter_offer_has_terms_of_its_own() -> None:
    assert refusal(AnswerKind.CONFIRM, quantity=90) == "answer_terms"
    assert refusal(AnswerKind.DECLINE, week=DUE) == "answer_terms"


def test_an_answer_at_the_deadline_counts_and_one_after_it_is_late() -> None:
    assert answered(AnswerKind.CONFIRM, now=DEADLINE).state is LineState.CONFIRMED
    assert refusal(AnswerKind.CONFIRM, now=DEADLINE + dt.timedelta(seconds=1)) == "answer_late"


def test_a_confirmed_line_changes_only_by_an_amendment() -> None:
    for kind in AnswerKind:
        assert refusal(kind, answered(AnswerKind.CONFIRM)) == "line_confirmed"


def test_a_counter_offer_waits_for_the_buyer() -> None:
    assert refusal(AnswerKind.CONFIRM, answered(AnswerKind.COUNTER, quantity=60)) == "counter_waiting"


def test_a_settled_line_takes_no_answer() -> None:
    for state in (LineState.DECLINED, LineState.EXPIRED, LineState.WITHDRAWN):
        assert refusal(AnswerKind.CONFIRM, replace(ASKED, state=state)) == "line_settled"


def test_a_counter_offer_that_the_buyer_takes_is_confirmed_at_the_supplier_s_terms() -> None:
    line = settle_counter(answered(AnswerKind.COUNTER, quantity=60), accept=True)
    assert (line.state, line.promised_quantity, line.version) == (LineState.CONFIRMED, 60, 3)


def test_a_counter_offer_that_the_buyer_refuses_withdraws_the_line_and_is_remembered() -> None:
    line = settle_counter(answered(AnswerKind.COUNTER, quantity=60), accept=False)
    assert (line.state, line.counter_refused) == (LineState.WITHDRAWN, True)
    assert line.first_promised_quantity == 60


def test_only_a_counter_offer_can_be_settled() -> None:
    with pytest.raises(RuleBroken, match="no counter-offer"):
        settle_counter(ASKED, accept=True)


def test_an_answer_to_an_old_version_is_stale() -> None:
    with pytest.raises(Conflict) as stale:
        check_version(ASKED, 0)
    assert stale.value.code == "stale_answer"


def test_every_state_has_its_moves_and_no_line_leaves_an_end_state() -> None:
    assert set(MOVES) == set(LineState)
    for state in LineState:
        for target in LineState:
            line = replace(ASKED, state=state)
            if target in MOVES[state]:
                assert move(line, target).state is target
            else:
                with pytest.raises(RuleBroken):
                    move(line, target)


def test_the_shortfall_is_asked_minus_confirmed() -> None:
    assert shortfall(100, 60) == 40
    assert shortfall(100, None) == 100
