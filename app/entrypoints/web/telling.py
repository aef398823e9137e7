"""Alerts as sentences: the stages keep numbers, the words are made here for whoever reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, url_for
from flask_babel import gettext, ngettext

from app.entrypoints.web import show, words
from app.stages.alerts.queries import AlertFact
from app.stages.catalog.queries import Name, Names

Data = Mapping[str, Any]


def alert_sentence(alert: AlertFact, names: Names) -> str:
    """What is wrong, with its numbers."""
    tell = TELLERS.get(alert.kind)
    return tell(alert.data, names) if tell else words.label(words.ALERT_KINDS, alert.kind)


def _concentration(data: Data, names: Names) -> str:
    return gettext(
        "%(supplier)s makes %(share)s of the %(base)s of %(scope)s; the limit is %(threshold)s",
        supplier=_named(names.suppliers, data["supplier"]),
        share=show.percent(data["share"]),
        base=words.label(words.BASES, data["base"]).lower(),
        scope=_scope(data, names),
        threshold=show.percent(data["threshold"], 0),
    )


def _scope(data: Data, names: Names) -> str:
    if data["scope"] == "plan":
        return gettext("the whole plan")
    if data["scope"] == "sku":
        return _named(names.skus, data["scope_key"])
    return str(data["scope_key"])


def _unmet(data: Data, names: Names) -> str:
    reasons: dict[str, int] = data["reasons"]
    main = max(reasons, key=lambda code: reasons[code], default="cost")
    return gettext(
        "%(units)s units of %(sku)s are not planned: %(reason)s",
        units=show.units(data["units"]),
        sku=_named(names.skus, data["sku"]),
        reason=_running(words.label(words.UNMET, main)),
    )


def _running(words_: str) -> str:
    """Words that stand alone elsewhere, inside a sentence."""
    return words_[:1].lower() + words_[1:]


def _overdue(data: Data, names: Names) -> str:
    return ngettext(
        "%(supplier)s let %(lines)s line with %(units)s units run out unanswered",
        "%(supplier)s let %(lines)s lines with %(units)s units run out unanswered",
        data["lines"],
        supplier=_named(names.suppliers, data["supplier"]),
        lines=show.units(data["lines"]),
        units=show.units(data["units"]),
    )


def _declined(data: Data, names: Names) -> str:
    return ngettext(
        "%(supplier)s declined %(lines)s line with %(units)s units",
        "%(supplier)s declined %(lines)s lines with %(units)s units",
        data["lines"],
        supplier=_named(names.suppliers, data["supplier"]),
        lines=show.units(data["lines"]),
        units=show.units(data["units"]),
    )


def _campaign(data: Data, names: Names) -> str:
    return gettext(
        "%(campaign)s lands at %(projected)s units; the chance to reach its go line of %(go)s is %(chance)s",
        campaign=data["campaign"],
        projected=show.units(data["projected_units"]),
        go=show.units(data["go_units"]),
        chance=show.percent(data.get("chance"), 0),
    )


def _balance(data: Data, names: Names) -> str:
    figures = {
        "buyers": show.units(data["buyers"]),
        "units": show.units(data["units"]),
        "campaign": data["campaign"],
        "moment": show.short_moment(dt.datetime.fromisoformat(data["due_at"])),
    }
    if data["overdue"]:
        return gettext(
            "%(buyers)s buyers have not paid the balance of %(campaign)s for %(units)s units, "
            "due on %(moment)s",
            **figures,
        )
    return gettext(
        "The balance of %(campaign)s is due on %(moment)s: remind %(buyers)s buyers with %(units)s units",
        **figures,
    )


def _silence(data: Data, names: Names) -> str:
    return gettext(
        "%(channel)s has sent nothing since %(moment)s; its longest usual pause is %(usual)s",
        channel=data["channel"],
        moment=show.short_moment(dt.datetime.fromisoformat(data["last_at"])),
        usual=show.lapse(data["usual_seconds"]),
    )


TELLERS: dict[str, Callable[[Data, Names], str]] = {
    "concentration": _concentration,
    "unmet_demand": _unmet,
    "answer_overdue": _overdue,
    "declined": _declined,
    "campaign_at_risk": _campaign,
    "balance_due": _balance,
    "channel_silent": _silence,
}


def alert_hint(alert: AlertFact) -> str:
    """What else helps to decide."""
    data = alert.data
    if alert.kind != "concentration":
        return ""
    figures = gettext(
        "HHI %(hhi)s · %(effective)s effective of %(eligible)s eligible suppliers",
        hhi=f"{data['hhi']:.3f}",
        effective=f"{data['effective_suppliers']:.1f}",
        eligible=data["eligible_suppliers"],
    )
    if data.get("demand_share") is not None and data["demand_share"] != data["share"]:
        part = gettext("%(share)s of demand", share=show.percent(data["demand_share"]))
        figures = f"{figures} · {part}"
    if data["can_hold"]:
        return figures
    lowest = show.percent(data["lowest_reachable_share"])
    return figures + " · " + gettext("the limit cannot hold: at best %(share)s", share=lowest)


def alert_link(alert: AlertFact) -> str:
    """Where it can be mended."""
    if alert.kind in ("declined", "answer_overdue"):
        state = "declined" if alert.kind == "declined" else "expired"
        return url_for("web.confirmations.index", state=state)
    if alert.kind == "channel_silent":
        return url_for("web.channels.one", channel=alert.data["channel"])
    if alert.kind in ("campaign_at_risk", "balance_due"):
        one = alert.data.get("campaign_id")  # alerts of older versions do not say it
        return url_for("web.campaigns.one", campaign_id=one) if one else url_for("web.campaigns.index")
    return url_for("web.plan.index") + ("#unmet" if alert.kind == "unmet_demand" else "#lean")


def _named(table: Mapping[int, Name], code: str) -> str:
    return next((show.name(name) for name in table.values() if name.code == code), code)


def register(app: Flask) -> None:
    app.jinja_env.globals.update(alert_sentence=alert_sentence, alert_hint=alert_hint, alert_link=alert_link)
