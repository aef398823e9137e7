"""What surrounds every page: navigation by role, language, theme, static files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Blueprint, Flask, g, request
from flask_babel import LazyString, get_locale, lazy_gettext
from flask_login import current_user

from app.core.access import Actor, Role
from app.entrypoints.door import config, db, today
from app.entrypoints.web import refusals, words
from app.entrypoints.web.drawings import meter, sparkline
from app.entrypoints.web.icons import icon, vendored
from app.entrypoints.web.language import TAGS, speaks_chinese
from app.entrypoints.web.replies import by_htmx
from app.stages.alerts import queries as alerts
from app.stages.confirmation import queries as confirmation

A_YEAR = 365 * 24 * 3600
THEMES = ("light", "dark")
BUYERS = (Role.MERCHANDISER,)
PLANNERS = (Role.WAREHOUSE_PLANNER,)
SUPPLIERS = (Role.SUPPLIER,)


class StaticBlueprint(Blueprint):
    """Vendored files have their version in the path and never change; our own are asked for again."""

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        return A_YEAR if filename and filename.startswith("vendor/") else None


blueprint = StaticBlueprint(
    "web", __name__, static_folder="static", static_url_path="/assets", template_folder="templates"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the navigation; an administrator sees all but the suppliers' own pages."""

    section: LazyString
    endpoint: str
    title: LazyString
    icon: str
    roles: tuple[Role, ...]
    counts: str = ""


PLANNING = lazy_gettext("Planning")
DATA = lazy_gettext("Data")
LOGISTICS = lazy_gettext("Logistics")
COMPANY = lazy_gettext("Your company")
SYSTEM = lazy_gettext("System")

NAVIGATION = (
    Entry(PLANNING, "web.tower.index", lazy_gettext("Control tower"), "layout-dashboard", BUYERS),
    Entry(PLANNING, "web.campaigns.index", lazy_gettext("Campaigns"), "speakerphone", BUYERS),
    Entry(PLANNING, "web.votes.index", lazy_gettext("Votes"), "list-details", BUYERS),
    Entry(PLANNING, "web.demand.index", lazy_gettext("Demand"), "filter", BUYERS),
    Entry(PLANNING, "web.forecasts.index", lazy_gettext("Forecasts"), "chart-area-line", BUYERS),
    Entry(PLANNING, "web.plan.index", lazy_gettext("Plan"), "route-2", BUYERS),
    Entry(
        PLANNING,
        "web.confirmations.index",
        lazy_gettext("Confirmations"),
        "clipboard-check",
        BUYERS,
        "counters",
    ),
    Entry(PLANNING, "web.alerts.index", lazy_gettext("Alerts"), "bell", BUYERS, "alerts"),
    Entry(COMPANY, "web.supplier.index", lazy_gettext("To answer"), "checklist", SUPPLIERS, "lines"),
    Entry(COMPANY, "web.supplier.promised", lazy_gettext("Promised"), "checks", SUPPLIERS),
    Entry(LOGISTICS, "web.warehouse.index", lazy_gettext("Inbound"), "truck-delivery", PLANNERS),
    Entry(LOGISTICS, "web.warehouse.atp", lazy_gettext("Available to promise"), "package", PLANNERS),
    Entry(DATA, "web.imports.index", lazy_gettext("Imports"), "file-import", BUYERS),
    Entry(DATA, "web.channels.index", lazy_gettext("Channels"), "package-import", BUYERS),
    Entry(SYSTEM, "web.accounts.index", lazy_gettext("Accounts"), "users", ()),
    Entry(SYSTEM, "web.administrator.jobs_list", lazy_gettext("Jobs"), "progress", ()),
    Entry(SYSTEM, "web.administrator.limits", lazy_gettext("Concentration limits"), "scale", ()),
    Entry(SYSTEM, "web.administrator.audit_log", lazy_gettext("Audit log"), "history", ()),
)
HOME = {
    Role.MERCHANDISER: "web.tower.index",
    Role.SUPPLIER: "web.supplier.index",
    Role.WAREHOUSE_PLANNER: "web.warehouse.index",
    Role.ADMINISTRATOR: "web.tower.index",
}


def entries(actor: Actor) -> list[Entry]:
    """What this person may open, in the order of the menu."""
    if actor.role is Role.ADMINISTRATOR:
        return [entry for entry in NAVIGATION if entry.roles != SUPPLIERS]
    return [entry for entry in NAVIGATION if actor.role in entry.roles]


PARTS = {"web.drafts": "web.campaigns", "web.policy": "web.plan", "web.scenarios": "web.plan"}
"""Areas whose pages are under the menu entry of another."""


def place(menu: list[Entry]) -> str | None:
    """The menu's entry that the page of this request belongs to."""
    endpoint = request.endpoint or ""
    names = [entry.endpoint for entry in menu]
    if endpoint in names:
        return endpoint
    area = endpoint.rpartition(".")[0]
    area = PARTS.get(area, area)
    return next((name for name in names if name.rpartition(".")[0] == area), None)


def counts(actor: Actor) -> dict[str, int]:
    """The figures beside the menu's entries."""
    with db().reading() as session:
        states = (
            {} if actor.role is Role.WAREHOUSE_PLANNER else confirmation.count_lines(session, actor=actor)
        )
        buyer = actor.role in (Role.MERCHANDISER, Role.ADMINISTRATOR)
        return {
            "alerts": alerts.count_open(session) if buyer else 0,
            "counters": states.get("countered", 0),
            "lines": states.get("asked", 0),
        }


def theme() -> str | None:
    """The theme this browser chose; None follows the system."""
    chosen = request.cookies.get("theme")
    return chosen if chosen in THEMES else None


def person(actor: Actor | None) -> str:
    """The name of whoever signed in; the audit log knows them by e-mail."""
    if actor and current_user.is_authenticated:
        return str(current_user.account.name)
    return actor.name if actor else ""


def surroundings() -> dict[str, Any]:
    """What every template may use."""
    actor: Actor | None = g.get("actor")
    shown = actor is not None and not by_htmx()
    menu = entries(actor) if actor and shown else []
    return {
        "actor": actor,
        "Role": Role,
        "person": person(actor),
        "menu": menu,
        "here": place(menu),
        "menu_counts": partial(counts, actor) if actor and shown else dict,
        "home": HOME[actor.role] if actor else "web.auth.sign_in",
        "lang": TAGS.get(str(get_locale()), "en"),
        "chinese": speaks_chinese(),
        "theme": theme(),
        "today": today(),
        "currency": config().currency,
        "refusals": refusals,
        "words": words,
    }


def register(app: Flask) -> None:
    app.context_processor(surroundings)
    app.jinja_env.globals.update(icon=icon, vendored=vendored, sparkline=sparkline, meter=meter)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
