"""What surrounds every page: navigation by role, language, theme, static files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, g, request
from flask_babel import LazyString, get_locale, lazy_gettext

from app.core.access import Actor, Role
from app.entrypoints.door import db, today
from app.entrypoints.web import words
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
    Entry(PLANNING, "tower.index", lazy_gettext("Control tower"), "layout-dashboard", BUYERS),
    Entry(PLANNING, "campaigns.index", lazy_gettext("Campaigns"), "speakerphone", BUYERS),
    Entry(PLANNING, "demand.index", lazy_gettext("Demand"), "filter", BUYERS),
    Entry(PLANNING, "forecasts.index", lazy_gettext("Forecasts"), "chart-area-line", BUYERS),
    Entry(PLANNING, "plan.index", lazy_gettext("Plan"), "route-2", BUYERS),
    Entry(PLANNING, "confirmations.index", lazy_gettext("Confirmations"), "clipboard-check", BUYERS, "counters"),
    Entry(PLANNING, "alerts.index", lazy_gettext("Alerts"), "bell", BUYERS, "alerts"),
    Entry(COMPANY, "supplier.index", lazy_gettext("To answer"), "checklist", SUPPLIERS, "lines"),
    Entry(COMPANY, "supplier.promised", lazy_gettext("Promised"), "checks", SUPPLIERS),
    Entry(LOGISTICS, "warehouse.index", lazy_gettext("Inbound"), "truck-delivery", PLANNERS),
    Entry(LOGISTICS, "warehouse.atp", lazy_gettext("Available to promise"), "package", PLANNERS),
    Entry(DATA, "imports.index", lazy_gettext("Imports"), "file-import", BUYERS),
    Entry(SYSTEM, "administrator.accounts", lazy_gettext("Accounts"), "users", ()),
    Entry(SYSTEM, "administrator.jobs", lazy_gettext("Jobs"), "progress", ()),
    Entry(SYSTEM, "administrator.limits", lazy_gettext("Concentration limits"), "scale", ()),
    Entry(SYSTEM, "administrator.audit", lazy_gettext("Audit log"), "history", ()),
)
HOME = {
    Role.MERCHANDISER: "tower.index",
    Role.SUPPLIER: "supplier.index",
    Role.WAREHOUSE_PLANNER: "warehouse.index",
    Role.ADMINISTRATOR: "tower.index",
}


def entries(actor: Actor) -> list[Entry]:
    """What this person may open, in the order of the menu."""
    if actor.role is Role.ADMINISTRATOR:
        return [entry for entry in NAVIGATION if entry.roles != SUPPLIERS]
    return [entry for entry in NAVIGATION if actor.role in entry.roles]


def counts(actor: Actor) -> dict[str, int]:
    """The figures beside the menu's entries."""
    with db().reading() as session:
        states = {} if actor.role is Role.WAREHOUSE_PLANNER else confirmation.count_lines(session, actor=actor)
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


def surroundings() -> dict[str, Any]:
    """What every template may use."""
    actor: Actor | None = g.get("actor")
    shown = actor is not None and not by_htmx()
    return {
        "actor": actor,
        "Role": Role,
        "menu": entries(actor) if actor and shown else [],
        "menu_counts": counts(actor) if actor and shown else {},
        "home": HOME[actor.role] if actor else "auth.sign_in",
        "lang": TAGS.get(str(get_locale()), "en"),
        "chinese": speaks_chinese(),
        "theme": theme(),
        "today": today(),
        "words": words,
    }


def register(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.context_processor(surroundings)
    app.jinja_env.globals.update(icon=icon, vendored=vendored, sparkline=sparkline, meter=meter)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
