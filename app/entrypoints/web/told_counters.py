"""What a counter-offer would do to the plan, as a table of words: as asked, if accepted, if refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext

from app.core.jobs import JobFact
from app.entrypoints.web import explained, refusals, show
from app.stages.catalog.queries import Names
from app.stages.confirmation.queries import LineFact, PreviewFact
from app.stages.demand.queries import CampaignFact

Row = Mapping[str, Any]
COLUMNS = ("asked", "accept", "refuse")


def diff(
    line: LineFact,
    found: PreviewFact | None,
    job: JobFact | None,
    *,
    names: Names,
    campaigns: Sequence[CampaignFact],
) -> dict[str, Any]:
    """The table and what moves; or that it is being found out, failed, or was not asked for."""
    if found is None:
        current = job is not None and job.arguments.get("version") == line.version
        waiting = current and job is not None and job.running
        failed = refusals.why_failed(job) if current and job is not None and job.state == "failed" else ""
        return {"rows": [], "waiting": waiting, "failed": failed}
    told = found.result
    columns = [told[name] for name in COLUMNS]
    return {
        "rows": [
            _row(gettext("Plan cost"), columns, lambda one: one["cost_minor"], _money(told["currency"])),
            _row(gettext("Unmet units"), columns, lambda one: one["unmet"], show.units),
            _row(gettext("Units delivered late"), columns, lambda one: one["late"], show.units),
            *_suppliers(columns, names),
        ],
        "waiting": False,
        "moves": [
            (gettext("Accepting moves"), _moves(told, "accept", names)),
            (gettext("Refusing moves"), _moves(told, "refuse", names)),
        ],
        "campaigns": _hit(line, told, campaigns),
    }


def _money(currency: str) -> Any:
    return lambda minor: show.money_short(minor, currency)


def _row(name: str, columns: Sequence[Any], value: Any, text: Any) -> dict[str, Any]:
    """One figure in every column, with its change against what was asked; less is better."""
    cells = []
    asked = columns[0]
    for one in columns:
        if one is None:
            cells.append({"text": gettext("no plan found"), "change": ""})
            continue
        change = 0 if asked is None else value(one) - value(asked)
        sign = "+" if change > 0 else "−"
        told = sign + text(abs(change)) if change else ""
        cells.append({"text": text(value(one)), "change": told, "worse": change > 0})
    return {"name": name, "cells": cells}


def _suppliers(columns: Sequence[Any], names: Names) -> list[dict[str, Any]]:
    """Units of the SKU by supplier, with their share of it."""
    codes = sorted({code for one in columns if one for code in one["suppliers"]})
    rows = []
    for code in codes:
        cells = []
        for one in columns:
            total = sum(one["suppliers"].values()) if one else 0
            units = one["suppliers"].get(code, 0) if one else 0
            share = show.percent(units / total, 0) if total else "–"
            cells.append({"text": f"{show.units(units)} · {share}" if one else "–", "change": ""})
        rows.append({"name": explained.named(names.suppliers, code), "cells": cells})
    return rows


def _moves(told: Row, column: str, names: Names) -> list[str]:
    return [
        gettext(
            "%(supplier)s, week of %(week)s: %(before)s → %(after)s",
            supplier=explained.named(names.suppliers, one["supplier"]),
            week=show.week(dt.date.fromisoformat(one["week"])),
            before=show.units(one["before"]),
            after=show.units(one["after"]),
        )
        + ("" if one["sku"] == told["sku"] else f" · {explained.named(names.skus, one['sku'])}")
        for one in told["moves"][column]
    ]


def _hit(line: LineFact, told: Row, campaigns: Sequence[CampaignFact]) -> str:
    """Campaigns that sell the SKU, when taking the counter-offer makes more of it late or unmet."""
    asked, accept = told["asked"], told["accept"]
    if not asked or not accept:
        return ""
    if accept["weeks_late"] <= asked["weeks_late"] and accept["unmet"] <= asked["unmet"]:
        return ""
    return ", ".join(show.name(one) for one in campaigns if line.sku_id in one.sku_ids)
