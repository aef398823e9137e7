"""What could be found at all: a judge that knows the attack beforehand, on the evidence that is visible.

    python benchmarks/suspicion_bounds.py [--seeds 12]

For the shapes that the rules find least of, the judge is told the shape, the bots' part and the campaign's
size, and has counted, on campaigns of other seeds, how often each combination of evidence was a bot's. It may
choose its threshold looking at the very campaigns it is measured on. A rule for all shapes can do better only
by evidence that is counted more coarsely here. Last comes the part of bots' units with no evidence but what
people have as well: nothing shared and nothing repeated.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.generated_pledges import Generated, generate
from benchmarks.suspicion import score

BOTS, SIZES = (0.02, 0.06, 0.15), (1_500, 6_000)
PRECISION = 0.95
TAUGHT, TRIED = 0, 500
"""The first seeds of the campaigns that are counted, and of those that are judged."""
HOUR = 3600


def shared(campaign: Generated) -> pl.DataFrame:
    """Of each pledge: how many share its device or card, from how many addresses, how many are known."""
    told = campaign.pledges.with_columns(known=pl.col("buyer").is_in(list(campaign.known)))
    for kind in ("device", "payment"):
        together = told.filter(pl.col(kind).is_not_null()).group_by(kind)
        told = told.join(
            together.agg(
                pl.col("buyer").n_unique().clip(1, 12).alias(f"{kind}_accounts"),
                pl.col("address").drop_nulls().n_unique().clip(0, 6).alias(f"{kind}_homes"),
                pl.col("known").sum().clip(0, 2).alias(f"{kind}_known"),
            ),
            on=kind,
            how="left",
            maintain_order="left",
        )
    hidden = pl.sum_horizontal(pl.col(kind).is_null() for kind in ("device", "address", "payment"))
    age = ((pl.col("at") - pl.col("created")) / 86_400).log(4).clip(-3, 5).round()
    return told.select(
        "quantity",
        "kind",
        "known",
        hidden,
        age.alias("age"),
        pl.selectors.matches("_(accounts|homes|known)$"),
    ).with_columns(alone=(pl.max_horizontal("device_accounts", "payment_accounts").fill_null(1) <= 1))


def repeated(campaign: Generated) -> pl.DataFrame:
    """Of each pledge: how often its account came, and how many that came oftener than once were near."""
    told = campaign.pledges.sort("region_id", "at").with_columns(
        known=pl.col("buyer").is_in(list(campaign.known)), times=pl.len().over("buyer")
    )
    near = np.zeros(told.height)
    often = ((told["times"] > 1) & ~told["known"]).to_numpy()
    at = (told["region_id"].cast(pl.Int64) * 10**11 + told["at"]).to_numpy()
    marks = at[often]
    for hours in (1, 4):
        near = np.searchsorted(marks, at + hours * HOUR) - np.searchsorted(marks, at - hours * HOUR)
        told = told.with_columns(pl.Series(f"near_{hours}", np.minimum(np.log2(1 + near).round(), 6)))
    return told.select(
        "quantity", "kind", "known", pl.col("times").clip(1, 6), "near_1", "near_4"
    ).with_columns(alone=pl.col("times") <= 1)


SHAPES: dict[str, tuple[Callable[[Generated], pl.DataFrame], bool]] = {
    "half_hidden": (shared, True),
    "loose_drip": (repeated, False),
}
Cell = tuple[object, ...]


def cells(told: pl.DataFrame) -> list[Cell]:
    return told.drop("quantity", "kind", "alone").rows()


def bound(shape: str, bots: float, size: int, seeds: int) -> tuple[float, float, float]:
    """Recall at PRECISION of the judge, recall of the rules, and the part that has no evidence; in units."""
    evidence, traced = SHAPES[shape]

    def campaigns(first: int, many: int) -> list[Generated]:
        numbers = [1000 * (first + seed) + size for seed in range(many)]
        make = partial(
            generate, pledges=size, attacks=(shape,), bots=bots, peaks=("live_stream",), traces=traced
        )
        return [make(number) for number in numbers]

    seen: dict[Cell, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for one in campaigns(TAUGHT, 5 * seeds):
        told = evidence(one)
        for cell, kind in zip(cells(told), told["kind"], strict=True):
            seen[cell][kind == "bot"] += 1
    tried = campaigns(TRIED, seeds)
    told = pl.concat([evidence(one) for one in tried])
    odds = np.array([seen[cell][1] / (sum(seen[cell]) + 1) for cell in cells(told)])
    units, bot = told["quantity"].to_numpy(), (told["kind"] == "bot").to_numpy()
    order = np.argsort(-odds, kind="stable")
    found, all_ = np.cumsum((units * bot)[order]), np.cumsum(units[order])
    good = np.flatnonzero(found / all_ >= PRECISION)
    most = float(found[good[-1]] / (units * bot).sum()) if len(good) else 0.0
    floor = float((units * (bot & told["alone"].to_numpy())).sum() / (units * bot).sum())
    rules = sum((score(one) for one in tried[1:]), score(tried[0]))
    return most, rules.recall, floor


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=12)
    seeds = parser.parse_args().seeds
    print("shape, bots, pledges: recall of a judge that knows the shape, of the rules, and without evidence")
    for shape in SHAPES:
        for bots in BOTS:
            for size in SIZES:
                most, rules, floor = bound(shape, bots, size, seeds)
                print(f"{shape:12} {bots:4.0%} {size:5}: {most:.2f}  {rules:.2f}  {floor:.2f}", flush=True)


if __name__ == "__main__":
    main()
