"""The command that shows and sets what plans are made with."""

from __future__ import annotations

from typing import Any

import click

from app.entrypoints.cli.output import command
from app.entrypoints.door import db, now, operator
from app.stages.allocation import operations, queries


@command("plan-settings")
@click.option(
    "--service", "levels", multiple=True, help="CLASS=PERCENT of a SKU class A, B or C; CLASS=mean."
)
@click.option(
    "--charge", type=int, help="Minor units of money for a unit of the last plan that changes; 0: none."
)
def plan_settings(levels: tuple[str, ...], charge: int | None) -> dict[str, Any]:
    """Show what plans are made with, or set it from the next plan on."""
    with db().transaction() as session:
        found = queries.plan_settings(session)
        service = dict(found.service or {})
        for text in levels:
            name, _, percent = text.partition("=")
            if percent == "mean":
                service.pop(name, None)
            elif percent.isascii() and percent.isdigit():
                service[name] = int(percent)
            else:
                raise click.BadParameter(
                    f"write CLASS=PERCENT, such as A=95, not {text}", param_hint="--service"
                )
        churn = found.churn_minor if charge is None else charge or None
        if levels or charge is not None:
            operations.set_policy(session, service=service, churn_minor=churn, actor=operator(), now=now())
        return {"service": service, "charge_minor": churn}


commands = [plan_settings]
