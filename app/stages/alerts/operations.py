"""Looking for what is wrong now, and keeping one alert for each cause."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import bindparam, insert, text, update
from sqlalchemy.orm import Session

from app.stages.alerts import queries
from app.stages.alerts.models import Alert
from app.stages.alerts.queries import AlertFact
from app.stages.alerts.rules import (
    SILENT_FACTOR,
    AlertKind,
    AlertState,
    Finding,
    balance_is_near,
    cause,
    changes,
    is_at_risk,
    silence_after,
)
from app.stages.allocation import queries as allocation
from app.stages.allocation.queries import ShareFact
from app.stages.allocation.rules import Base, Limit, cap_can_hold, lowest_reachable_share
from app.stages.catalog import queries as catalog
from app.stages.confirmation import queries as confirmation
from app.stages.confirmation.rules import LineState
from app.stages.demand import queries as demand
from app.stages.demand.queries import sources
from app.stages.forecasts import queries as forecasts

ANSWER_KINDS = {LineState.DECLINED: AlertKind.DECLINED, LineState.EXPIRED: AlertKind.ANSWER_OVERDUE}


def refresh(session: Session, *, run_id: int, now: dt.datetime) -> list[AlertFact]:
    """Look at everything again, with the plan of this run; returns the alerts that are open afterwards.

    An alert keeps the time it was opened for as long as its cause is found; one whose cause is gone is
    closed, and opened anew if it comes back.
    """
    findings = [
        *_concentrations(session, run_id),
        *_unmet(session, run_id),
        *_campaigns(session),
        *_balances(session, now),
        *_silences(session, now),
    ]
    _take_turn(session)
    _apply(session, [*findings, *_answers(session, run_id)], kinds=list(AlertKind), now=now)
    return queries.open_alerts(session)


def refresh_channels(session: Session, *, now: dt.datetime) -> int:
    """Look only at channels that fell silent; needs no plan. Returns how many there are."""
    findings = list(_silences(session, now))
    _take_turn(session)
    _apply(session, findings, kinds=[AlertKind.CHANNEL_SILENT], now=now)
    return len(findings)


def refresh_answers(session: Session, *, run_id: int, now: dt.datetime) -> None:
    """Look only at declined and unanswered lines of a plan, which whoever takes a decline does."""
    _take_turn(session)
    _apply(session, _answers(session, run_id), kinds=list(ANSWER_KINDS.values()), now=now)


def _take_turn(session: Session) -> None:
    """Until the end of the transaction nobody else looks at answers and keeps alerts; SQLite has one writer.

    So two declines of one supplier at once make one alert, of both.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext('alert'))"))


def _apply(
    session: Session, findings: Iterable[Finding], *, kinds: Collection[AlertKind], now: dt.datetime
) -> None:
    known = queries.states(session, kinds=[kind.value for kind in kinds])
    change = changes(tuple(findings), known=known)
    fresh = [finding for finding in change.opened if finding.cause not in known]
    again = [finding for finding in change.opened if finding.cause in known]
    if fresh:
        rows = [{"cause": one.cause, "kind": one.kind.value, **_opened(one, now)} for one in fresh]
        session.execute(insert(Alert), rows)
    _update(session, [{"key": one.cause, **_opened(one, now)} for one in again])
    _update(session, [{"key": one.cause, **_numbers(one, now)} for one in change.seen])
    closed = {"state": AlertState.CLOSED.value, "closed_at": now}
    _update(session, [{"key": key, **closed} for key in change.closed])


def _opened(finding: Finding, now: dt.datetime) -> dict[str, Any]:
    return {**_numbers(finding, now), "state": AlertState.OPEN.value, "opened_at": now, "closed_at": None}


def _numbers(finding: Finding, now: dt.datetime) -> dict[str, Any]:
    return {"owner": finding.owner, "weight": finding.weight, "data": finding.data, "seen_at": now}


def _update(session: Session, rows: list[dict[str, Any]]) -> None:
    """One UPDATE for many rows of the same columns, each found by its cause."""
    if not rows:
        return
    table = Alert.__table__
    values: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "key"}
    statement = update(table).where(table.c.cause == bindparam("key")).values(values)  # type: ignore[arg-type]
    session.connection().execute(statement, rows)


def _concentrations(session: Session, run_id: int) -> Iterable[Finding]:
    """One finding for each scope and base in which anybody's share is above its limit."""
    names = catalog.names(session).suppliers
    eligible = _eligible(session)
    for limit in allocation.limits(session):
        groups: dict[str, list[ShareFact]] = defaultdict(list)
        for share in allocation.shares(
            session,
            run_id=run_id,
            scope=limit.scope.value,
            base=limit.base.value,
            above=limit.threshold_percent,
        ):
            groups[share.scope_key].append(share)
        for key, group in sorted(groups.items()):
            yield _concentration(limit, key, group, names=names, eligible=eligible)


def _concentration(
    limit: Limit,
    key: str,
    group: list[ShareFact],
    *,
    names: Any,
    eligible: dict[tuple[str, str], set[int]],
) -> Finding:
    """Base, scope, share, threshold, HHI, effective suppliers; and whether the limit can be kept at all."""
    top, able = group[0], len(eligible[limit.scope.value, key])
    data: dict[str, Any] = {
        "scope": top.scope,
        "scope_key": key,
        "base": top.base,
        "threshold": limit.threshold_percent / 100,
        "share": top.share,
        "demand_share": top.demand_share,
        "supplier": names[top.supplier_id].code,
        "above": [
            {
                "supplier": names[one.supplier_id].code,
                "share": one.share,
                "demand_share": one.demand_share,
                "amount": one.amount,
            }
            for one in group
        ],
        "amount": top.amount,
        "scope_amount": top.scope_amount,
        "hhi": top.hhi,
        "effective_suppliers": top.effective_suppliers,
        "eligible_suppliers": able,
        "can_hold": cap_can_hold(able, threshold_percent=limit.threshold_percent),
        "lowest_reachable_share": lowest_reachable_share(able),
    }
    above = top.share - limit.threshold_percent / 100
    weight = (
        above * top.scope_amount if limit.base is Base.UNITS else above
    )  # money is no unit: only its share
    key_parts = (limit.scope.value, key, limit.base.value)
    return Finding(AlertKind.CONCENTRATION, cause(AlertKind.CONCENTRATION, *key_parts), weight, data)


def _eligible(session: Session) -> dict[tuple[str, str], set[int]]:
    """Suppliers with an offer, by scope and key."""
    network = catalog.network(session)
    skus = {sku.id: sku for sku in network.skus}
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    for offer in network.offers:
        sku = skus.get(offer.sku_id)
        if sku is not None:
            found["sku", sku.code].add(offer.supplier_id)
            found["plan", ""].add(offer.supplier_id)
            if sku.category:
                found["category", sku.category].add(offer.supplier_id)
    return found


def _unmet(session: Session, run_id: int) -> Iterable[Finding]:
    codes = catalog.names(session).skus
    for sku in allocation.unmet_by_sku(session, run_id=run_id):
        code = codes[sku.sku_id].code
        data = {"sku": code, "sku_id": sku.sku_id, "units": sku.quantity, "reasons": sku.reasons}
        yield Finding(
            AlertKind.UNMET_DEMAND, cause(AlertKind.UNMET_DEMAND, "sku", code), float(sku.quantity), data
        )


def _answers(session: Session, run_id: int) -> Iterable[Finding]:
    """Lines of this run that were declined or ran out, by supplier. The next run plans them elsewhere."""
    codes = catalog.names(session).suppliers
    for one in confirmation.standing(session, run_id=run_id):
        kind = ANSWER_KINDS[LineState(one.state)]
        code = codes[one.supplier_id].code
        data = {"supplier": code, "lines": one.lines, "units": one.units, "skus": one.skus, "run_id": run_id}
        yield Finding(kind, cause(kind, code), float(one.units), data)


def _campaigns(session: Session) -> Iterable[Finding]:
    """Open campaigns whose last landing makes the go line less likely than not."""
    landings = forecasts.latest_landings(session)
    for campaign in demand.list_campaigns(session, states=["open"]):
        landing = landings.get(campaign.id)
        if landing is None:
            continue
        chance = forecasts.chance_of_going(landing, go_units=campaign.go_units)
        if is_at_risk(elapsed_share=landing.elapsed_day / landing.window_days, chance=chance):
            data = {
                "campaign": campaign.code,
                "campaign_id": campaign.id,
                "valid_units": campaign.valid_units,
                "go_units": campaign.go_units,
                "projected_units": round(landing.median),
                "chance": round(chance, 4),
                "as_of": landing.as_of.isoformat(),
                "closes_at": campaign.closes_at.isoformat(),
            }
            short = max(campaign.go_units - landing.median, 0.0)
            yield Finding(
                AlertKind.CAMPAIGN_AT_RISK, cause(AlertKind.CAMPAIGN_AT_RISK, campaign.code), short, data
            )


def _balances(session: Session, now: dt.datetime) -> Iterable[Finding]:
    """Campaigns that go and whose buyers owe a balance, due within days or overdue: counts, no names."""
    for one in demand.open_balances(session):
        if balance_is_near(due_at=one.balance_due_at, now=now):
            data = {
                "campaign": one.campaign,
                "campaign_id": one.campaign_id,
                "due_at": one.balance_due_at.isoformat(),
                "overdue": one.balance_due_at < now,
                "pledges": one.pledges,
                "buyers": one.buyers,
                "units": one.units,
            }
            yield Finding(
                AlertKind.BALANCE_DUE, cause(AlertKind.BALANCE_DUE, one.campaign), float(one.units), data
            )


def _silences(session: Session, now: dt.datetime) -> Iterable[Finding]:
    """Channels that usually send and have not for longer than they usually pause."""
    for one in sources.rhythms(session, now=now):
        after = silence_after(one.pauses)
        quiet = (now - one.last_at).total_seconds()
        if after is not None and quiet > after:
            data = {
                "channel": one.channel,
                "last_at": one.last_at.isoformat(),
                "usual_seconds": round(after / SILENT_FACTOR),
                "silent_after_seconds": after,
            }
            missed = one.rows_a_day * quiet / 86_400
            yield Finding(
                AlertKind.CHANNEL_SILENT, cause(AlertKind.CHANNEL_SILENT, one.channel), missed, data
            )
