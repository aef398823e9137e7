"""The steps of a campaign's life: each is decided once, on figures that are kept, by a rule or by somebody.

Whoever decides about units locks the turns of all channels first, as an import or an online pledge does with
its own: nothing is pledged between counting and deciding.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict

from sqlalchemy.orm import Session

from app.core.access import Actor, Role
from app.core.errors import RuleBroken
from app.stages.catalog import queries as catalog
from app.stages.demand import translate
from app.stages.demand.operations.deciding import Landing, decide, decide_on_going, figures_of, stated_reason
from app.stages.demand.operations.drafts import locked
from app.stages.demand.operations.turns import take_every_turn
from app.stages.demand.queries.campaigns import list_campaigns
from app.stages.demand.queries.terms import campaign_terms, terms_outlook
from app.stages.demand.rules import BY_RULE, CampaignState
from app.stages.demand.rules.campaigns import Dates, DecisionKind, extended, step
from app.stages.demand.rules.launch import failures
from app.stages.demand.rules.terms import CampaignTerms, Failure

GO_RULE = Actor(f"{BY_RULE}go", Role.ADMINISTRATOR)
"""Who decides where nobody does."""
JUST_OPENED = dt.timedelta(seconds=1)
"""What was called off before it opened closes so soon after its opening."""


def launch_campaign(
    session: Session,
    *,
    campaign_id: int,
    version: int,
    deposit_cap_percent: int,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Open a draft and freeze its expected volume and go factor.

    Raises:
        NotFound: `campaign_unknown`.
        RuleBroken: `launch_refused` with every failed check in `errors`, or `campaign_move`.
        Conflict: `campaign_changed`.
    """
    actor.must_be(Role.MERCHANDISER)
    campaign = locked(session, campaign_id=campaign_id, version=version)
    step(campaign.state, DecisionKind.LAUNCH)
    terms = campaign_terms(session, campaign_id=campaign_id)
    found = terms_outlook(session, terms=terms, deposit_cap_percent=deposit_cap_percent, now=now).failures
    if found:
        _refuse("launch_refused", "This campaign can't be launched yet; see `errors`.", found)
    campaign.launched_at = now
    data = {"go_units": terms.go_units, "due_week": terms.due_week.isoformat()}
    decide(session, campaign, DecisionKind.LAUNCH, inputs=data, actor=actor, now=now)


def extend_campaign(
    session: Session,
    *,
    campaign_id: int,
    version: int,
    days: int,
    due_week: dt.date | None = None,
    reason: str,
    deposit_cap_percent: int,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Let an open campaign close so many days later; what was pledged stays pledged.

    The fill phase, the late window and the due dates of payments move along; the due week stays, or moves to
    `due_week`.

    Raises:
        NotFound: `campaign_unknown`.
        RuleBroken: `extension_days`; `extension_refused` with what it would break in `errors`;
            `reason_missing`; `campaign_move`.
        Conflict: `campaign_changed`.
    """
    actor.must_be(Role.MERCHANDISER)
    campaign = locked(session, campaign_id=campaign_id, version=version)
    step(campaign.state, DecisionKind.EXTEND)
    why = stated_reason(reason)
    before = campaign_terms(session, campaign_id=campaign_id)
    dates = extended(Dates(**{name: getattr(campaign, name) for name in DATES}), days=days)
    for name in DATES:
        setattr(campaign, name, getattr(dates, name))
    campaign.due_week = due_week or campaign.due_week
    session.flush()
    after = campaign_terms(session, campaign_id=campaign_id)
    found = _new_failures(session, before, after, deposit_cap_percent=deposit_cap_percent, now=now)
    if found:
        _refuse("extension_refused", "The extension breaks what was launched; see `errors`.", found)
    inputs = {
        "days": days,
        "closes_at": [before.closes_at.isoformat(), after.closes_at.isoformat()],
        "due_week": after.due_week.isoformat(),
    }
    decide(session, campaign, DecisionKind.EXTEND, inputs=inputs, reason=why, actor=actor, now=now)


DATES = tuple(Dates.__dataclass_fields__)


def close_campaign(
    session: Session,
    *,
    campaign_id: int,
    version: int,
    decision: str | None = None,
    reason: str = "",
    landing: Landing | None = None,
    actor: Actor,
    now: dt.datetime,
) -> CampaignState:
    """Close an open campaign now and decide whether it goes; returns the state it is in then.

    Args:
        decision: "go" or "no_go"; without it the go rule decides. Against the rule it needs a reason, and so
            does closing early.
        landing: where it was seen to land, to be kept with the decision.

    Raises:
        NotFound: `campaign_unknown`.
        RuleBroken: `campaign_not_begun`, `decision_unknown`, `reason_missing` or `campaign_move`.
        Conflict: `campaign_changed`.
    """
    actor.must_be(Role.MERCHANDISER)
    if decision not in (None, DecisionKind.GO, DecisionKind.NO_GO):
        raise RuleBroken("decision_unknown", "A campaign goes or not: decide go or no_go, or nothing.")
    take_every_turn(session)
    campaign = locked(session, campaign_id=campaign_id, version=version)
    step(campaign.state, DecisionKind.GO)
    if now <= campaign.opens_at:
        raise RuleBroken("campaign_not_begun", "It has not opened yet; cancel it instead of closing it.")
    early = now < campaign.closes_at
    if early:
        campaign.closes_at = now
        session.flush()
    why = stated_reason(reason) if early else reason.strip()
    decide_on_going(
        session, campaign, decision=decision, early=early, reason=why, landing=landing, actor=actor, now=now
    )
    return CampaignState(campaign.state)


def close_due_campaigns(
    session: Session, *, now: dt.datetime, landings: Mapping[int, Landing] | None = None
) -> int:
    """Close every open campaign whose time is over: reached by the go rule, or missed. Returns how many."""
    due = [one for one in list_campaigns(session, states=[CampaignState.OPEN]) if one.closes_at <= now]
    if due:
        take_every_turn(session)
    closed = 0
    for fact in sorted(due, key=lambda one: one.id):
        campaign = locked(session, campaign_id=fact.id, version=None)
        if campaign.state == CampaignState.OPEN and campaign.closes_at <= now:
            landing = (landings or {}).get(fact.id)
            decide_on_going(session, campaign, landing=landing, actor=GO_RULE, now=now)
            closed += 1
    return closed


def overrule_campaign(
    session: Session,
    *,
    campaign_id: int,
    version: int,
    reason: str,
    landing: Landing | None = None,
    actor: Actor,
    now: dt.datetime,
) -> CampaignState:
    """Let a campaign go that missed its go line, or stop one that reached it, before anything is made.

    Raises:
        NotFound: `campaign_unknown`.
        RuleBroken: `reason_missing` or `campaign_move`.
        Conflict: `campaign_changed`.
    """
    actor.must_be(Role.MERCHANDISER)
    take_every_turn(session)
    campaign = locked(session, campaign_id=campaign_id, version=version)
    kind = DecisionKind.GO if campaign.state == CampaignState.MISSED else DecisionKind.NO_GO
    if campaign.state not in (CampaignState.MISSED, CampaignState.REACHED):
        step(campaign.state, DecisionKind.PRODUCE if campaign.state == CampaignState.OPEN else kind)
    why = stated_reason(reason)
    decide_on_going(session, campaign, decision=kind, reason=why, landing=landing, actor=actor, now=now)
    return CampaignState(campaign.state)


def cancel_campaign(
    session: Session, *, campaign_id: int, version: int, reason: str, actor: Actor, now: dt.datetime
) -> None:
    """Call a campaign off before anything is made: nothing is required any more, its pledges stay on record.

    Raises:
        NotFound: `campaign_unknown`.
        RuleBroken: `reason_missing` or `campaign_move`.
        Conflict: `campaign_changed`.
    """
    actor.must_be(Role.MERCHANDISER)
    take_every_turn(session)
    campaign = locked(session, campaign_id=campaign_id, version=version)
    step(campaign.state, DecisionKind.CANCEL)
    why = stated_reason(reason)
    inputs = figures_of(session, campaign)
    campaign.closes_at = max(min(campaign.closes_at, now), campaign.opens_at + JUST_OPENED)
    campaign.late_until = None
    decide(session, campaign, DecisionKind.CANCEL, inputs=inputs, reason=why, actor=actor, now=now)


def advance_campaign(
    session: Session,
    *,
    campaign_id: int,
    version: int,
    kind: str,
    reason: str = "",
    actor: Actor,
    now: dt.datetime,
) -> CampaignState:
    """The later steps: `produce` what was reached, `ship` it, `finish` what is shipped, missed or cancelled.

    Raises:
        NotFound: `campaign_unknown`.
        RuleBroken: `step_unknown` or `campaign_move`.
        Conflict: `campaign_changed`.
    """
    actor.must_be(Role.MERCHANDISER)
    if kind not in (DecisionKind.PRODUCE, DecisionKind.SHIP, DecisionKind.FINISH):
        raise RuleBroken("step_unknown", "The steps are produce, ship and finish.")
    campaign = locked(session, campaign_id=campaign_id, version=version)
    why = stated_reason(reason, needed=False)
    decide(session, campaign, DecisionKind(kind), inputs={}, reason=why, actor=actor, now=now)
    return CampaignState(campaign.state)


def _new_failures(
    session: Session,
    before: CampaignTerms,
    after: CampaignTerms,
    *,
    deposit_cap_percent: int,
    now: dt.datetime,
) -> list[Failure]:
    """Checks that hold before a change and fail after it; what failed anyway is no fault of the change."""
    network = catalog.network(session)
    sources = translate.sources(network, skus=after.skus)
    failed = {
        one.code
        for one in failures(before, sources, deposit_cap_percent=deposit_cap_percent, now=before.opens_at)
    }
    found = failures(after, sources, deposit_cap_percent=deposit_cap_percent, now=now)
    return [one for one in found if one.code not in failed]


def _refuse(code: str, sentence: str, found: list[Failure] | tuple[Failure, ...]) -> None:
    raise RuleBroken(code, sentence, errors=[asdict(one) | one.as_dict() for one in found])
