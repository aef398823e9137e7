"""Codes → words: every state and reason that a person can meet. What is refused has its own in `refusals`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask_babel import gettext
from flask_babel import lazy_gettext as _

Tone = str
Labels = Mapping[str, tuple[object, Tone]]

ROLES = {
    "merchandiser": _("Merchandiser"),
    "supplier": _("Supplier"),
    "warehouse_planner": _("Warehouse planner"),
    "administrator": _("Administrator"),
}
LINE_STATES: Labels = {
    "asked": (_("To answer"), "info"),
    "confirmed": (_("Confirmed"), "success"),
    "countered": (_("Counter-offer"), "warning"),
    "declined": (_("Declined"), "danger"),
    "expired": (_("Expired"), "danger"),
    "withdrawn": (_("Withdrawn"), "secondary"),
}
CAMPAIGN_STATES: Labels = {
    "draft": (_("Draft"), "secondary"),
    "open": (_("Open"), "info"),
    "reached": (_("Reached"), "success"),
    "missed": (_("Missed"), "danger"),
    "cancelled": (_("Cancelled"), "secondary"),
    "in_production": (_("In production"), "info"),
    "shipping": (_("Shipping"), "info"),
    "closed": (_("Closed"), "secondary"),
}
ROUND_STATES: Labels = {"open": (_("Open"), "info"), "closed": (_("Closed"), "secondary")}
DECISIONS = {
    "launch": _("Launched"),
    "extend": _("Extended"),
    "go": _("Goes"),
    "no_go": _("Does not go"),
    "cancel": _("Cancelled"),
    "produce": _("Put into production"),
    "ship": _("Shipped"),
    "finish": _("Finished"),
}
NEXT_STEPS = {
    "draft": _("Check and launch it"),
    "open": _("Watch it, extend it or close it"),
    "reached": _("Ask for balances, then produce"),
    "missed": _("Return deposits, then finish"),
    "in_production": _("Remind of balances, then ship"),
    "shipping": _("Finish when all is delivered"),
    "cancelled": _("Return deposits, then finish"),
    "closed": _("Nothing to do"),
}
JOB_STATES: Labels = {
    "queued": (_("Waiting"), "secondary"),
    "running": (_("Running"), "info"),
    "done": (_("Done"), "success"),
    "failed": (_("Failed"), "danger"),
    "cancelled": (_("Stopped"), "warning"),
}
JOB_NAMES = {
    "run-cycle": _("Planning cycle"),
    "explain-plan": _("Explaining the plan"),
    "run-scenario": _("Planning a scenario"),
    "preview-counter": _("Planning with a counter-offer"),
    "pull-channel": _("Pulling a channel"),
    "import-upload": _("Importing a file"),
    "erase-buyer": _("Forgetting a buyer"),
}
CHANNEL_STATES: Labels = {
    "receiving": (_("Receiving"), "success"),
    "waiting": (_("Nothing came yet"), "info"),
    "silent": (_("Silent"), "warning"),
    "failing": (_("Failing"), "danger"),
    "files": (_("By files"), "secondary"),
    "off": (_("Not connected"), "secondary"),
}
SCHEMES = {"standard": _("Standard Webhooks"), "shopify": _("Shopify's webhooks")}
EVENT_KINDS = {"pull": _("Pulled page"), "ignored": _("Not read by the mapping")}
PHASES = {
    "unpacking": _("Putting the parts together"),
    "importing": _("Rows read"),
    "erasing": _("Signals forgotten"),
    "pull": _("Pages taken"),
    "pull-wait": _("Waiting for the source"),
    "forecast": _("Forecasting"),
    "forecasting": _("Forecasting"),
    "landings": _("Drawing landings"),
    "allocate": _("Finding the best plan"),
    "plan": _("Issuing production plans"),
    "alerts": _("Looking for alerts"),
    "explain": _("Planning again to find out"),
    "scenario": _("Finding the best plan"),
    "counter": _("Planning again to find out"),
}
IMPORT_STATES: Labels = {
    "importing": (_("Importing"), "info"),
    "stopping": (_("Stopping"), "warning"),
    "stopped": (_("Stopped"), "warning"),
    "absorbed": (_("Imported"), "success"),
}
RUN_STATES: Labels = {
    "optimal": (_("Optimal"), "success"),
    "feasible": (_("Within the gap"), "info"),
    "ended": (_("Best found, above the gap"), "warning"),
}
REASONS = {
    "duplicate": _("Duplicates"),
    "cancelled": _("Cancelled"),
    "returned": _("Returned"),
    "test": _("Test orders"),
    "not_goods": _("Not goods"),
    "unpriced": _("Without a price"),
    "over_limit": _("Over the buyer's limit"),
    "suspected": _("Suspected bots or brushing"),
    "over_cap": _("Over the campaign's cap"),
    "superseded": _("Replaced by a graver commitment"),
    "unpaid": _("Unpaid past due"),
    "interest": _("Interest, no order yet"),
}
COMMITMENTS = {
    "paid": _("Paid order"),
    "deposit": _("Deposit"),
    "pledge": _("Pledge"),
    "waitlist": _("Waitlist"),
    "vote": _("Vote"),
    "wish_list": _("Wish list"),
    "enquiry": _("Enquiry"),
}
REFUNDS = {
    "not_made": _("To return for units not made"),
    "overpaid": _("Paid above the price reached"),
    "replaced": _("Deposits that a paid order replaced"),
}
PARTS = {
    "campaign": _("Campaign"),
    "sku": _("SKU"),
    "region": _("Region"),
    "channel": _("Channel"),
    "day": _("Day"),
}
SUSPICIONS = {
    "velocity": _("Faster than a person"),
    "few_accounts": _("A burst of few accounts"),
    "strangers": _("A burst of strangers in one region"),
    "regular": _("Pledges on a beat"),
    "shared_devices": _("Accounts of many homes that share devices or payments"),
    "shared_address": _("Unknown accounts that share an address"),
    "new_accounts": _("Accounts made in one go, long before they pledged"),
    "alike": _("Accounts that share, and are neither as old nor as well known as people are"),
}
UNMET = {
    "no_offer": _("Nobody offers it, or every offer was declined"),
    "no_lane": _("No way from its suppliers to the region"),
    "lead_time": _("Would arrive after the planning horizon"),
    "min_sources": _("Fewer suppliers offer it than must share it"),
    "capacity": _("Suppliers, docks or storage are full"),
    "material": _("A material runs out"),
    "lane": _("The lane is full"),
    "moq": _("Too few units for the smallest lot"),
    "share_cap": _("A hard concentration limit leaves no supplier"),
    "cost": _("Making it costs more than going without"),
}
COST_PARTS = {
    "purchase": _("Purchase"),
    "award": _("Awarding suppliers"),
    "order": _("Fixed order cost"),
    "freight": _("Freight"),
    "holding": _("Holding"),
    "late": _("Lateness (priced)"),
    "short": _("Shortage (priced)"),
    "risk": _("Supplier risk (priced)"),
    "share": _("Concentration (priced)"),
    "churn": _("Changes to the last plan (priced)"),
}
RULES = {
    "capacity": _("Weekly capacity"),
    "horizon_capacity": _("Capacity over the horizon"),
    "week_capacity": _("Weekly capacity for the SKU"),
    "inbound": _("Inbound dock"),
    "storage": _("Storage"),
    "throughput": _("Throughput"),
    "material": _("Material"),
    "lane_capacity": _("Lane"),
    "share_cap": _("Concentration limit"),
    "moq": _("MOQ"),
    "max": _("Largest quantity"),
    "lot": _("Lot multiple"),
}
DECIDED = {
    "price": _("its price decides"),
    "freight": _("freight decides"),
    "lead": _("its lead time decides"),
    "capacity": _("nobody else has the capacity"),
    "risk": _("supplier risk decides"),
    "share_cap": _("the concentration limit decides"),
    "fixed_cost": _("fixed order costs decide"),
    "churn": _("changing the last plan would cost more"),
    "min_sources": _("so many suppliers must share it"),
    "only_source": _("nobody else makes it"),
    "nothing": _("others could make it at the same cost"),
    "unknown": _("no other plan was found to compare with"),
}
HELD = {"price": _("more would cost more than the others do"), "demand": _("it makes all of it")}
SCOPES = {"sku": _("SKU"), "category": _("Category"), "material": _("Material"), "plan": _("Plan")}
BASES = {"units": _("Units"), "spend": _("Spend"), "capacity": _("Capacity")}
ALERT_KINDS: Labels = {
    "concentration": (_("Concentration"), "warning"),
    "unmet_demand": (_("Unmet demand"), "danger"),
    "answer_overdue": (_("Answer overdue"), "warning"),
    "declined": (_("Declined"), "danger"),
    "campaign_at_risk": (_("Campaign at risk"), "warning"),
    "balance_due": (_("Balance due"), "warning"),
    "channel_silent": (_("Channel silent"), "warning"),
}
ANSWERS = {
    "confirm": _("Confirmed as asked"),
    "counter": _("Changed"),
    "decline": _("Declined"),
    "accept": _("Counter-offer accepted"),
    "refuse": _("Counter-offer refused"),
    "expire": _("Ran out"),
    "withdraw": _("Withdrawn"),
}
METHODS = {
    "theta": _("Theta"),
    "ets": _("exponential smoothing"),
    "mapa": _("coarser periods"),
    "ar": _("autoregression"),
    "ses": _("slow mean"),
    "known": _("what is known ahead"),
    "levels": _("made to add up"),
    "damped-trend": _("Exponential smoothing with a damped trend"),
    "imapa": _("Coarser periods"),
    "tsb": _("TSB, for demand that comes and goes"),
    "mean-sparse": _("Mean, too few sales for more"),
    "mean-short": _("Mean, too short a history for more"),
    "mean-fallback": _("Mean, the model did not fit"),
    "zero": _("No demand"),
}
"""The parts of a method, which is their mean."""
EVIDENCE = {
    "status": _("Status"),
    "buyer_units": _("Units of the buyer"),
    "per_buyer_limit": _("Limit per buyer"),
    "cap_units": _("Cap in units"),
    "limit": _("Limit per buyer"),
    "cancels": _("Cancels"),
    "price": _("Price"),
    "unit_price_minor": _("Price"),
    "quantity": _("Quantity"),
    "external_id": _("Order"),
    "sku": _("SKU"),
    "column": _("Column"),
    "note": _("Note"),
    "rule": _("Rule"),
    "score": _("Score"),
    "window_start": _("From"),
    "seconds": _("Seconds"),
    "pledges": _("Pledges"),
    "buyers": _("Buyers"),
    "devices": _("Devices"),
    "addresses": _("Addresses"),
    "payments": _("Payments"),
    "expected_pledges": _("Honest pledges expected"),
}
MAPPINGS = {"headwater": _("Headwater's own columns")}


def label(table: Mapping[str, object], code: object) -> str:
    """The words for a code; an unknown code is shown as it is."""
    key = str(code)
    found = table.get(key)
    return str(found) if found is not None else key.replace("_", " ")


def state(table: Labels, code: object) -> tuple[str, Tone]:
    found = table.get(str(code))
    return (str(found[0]), found[1]) if found else (str(code).replace("_", " "), "secondary")


def phase(text: str) -> str:
    """The step a job is in; `allocate: pricing` is told as its first part."""
    return label(PHASES, text.partition(":")[0].strip())


def method(name: str) -> str:
    """How a series was forecast: theta+ets-s52 is the mean of two, freed of a season of 52 periods."""
    season = re.search(r"-s([0-9]+)", name)
    parts = re.sub(r"-s[0-9]+", "", name).split("+")
    said = " + ".join(label(METHODS, part) for part in parts)
    said = said[:1].upper() + said[1:]
    if not season:
        return said
    return gettext("%(method)s, season of %(length)s", method=said, length=season.group(1))


def author(name: str) -> str:
    """Who did it: a person, or one of our rules."""
    if name.startswith("rule:"):
        return gettext("Automatic rule")
    return gettext("Import") if name == "system" else name


def role(code: object) -> str:
    return label(ROLES, code)
