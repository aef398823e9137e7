"""The audit log in words: what was done, by whom, and with which figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from app.entrypoints.door import config
from app.entrypoints.web import show, words

ACTIONS = {
    "account.closed": _("Account closed"),
    "account.created": _("Account created"),
    "account.opened": _("Account opened again"),
    "account.password_changed": _("Own password changed"),
    "account.password_reset": _("Password set by an administrator"),
    "campaign.cancelled": _("Campaign cancelled"),
    "campaign.closed": _("Campaign closed for good"),
    "campaign.drafted": _("Campaign drafted"),
    "campaign.edited": _("Campaign draft edited"),
    "campaign.extended": _("Campaign extended"),
    "campaign.in_production": _("Campaign put into production"),
    "campaign.launched": _("Campaign launched"),
    "campaign.missed": _("Campaign missed its go line"),
    "campaign.reached": _("Campaign reached its go line"),
    "design.made": _("Design made"),
    "campaign.shipping": _("Campaign shipping"),
    "cluster.confirmed": _("Suspects excluded"),
    "cluster.dismissed": _("Suspects let count"),
    "cluster.reopened": _("Word on suspects taken back"),
    "exclusion.undone": _("Exclusion undone"),
    "forecast.overridden": _("Forecast overridden"),
    "forecast.override_withdrawn": _("Override withdrawn"),
    "forecast.stored": _("Forecast stored"),
    "import.stopped": _("Import stopped"),
    "limit.set": _("Concentration limit set"),
    "line.asked": _("Line asked again"),
    "line.confirmed": _("Line confirmed"),
    "line.countered": _("Line changed by the supplier"),
    "line.declined": _("Line declined"),
    "line.expired": _("Line ran out unanswered"),
    "line.received": _("Goods received"),
    "line.withdrawn": _("Line withdrawn"),
    "network.imported": _("Network imported"),
    "plan.stored": _("Plan stored"),
    "pledge.corrected": _("Pledge corrected"),
    "pledge.correction_refused": _("Correction refused in the fill phase"),
    "plans.issued": _("Production plans issued"),
    "refusal.decided": _("Way out of a clash taken"),
    "refusal.taken_back": _("Way out of a clash taken back"),
    "round.closed": _("Vote round closed"),
    "round.opened": _("Vote round opened"),
    "signal.excluded": _("Signal excluded"),
    "stock.declared": _("Stock declared"),
    "tolerance.applied": _("Tolerance used"),
    "tolerance.undone": _("Tolerance taken back"),
    "token.created": _("Access token created"),
    "token.revoked": _("Access token revoked"),
}
FIELDS = {
    **words.EVIDENCE,
    "as_of": _("As of"),
    "asked": _("Asked"),
    "ballots": _("Ballots"),
    "bom": _("BOM"),
    "calendar": _("Calendar"),
    "channel": _("Channel"),
    "closes_at": _("Closes"),
    "buyers": _("Buyers"),
    "cost_minor": _("Plan cost"),
    "created": _("New"),
    "days": _("Days"),
    "currency": _("Currency"),
    "designs": _("Designs"),
    "email": _("E-mail"),
    "expected_units": _("Expected at launch"),
    "fill": _("Number"),
    "fingerprint": _("Fingerprint"),
    "gained_units": _("Units gained"),
    "go_factor_percent": _("Go factor in percent"),
    "go_units": _("Go line"),
    "hard": _("Hard"),
    "kept": _("Left as they are"),
    "label": _("Label"),
    "lanes": _("Lanes"),
    "lines": _("Lines"),
    "made_as": _("Made as"),
    "penalty_minor": _("Price per unit above"),
    "plan_digest": _("Fingerprint of the plan"),
    "price_breaks": _("Price breaks"),
    "problem_digest": _("Fingerprint of the inputs"),
    "promised": _("Promised"),
    "reason": _("Reason"),
    "reference": _("Delivery note"),
    "region_id": _("Region number"),
    "regions": _("Regions"),
    "role": _("Role"),
    "rule_goes": _("Go by the rule"),
    "series": _("Series"),
    "sku_id": _("SKU number"),
    "skus": _("SKUs"),
    "suppliers": _("Suppliers"),
    "supplier_id": _("Supplier number"),
    "supply_offers": _("Supply offers"),
    "threshold_percent": _("Threshold in percent"),
    "units": _("Units"),
    "unmet_units": _("Unmet units"),
    "updated": _("Changed"),
    "valid_units": _("Valid units"),
    "version": _("Version"),
    "voters": _("Voters"),
    "week": _("Week of"),
    "warehouses": _("Warehouses"),
    "warehouse_id": _("Warehouse number"),
}
VALUES = {"reason": words.REASONS, "role": words.ROLES, "rule": words.SUSPICIONS}
NETWORK = frozenset(
    [
        "bom",
        "calendar",
        "lanes",
        "price_breaks",
        "regions",
        "skus",
        "suppliers",
        "supply_offers",
        "warehouses",
    ]
)
DIGEST = re.compile(r"[0-9a-f]{64}")
SHOWN = 12
"""Figures of a digest that are shown; the whole one stays in the log."""


def told(data: Mapping[str, Any]) -> str:
    """What an entry of the audit log or the evidence of an exclusion holds, as “name: value” pairs."""
    return " · ".join(f"{words.label(FIELDS, key)}: {_value(key, value)}" for key, value in data.items())


def _value(key: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return _changes(value) if key in NETWORK else ", ".join(_value(key, one) for one in value)
    if isinstance(value, int):
        return show.money(value, config().currency) if key.endswith("_minor") else show.units(value)
    text = words.label(VALUES[key], value) if key in VALUES else str(value)
    return f"{text[:SHOWN]}…" if DIGEST.fullmatch(text) else text


def _changes(counts: list[int]) -> str:
    """Rows of a network table: new, changed, removed; those without rows are left out."""
    kinds = (gettext("new"), gettext("changed"), gettext("removed"))
    parts = [f"{show.units(count)} {kind}" for count, kind in zip(counts, kinds, strict=False) if count]
    return ", ".join(parts) or "0"


def actor(name: str) -> str:
    """Who did it: a person, one of our rules, or the service itself."""
    if name.startswith("rule:"):
        return gettext("Automatic rule")
    return gettext("The service") if name == "system" else name


def register(app: Flask) -> None:
    app.jinja_env.globals.update(evidence=told, audit_actor=actor, audit_actions=ACTIONS)
