"""How well bots are told from people: units found, units wrongly excluded, and time.

    python benchmarks/suspicion.py [--seeds 6] [--traced | --shop]

Campaigns with hidden truth (`generated_pledges.py`), bots 2–15 % of units, one attack shape at a time and all
together, with honest peaks. Then the product's own sample. `precision` is the part of excluded units that are
bots', `recall` the part of bots' units that is excluded, `honest` the part of honest units excluded.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.sample import write_sample
from app.stages.demand.rules.sharing import KINDS
from app.stages.demand.rules.suspicion import EXCLUDED_FROM, PLEDGES, REVIEWED_FROM, TRACES, find_suspects
from benchmarks.generated_pledges import PEAKS, Generated, generate
from benchmarks.generated_shop import ATTACKS, WORLDS, generate_shop
from benchmarks.generated_traces import FARMS
from benchmarks.generated_unseen import UNSEEN

SHAPES = {
    "no attack, peaks": ((), ("live_stream", "opening_rush", "local_event")),
    "hammering": (("hammering",), ("live_stream",)),
    "hammering everywhere": (("hammering_everywhere",), ("live_stream",)),
    "fresh accounts": (("fresh_accounts",), ("live_stream", "local_event")),
    "slow drip": (("slow_drip",), ("opening_rush",)),
    "all three": (("hammering", "fresh_accounts", "slow_drip"), tuple(PEAKS)),
    "scattered (unseen)": (("scattered",), ("live_stream",)),
    "loose drip (unseen)": (("loose_drip",), ("live_stream",)),
}
TRACED = {
    "people who share": ((), ("live_stream", "opening_rush", "local_event")),
    **{name.replace("_", " "): ((name,), ("live_stream",)) for name in FARMS},
    "all farms": (tuple(FARMS), tuple(PEAKS)),
    **{f"{name.replace('_', ' ')} (unseen)": ((name,), ("live_stream",)) for name in UNSEEN},
    "fresh accounts, traced": (("fresh_accounts",), ("live_stream", "local_event")),
}
"""With devices, addresses, payments and the age of accounts."""
BOTS = (0.02, 0.06, 0.15)
SHOPS = {
    "plain": ("plain",),
    "peaks": ("live stream", "eleven"),
    "people who share": ("households", "offices", "dormitory", "family cards", "shop tablet"),
    "people who buy much": ("gifts", "resellers", "new customers"),
    "all at once": WORLDS,
}
"""Honest worlds of the other generator."""


@dataclass(frozen=True, slots=True)
class Score:
    """Units: excluded of bots and of people, and all there were of either; signals for review."""

    found: int = 0
    wrong: int = 0
    bots: int = 0
    honest: int = 0
    review: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(
            self.found + other.found,
            self.wrong + other.wrong,
            self.bots + other.bots,
            self.honest + other.honest,
            self.review + other.review,
        )

    @property
    def precision(self) -> float:
        return self.found / max(1, self.found + self.wrong)

    @property
    def recall(self) -> float:
        return self.found / max(1, self.bots)

    @property
    def honest_excluded(self) -> float:
        return self.wrong / max(1, self.honest)


def score(campaign: Generated) -> Score:
    """What the detector makes of a campaign against the truth."""
    pledges = campaign.pledges
    judged = pledges.select(name for name in (*PLEDGES, *TRACES) if name in pledges.columns)
    suspects = find_suspects(judged, known_elsewhere=lambda buyers: set(buyers) & campaign.known)
    both = pledges.join(suspects.select("id", "score"), on="id", how="left").with_columns(
        pl.col("score").fill_null(0.0)
    )
    out, bot = pl.col("score") >= EXCLUDED_FROM, pl.col("kind") == "bot"
    units = pl.col("quantity")
    figures = both.select(
        units.filter(out & bot).sum().alias("found"),
        units.filter(out & ~bot).sum().alias("wrong"),
        units.filter(bot).sum().alias("bots"),
        units.filter(~bot).sum().alias("honest"),
        (~out & (pl.col("score") >= REVIEWED_FROM)).sum().alias("review"),
    )
    return Score(*figures.row(0))


def score_shape(
    attacks: tuple[str, ...],
    peaks: tuple[str, ...],
    *,
    seeds: int,
    pledges: tuple[int, ...],
    bots: float,
    traces: bool = False,
    first: int = 0,
) -> Score:
    campaigns = (
        generate(
            1000 * (first + seed) + count,
            pledges=count,
            attacks=attacks,
            bots=bots,
            peaks=peaks,
            traces=traces,
        )
        for seed in range(seeds)
        for count in pledges
    )
    return sum((score(one) for one in campaigns), Score())


def score_shop(
    attacks: tuple[str, ...], worlds: tuple[str, ...], *, bots: float, seeds: range, hidden: float = 0.1
) -> Score:
    """Campaigns of the other generator, of 3,000 honest pledges and of 9,000."""
    campaigns = (
        generate_shop(seed, pledges=size, attacks=attacks, bots=bots, worlds=worlds, hidden=hidden)
        for seed in seeds
        for size in (3_000, 9_000)
    )
    return sum((score(one) for one in campaigns), Score())


def print_shops(seeds: range) -> None:
    for name, worlds in SHOPS.items():
        _print(f"{name}: no bots", score_shop((), worlds, bots=0.0, seeds=seeds))
        for attack, some in {**{one: (one,) for one in ATTACKS}, "all attacks": tuple(ATTACKS)}.items():
            for bots in BOTS:
                found = score_shop(some, worlds, bots=bots, seeds=seeds)
                _print(f"{name}: {attack}, {bots:.0%}", found)
    for bots in BOTS:
        found = score_shop(tuple(ATTACKS), SHOPS["plain"], bots=bots, seeds=seeds, hidden=0.5)
        _print(f"half hidden: all attacks, {bots:.0%}", found)


def score_sample(folder: Path, *, as_of: date = date(2026, 11, 23)) -> Score:
    """The sample brand's pre-sales against its truth; a pledge over the limit is an honest one."""
    files = write_sample(folder, as_of=as_of)
    truth = pl.read_csv(files.truth / "signals.csv", infer_schema=False).filter(
        pl.col("file") == files.pledges.name
    )
    rows = pl.read_csv(files.pledges, infer_schema=False).with_columns(truth=truth["truth"])
    rows = rows.filter(pl.col("truth").is_in(["honest", "over_limit", "bot"]))
    named = rows.select(
        pl.int_range(pl.len()).alias("id"),
        "buyer",
        "campaign",
        pl.col("region").rank("dense").cast(pl.Int64).alias("region_id"),
        pl.col("sku").rank("dense").cast(pl.Int64).alias("sku_id"),
        pl.col("ordered_at").str.to_datetime(time_zone="UTC").dt.epoch("s").alias("at"),
        *KINDS,
        pl.col("account_created_at").str.to_datetime(time_zone="UTC").dt.epoch("s").alias("created"),
        pl.col("quantity").cast(pl.Int64),
        pl.col("truth").alias("kind"),
    )
    total = Score()
    for (code,), pledges in named.group_by("campaign", maintain_order=True):
        elsewhere = named.filter(pl.col("campaign") != code)["buyer"]
        total += score(Generated(pledges, frozenset(elsewhere)))
    return total


def _print(name: str, one: Score) -> None:
    print(
        f"{name:44} precision {one.precision:6.3f}   recall {one.recall:6.3f}   "
        f"honest excluded {one.honest_excluded:7.4f}   review {one.review}"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--traced", action="store_true", help="only the shapes that need the graph")
    parser.add_argument("--shop", action="store_true", help="only the other generator's campaigns")
    given = parser.parse_args()
    if given.shop:
        print_shops(range(given.first, given.first + given.seeds))
        return
    for shapes in (TRACED,) if given.traced else (SHAPES, TRACED):
        for name, (attacks, peaks) in shapes.items():
            for bots in BOTS if attacks else (0.0,):
                found = score_shape(
                    attacks,
                    peaks,
                    seeds=given.seeds,
                    pledges=(1_500, 12_000),
                    bots=bots,
                    traces=shapes is TRACED,
                    first=given.first,
                )
                _print(f"{name}, {bots:.0%} bots", found)
    with tempfile.TemporaryDirectory() as folder:
        _print("sample brand", score_sample(Path(folder)))
    campaign = generate(7, pledges=80_000, attacks=("hammering", "slow_drip"), bots=0.1, peaks=tuple(PEAKS))
    started = time.perf_counter()
    score(campaign)
    print(f"{campaign.pledges.height:,} pledges in {time.perf_counter() - started:.2f} s")


if __name__ == "__main__":
    main()
