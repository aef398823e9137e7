"""Does a learnt model tell bots from people better than the rules do?

    python benchmarks/learned_suspicion.py [--seeds 4]

A logistic regression (ridge, by Newton's method) on what the rules say of a checkout, and on the graph around
it: how many accounts use its device, payment and address and from how many homes, whether its buyer is known
from other campaigns, how old its account is among all, how many accounts were made with it, how often its
buyer pledges. It learns from campaigns of some seeds and shapes; its threshold is the least with the wanted
precision on others of these seeds; both are compared on seeds and shapes that neither was tuned on.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.stages.demand.rules import graph, sharing, suspicion
from app.stages.demand.rules.clusters import count
from app.stages.demand.rules.suspicion import EXCLUDED_FROM, PLEDGES, TRACES
from benchmarks.generated_pledges import PEAKS, Generated, generate
from benchmarks.generated_traces import FARMS
from benchmarks.generated_unseen import UNSEEN

RULES = (
    "velocity",
    "few_accounts",
    "strangers",
    "regular",
    "shared_devices",
    "shared_address",
    "new_accounts",
    "alike",
)
TAUGHT = (*((name,) for name in FARMS), tuple(FARMS), ("hammering",), ("fresh_accounts",), ("slow_drip",), ())
KNOWN_SHAPES = {"farms one by one": [(name,) for name in FARMS], "all farms at once": [tuple(FARMS)],
                "bursts and drips": [("hammering",), ("fresh_accounts",), ("slow_drip",)]}  # fmt: skip
HELD_OUT = {name: [(name,)] for name in (*UNSEEN, "loose_drip", "scattered")} | {"honest peaks": [()]}
SIZES, BOTS = (1_500, 6_000), (0.02, 0.06, 0.15)
PRECISION = 0.97
RIDGE = 3.0


@dataclass(frozen=True)
class Scene:
    """Checkouts of a campaign: features, whether they are bots', units, and what the rules' score is."""

    features: np.ndarray
    bot: np.ndarray
    units: np.ndarray
    rules: np.ndarray


def scene(campaign: Generated) -> Scene:
    pledges = campaign.pledges
    judged = pledges.select(name for name in (*PLEDGES, *TRACES) if name in pledges.columns)
    checkouts = suspicion._checkouts(judged)
    stream = checkouts.stream

    def known_elsewhere(buyers: object) -> set[str]:
        return set(buyers) & campaign.known  # type: ignore[call-overload]

    clusters = [
        *suspicion._timed(checkouts),
        *graph.made_in_batches(checkouts.who),
        *suspicion._by_acquaintance(checkouts, known_elsewhere, timed=True),
    ]
    said = np.zeros((len(stream.at), len(RULES)))
    for one in clusters:
        place = RULES.index(one.rule)
        said[one.members, place] = np.maximum(said[one.members, place], one.score)
    members = checkouts.members.join(pledges.select("id", "quantity", "kind"), on="id")
    by_event = members.group_by("event").agg(pl.col("quantity").sum(), (pl.col("kind") == "bot").any())
    by_event = by_event.sort("event")
    known = checkouts.names.is_in(list(campaign.known)).to_numpy()[stream.buyer].astype(float)
    features = np.column_stack([said, _around(checkouts), known, np.full(len(known), known.mean())])
    features = np.column_stack([features, features[:, len(RULES) : len(RULES) + 5] * (1 - known)[:, None]])
    top = np.where(said >= suspicion.REVIEWED_FROM, said, 0).max(axis=1)
    return Scene(features, by_event["kind"].to_numpy(), by_event["quantity"].to_numpy(), top)


def _around(checkouts: suspicion._Checkouts) -> np.ndarray:
    """The graph around each checkout, as logarithms and parts."""
    stream, who = checkouts.stream, checkouts.who
    columns = []
    for kind in sharing.KINDS:
        tokens = getattr(who.traces, kind)
        token, account = sharing.pairs(stream, tokens)
        accounts = np.bincount(token) if len(token) else np.zeros(1)
        columns.append(np.log(np.where(tokens >= 0, accounts[tokens], 1)))
        if kind in sharing.STRONG:
            between = sharing.distinct(token, who.homes[account]) if len(token) else np.ones(1)
            columns.append(np.log(np.where(tokens >= 0, between[tokens], 1)))
    created = who.created[stream.buyer]
    told = np.sort(np.unique(created[created >= 0])) if (created >= 0).any() else np.zeros(1)
    near = count(told, created - 300, created + 300) / (1 + count(told, created - 7200, created + 7200))
    age = np.where(created >= 0, stream.at - created, np.median(stream.at - created))
    columns += [np.where(created >= 0, near, 0), np.argsort(np.argsort(age)) / len(age)]
    times = np.bincount(stream.buyer)[stream.buyer]
    columns.append(np.log(times))
    return np.column_stack(columns)


def fit(scenes: list[Scene]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients, the intercept first, and the features' mean and deviation. Campaigns count alike."""
    features = np.concatenate([one.features for one in scenes])
    weight = np.concatenate([one.units / one.units.sum() for one in scenes])
    weight *= len(weight) / weight.sum()
    bot = np.concatenate([one.bot for one in scenes]).astype(float)
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-9
    design = np.column_stack([np.ones(len(features)), (features - mean) / deviation])
    beta, ridge = np.zeros(design.shape[1]), np.r_[0.0, np.full(features.shape[1], RIDGE)]
    for _ in range(30):
        part = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        slope = design.T @ (weight * (bot - part)) - ridge * beta
        curve = (design * (weight * part * (1 - part))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(curve, slope)
        beta += step
        if np.abs(step).max() < 1e-6:
            break
    return beta, mean, deviation


def predicted(model: tuple[np.ndarray, np.ndarray, np.ndarray], one: Scene) -> np.ndarray:
    beta, mean, deviation = model
    return beta[0] + ((one.features - mean) / deviation) @ beta[1:]


def threshold(scores: list[np.ndarray], scenes: list[Scene]) -> float:
    """The least score above which PRECISION of the units are bots'."""
    score = np.concatenate(scores)
    units = np.concatenate([one.units for one in scenes])
    bot = np.concatenate([one.bot for one in scenes])
    order = np.argsort(-score)
    right = np.cumsum((units * bot)[order]) / np.cumsum(units[order])
    good = np.flatnonzero(right >= PRECISION)
    return float(score[order][good[-1]])


def measured(out: list[np.ndarray], scenes: list[Scene]) -> str:
    found = sum(int((one.units * one.bot)[flag].sum()) for flag, one in zip(out, scenes, strict=True))
    wrong = sum(int((one.units * ~one.bot)[flag].sum()) for flag, one in zip(out, scenes, strict=True))
    bots = sum(int((one.units * one.bot).sum()) for one in scenes)
    people = sum(int((one.units * ~one.bot).sum()) for one in scenes)
    precision = found / max(1, found + wrong)
    return f"precision {precision:.3f} recall {found / max(1, bots):.3f} honest {wrong / people:.4f}"


def scenes(shapes: list[tuple[str, ...]], seeds: range) -> list[Scene]:
    return [
        scene(
            generate(
                1000 * seed + size, pledges=size, attacks=shape, bots=bots, peaks=tuple(PEAKS), traces=True
            )
        )
        for shape in shapes
        for seed in seeds
        for size in SIZES
        for bots in (BOTS if shape else (0.0,))
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    taught = scenes(list(TAUGHT), range(seeds))
    checked = scenes(list(TAUGHT), range(20, 20 + seeds))
    model = fit(taught)
    bar = threshold([predicted(model, one) for one in checked], checked)
    for name, shapes in (KNOWN_SHAPES | HELD_OUT).items():
        new = scenes(shapes, range(60, 60 + seeds))
        by_rules = [one.rules >= EXCLUDED_FROM for one in new]
        by_model = [predicted(model, one) >= bar for one in new]
        either = [a | b for a, b in zip(by_rules, by_model, strict=True)]
        print(name)
        for what, out in (("rules", by_rules), ("model", by_model), ("either", either)):
            print(f"    {what:7}{measured(out, new)}")


if __name__ == "__main__":
    main()
