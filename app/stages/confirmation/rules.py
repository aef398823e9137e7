"""The life of a plan line: what a supplier may answer, and what an answer changes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from enum import StrEnum

from app.core.errors import Conflict, RuleBroken


class LineState(StrEnum):
    ASKED = "asked"
    CONFIRMED = "confirmed"
    COUNTERED = "countered"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class AnswerKind(StrEnum):
    CONFIRM = "confirm"
    COUNTER = "counter"
    DECLINE = "decline"


MOVES: dict[LineState, frozenset[LineState]] = {
    LineState.ASKED: frozenset(
        {LineState.CONFIRMED, LineState.COUNTERED, LineState.DECLINED, LineState.EXPIRED, LineState.WITHDRAWN}
    ),
    LineState.COUNTERED: frozenset({LineState.CONFIRMED, LineState.WITHDRAWN}),
    LineState.CONFIRMED: frozenset(),  # changes only by a recorded amendment
    LineState.DECLINED: frozenset(),
    LineState.EXPIRED: frozenset(),
    LineState.WITHDRAWN: frozenset(),
}
"""Every move a line may make: a supplier's answer, the deadline, the buyer's word, or a newer plan."""

OPEN = frozenset({LineState.ASKED, LineState.COUNTERED})
"""States somebody still has to act on."""

LONGEST_NOTE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What the rules need of a plan line. The promise is what it stands to now; the first one is kept."""

    state: LineState
    version: int
    quantity: int
    due_week: dt.date
    promised_quantity: int | None = None
    promised_week: dt.date | None = None
    first_promised_quantity: int | None = None
    first_promised_week: dt.date | None = None
    counter_refused: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """An answer from the wire. A counter names what it changes; what it leaves out stays as asked."""

    kind: AnswerKind
    quantity: int | None = None
    week: dt.date | None = None
    note: str = ""


def move(line: Line, state: LineState) -> Line:
    """The line in its new state. Raises RuleBroken when the table of moves does not allow it."""
    if line.state is LineState.CONFIRMED:
        raise RuleBroken(
            "line_confirmed",
            "This line is confirmed; it can only be changed by a recorded amendment.",
            state=line.state.value,
        )
    if state not in MOVES[line.state]:
        raise RuleBroken(
            "line_settled",
            f"This line is {line.state.value}; it cannot become {state.value}.",
            state=line.state.value,
            wanted=state.value,
        )
    return replace(line, state=state, version=line.version + 1)


def check_version(line: Line, version: int) -> None:
    """Raises Conflict when the line was changed since the reader saw it."""
    if version != line.version:
        raise Conflict(
            "stale_answer",
            "This line has changed since you opened it. Reload it and answer what it says now.",
            seen=version,
            current=line.version,
        )


def answer_line(line: Line, terms: Terms, *, deadline: dt.datetime, now: dt.datetime) -> Line:
    """What a supplier's answer makes of a line.

    Raises:
        RuleBroken: line_confirmed or line_settled (no answer is possible any more), answer_late (after the
            deadline), answer_terms (a confirmation or decline with terms of its own), counter_empty (a
            counter that changes nothing), counter_quantity, counter_week, note_too_long.
    """
    target = {
        AnswerKind.CONFIRM: LineState.CONFIRMED,
        AnswerKind.COUNTER: LineState.COUNTERED,
        AnswerKind.DECLINE: LineState.DECLINED,
    }[terms.kind]
    _must_be_asked(line, target)
    if now > deadline:
        raise RuleBroken(
            "answer_late",
            f"Answers to this plan were due by {deadline:%Y-%m-%d %H:%M} UTC. Ask the buyer for a new plan.",
            deadline=deadline.isoformat(),
        )
    if len(terms.note) > LONGEST_NOTE:
        raise RuleBroken("note_too_long", f"A note may have {LONGEST_NOTE} characters.", longest=LONGEST_NOTE)
    moved = move(line, target)
    if terms.kind is AnswerKind.COUNTER:
        return _promise(moved, *_counter(line, terms))
    if terms.quantity is not None or terms.week is not None:
        raise RuleBroken(
            "answer_terms",
            "Only a counter-offer has its own quantity or week. Leave them out, or send a counter-offer.",
        )
    return moved if terms.kind is AnswerKind.DECLINE else _promise(moved, line.quantity, line.due_week)


def settle_counter(line: Line, *, accept: bool) -> Line:
    """The buyer takes the supplier's terms, or withdraws the line. Raises RuleBroken no_counter."""
    if line.state is not LineState.COUNTERED:
        raise RuleBroken(
            "no_counter",
            f"This line is {line.state.value}; there is no counter-offer to settle.",
            state=line.state.value,
        )
    if accept:
        return move(line, LineState.CONFIRMED)
    return replace(move(line, LineState.WITHDRAWN), counter_refused=True)


def _must_be_asked(line: Line, target: LineState) -> None:
    """A countered line waits for the buyer: only `settle_counter` may confirm it."""
    if line.state is LineState.COUNTERED:
        raise RuleBroken(
            "counter_waiting",
            "Your counter-offer is with the buyer. You can answer again once a new plan asks for it.",
            state=line.state.value,
            wanted=target.value,
        )


def _counter(line: Line, terms: Terms) -> tuple[int, dt.date]:
    quantity = line.quantity if terms.quantity is None else terms.quantity
    week = line.due_week if terms.week is None else terms.week
    if not 1 <= quantity <= line.quantity:
        raise RuleBroken(
            "counter_quantity",
            f"A counter-offer is for 1 to {line.quantity} units; to offer none, decline the line.",
            quantity=quantity,
            asked=line.quantity,
        )
    if week.weekday() != 0:
        raise RuleBroken("counter_week", "A week is named by its Monday.", week=week.isoformat())
    if (quantity, week) == (line.quantity, line.due_week):
        raise RuleBroken("counter_empty", "This counter-offer changes nothing; confirm the line instead.")
    return quantity, week


def _promise(line: Line, quantity: int, week: dt.date) -> Line:
    first = line.first_promised_quantity is None
    return replace(
        line,
        promised_quantity=quantity,
        promised_week=week,
        first_promised_quantity=quantity if first else line.first_promised_quantity,
        first_promised_week=week if first else line.first_promised_week,
    )


def shortfall(asked: int, promised: int | None) -> int:
    """Asked minus confirmed."""
    return asked - (promised or 0)
