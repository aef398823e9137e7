"""Checks of a campaign's terms as sentences, each with what to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _

from app.entrypoints.door import config
from app.entrypoints.web import show

CHECKS = {
    "balance_after_due": _(
        "The balance is due before the goods are there. Choose a date up to the due week."
    ),
    "balance_before_close": _(
        "The balance is due after the close, when the price is known. Choose a later date."
    ),
    "balance_date_missing": _("With a deposit, say when the balance is due."),
    "cap_below_go_line": _(
        "With a cap of %(cap)s units the go line of %(units)s can't be reached. Raise the cap, or "
        "expect fewer."
    ),
    "capacity_missing": _(
        "In two years the suppliers can't make the %(units)s units of the go line. Expect fewer units, or "
        "find another supplier."
    ),
    "close_before_opening": _("A campaign closes after it opens."),
    "close_passed": _("The close has passed already. Choose a later one."),
    "code_invalid": _("A code has 1 to 80 characters, no slash, and begins with no blank."),
    "deposit_date_order": _(
        "The deposit is due after the opening and not after the balance. Choose a date between them."
    ),
    "deposit_invalid": _("A deposit is an amount above 0, or left blank."),
    "deposit_missing": _("There is a date for the deposit, but no deposit. Set both or none."),
    "deposit_too_high": _(
        "A deposit is at most %(percent)s of the lowest price: %(most_minor)s. Ask for a smaller one."
    ),
    "due_before_close": _("The due week is over before the close. Choose a later week."),
    "due_week_invalid": _("A planning week is named by its Monday."),
    "due_week_unreachable": _(
        "No supplier can have the goods there in the week of %(due_week)s; the earliest week is that of "
        "%(earliest)s. Choose it or a later one, or close earlier."
    ),
    "expected_invalid": _("Expect at least one unit, in whole units."),
    "factor_invalid": _("Write a go factor above 0 and below 100, such as 1.2."),
    "fill_outside_window": _(
        "The fill phase begins between the opening and the close. Choose a time between them."
    ),
    "late_before_close": _("The late window ends after the close. Choose a later end."),
    "late_without_cap": _(
        "Late pledges are taken from what is left of the cap. Set a cap, or leave out the late window."
    ),
    "limited_above_cap": _(
        "There are more units at limited prices than the cap allows. Lower them, or raise the cap."
    ),
    "limited_invalid": _("A limited tier is whole units and a price, such as 100: 259.00."),
    "limited_not_cheaper": _("A limited price is lower than the price from 0 units on."),
    "limited_not_rising": _("The first units are the cheapest: limited prices rise from one to the next."),
    "moq_above_go_line": _(
        "The smallest orders of its suppliers add up to %(moq)s units, more than the go line of %(units)s. "
        "Expect more units, or offer fewer variants."
    ),
    "name_invalid": _("A name has 1 to 200 characters."),
    "option_long": _("An option has at most 80 characters."),
    "sku_unknown": _("Nobody described %(skus)s. Check the code, or import the SKU first."),
    "tier_invalid": _("A tier is whole units and a price, such as 300: 279.00."),
    "tier_missing": _("The first tier is the price from 0 units on. Add it."),
    "tier_not_falling": _(
        "The price falls from tier to tier. Lower the price of the later tiers, or leave them out."
    ),
    "tier_twice": _("Two tiers begin at the same units. Leave one out."),
    "units_invalid": _("Write whole units above 0, or leave it blank."),
    "variant_not_sold": _("Retired, or no goods: %(skus)s. Take it out of the campaign."),
    "variant_twice": _("Named twice: %(skus)s. Name each SKU once."),
    "variant_without_offer": _(
        "Nobody offers %(skus)s, or there is no way from its supplier to a region. Add a supply offer or a "
        "lane, or take it out of the campaign."
    ),
    "variants_missing": _("Name at least one SKU that is sold."),
}


def sentence(code: str, otherwise: str, data: Mapping[str, Any]) -> str:
    """What fails and what to do, in the reader's language; `otherwise` where a code is new."""
    found = CHECKS.get(code)
    if found is None:
        return otherwise
    figures = {name: _figure(name, value) for name, value in data.items()}
    return str(found) % figures if figures else str(found)


def _figure(name: str, value: Any) -> str:
    if name in ("due_week", "earliest"):
        return show.week(dt.date.fromisoformat(str(value)))
    if name == "percent":
        return show.percent(value / 100, 0)
    if name.endswith("_minor"):
        return show.money(value, config().currency)
    return show.units(value) if isinstance(value, int) else str(value)


def told(errors: list[dict[str, Any]]) -> dict[str, str]:
    """Field → what is wrong with it, of a refusal's `errors`."""
    wrong: dict[str, str] = {}
    for one in errors:
        data = {key: value for key, value in one.items() if key not in ("field", "code", "sentence", "data")}
        wrong.setdefault(one["field"], sentence(one["code"], one["sentence"], data))
    return wrong
