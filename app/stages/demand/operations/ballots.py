"""Ballots: one of each buyer and round, the latest word by the channel's time, however they arrive."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import and_, case, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core.access import Actor, Role
from app.core.errors import NotFound, RuleBroken
from app.stages.demand.models.votes import Ballot, VoteRound
from app.stages.demand.operations.sent import Flaw
from app.stages.demand.operations.turns import CHANNEL
from app.stages.demand.queries.votes import round_choices
from app.stages.demand.rules.votes import Word, standing
from app.stages.imports.rules import plain_buyer, pseudonym

MOST_BALLOTS = 1_000
AHEAD = dt.timedelta(minutes=5)
"""How far a channel's clock may be ahead of ours."""


class BallotOutcome(StrEnum):
    ACCEPTED = "accepted"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    OUTDATED = "outdated"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBallot:
    """A ballot as it was sent: `buyer` is whatever names the buyer, `cast_at` None means now."""

    channel: str = ""
    buyer: str = ""
    design: str = ""
    cast_at: dt.datetime | None = None
    verified: bool = False
    flaws: tuple[Flaw, ...] = ()


@dataclass(frozen=True, slots=True)
class BallotResult:
    """What became of one ballot; a rejected one has flaws."""

    outcome: BallotOutcome
    flaws: tuple[Flaw, ...] = ()


def cast_ballot(
    session: Session, *, round_id: int, sent: SentBallot, actor: Actor, now: dt.datetime, key: bytes
) -> BallotResult:
    """Take one ballot.

    Raises:
        NotFound: `round_unknown`.
        RuleBroken: `ballot_invalid`, with an entry in `errors` for each bad field. Nothing is stored.
    """
    result = cast_ballots(session, round_id=round_id, rows=[sent], actor=actor, now=now, key=key)[0]
    if result.outcome is BallotOutcome.REJECTED:
        listed = [{"field": one.field, "code": one.code, "sentence": one.sentence} for one in result.flaws]
        raise RuleBroken("ballot_invalid", "This ballot can't be taken; see `errors`.", errors=listed)
    return result


def cast_ballots(
    session: Session, *, round_id: int, rows: Sequence[SentBallot], actor: Actor, now: dt.datetime, key: bytes
) -> list[BallotResult]:
    """Take up to 1,000 ballots in the caller's transaction; a bad row does not stop the others.

    The first word of a buyer is accepted; a later one for another design changes it; one that is older than
    what is known is outdated and changes nothing. A ballot that was cast in time may come after the close.

    Raises:
        NotFound: `round_unknown`.
        RuleBroken: `batch_too_long`; nothing is stored.
    """
    actor.must_be(Role.MERCHANDISER)
    if len(rows) > MOST_BALLOTS:
        raise RuleBroken("batch_too_long", f"A batch has at most {MOST_BALLOTS:,} ballots; split this one.")
    # Others may cast meanwhile, but nobody closes the round.
    this = select(VoteRound).where(VoteRound.id == round_id).with_for_update(read=True)
    voting = session.scalars(this).one_or_none()
    if voting is None:
        raise NotFound("round_unknown", f"There is no vote round {round_id}.", round_id=round_id)
    designs = round_choices(session, round_id=round_id)
    flaws = [tuple(_flaws(row, voting, designs, now=now)) for row in rows]
    good = [
        (place, pseudonym(plain_buyer(row.buyer), key=key, channel=row.channel), row)
        for place, (row, found) in enumerate(zip(rows, flaws, strict=True))
        if not found
    ]
    words = _known(session, round_id, {buyer for _, buyer, _ in good})
    before = dict(words)
    results = [BallotResult(BallotOutcome.REJECTED, found) for found in flaws]
    for place, buyer, row in good:
        known = words.get(buyer)
        at = row.cast_at or max(now, known.cast_at if known else now)
        said = Word(at.astimezone(dt.UTC), designs[row.design], row.verified)
        words[buyer] = standing(known, said)
        results[place] = BallotResult(_outcome(known, said, words[buyer]))
    _store(session, round_id, {buyer: word for buyer, word in words.items() if word != before.get(buyer)})
    return results


def _flaws(
    row: SentBallot, voting: VoteRound, designs: dict[str, int], *, now: dt.datetime
) -> Iterable[Flaw]:
    yield from row.flaws
    bad = {flaw.field for flaw in row.flaws}
    if "channel" not in bad and not CHANNEL.fullmatch(row.channel):
        yield Flaw("channel", "channel_invalid", "channel: a code has letters, digits, dots and dashes.")
    if "buyer" not in bad and not 0 < len(row.buyer.strip()) <= 200:
        yield Flaw(
            "buyer", "buyer_missing", "buyer: name the buyer, in 1 to 200 characters; one buyer, one vote."
        )
    if "design" not in bad and row.design not in designs:
        yield Flaw(
            "design", "design_unknown", f"design: this is none of the round; choose of {', '.join(designs)}."
        )
    at = row.cast_at or now
    if "cast_at" not in bad and at > now + AHEAD:
        yield Flaw("cast_at", "ballot_time_invalid", "cast_at: this is in the future; check the clock.")
    elif "cast_at" not in bad and not voting.opens_at <= at <= voting.closes_at:
        yield Flaw(
            "cast_at",
            "ballot_outside_round",
            f"cast_at: the round takes votes from {voting.opens_at:%Y-%m-%d %H:%M} "
            f"to {voting.closes_at:%Y-%m-%d %H:%M} UTC.",
        )


def _outcome(known: Word | None, said: Word, stands: Word) -> BallotOutcome:
    if known is None:
        return BallotOutcome.ACCEPTED
    if (stands.cast_at, stands.design_id) != (said.cast_at, said.design_id):
        return BallotOutcome.OUTDATED
    same = (known.design_id, known.verified) == (stands.design_id, stands.verified)
    return BallotOutcome.UNCHANGED if same else BallotOutcome.CHANGED


def _known(session: Session, round_id: int, buyers: set[str]) -> dict[str, Word]:
    theirs = select(Ballot.buyer, Ballot.cast_at, Ballot.design_id, Ballot.verified).where(
        Ballot.round_id == round_id, Ballot.buyer.in_(buyers)
    )
    rows = session.execute(theirs.order_by(Ballot.buyer).with_for_update())
    return {row[0]: Word(row[1], row[2], row[3]) for row in rows}


def _store(session: Session, round_id: int, words: dict[str, Word]) -> None:
    """Write what stands. Where another request brought the same buyer meanwhile, `standing` decides again."""
    if not words:
        return
    rows = [
        {
            "round_id": round_id,
            "buyer": buyer,
            "design_id": word.design_id,
            "cast_at": word.cast_at,
            "verified": word.verified,
        }
        for buyer, word in sorted(words.items())
    ]
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    new = insert(Ballot)
    later = or_(
        new.excluded.cast_at > Ballot.cast_at,
        and_(new.excluded.cast_at == Ballot.cast_at, new.excluded.design_id > Ballot.design_id),
    )
    stands = {
        "design_id": case((later, new.excluded.design_id), else_=Ballot.design_id),
        "cast_at": case((later, new.excluded.cast_at), else_=Ballot.cast_at),
        "verified": or_(Ballot.verified, new.excluded.verified),
    }
    session.execute(new.on_conflict_do_update(index_elements=["round_id", "buyer"], set_=stands), rows)
