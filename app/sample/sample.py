"""Puts the sample together and writes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from app.sample.buyers import BuyerPool
from app.sample.campaigns import Campaign, campaign_table, campaigns
from app.sample.demand import history_start, spot_demand, spot_orders
from app.sample.facts import Brand, load_brand
from app.sample.festivals import festivals
from app.sample.flaws import REPEATED_ORDERS, REPEATED_PLEDGES, add_fees, break_rows, repeat_rows
from app.sample.network import network_tables
from app.sample.pledges import campaign_pledges
from app.sample.text import EXPORT, SIGNAL, export_text, truth_of, write_csv
from app.sample.traces import traces
from app.sample.votes import round_ballots, round_table, rounds


@dataclass(frozen=True)
class SampleFiles:
    """Where the sample lies, and what a reader should find in it.

    `network`: folder of the ten template files. `truth`: folder with the answers, for tests, never imported.
    Row counts include repeats and broken rows; `malformed` counts the broken rows of `orders`.
    """

    network: Path
    orders: Path
    pledges: Path
    campaigns: Path
    rounds: Path
    ballots: Path
    truth: Path
    as_of: date
    order_rows: int
    pledge_rows: int
    malformed: int
    order_duplicates: int
    pledge_duplicates: int
    skus: int
    suppliers: int
    supply_offers: int
    warehouses: int
    regions: int
    campaign_count: int
    live_campaigns: int


@dataclass(frozen=True)
class _Sample:
    """All tables before they are written; `orders` and `pledges` are text with `truth` as the last column."""

    network: dict[str, pl.DataFrame]
    orders: pl.DataFrame
    pledges: pl.DataFrame
    campaigns: pl.DataFrame
    landings: pl.DataFrame
    rounds: pl.DataFrame
    ballots: pl.DataFrame


def write_sample(directory: Path, *, seed: int = 20261111, as_of: date) -> SampleFiles:
    """Write the whole sample under `directory` (made if needed; files of an earlier sample are replaced).

    The same seed and `as_of` give the same bytes. Orders and pledges end with the day before `as_of`, counted
    in China's time. Raises ValueError for a year whose lunar holidays are not known.
    """
    sample = _make(load_brand(), as_of=as_of, streams=_streams(seed))
    _write(directory, sample)
    return _summary(directory, sample, as_of)


def _streams(seed: int) -> dict[str, np.random.Generator]:
    """One stream of random numbers for each part, so that a change in one leaves the others as they were."""
    names = ("demand", "buyers", "network", "orders", "flaws", "pledges", "repeats", "votes")
    seeds = np.random.SeedSequence(seed).spawn(len(names))
    return {name: np.random.default_rng(child) for name, child in zip(names, seeds, strict=True)}


def _make(brand: Brand, *, as_of: date, streams: dict[str, np.random.Generator]) -> _Sample:
    known = festivals(history_start(as_of), as_of + timedelta(days=365))
    demand = spot_demand(brand, as_of=as_of, known=known, rng=streams["demand"])
    pool = BuyerPool(brand, streams["buyers"])
    listed = campaigns(brand, as_of=as_of)
    full = pl.concat(
        campaign_pledges(brand, one, as_of=as_of, pool=pool, rng=streams["pledges"]).select(SIGNAL)
        for one in listed
    )
    voted = rounds(listed, as_of=as_of)
    orders = spot_orders(brand, demand, known=known, pool=pool, rng=streams["orders"])
    return _Sample(
        network=network_tables(
            brand, weekly_units=demand.weekly_units_ahead, known=known, rng=streams["network"]
        ),
        orders=_order_export(orders.select(SIGNAL), as_of=as_of, rng=streams["flaws"]),
        pledges=_pledge_export(full, as_of=as_of, rng=streams["repeats"]),
        campaigns=campaign_table(brand, listed),
        landings=_landings(listed, full, as_of),
        rounds=round_table(brand, voted),
        ballots=pl.concat(
            round_ballots(brand, one, pledges=full, as_of=as_of, pool=pool, rng=streams["votes"])
            for one in voted
        ),
    )


def _order_export(orders: pl.DataFrame, *, as_of: date, rng: np.random.Generator) -> pl.DataFrame:
    text = export_text(add_fees(orders, rng), prefix="SO")
    return break_rows(repeat_rows(text, REPEATED_ORDERS, rng), as_of=as_of, rng=rng)


def _pledge_export(full: pl.DataFrame, *, as_of: date, rng: np.random.Generator) -> pl.DataFrame:
    return repeat_rows(export_text(_seen(full, as_of), prefix="PL"), REPEATED_PLEDGES, rng)


def _seen(full: pl.DataFrame, as_of: date) -> pl.DataFrame:
    return full.filter(pl.col("at") < (as_of - date(1970, 1, 1)).days * 86_400)


def _landings(listed: list[Campaign], full: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Valid units of each live campaign so far and at its close, by the hidden truth."""
    honest = full.filter(pl.col("truth") == "honest")
    now, final = (_units(frame) for frame in (_seen(honest, as_of), honest))
    return pl.DataFrame(
        [
            {
                "campaign": campaign.code,
                "final_units": final[campaign.code],
                "units_so_far": now[campaign.code],
                "go_units": campaign.go_units,
            }
            for campaign in listed
            if campaign.live
        ]
    )


def _units(pledges: pl.DataFrame) -> dict[str, int]:
    return dict(pledges.group_by("campaign").agg(pl.col("quantity").sum()).rows())


def _write(directory: Path, sample: _Sample) -> None:
    for folder in ("network", "truth"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    for name, table in sample.network.items():
        write_csv(table, directory / "network" / f"{name}.csv")
    write_csv(sample.orders.select(EXPORT), directory / "orders.csv")
    pledges = pl.concat([sample.pledges.select(EXPORT), traces(sample.pledges)], how="horizontal")
    write_csv(pledges, directory / "pledges.csv")
    write_csv(sample.campaigns, directory / "campaigns.csv")
    write_csv(sample.rounds, directory / "rounds.csv")
    write_csv(sample.ballots, directory / "ballots.csv")
    truth = [truth_of(sample.orders, file="orders.csv"), truth_of(sample.pledges, file="pledges.csv")]
    write_csv(pl.concat(truth), directory / "truth" / "signals.csv")
    write_csv(sample.landings, directory / "truth" / "campaigns.csv")


def _summary(directory: Path, sample: _Sample, as_of: date) -> SampleFiles:
    network = sample.network
    return SampleFiles(
        network=directory / "network",
        orders=directory / "orders.csv",
        pledges=directory / "pledges.csv",
        campaigns=directory / "campaigns.csv",
        rounds=directory / "rounds.csv",
        ballots=directory / "ballots.csv",
        truth=directory / "truth",
        as_of=as_of,
        order_rows=sample.orders.height,
        pledge_rows=sample.pledges.height,
        malformed=_count(sample.orders, "malformed"),
        order_duplicates=_count(sample.orders, "duplicate"),
        pledge_duplicates=_count(sample.pledges, "duplicate"),
        skus=network["skus"].height,
        suppliers=network["suppliers"].height,
        supply_offers=network["supply_offers"].height,
        warehouses=network["warehouses"].height,
        regions=network["regions"].height,
        campaign_count=sample.campaigns["campaign"].n_unique(),
        live_campaigns=sample.landings.height,
    )


def _count(text: pl.DataFrame, truth: str) -> int:
    return int((text["truth"] == truth).sum())
