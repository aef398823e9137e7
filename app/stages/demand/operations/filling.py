"""Using what tolerant buyers allow: a person applies a proposal, and may take it back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.core import audit
from app.core.access import Actor, Role
from app.core.errors import Conflict, NotFound, RuleBroken
from app.stages.demand.models import Channel, Signal, ToleranceFill, ToleranceStep
from app.stages.demand.operations.corrections import correct_pledge
from app.stages.demand.operations.moving import move_sku
from app.stages.demand.operations.turns import take_every_turn
from app.stages.demand.queries.campaigns import get_campaign
from app.stages.demand.queries.tolerance import FillFact, fill_steps, get_fill, propose_tolerance
from app.stages.demand.rules import CampaignState
from app.stages.demand.rules.tolerance import Step

FILLABLE = (CampaignState.OPEN, CampaignState.REACHED)


def apply_tolerance(
    session: Session,
    *,
    campaign_id: int,
    sku_id: int | None = None,
    units: int,
    fingerprint: str,
    spare: Mapping[int, int] | None = None,
    actor: Actor,
    now: dt.datetime,
) -> FillFact:
    """Raise and move pledges as was proposed: each is corrected by `actor` now, within what its buyer allows.

    Args:
        fingerprint: of the proposal that was looked at.
        spare: what other SKUs can give, as in the proposal.

    Raises:
        NotFound: `campaign_unknown`.
        Conflict: `proposal_moved`, when pledges changed since it was made.
        RuleBroken: `campaign_settled` before the campaign opens or once it is in production, `fill_nothing`.
    """
    actor.must_be(Role.MERCHANDISER)
    take_every_turn(session)
    campaign = get_campaign(session, campaign_id=campaign_id)
    _must_be_fillable(campaign.state)
    found = propose_tolerance(session, campaign_id=campaign_id, sku_id=sku_id, units=units, spare=spare)
    if found.fingerprint != fingerprint:
        raise Conflict("proposal_moved", "Pledges changed since this was proposed; look at it again.")
    if not found.steps:
        raise RuleBroken("fill_nothing", "No buyer of this campaign allows anything for this line.")
    used = ToleranceFill(
        campaign_id=campaign_id,
        sku_id=sku_id,
        wanted_units=units,
        gained_units=found.gained,
        buyers=found.buyers,
        applied_by=actor.name,
        applied_at=now,
    )
    session.add(used)
    session.flush()
    rows = [{name: getattr(step, name) for name in Step.__dataclass_fields__} for step in found.steps]
    session.execute(insert(ToleranceStep), [row | {"fill_id": used.id} for row in rows])
    for step in found.steps:
        _change(session, step.signal_id, step.to_sku_id, step.to_quantity, actor=actor, now=now)
    data = {"sku_id": sku_id, "units": units, "gained_units": found.gained, "buyers": found.buyers}
    _record(session, actor, "tolerance.applied", campaign.code, used.id, data, now)
    return _fact(session, used.id)


def undo_fill(session: Session, *, fill_id: int, actor: Actor, now: dt.datetime) -> FillFact:
    """Give pledges back the units and the SKU they had. One that changed since keeps the later word.

    Raises:
        NotFound: `fill_unknown`.
        Conflict: `fill_undone`.
        RuleBroken: `campaign_settled`, once the campaign is in production.
    """
    actor.must_be(Role.MERCHANDISER)
    take_every_turn(session)
    used = session.get(ToleranceFill, fill_id, with_for_update=True)
    if used is None:
        raise NotFound("fill_unknown", f"Tolerance was not used under the number {fill_id}.", fill_id=fill_id)
    if used.undone_at is not None:
        raise Conflict("fill_undone", f"This was taken back already by {used.undone_by}.")
    campaign = get_campaign(session, campaign_id=used.campaign_id)
    _must_be_fillable(campaign.state)
    kept = 0
    for step in fill_steps(session, fill_id=fill_id):
        here = select(Signal.sku_id, Signal.quantity).where(Signal.id == step.signal_id)
        if tuple(session.execute(here).one()) == (step.to_sku_id, step.to_quantity):
            _change(session, step.signal_id, step.from_sku_id, step.from_quantity, actor=actor, now=now)
        else:
            kept += 1
    used.undone_by, used.undone_at = actor.name, now
    session.flush()
    _record(session, actor, "tolerance.undone", campaign.code, fill_id, {"kept": kept}, now)
    return _fact(session, fill_id)


def _must_be_fillable(state: str) -> None:
    if state not in FILLABLE:
        raise RuleBroken("campaign_settled", f"Pledges of a campaign that is {state} stay as they are.")


def _change(
    session: Session, signal_id: int, sku_id: int, quantity: int, *, actor: Actor, now: dt.datetime
) -> None:
    """Another SKU first; other units are a correction like any other, under the limits and the cap."""
    query = (
        select(Signal.sku_id, Signal.quantity, Signal.external_id, Channel.code, Channel.currency)
        .join(Channel, Channel.id == Signal.channel_id)
        .where(Signal.id == signal_id)
    )
    was_sku, was_quantity, external_id, channel, currency = session.execute(query).one()
    if was_sku != sku_id:
        move_sku(session, signal_id=signal_id, sku_id=sku_id)
    if was_quantity != quantity:
        correct_pledge(
            session,
            channel=channel,
            external_id=external_id,
            quantity=quantity,
            actor=actor,
            now=now,
            currency=currency,
        )


def _fact(session: Session, fill_id: int) -> FillFact:
    found = get_fill(session, fill_id=fill_id)
    assert found is not None
    return found


def _record(
    session: Session,
    actor: Actor,
    action: str,
    campaign: str,
    fill_id: int,
    data: dict[str, int | None],
    now: dt.datetime,
) -> None:
    told: dict[str, Any] = {"fill": fill_id, **data}
    audit.record(session, actor=actor, action=action, subject=f"campaign:{campaign}", data=told, now=now)
