"""The pledges of every pre-sale: honest ones along the curve, resellers over the limit, and bots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from app.sample.buyers import SECONDS_AN_ACCOUNT, BuyerPool, Floats, Ints, new_accounts, region_mix
from app.sample.campaigns import Campaign
from app.sample.curves import CLOSES_HOUR, OPENS_HOUR, cumulative_curve, moments
from app.sample.facts import Brand

QUANTITY = (0.86, 0.14)  # probability that a pledge asks for 1, 2 units
CANCELLED = 0.045
RESELLERS = 5
NEW_BUYERS = 0.08  # share of honest pledges from accounts opened for the pre-sale
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class _Draft:
    """Pledges of one kind before they are written out; arrays of one length."""

    at: Ints
    region: Ints
    quantity: Ints
    buyer: Ints
    kind: str


def campaign_pledges(
    brand: Brand, campaign: Campaign, *, as_of: date, pool: BuyerPool, rng: np.random.Generator
) -> pl.DataFrame:
    """Every pledge of one campaign until its close, in order of time; columns `app.sample.text.SIGNAL`.

    Pledges on or after `as_of` are in it too: they decide where the campaign lands; the caller cuts them off.
    """
    curve = cumulative_curve(
        campaign.fact.window,
        opens_weekday=campaign.opens.weekday(),
        live_stream=campaign.fact.live_stream,
        rng=rng,
    )
    mix = region_mix(brand)[list(campaign.skus)].mean(axis=0)
    drafts = [
        _along_curve(campaign, curve, target_units(campaign, curve, as_of), mix, pool, rng),
        *(_reseller(campaign, start, mix, pool, rng) for start in moments(curve, RESELLERS, rng).tolist()),
        *(_burst(campaign, as_of, mix, rng) for _ in range(campaign.fact.bots)),
    ]
    return _judge(campaign, pl.concat([_frame(brand, campaign, draft, rng) for draft in drafts]))


def target_units(campaign: Campaign, curve: Floats, as_of: date) -> int:
    """Units to land at: fixed by the facts, or such that the units at `as_of` are what the facts say."""
    fact = campaign.fact
    if fact.final_to_go:
        return round(fact.final_to_go * campaign.go_units)
    hours = (as_of - campaign.opens).days * 24 - OPENS_HOUR
    return round(fact.now_to_go * campaign.go_units / curve[hours])


def _along_curve(
    campaign: Campaign, curve: Floats, units: int, mix: Floats, pool: BuyerPool, rng: np.random.Generator
) -> _Draft:
    """Enough pledges for `units` to stay after cancellations."""
    mean = np.dot(QUANTITY, [1, 2]) * (1 - CANCELLED)
    count = round(units / mean)
    region = rng.choice(len(mix), size=count, p=mix)
    at = _start(campaign) + moments(curve, count, rng)
    opened = at - rng.integers(60, 86_400, size=count)
    return _Draft(
        at=at,
        region=region,
        quantity=1 + rng.choice(2, size=count, p=QUANTITY),
        buyer=np.where(rng.random(count) < NEW_BUYERS, new_accounts(opened), pool.draw(region, rng)),
        kind="honest",
    )


def _reseller(
    campaign: Campaign, start: int, mix: Floats, pool: BuyerPool, rng: np.random.Generator
) -> _Draft:
    """One buyer who pledges the limit again and again within two days."""
    count = int(rng.integers(3, 7))
    region = np.full(count, rng.choice(len(mix), p=mix))
    at = _start(campaign) + start + np.sort(rng.integers(0, 2 * 86_400, size=count))
    return _Draft(
        at=np.minimum(at, _close(campaign)),
        region=region,
        quantity=np.full(count, campaign.fact.limit),
        buyer=np.full(count, pool.draw(region[:1], rng)[0]),
        kind="honest",
    )


def _burst(campaign: Campaign, as_of: date, mix: Floats, rng: np.random.Generator) -> _Draft:
    """Many pledges from a few accounts opened one after the other, within minutes, from one region."""
    accounts = int(rng.integers(3, 8))
    units = campaign.fact.expected * rng.uniform(0.025, 0.055)
    count = max(18, round(units / ((1 + campaign.fact.limit) / 2)))
    seen = (min(as_of, campaign.closes) - campaign.opens).days * 86_400 - 86_400
    start = _start(campaign) + int(rng.uniform(0.02, 0.97) * seen)
    opened = start - int(rng.integers(600, 7200)) + SECONDS_AN_ACCOUNT * np.arange(accounts)
    return _Draft(
        at=start + np.sort(rng.integers(0, int(rng.integers(150, 720)), size=count)),
        region=np.full(count, rng.choice(len(mix), p=mix)),
        quantity=rng.integers(1, campaign.fact.limit + 1, size=count),
        buyer=new_accounts(opened)[rng.integers(0, accounts, size=count)],
        kind="bot",
    )


def _start(campaign: Campaign) -> int:
    return (campaign.opens - EPOCH).days * 86_400 + OPENS_HOUR * 3600


def _close(campaign: Campaign) -> int:
    """The last second in which a pledge is taken."""
    return (campaign.closes - EPOCH).days * 86_400 + CLOSES_HOUR * 3600 - 1


def _frame(brand: Brand, campaign: Campaign, draft: _Draft, rng: np.random.Generator) -> pl.DataFrame:
    count = len(draft.at)
    weight = np.array([brand.skus[sku].weight for sku in campaign.skus])
    variant = rng.choice(len(campaign.skus), size=count, p=weight / weight.sum())
    deposit = rng.random(count) < campaign.fact.deposit
    cancelled = (rng.random(count) < CANCELLED) & (draft.kind == "honest")
    return pl.DataFrame(
        {
            "at": draft.at,
            "commitment": np.where(deposit, "deposit", "pledge"),
            "sku": pl.Series([brand.skus[sku].code for sku in campaign.skus]).gather(variant),
            "region": pl.Series([region.code for region in brand.regions]).gather(draft.region),
            "quantity": draft.quantity,
            "buyer": draft.buyer,
            "campaign": [campaign.code] * count,
            "status": np.where(cancelled, "cancelled", ""),
            "truth": np.where(cancelled, "cancelled", draft.kind),
        }
    )


def _judge(campaign: Campaign, pledges: pl.DataFrame) -> pl.DataFrame:
    """Mark what is over the per-buyer limit, and price each pledge by the tier reached before it.

    A pledge is over the limit when it takes its buyer's running total, in order of time and without cancelled
    pledges, above the limit; the whole pledge is then marked.
    """
    counted = pl.col("truth") == "honest"
    units = pl.col("quantity") * counted
    over = counted & (units.cum_sum().over("buyer") > campaign.fact.limit)
    judged = pledges.sort("at", maintain_order=True).with_columns(
        truth=pl.when(over).then(pl.lit("over_limit")).otherwise("truth")
    )
    reached = judged.select(units.cum_sum() - units).to_series().to_numpy()
    steps, prices = (np.array(column) for column in zip(*campaign.tiers, strict=True))
    price = prices[np.searchsorted(steps, reached, side="right") - 1]
    return judged.with_columns(price=pl.Series(price))
