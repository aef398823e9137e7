"""Commands about campaigns: where each stands, what a step would come to, and taking it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.entrypoints.cli.output import ProgressLine, command
from app.entrypoints.door import config, db, now, operator
from app.questions import seen_landings
from app.stages.demand import operations, queries

LATER = ("produce", "ship", "finish")
STEPS = ("launch", "extend", "close", "overrule", "cancel", *LATER)
REFUNDS = {
    "not_made": "for units not made",
    "overpaid": "above the price reached",
    "replaced": "deposits that a paid order replaced, unless that was for the rest only",
}
code = click.argument("code")


def _say_all(result: dict[str, Any]) -> str:
    lines = [
        f"  {one['code']:<20} {one['state']:<13} {one['valid_units']:>9,} of {one['go_units']:,} to go, "
        f"closes {one['closes_at']:%Y-%m-%d %H:%M} UTC"
        for one in result["campaigns"]
    ]
    return "\n".join(lines) or "There is no campaign yet."


@command("campaigns", say=_say_all)
def campaigns() -> dict[str, Any]:
    """Where every campaign stands against its go line; the one that closes last first."""
    with db().reading() as session:
        return {"campaigns": [asdict(one) for one in queries.list_campaigns(session)]}


def _say_outlook(result: dict[str, Any]) -> str:
    if "launch" in result:
        failed = [f"  {one['sentence']}" for one in result["launch"]["failures"]]
        return "\n".join(["It can't be launched yet:", *failed]) if failed else "It can be launched."
    if "close" not in result:
        return f"It is {result['state']}: nothing to try."
    close = result["close"]
    return "\n".join(
        [
            f"Closed now, it {'goes' if close['goes'] else 'misses'}: {close['valid_units']:,} valid units, "
            f"go line {close['go_units']:,}, from about {close['buyers']:,} buyers",
            f"  price reached {close['price_minor']}, units to the next tier {close['next_tier_short']}",
            f"  balances of {close['balance']['pledges']:,} pledges: {close['balance']['amount_minor']:,}",
            *(
                f"  to return to {one['pledges']:,} pledges: {one['amount_minor']:,}, {REFUNDS[one['why']]}"
                for one in close["refunds"]
            ),
            f"  amounts in minor units of {config().currency}",
        ]
    )


@command("campaign-outlook", say=_say_outlook)
@code
def campaign_outlook(code: str) -> dict[str, Any]:
    """Dry run of the launch of a draft, or of the close of an open campaign: CODE names it."""
    with db().reading() as session:
        one = _find(session, code)
        told: dict[str, Any] = {"code": one.code, "state": one.state}
        if one.state == "draft":
            cap = config().deposit_cap_percent
            outlook = queries.launch_outlook(session, campaign_id=one.id, deposit_cap_percent=cap, now=now())
            told["launch"] = asdict(outlook)
        elif one.state == "open":
            told["close"] = asdict(queries.close_outlook(session, campaign_id=one.id))
        return told


@command("campaign-step", say=lambda result: f"{result['code']} is {result['state'].replace('_', ' ')} now.")
@code
@click.argument("step", type=click.Choice(STEPS))
@click.option("--reason", default="", help="Why; kept with the decision.")
@click.option("--days", type=int, help="With extend: by how many days.")
@click.option("--due-week", type=click.DateTime(["%Y-%m-%d"]), help="With extend: another due week's Monday.")
@click.option("--decide", type=click.Choice(["go", "no_go"]), help="With close: decide against the go rule.")
def campaign_step(
    code: str, step: str, reason: str, days: int | None, due_week: dt.datetime | None, decide: str | None
) -> dict[str, Any]:
    """Take one STEP in the life of the campaign CODE, as its page does."""
    if (step == "extend") != (days is not None) or (due_week and step != "extend"):
        raise click.UsageError("--days and --due-week belong to extend, which needs --days.")
    if decide and step != "close":
        raise click.UsageError("--decide belongs to close.")
    said: dict[str, Any] = {"reason": reason}
    if step in ("launch", "extend"):
        said["deposit_cap_percent"] = config().deposit_cap_percent
    if step == "extend":
        said |= {"days": days, "due_week": due_week.date() if due_week else None}
    if step == "close":
        said["decision"] = decide
    if step in LATER:
        said["kind"] = step
    if step == "launch":
        del said["reason"]
    with db().transaction() as session:
        one = _find(session, code)
        if step in ("close", "overrule"):
            said["landing"] = seen_landings(session).get(one.id)
        _operation(step)(
            session, campaign_id=one.id, version=one.version, actor=operator(), now=now(), **said
        )
        return asdict(queries.get_campaign(session, campaign_id=one.id))


@command("count-buyers", say=lambda result: f"{result['days']:,} days lacked buyers, and have them now.")
def count_buyers() -> dict[str, Any]:
    """Hold the buyers of every campaign and day against its signals; whoever is missing is added."""
    with db().reading() as session:
        ids = queries.campaign_ids(session).values()
    line, days = ProgressLine(), 0
    for place, campaign_id in enumerate(sorted(ids)):
        line.count("campaigns", place, len(ids))
        with db().transaction() as session:
            days += operations.count_buyers(session, campaign_id=campaign_id)
    line.close()
    return {"campaigns": len(ids), "days": days}


def _operation(step: str) -> Callable[..., Any]:
    named: dict[str, Callable[..., Any]] = {
        "launch": operations.launch_campaign,
        "extend": operations.extend_campaign,
        "close": operations.close_campaign,
        "overrule": operations.overrule_campaign,
        "cancel": operations.cancel_campaign,
    }
    return named.get(step, operations.advance_campaign)


def _find(session: Session, code: str) -> queries.CampaignFact:
    id_ = queries.campaign_ids(session).get(code)
    if id_ is None:
        raise NotFound("campaign_unknown", f"There is no campaign {code}.", campaign=code)
    return queries.get_campaign(session, campaign_id=id_)


commands = [campaigns, campaign_outlook, campaign_step, count_buyers]
