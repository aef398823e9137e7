"""Votes on designs: rounds, ballots, shares, and what votes come to."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import abort, request
from flask_smorest import Blueprint
from marshmallow import ValidationError
from sqlalchemy.orm import Session

from app.core.access import Role
from app.core.errors import RuleBroken
from app.entrypoints.door import config, current_actor, db, now, roles
from app.entrypoints.wire import votes as wire
from app.stages.demand import operations, queries
from app.stages.demand.operations import BallotResult, Flaw, NewDesign, SentBallot

LARGEST_BODY = 1024 * 1024
"""Bytes of JSON; a thousand ballots need a quarter of it."""
BALLOT = wire.BallotForm()

blueprint = Blueprint("votes", __name__, url_prefix="/api/v1", description="Votes on designs")


@blueprint.route("/vote-rounds", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.VoteRound(many=True))
def vote_rounds() -> Any:
    """Vote rounds, the one that closes last first"""
    with db().reading() as session:
        return queries.list_rounds(session)


@blueprint.route("/vote-rounds", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.RoundForm)
@blueprint.response(201, wire.VoteRound)
def open_vote_round(said: dict[str, Any]) -> Any:
    """Put designs to the vote

    Designs that are new are kept; one that is known by its code is used as it is known.
    """
    designs = [NewDesign(**one) for one in said.pop("designs")]
    with db().transaction() as session:
        return operations.open_round(session, designs=designs, actor=current_actor(), now=now(), **said)


@blueprint.route("/vote-rounds/<int:round_id>", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.VoteRoundShares)
def vote_round(round_id: int) -> Any:
    """One round: each design's share with its uncertainty, and the volume its votes promise"""
    with db().reading() as session:
        found = queries.get_round(session, round_id=round_id)
        return {**asdict(found), "shares": _shares(session, round_id)}


def _shares(session: Session, round_id: int) -> list[dict[str, Any]]:
    shares = queries.round_shares(session, round_id=round_id)
    votes = [(one.design.id, one.design.category, one.votes) for one in shares]
    expected = queries.expected_volumes(session, votes=votes, until=now())
    return [{**asdict(one), "expected": expected.get(one.design.id)} for one in shares]


@blueprint.route("/vote-rounds/<int:round_id>/close", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.VoteRound)
def close_vote_round(round_id: int) -> Any:
    """Close a round now; a ballot that was cast by then still counts when it comes later"""
    with db().transaction() as session:
        return operations.close_round(session, round_id=round_id, actor=current_actor(), now=now())


@blueprint.route("/vote-rounds/<int:round_id>/ballots", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.BallotForm)
@blueprint.response(200, wire.BallotResult)
def cast_ballot(said: dict[str, Any], round_id: int) -> Any:
    """Take one ballot

    A buyer has one in a round. The latest by `cast_at` stands, whatever the order they arrive in; the same
    again changes nothing.
    """
    with db().transaction() as session:
        result = operations.cast_ballot(
            session,
            round_id=round_id,
            sent=SentBallot(**said),
            actor=current_actor(),
            now=now(),
            key=config().pseudonym_key,
        )
    return _told(0, result)


@blueprint.route("/vote-rounds/<int:round_id>/ballots:batch", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.doc(
    requestBody={
        "required": True,
        "content": {"application/json": {"schema": wire.BallotForm(many=True)}},
    }
)
@blueprint.response(200, wire.BallotResult(many=True))
def cast_ballots(round_id: int) -> Any:
    """Take up to 1,000 ballots

    One result a row, in their order; a bad row does not stop the others.
    """
    if not request.is_json:
        abort(415, description="Send JSON, as application/json.")
    request.max_content_length = LARGEST_BODY
    body = request.get_json()
    if not isinstance(body, list):
        raise RuleBroken("body_not_list", "Send a list of ballots.")
    rows = [_sent(one) for one in body[: operations.MOST_BALLOTS + 1]]
    with db().transaction() as session:
        results = operations.cast_ballots(
            session,
            round_id=round_id,
            rows=rows,
            actor=current_actor(),
            now=now(),
            key=config().pseudonym_key,
        )
    return [_told(number, result) for number, result in enumerate(results)]


def _sent(row: Any) -> SentBallot:
    if not isinstance(row, dict):
        return SentBallot(flaws=(Flaw("", "row_not_object", "This row is no JSON object."),))
    try:
        return SentBallot(**BALLOT.load(row))
    except ValidationError as error:
        messages: dict[str, list[str]] = error.messages  # type: ignore[assignment]
        flaws = [_flaw(name, told[0], was_sent=name in row) for name, told in messages.items()]
        known: dict[str, Any] = dict(error.valid_data)  # type: ignore[arg-type]
        return SentBallot(**known, flaws=tuple(flaws))


def _flaw(name: str, sentence: str, *, was_sent: bool) -> Flaw:
    name = name[:60].encode("utf-8", "replace").decode("utf-8")
    if name not in BALLOT.fields:
        return Flaw(name, "field_unknown", "Nobody knows this field; leave it out.")
    if not was_sent:
        return Flaw(name, "value_missing", f"{name}: this is missing; it must have a value.")
    return Flaw(name, "field_invalid", f"{name}: {sentence}")


def _told(number: int, result: BallotResult) -> dict[str, Any]:
    flaw = result.flaws[0] if result.flaws else None
    return {
        "row": number,
        "result": result.outcome.value,
        "field": flaw.field if flaw else None,
        "code": flaw.code if flaw else None,
        "sentence": flaw.sentence if flaw else None,
    }


@blueprint.route("/designs", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Design(many=True))
def designs() -> Any:
    """Designs that were put to the vote, and the SKUs they became"""
    with db().reading() as session:
        return queries.list_designs(session)


@blueprint.route("/designs/<code>/skus", methods=["PUT"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.MadeForm)
@blueprint.response(200, wire.Design)
def make_design(said: dict[str, Any], code: str) -> Any:
    """Say which SKUs a design became, in place of what was said before"""
    with db().transaction() as session:
        return operations.make_design(session, code=code, actor=current_actor(), now=now(), **said)


@blueprint.route("/vote-conversions", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.VoteConversion(many=True))
def vote_conversions() -> Any:
    """By category: how many of those who voted for a design ordered it in the campaign that followed"""
    with db().reading() as session:
        return queries.category_conversions(session, until=now())


@blueprint.route("/vote-priors", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.VotePrior(many=True))
def vote_priors() -> Any:
    """What rounds promised of the campaigns that followed them, and what these came to"""
    with db().reading() as session:
        return queries.list_priors(session)
