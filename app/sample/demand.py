"""Spot demand: order rates by SKU and day, and the orders drawn from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from app.sample.buyers import WEEKDAYS, BuyerPool, Floats, Ints, region_mix, seconds_of_day
from app.sample.facts import Brand
from app.sample.festivals import Festival, discounts, lifts
from app.sample.flaws import spot_status

ORDER_ROWS = 142_000
AHEAD_DAYS = 56
GROWTH = 0.22  # a year, compounded
WEEK_NOISE = 0.13
# Units of a bulk order, and its part of the price.
BULK = (6, 8, 10, 12, 20, 30, 40)
BULK_PRICE = 0.92
# From this lift on, a part of the day's orders comes in the first hour after midnight.
RUSH_LIFT = 4.0
RUSH_SHARE = 0.25


@dataclass(frozen=True)
class SpotDemand:
    """`rates`: orders expected, shape (SKU, day), from `first`; the last 56 days lie after the history."""

    first: date
    history_days: int
    rates: Floats
    units_per_order: Floats

    @property
    def weekly_units_ahead(self) -> Floats:
        """Shape (SKU,): units a week expected over the 8 weeks after the history."""
        return self.rates[:, self.history_days :].mean(axis=1) * 7 * self.units_per_order


def spot_demand(brand: Brand, *, as_of: date, known: list[Festival], rng: np.random.Generator) -> SpotDemand:
    """Season × trend × weekday × festivals × weekly noise, scaled to `ORDER_ROWS` over the history."""
    first = history_start(as_of)
    history = (as_of - first).days
    days = history + AHEAD_DAYS
    time = np.arange(days)
    weekday = WEEKDAYS[(first.weekday() + time) % 7]
    day_factor = weekday * lifts(first, days, known) * np.exp(np.log1p(GROWTH) * time / 365.25)
    rates = _popularity(brand)[:, None] * _season(brand, first, days) * day_factor * _noise(brand, days, rng)
    rates *= ORDER_ROWS / rates[:, :history].sum()
    return SpotDemand(first, history, rates, _units_per_order(brand))


def history_start(as_of: date) -> date:
    """The same day of the month 18 months back (the 28th, where `as_of` lies behind it)."""
    month = as_of.month - 18
    year, month = as_of.year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, 1) + timedelta(days=min(as_of.day, 28) - 1)


def spot_orders(
    brand: Brand, demand: SpotDemand, *, known: list[Festival], pool: BuyerPool, rng: np.random.Generator
) -> pl.DataFrame:
    """Signals of the history, unsorted, one row an order; columns as in `app.sample.text.SIGNAL`."""
    history = demand.rates[:, : demand.history_days]
    counts = rng.poisson(history)
    sku, day = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices(counts.shape))
    region = _regions_of(brand, sku, rng)
    quantity, bulk = _quantities(brand, sku, rng)
    status, truth = spot_status(len(sku), rng)
    price = _prices(brand, demand, sku, day, bulk, known=known, rng=rng)
    return pl.DataFrame(
        {
            "at": _moments(demand, day, lifts(demand.first, demand.history_days, known), rng),
            "commitment": pl.Series(["paid"]).new_from_index(0, len(sku)),
            "sku": pl.Series([sku.code for sku in brand.skus]).gather(sku),
            "region": pl.Series([region.code for region in brand.regions]).gather(region),
            "quantity": quantity,
            "price": np.where(truth == "unpriced", 0, price),
            "buyer": pool.draw(region, rng),
            "campaign": pl.Series([""]).new_from_index(0, len(sku)),
            "status": status,
            "truth": truth,
        }
    )


def _popularity(brand: Brand) -> Floats:
    totals = {style.code: sum(s.weight for s in brand.skus if s.style is style) for style in brand.styles}
    return np.array([s.style.popularity * s.weight / totals[s.style.code] for s in brand.skus])


def _season(brand: Brand, first: date, days: int) -> Floats:
    """Shape (SKU, day): a yearly wave around 1, wide for sandals and down, flat for sneakers."""
    day_of_year = first.timetuple().tm_yday + np.arange(days)
    peak = np.array([sku.style.season_peak for sku in brand.skus])[:, None]
    strength = np.array([sku.style.season_strength for sku in brand.skus])[:, None]
    wave = np.exp(strength * np.cos(2 * np.pi * (day_of_year - peak) / 365.25))
    return wave / np.i0(strength)


def _noise(brand: Brand, days: int, rng: np.random.Generator) -> Floats:
    """Shape (SKU, day): a slow AR(1) by week, so that a good month stays good for a while."""
    weeks = days // 7 + 1
    shocks = rng.normal(0, WEEK_NOISE, size=(len(brand.skus), weeks))
    level = np.zeros_like(shocks)
    for week in range(1, weeks):
        level[:, week] = 0.75 * level[:, week - 1] + shocks[:, week]
    return np.exp(np.repeat(level, 7, axis=1)[:, :days])


def _units_per_order(brand: Brand) -> Floats:
    return np.array(
        [
            (1 - category.bulk) * np.dot(category.quantity, np.arange(1, len(category.quantity) + 1))
            + category.bulk * np.mean(BULK)
            for category in (brand.categories[sku.style.category] for sku in brand.skus)
        ]
    )


def _quantities(brand: Brand, sku: Ints, rng: np.random.Generator) -> tuple[Ints, np.ndarray]:
    """Units of each order, and which orders are bulk (company gifts, group leaders)."""
    quantity = np.ones(len(sku), dtype=np.int64)
    bulk = np.zeros(len(sku), dtype=bool)
    categories = np.array([s.style.category for s in brand.skus])[sku]
    for name, category in brand.categories.items():
        rows = np.flatnonzero(categories == name)
        quantity[rows] = 1 + rng.choice(len(category.quantity), size=len(rows), p=category.quantity)
        bulk[rows] = rng.random(len(rows)) < category.bulk
    quantity[bulk] = rng.choice(BULK, size=int(bulk.sum()))
    return quantity, bulk


def _regions_of(brand: Brand, sku: Ints, rng: np.random.Generator) -> Ints:
    """A region for each order, by the mix of its SKU: one uniform number in the cumulative mix."""
    cumulative = np.cumsum(region_mix(brand), axis=1)
    # Rows offset by their SKU's position make one sorted line, so that a single search serves every SKU.
    line = (cumulative / cumulative[:, -1:] + np.arange(len(brand.skus))[:, None]).ravel()
    found = np.searchsorted(line, sku + rng.random(len(sku)), side="right")
    return np.minimum(found - sku * len(brand.regions), len(brand.regions) - 1)


def _prices(
    brand: Brand,
    demand: SpotDemand,
    sku: Ints,
    day: Ints,
    bulk: np.ndarray,
    *,
    known: list[Festival],
    rng: np.random.Generator,
) -> Ints:
    """Minor units: the list price less the day's promotion, a coupon for some, a rebate for bulk."""
    listed = np.array([s.price for s in brand.skus])[sku] * 100.0
    listed *= 1 - discounts(demand.first, demand.history_days, known)[day]
    listed *= np.where(rng.random(len(sku)) < 0.08, 0.95, 1.0) * np.where(bulk, BULK_PRICE, 1.0)
    return np.rint(listed).astype(np.int64)


def _moments(demand: SpotDemand, day: Ints, lift: Floats, rng: np.random.Generator) -> Ints:
    """Seconds since 1970 on the wall clock of China; festivals' first hour is a rush."""
    seconds = seconds_of_day(len(day), rng)
    rush = (lift[day] >= RUSH_LIFT) & (rng.random(len(day)) < RUSH_SHARE)
    seconds[rush] %= 3600
    return ((demand.first - date(1970, 1, 1)).days + day) * 86_400 + seconds
