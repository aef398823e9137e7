"""Votes on designs: rounds, ballots, and what votes come to."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.entrypoints.wire.basics import EXAMPLE_INSTANT, NO_INSTANT, Incoming, Line

NAME = validate.Regexp(r"[^\x00-\x1f\x7f]{1,200}\Z", error="1 to 200 characters, no control ones.")


class DesignForm(Incoming):
    code = Line(required=True, metadata={"example": "VEST-A"})
    name = Line(required=True, validate=NAME)
    name_zh = Line(load_default=None, allow_none=True, validate=NAME)
    category = Line(
        required=True,
        validate=validate.Regexp(r"[^\x00-\x1f\x7f]{1,80}\Z", error="1 to 80 characters, no control ones."),
        metadata={"description": "That of the SKUs it would become; conversion is measured in it."},
    )


class RoundForm(Incoming):
    code = Line(required=True, metadata={"example": "SPRING-VEST"})
    name = Line(required=True, validate=NAME)
    name_zh = Line(load_default=None, allow_none=True, validate=NAME)
    opens_at = fields.AwareDateTime(
        required=True, error_messages=NO_INSTANT, metadata={"example": EXAMPLE_INSTANT}
    )
    closes_at = fields.AwareDateTime(
        required=True, error_messages=NO_INSTANT, metadata={"example": EXAMPLE_INSTANT}
    )
    designs = fields.List(
        fields.Nested(DesignForm),
        required=True,
        metadata={"description": "What can be chosen. A design that is known keeps what is known of it."},
    )


class MadeForm(Incoming):
    skus = fields.List(
        Line(), required=True, validate=validate.Length(max=500), metadata={"example": ["VEST-A-M"]}
    )


class BallotForm(Incoming):
    channel = Line(required=True, metadata={"example": "tmall"})
    buyer = Line(
        required=True,
        metadata={
            "description": "Whatever names the buyer; it becomes a keyed pseudonym before it is stored."
        },
    )
    design = Line(required=True, metadata={"description": "A design's code.", "example": "VEST-A"})
    cast_at = fields.AwareDateTime(
        load_default=None,
        allow_none=True,
        error_messages=NO_INSTANT,
        metadata={"description": "When the buyer chose; now, when left out. The latest word counts."},
    )
    verified = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"description": "The channel knows this buyer: signed in, with a checked number."},
    )


class BallotResult(Schema):
    row = fields.Integer(required=True, metadata={"description": "Its place in what was sent, from 0."})
    result = fields.String(
        required=True, metadata={"enum": ["accepted", "changed", "unchanged", "outdated", "rejected"]}
    )
    field = fields.String(required=True, allow_none=True)
    code = fields.String(
        required=True, allow_none=True, metadata={"description": "Listed in docs/errors.md."}
    )
    sentence = fields.String(required=True, allow_none=True)


class Design(Schema):
    id = fields.Integer(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    name_zh = fields.String(required=True, allow_none=True)
    category = fields.String(required=True)
    sku_ids = fields.List(fields.Integer(), required=True)


class ExpectedVolume(Schema):
    learnt = fields.Integer(
        required=True, metadata={"description": "Finished campaigns of the category that were learnt from."}
    )
    rate = fields.Float(required=True, metadata={"description": "The part of voters thought to order, 0–1."})
    units = fields.Float(required=True)
    lo_80 = fields.Float(required=True)
    hi_80 = fields.Float(required=True)


class VoteShare(Schema):
    design = fields.Nested(Design, required=True)
    votes = fields.Integer(required=True)
    share = fields.Float(required=True, metadata={"description": "Of the votes that count, 0–1."})
    low = fields.Float(
        required=True, metadata={"description": "95 % interval, simultaneous for all designs (Goodman 1965)."}
    )
    high = fields.Float(required=True)
    expected = fields.Nested(
        ExpectedVolume,
        required=True,
        allow_none=True,
        metadata={"description": "Units a campaign of it would land at; null without a vote."},
    )


class VoteRound(Schema):
    id = fields.Integer(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    name_zh = fields.String(required=True, allow_none=True)
    state = fields.String(required=True, metadata={"enum": ["open", "closed"]})
    opens_at = fields.AwareDateTime(required=True)
    closes_at = fields.AwareDateTime(required=True)
    ballots = fields.Integer(required=True, metadata={"description": "One of each buyer, all that came."})
    voters = fields.Integer(
        required=True, metadata={"description": "Ballots that count: of verified or known buyers."}
    )


class VoteRoundShares(VoteRound):
    shares = fields.List(fields.Nested(VoteShare), required=True)


class VoteConversion(Schema):
    category = fields.String(required=True)
    campaigns = fields.Integer(
        required=True, metadata={"description": "Finished campaigns that followed a round."}
    )
    voters = fields.Integer(required=True)
    ordered = fields.Integer(required=True)
    rate = fields.Float(
        required=True, metadata={"description": "The part of voters who order; leans to a prior."}
    )
    low = fields.Float(required=True, metadata={"description": "95 % interval of the rate."})
    high = fields.Float(required=True)
    multiple = fields.Float(
        required=True, metadata={"description": "Units that land for each voter who orders."}
    )


class VotePrior(ExpectedVolume):
    campaign_id = fields.Integer(required=True)
    design_id = fields.Integer(required=True)
    round_id = fields.Integer(required=True)
    voters = fields.Integer(required=True)
    ordered = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Voters who ordered; null until it is over."}
    )
    landed_units = fields.Integer(required=True, allow_none=True)
