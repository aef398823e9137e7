"""Why a signal does not count, as sentences: the stages keep evidence, the words are made here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from babel.dates import format_timedelta
from flask import Flask
from flask_babel import get_locale, gettext, ngettext

from app.entrypoints.web import show, trail, words

Evidence = Mapping[str, Any]


def why(evidence: Evidence, reason: str = "suspected") -> str:
    """One sentence; evidence of a kind nobody knows is told as it is."""
    tell = SUSPICIONS.get(str(evidence.get("rule"))) or REASONS.get(reason)
    try:
        return tell(evidence) if tell else trail.told(evidence)
    except KeyError:  # kept by an older version, with other figures
        return trail.told(evidence)


def _figures(evidence: Evidence) -> dict[str, str]:
    return {
        "moment": show.short_moment(dt.datetime.fromisoformat(evidence["window_start"])),
        "time": _span(evidence["seconds"]),
        "accounts": ngettext("%(num)s account", "%(num)s accounts", evidence["buyers"]),
        "pledges": ngettext("%(num)s pledge", "%(num)s pledges", evidence["pledges"]),
        "expected": show.units(evidence["expected_pledges"])
        if evidence["expected_pledges"] >= 1
        else gettext("less than one"),
    }


def _span(seconds: int) -> str:
    return str(format_timedelta(dt.timedelta(seconds=max(1, seconds)), threshold=2, locale=get_locale()))


def _velocity(evidence: Evidence) -> str:
    if evidence["buyers"] > 1:
        text = gettext(
            "From %(moment)s one device or payment made %(pledges)s within %(time)s, for %(accounts)s; "
            "a person makes %(expected)s at most.",
            **_figures(evidence),
        )
    else:
        text = gettext(
            "From %(moment)s one account made %(pledges)s within %(time)s; a person makes %(expected)s at "
            "most.",
            **_figures(evidence),
        )
    return text


def _few_accounts(evidence: Evidence) -> str:
    return gettext(
        "From %(moment)s %(accounts)s made %(pledges)s within %(time)s, again and again; people would have "
        "made %(expected)s.",
        **_figures(evidence),
    )


def _strangers(evidence: Evidence) -> str:
    return gettext(
        "From %(moment)s %(pledges)s of one region came within %(time)s, by %(accounts)s that came at no "
        "other time; %(expected)s were to be expected.",
        **_figures(evidence),
    )


def _regular(evidence: Evidence) -> str:
    return gettext(
        "From %(moment)s %(pledges)s by %(accounts)s came at equal distances for %(time)s; by chance "
        "%(expected)s would.",
        **_figures(evidence),
    )


def _shared_devices(evidence: Evidence) -> str:
    return gettext(
        "%(accounts)s with %(pledges)s share devices or payments (%(devices)s devices, %(payments)s "
        "payments) between %(addresses)s addresses, from %(moment)s on.",
        devices=show.units(evidence.get("devices", 0)),
        payments=show.units(evidence.get("payments", 0)),
        addresses=show.units(evidence.get("addresses", 0)),
        **_figures(evidence),
    )


def _shared_address(evidence: Evidence) -> str:
    return gettext(
        "%(accounts)s with %(pledges)s share one address from %(moment)s on, and hardly any of them is known "
        "from another campaign.",
        **_figures(evidence),
    )


def _new_accounts(evidence: Evidence) -> str:
    return gettext(
        "%(accounts)s with %(pledges)s from %(moment)s on were made one after the other, long before; of "
        "those made then people's would be %(expected)s.",
        **_figures(evidence),
    )


def _alike(evidence: Evidence) -> str:
    return gettext(
        "%(accounts)s with %(pledges)s share devices, payments or an address (%(devices)s devices, "
        "%(payments)s payments, %(addresses)s addresses) from %(moment)s on. Going by how old and how well "
        "known all are who share like this, people's pledges among them would be %(expected)s.",
        devices=show.units(evidence.get("devices", 0)),
        payments=show.units(evidence.get("payments", 0)),
        addresses=show.units(evidence.get("addresses", 0)),
        **_figures(evidence),
    )


def _superseded(evidence: Evidence) -> str:
    return gettext(
        "The same buyer committed more gravely afterwards: %(commitment)s %(order)s.",
        commitment=words.label(words.COMMITMENTS, evidence["commitment"]).lower(),
        order=evidence["replaced_by"],
    )


def _unpaid(evidence: Evidence) -> str:
    moment = show.short_moment(dt.datetime.fromisoformat(evidence["due_at"]))
    if evidence["owes"] == "deposit":
        return gettext("The deposit was due on %(moment)s and is not paid.", moment=moment)
    return gettext("The balance was due on %(moment)s and is not paid.", moment=moment)


def _over_limit(evidence: Evidence) -> str:
    return ngettext(
        "One buyer may have %(num)s unit of this campaign.",
        "One buyer may have %(num)s units of this campaign.",
        evidence["per_buyer_limit"],
    )


def _over_cap(evidence: Evidence) -> str:
    return ngettext(
        "This campaign takes %(num)s unit at most.",
        "This campaign takes %(num)s units at most.",
        evidence["cap_units"],
    )


def _received(sentence: Callable[[], str]) -> Callable[[Evidence], str]:
    """Of what the channel told when the signal was received: nothing needs a figure."""

    def tell(evidence: Evidence) -> str:
        evidence["status"], evidence["sku"]
        return sentence()

    return tell


SUSPICIONS: dict[str, Callable[[Evidence], str]] = {
    "velocity": _velocity,
    "few_accounts": _few_accounts,
    "strangers": _strangers,
    "regular": _regular,
    "shared_devices": _shared_devices,
    "shared_address": _shared_address,
    "new_accounts": _new_accounts,
    "alike": _alike,
}
REASONS: dict[str, Callable[[Evidence], str]] = {
    "superseded": _superseded,
    "unpaid": _unpaid,
    "over_limit": _over_limit,
    "over_cap": _over_cap,
    "test": _received(lambda: gettext("The channel marks it as a test.")),
    "cancelled": _received(lambda: gettext("The channel says it was cancelled.")),
    "not_goods": _received(lambda: gettext("Postage, a fee or the like: nothing to make.")),
    "unpriced": _received(lambda: gettext("It has no price, so nobody was asked to pay.")),
}


def register(app: Flask) -> None:
    app.jinja_env.globals.update(why=why)
