"""The command that turns the planning cycle."""

from __future__ import annotations

import datetime as dt
from typing import Any

import click
from sqlalchemy.orm import Session

from app import cycle
from app.cycle import CycleFact
from app.entrypoints.cli.output import ProgressLine, command
from app.entrypoints.door import config, db, operator, services, today
from app.stages.alerts import queries as alerts
from app.stages.allocation import queries as plans
from app.stages.catalog import queries as catalog
from app.stages.demand import queries as demand

THRESHOLD_PERCENT = 40
LISTED = 5
OLD_AFTER = dt.timedelta(weeks=8)
UNASKED = "  It is not of the latest week reached: nobody was asked. A week to come is planned anew then."


def _summary(result: dict[str, Any]) -> str:
    """The plan in a dozen lines, for people."""
    counts = result["alerts_by_kind"]
    listed = ", ".join(f"{kind} {count}" for kind, count in counts.items()) or "none"
    text = [
        *([f"Warning: {result['warning']}"] if result["warning"] else []),
        f"Plan {result['allocation_run_id']} as of {result['as_of']}",
        f"  demand        {result['demand_units']:>14,} units in {result['series']:,} forecast series",
        f"  planned       {result['planned_units']:>14,} units from suppliers; stock covers the rest",
        f"  unmet         {result['unmet_units']:>14,} units",
        f"  cost          {result['plan_cost']:>14} {result['currency']}",
        f"  lower bound   {result['bound']:>14} {result['currency']} (gap {result['gap']:.2%})",
        f"  asked         {result['asked_lines']:>14,} lines of production plans",
        *([] if result["holds"] else [UNASKED]),
        f"  shares above {THRESHOLD_PERCENT} %: {result['shares_above']:,}",
        *(f"    {line}" for line in result["top_shares"]),
        f"  open alerts: {result['alerts']:,} ({listed})",
        *(f"    {line}" for line in result["top_alerts"]),
        "  seconds: " + ", ".join(f"{phase} {spent:.1f}" for phase, spent in result["seconds"].items()),
    ]
    return "\n".join(text)


@command("run-cycle", say=_summary)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Plan as of this day (YYYY-MM-DD); today when not given.",
)
def run_cycle(as_of: dt.datetime | None) -> dict[str, Any]:
    """Turn the cycle once: forecast, allocate, ask suppliers, raise alerts."""
    day = today() if as_of is None else as_of.date()
    with db().reading() as session:
        warning = _old_data(session, day)
    if warning:
        click.echo(warning, err=True)
    line = ProgressLine()
    try:
        fact = cycle.run_cycle(
            db(), config=config(), as_of=day, actor=operator(), now=services().clock, progress=line
        )
    finally:
        line.close()
    with db().reading() as session:
        return {**fact.as_dict(), "warning": warning, **_details(session, fact)}


def _old_data(session: Session, day: dt.date) -> str | None:
    """A sentence when the newest order is long before the day planned for, as in a historic file."""
    newest = demand.latest_day(session)
    if newest is None or day - newest <= OLD_AFTER:
        return None
    return (
        f"The latest order is of {newest}, long before {day}: nothing recent to forecast from. "
        f"For a historic file, plan as of its last week: --as-of {newest}"
    )


def _details(session: Session, fact: CycleFact) -> dict[str, Any]:
    run_id, names = fact.allocation_run_id, catalog.names(session)
    above = plans.shares(session, run_id=run_id, base="units", above=THRESHOLD_PERCENT)
    return {
        "plan_cost": plans.money_text(fact.plan_cost_minor, currency=fact.currency),
        "bound": plans.money_text(fact.bound_minor, currency=fact.currency),
        "shares_above": len(above),
        "top_shares": [
            f"{share.scope} {share.scope_key}: {names.suppliers[share.supplier_id].code} {share.share:.1%} "
            f"of {share.scope_amount:,} units"
            for share in above[:LISTED]
        ],
        "alerts_by_kind": alerts.count_open_by_kind(session),
        "top_alerts": [
            f"{alert.cause} ({alert.weight:,.0f} units)"
            for alert in alerts.open_alerts(session, limit=LISTED)
        ],
    }


commands = [run_cycle]
