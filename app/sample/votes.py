"""Votes on designs: one round before a pre-sale that is over, and one that is open."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from app.sample.buyers import BuyerPool, Ints, region_mix
from app.sample.campaigns import Campaign
from app.sample.facts import DATA, Brand

OPENS_HOUR, CLOSES_HOUR = 10, 22
SECOND_THOUGHTS = 0.05
"""Share of voters who choose again later."""
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Round:
    """`fact` is its table in `data/votes.toml`; `campaign` the pre-sale that followed, if any."""

    fact: dict[str, Any]
    opens: date
    closes: date
    campaign: Campaign | None


def rounds(listed: list[Campaign], *, as_of: date) -> list[Round]:
    """All vote rounds as dated from `as_of`: one that closed before its campaign opened, and an open one."""
    facts = tomllib.loads((DATA / "votes.toml").read_text(encoding="utf-8"))["round"]
    by_slug = {campaign.fact.slug: campaign for campaign in listed}
    return [_round(fact, by_slug.get(fact.get("campaign", "")), as_of) for fact in facts]


def _round(fact: dict[str, Any], campaign: Campaign | None, as_of: date) -> Round:
    if campaign is None:
        closes = as_of + timedelta(days=fact["closes_in"])
    else:
        closes = campaign.opens - timedelta(days=fact["before"])
    return Round(fact, closes - timedelta(days=fact["window"]), closes, campaign)


def round_table(brand: Brand, listed: list[Round]) -> pl.DataFrame:
    """One row for each round and design, in the columns of `rounds.csv`; `skus` of a design that was made."""
    return pl.DataFrame(
        [
            {
                "round": one.fact["code"],
                "name": one.fact["name"],
                "name_zh": one.fact["name_zh"],
                "opens_at": f"{one.opens}T{OPENS_HOUR}:00:00+08:00",
                "closes_at": f"{one.closes}T{CLOSES_HOUR}:00:00+08:00",
                "design": design["code"],
                "design_name": design["name"],
                "design_name_zh": design["name_zh"],
                "category": one.fact["category"],
                "skus": " ".join(brand.skus[sku].code for sku in brand.skus_of(design.get("style", ""))),
            }
            for one in listed
            for design in one.fact["design"]
        ]
    )


def round_ballots(
    brand: Brand,
    one: Round,
    *,
    pledges: pl.DataFrame,
    as_of: date,
    pool: BuyerPool,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Ballots before `as_of` in order of time: round, buyer, design, cast_at, verified.

    Of those who voted for what was made, some pledged for it: they are drawn from `pledges`.
    """
    designs = one.fact["design"]
    parts = np.array([design["part"] for design in designs])
    choice = rng.choice(len(designs), size=one.fact["voters"], p=parts / parts.sum())
    buyers = _buyers(brand, one, choice, pledges, pool, rng)
    opens = (one.opens - EPOCH).days * 86_400 + OPENS_HOUR * 3600
    seconds = (one.closes - one.opens).days * 86_400 + (CLOSES_HOUR - OPENS_HOUR) * 3600
    at = opens + np.floor(seconds * rng.beta(0.8, 1.1, size=len(choice))).astype(np.int64)
    verified = rng.random(len(choice)) >= one.fact["unverified"]
    again = rng.random(len(choice)) < SECOND_THOUGHTS
    first = pl.DataFrame({"at": at, "buyer": buyers, "choice": choice, "verified": verified})
    # Who has second thoughts had chosen another design before.
    earlier = first.filter(pl.Series(again)).with_columns(
        at=opens + (pl.col("at") - opens) // 2, choice=(pl.col("choice") + 1) % len(designs)
    )
    codes = pl.Series([design["code"] for design in designs])
    until = (as_of - EPOCH).days * 86_400
    told = pl.concat([first, earlier]).filter(pl.col("at") < until).sort("at", "buyer")
    return told.select(
        pl.lit(one.fact["code"]).alias("round"),
        (pl.lit("u") + pl.col("buyer").cast(pl.String)).alias("buyer"),
        codes.gather(told["choice"]).alias("design"),
        pl.from_epoch("at").dt.strftime("%Y-%m-%dT%H:%M:%S+08:00").alias("cast_at"),
        pl.when("verified").then(pl.lit("yes")).otherwise(pl.lit("no")).alias("verified"),
    )


def _buyers(
    brand: Brand,
    one: Round,
    choice: Ints,
    pledges: pl.DataFrame,
    pool: BuyerPool,
    rng: np.random.Generator,
) -> Ints:
    region = rng.choice(len(brand.regions), size=len(choice), p=region_mix(brand).mean(axis=0))
    buyers = pool.draw(region, rng)
    made = [place for place, design in enumerate(one.fact["design"]) if "style" in design]
    if one.campaign is None or not made:
        return buyers
    honest = pledges.filter((pl.col("campaign") == one.campaign.code) & (pl.col("truth") == "honest"))
    pledged = honest["buyer"].unique(maintain_order=True).to_numpy()
    for_it = np.flatnonzero(choice == made[0])
    count = min(round(one.fact["ordered"] * len(for_it)), len(pledged))
    buyers[for_it[:count]] = rng.choice(pledged, size=count, replace=False)
    return buyers
