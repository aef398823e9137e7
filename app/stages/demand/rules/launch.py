"""What must be in order before a campaign is launched: every failed check at once, with what to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.stages.demand.rules.campaigns import deposit_allowed
from app.stages.demand.rules.terms import CampaignTerms, Failure

FURTHEST = 104
"""Weeks after the close within which an earliest week is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A supplier's offer for one variant, and the weeks until its goods are in a region, the fastest way.

    `weekly` are units a week of this SKU, `supplier_weekly` of all the supplier's; None: as many as wanted.
    """

    sku: str
    supplier: str
    weeks: int
    moq: int
    weekly: int | None
    supplier_weekly: int | None


def failures(
    terms: CampaignTerms,
    sources: Sequence[Source],
    *,
    unsold: Sequence[str] = (),
    deposit_cap_percent: int,
    now: dt.datetime,
) -> list[Failure]:
    """Every check that fails, in the order of the form; none when the campaign may be launched.

    `unsold` are the variants that are retired or no goods.
    """
    found = [*_variants(terms, sources, unsold), *_dates(terms, now), *_prices(terms)]
    found += [*_deposit(terms, deposit_cap_percent), *_limits(terms)]
    return found + due_week_failures(terms, sources)


def due_week_failures(terms: CampaignTerms, sources: Sequence[Source]) -> list[Failure]:
    """Whether the suppliers together can have the go line in a region by the due week."""
    able = [source for source in sources if source.sku in terms.skus]
    if not terms.skus or {source.sku for source in able} != set(terms.skus):
        return []  # a variant nobody offers is told by itself
    earliest = earliest_week(able, skus=terms.skus, units=terms.go_units, closes_on=terms.closes_at.date())
    if earliest is None:
        capacity = "the weekly capacity of its suppliers"
        sentence = f"In two years {capacity} does not make the {terms.go_units} units of the go line."
        advice = " Expect fewer units, or find another supplier."
        return [Failure("capacity_missing", sentence + advice, "expected_units", {"units": terms.go_units})]
    if earliest > terms.due_week:
        sentence = f"No supplier can have the goods there in the week of {terms.due_week}; "
        advice = f"the earliest week is that of {earliest}. Choose it or a later one, or close earlier."
        data = {"due_week": terms.due_week.isoformat(), "earliest": earliest.isoformat()}
        return [Failure("due_week_unreachable", sentence + advice, "due_week", data)]
    return []


def earliest_week(
    sources: Sequence[Source], *, skus: Sequence[str], units: int, closes_on: dt.date
) -> dt.date | None:
    """The first week by which every variant can be there, and `units` of them together.

    Suppliers begin in the week of the close; None when it takes longer than two years.
    """
    begins = closes_on - dt.timedelta(days=closes_on.weekday())
    for weeks in range(FURTHEST + 1):
        there = {source.sku for source in sources if source.weeks <= weeks}
        if there == set(skus) and _capacity(sources, weeks=weeks) >= units:
            return begins + dt.timedelta(weeks=weeks)
    return None


def _capacity(sources: Sequence[Source], *, weeks: int) -> float:
    """Units that all suppliers together can have there so many weeks after the close."""
    total = 0.0
    for supplier in sorted({source.supplier for source in sources}):
        theirs = [one for one in sources if one.supplier == supplier and one.weeks <= weeks]
        made = sum(_times(one.weekly, weeks - one.weeks + 1) for one in theirs)
        longest = max((weeks - one.weeks + 1 for one in theirs), default=0)
        whole = _times(theirs[0].supplier_weekly, longest) if theirs else 0
        total += min(made, whole)
    return total


def _times(weekly: int | None, weeks: int) -> float:
    return float("inf") if weekly is None else weekly * weeks


def _variants(terms: CampaignTerms, sources: Sequence[Source], unsold: Sequence[str]) -> Iterator[Failure]:
    if not terms.skus:
        yield Failure("variants_missing", "Name at least one SKU that is sold.", "skus")
    if unsold:
        listed = ", ".join(unsold)
        yield Failure(
            "variant_not_sold",
            f"Retired, or no goods: {listed}. Take it out of the campaign.",
            "skus",
            {"skus": listed},
        )
    offered = {source.sku for source in sources}
    alone = [sku for sku in terms.skus if sku not in offered and sku not in unsold]
    if alone:
        listed = ", ".join(alone)
        yield Failure(
            "variant_without_offer",
            f"Nobody offers {listed}, or there is no way from its supplier to a region. "
            "Add a supply offer or a lane, or take it out of the campaign.",
            "skus",
            {"skus": listed},
        )
    smallest = [min(one.moq for one in sources if one.sku == sku) for sku in terms.skus if sku in offered]
    if sum(smallest) > terms.go_units:
        yield Failure(
            "moq_above_go_line",
            f"The smallest orders of its suppliers add up to {sum(smallest)} units, more than the go line of "
            f"{terms.go_units}. Expect more units, or offer fewer variants.",
            "expected_units",
            {"moq": sum(smallest), "units": terms.go_units},
        )


def _dates(terms: CampaignTerms, now: dt.datetime) -> Iterator[Failure]:
    if terms.closes_at <= now:
        yield Failure("close_passed", "The close has passed already. Choose a later one.", "closes_at")
    if terms.due_week + dt.timedelta(days=6) < terms.closes_at.date():
        yield Failure(
            "due_before_close", "The due week is over before the close. Choose a later week.", "due_week"
        )
    fill = terms.fill_starts_at
    if fill is not None and not terms.opens_at <= fill < terms.closes_at:
        yield Failure(
            "fill_outside_window",
            "The fill phase begins between the opening and the close. Choose a time between them.",
            "fill_starts_at",
        )
    if terms.late_until is None:
        return
    if terms.late_until <= terms.closes_at:
        yield Failure(
            "late_before_close", "The late window ends after the close. Choose a later end.", "late_until"
        )
    if terms.cap_units is None:
        yield Failure(
            "late_without_cap",
            "Late pledges are taken from what is left of the cap. Set a cap, or leave out the late window.",
            "cap_units",
        )


def _prices(terms: CampaignTerms) -> Iterator[Failure]:
    tiers = sorted(terms.tiers)
    if not tiers or tiers[0].min_units != 0:
        yield Failure("tier_missing", "The first tier is the price from 0 units on. Add it.", "tiers")
    if any(later.unit_price_minor >= former.unit_price_minor for former, later in pairwise(tiers)):
        yield Failure(
            "tier_not_falling",
            "The price falls from tier to tier. Lower the price of the later tiers, or leave them out.",
            "tiers",
        )
    prices = [one.unit_price_minor for one in terms.limited]
    if any(later <= former for former, later in pairwise(prices)):
        yield Failure(
            "limited_not_rising",
            "The first units are the cheapest: limited prices rise from one to the next.",
            "limited",
        )
    if tiers and prices and max(prices) >= tiers[0].unit_price_minor:
        yield Failure(
            "limited_not_cheaper", "A limited price is lower than the price from 0 units on.", "limited"
        )


def _deposit(terms: CampaignTerms, cap_percent: int) -> Iterator[Failure]:
    prices = [tier.unit_price_minor for tier in terms.tiers]
    prices += [one.unit_price_minor for one in terms.limited]
    deposit, balance = terms.deposit_minor, terms.balance_due_at
    if deposit is not None and prices:
        lowest = min(prices)
        if not deposit_allowed(deposit_minor=deposit, lowest_price_minor=lowest, cap_percent=cap_percent):
            most = cap_percent * lowest // 100
            yield Failure(
                "deposit_too_high",
                f"A deposit is at most {cap_percent} % of the lowest price. Ask for a smaller one.",
                "deposit",
                {"percent": cap_percent, "most_minor": most},
            )
    if deposit is not None and balance is None:
        yield Failure(
            "balance_date_missing", "With a deposit, say when the balance is due.", "balance_due_at"
        )
    if balance is not None and balance <= terms.closes_at:
        yield Failure(
            "balance_before_close",
            "The balance is due after the close, when the price is known. Choose a later date.",
            "balance_due_at",
        )
    if balance is not None and balance.date() > terms.due_week + dt.timedelta(days=6):
        yield Failure(
            "balance_after_due",
            "The balance is due before the goods are there. Choose a date up to the due week.",
            "balance_due_at",
        )
    due = terms.deposit_due_at
    if due is not None and deposit is None:
        yield Failure(
            "deposit_missing", "There is a date for the deposit, but no deposit. Set both or none.", "deposit"
        )
    if due is not None and not terms.opens_at < due <= (balance or due):
        yield Failure(
            "deposit_date_order",
            "The deposit is due after the opening and not after the balance. Choose a date between them.",
            "deposit_due_at",
        )


def _limits(terms: CampaignTerms) -> Iterator[Failure]:
    if terms.cap_units is None:
        return
    if terms.cap_units < terms.go_units:
        yield Failure(
            "cap_below_go_line",
            f"With a cap of {terms.cap_units} units the go line of {terms.go_units} can't be reached. "
            "Raise the cap, or expect fewer units.",
            "cap_units",
            {"cap": terms.cap_units, "units": terms.go_units},
        )
    limited = sum(one.units for one in terms.limited)
    if limited > terms.cap_units:
        yield Failure(
            "limited_above_cap",
            "There are more units at limited prices than the cap allows. Lower them, or raise the cap.",
            "limited",
        )
