"""Deciding of a campaign: the figures that are looked at, the step taken, and what is kept of both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.core.access import Actor
from app.core.errors import RuleBroken
from app.stages.demand import rules
from app.stages.demand.models import Campaign, CampaignDecision
from app.stages.demand.operations.drafts import record
from app.stages.demand.queries.campaigns import get_campaign, late_units
from app.stages.demand.queries.pool import waterfall
from app.stages.demand.rules.campaigns import DecisionKind, step

LONGEST_REASON = 500
ACTIONS = {
    DecisionKind.LAUNCH: "campaign.launched",
    DecisionKind.EXTEND: "campaign.extended",
    DecisionKind.GO: "campaign.reached",
    DecisionKind.NO_GO: "campaign.missed",
    DecisionKind.CANCEL: "campaign.cancelled",
    DecisionKind.PRODUCE: "campaign.in_production",
    DecisionKind.SHIP: "campaign.shipping",
    DecisionKind.FINISH: "campaign.closed",
}
Landing = Mapping[str, Any]
"""Where a campaign was seen to land: plain values, which a later stage knows."""


def decide_on_going(
    session: Session,
    campaign: Campaign,
    *,
    decision: str | None = None,
    early: bool = False,
    reason: str | None = None,
    landing: Landing | None = None,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Decide whether a campaign goes, by the rule or against it, and keep what was looked at."""
    inputs = figures_of(session, campaign, early=early, landing=landing)
    goes = rules.reaches_go(
        valid_units=inputs["valid_units"],
        expected_units=campaign.expected_units,
        go_factor_percent=campaign.go_factor_percent,
    )
    ruled = DecisionKind.GO if goes else DecisionKind.NO_GO
    kind = DecisionKind(decision) if decision else ruled
    why = stated_reason(reason, needed=kind != ruled)
    if kind == DecisionKind.NO_GO:
        campaign.late_until = None  # what has failed takes no more
    decide(session, campaign, kind, inputs=inputs, rule_goes=goes, reason=why, actor=actor, now=now)


def figures_of(
    session: Session, campaign: Campaign, *, early: bool = False, landing: Landing | None = None
) -> dict[str, Any]:
    """The figures that a decision is made on, as JSON carries them."""
    fact = get_campaign(session, campaign_id=campaign.id)
    late = late_units(session, campaign_id=campaign.id, closes_at=campaign.closes_at)
    water = waterfall(session, campaign_id=campaign.id)
    figures: dict[str, Any] = {
        "valid_units": fact.valid_units - late,
        "late_units": late,
        "go_units": fact.go_units,
        "waterfall": {
            "raw_units": water.raw_units,
            "steps": {one.reason: one.units for one in water.steps},
            "valid_units": water.valid_units,
        },
    }
    if early:
        figures["early"] = True
    if landing:
        figures["landing"] = dict(landing)
    return figures


def decide(
    session: Session,
    campaign: Campaign,
    kind: DecisionKind,
    *,
    inputs: dict[str, Any],
    rule_goes: bool | None = None,
    reason: str | None = None,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Take the step, and keep it as a decision and in the audit log."""
    before, campaign.state = campaign.state, step(campaign.state, kind)
    session.flush()
    valid = inputs.get("valid_units")
    if valid is None:
        valid = get_campaign(session, campaign_id=campaign.id).valid_units
    session.add(
        CampaignDecision(
            campaign_id=campaign.id,
            kind=kind,
            from_state=before,
            to_state=campaign.state,
            valid_units=valid,
            expected_units=campaign.expected_units,
            go_factor_percent=campaign.go_factor_percent,
            rule_goes=rule_goes,
            inputs=inputs,
            reason=reason or None,
            decided_by=actor.name,
            decided_at=now,
        )
    )
    data: dict[str, object] = {
        "valid_units": valid,
        "expected_units": campaign.expected_units,
        "go_factor_percent": campaign.go_factor_percent,
    }
    if kind == DecisionKind.EXTEND:
        data["days"] = inputs["days"]
    if rule_goes is not None:
        data |= {"go_units": inputs["go_units"], "rule_goes": rule_goes}
    if reason:
        data["note"] = reason
    record(session, campaign=campaign, action=ACTIONS[kind], data=data, actor=actor, now=now)


def stated_reason(reason: str | None, *, needed: bool = True) -> str | None:
    text = (reason or "").strip()
    if needed and not text:
        raise RuleBroken("reason_missing", "Say why: this decision is kept with its reason.")
    if len(text) > LONGEST_REASON:
        raise RuleBroken("reason_missing", f"A reason has at most {LONGEST_REASON} characters.")
    return text or None
