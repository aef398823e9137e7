"""Whatever is answered and settled in whatever order, a line keeps its rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import RuleBroken
from app.stages.confirmation.rules import (
    MOVES,
    AnswerKind,
    Line,
    LineState,
    Terms,
    answer_line,
    move,
    settle_counter,
)

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
DUE = dt.date(2026, 12, 28)
Act = Callable[[Line], Line]


def _answer(kind: AnswerKind, quantity: int | None, weeks: int | None, days: int) -> Act:
    week = None if weeks is None else DUE + dt.timedelta(weeks=weeks)
    deadline = NOW + dt.timedelta(days=days)
    return lambda line: answer_line(line, Terms(kind, quantity, week), deadline=deadline, now=NOW)


def _settle(accept: bool) -> Act:
    return lambda line: settle_counter(line, accept=accept)


def _move(state: LineState) -> Act:
    return lambda line: move(line, state)


acts = st.one_of(
    st.builds(
        _answer,
        st.sampled_from(AnswerKind),
        st.none() | st.integers(-5, 120),
        st.none() | st.integers(-3, 3),
        st.integers(-1, 5),
    ),
    st.builds(_settle, st.booleans()),
    st.builds(_move, st.sampled_from([LineState.EXPIRED, LineState.WITHDRAWN])),
)


@given(st.lists(acts, max_size=8), st.integers(1, 100))
def test_a_line_only_makes_allowed_moves_and_keeps_its_first_promise(todo: list[Act], quantity: int) -> None:
    line = Line(state=LineState.ASKED, version=1, quantity=quantity, due_week=DUE)
    for act in todo:
        before = line
        try:
            line = act(before)
        except RuleBroken:
            continue
        assert line.state in MOVES[before.state]
        assert line.version == before.version + 1
        assert before.state is not LineState.CONFIRMED
        assert (line.quantity, line.due_week) == (before.quantity, before.due_week)
        if before.first_promised_quantity is not None:
            assert line.first_promised_quantity == before.first_promised_quantity
            assert line.first_promised_week == before.first_promised_week
        if line.state in (LineState.CONFIRMED, LineState.COUNTERED):
            assert line.promised_quantity is not None
            assert 1 <= line.promised_quantity <= quantity
            assert line.promised_week is not None and line.promised_week.weekday() == 0


@given(st.integers(-5, 120), st.integers(-3, 3), st.integers(1, 100))
def test_a_counter_offer_is_taken_exactly_when_it_changes_something_within_what_was_asked(
    offered: int, weeks: int, quantity: int
) -> None:
    line = Line(state=LineState.ASKED, version=1, quantity=quantity, due_week=DUE)
    allowed = 1 <= offered <= quantity and (offered, weeks) != (quantity, 0)
    try:
        countered = _answer(AnswerKind.COUNTER, offered, weeks, 1)(line)
    except RuleBroken:
        assert not allowed
    else:
        assert allowed
        assert countered.promised_quantity == offered
