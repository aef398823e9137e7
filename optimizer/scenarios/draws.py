"""Draws of demand from its quantiles: evenly over the probabilities, all demands of a SKU together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from optimizer.form.errors import ProblemError
from optimizer.form.problem import Problem
from optimizer.model.build import Floats
from optimizer.scenarios.placed import Units

NORMAL = NormalDist()


def draw_demand(
    problem: Problem,
    *,
    levels: Sequence[float],
    quantiles: Sequence[Sequence[float]],
    count: int,
    seed: int,
    common: float = 0.0,
) -> Units:
    """count draws of every demand, [count, demands], from its quantiles at the levels (rising, 0 to 1).

    All demands of one SKU move together: what misses in a forecast is the SKU's level far more than one
    region's week. common is the correlation between SKUs (a one-factor Gaussian copula; 0: independent).
    Draws are spread evenly over the probabilities (Latin hypercube; McKay, Beckman & Conover, 1979).
    Deterministic. Raises ProblemError for quantiles that do not fit the problem, fall, or are no numbers.
    """
    table, at = np.asarray(quantiles, dtype=np.float64), np.asarray(levels, dtype=np.float64)
    if table.shape != (len(problem.demand), len(at)) or not len(at) or count < 1:
        raise ProblemError("quantiles", "one row a demand with one value a level, and at least one draw")
    if not np.isfinite(table).all() or (np.diff(table, axis=1) < 0).any():
        raise ProblemError("quantiles", "must be numbers that do not fall from level to level")
    if not ((at >= 0) & (at <= 1)).all() or (np.diff(at) <= 0).any():
        raise ProblemError("levels", "must rise, from 0 to 1")
    if not 0.0 <= common <= 1.0:
        raise ProblemError("common", f"must be from 0 to 1, not {common}")
    random = np.random.default_rng(seed)
    probability = {sku.id: _even(random, count) for sku in problem.skus}
    if common > 0:
        shared = _normal(_even(random, count)) * math.sqrt(common)
        for sku, own in probability.items():
            probability[sku] = _probability(shared + math.sqrt(1.0 - common) * _normal(own))
    draws = np.zeros((count, len(problem.demand)), dtype=np.int64)
    for number, one in enumerate(problem.demand):
        drawn = np.interp(probability[one.sku], at, table[number])
        draws[:, number] = np.rint(np.maximum(drawn, 0.0)).astype(np.int64)
    return draws


def _even(random: np.random.Generator, count: int) -> Floats:
    """Probabilities [count], one in each part of 0 to 1, in random order."""
    return np.asarray((random.permutation(count) + random.random(count)) / count, dtype=np.float64)


def _normal(probability: Floats) -> Floats:
    least = np.finfo(np.float64).tiny
    return np.array([NORMAL.inv_cdf(max(one, least)) for one in probability.tolist()])


def _probability(normal: Floats) -> Floats:
    return np.array([NORMAL.cdf(one) for one in normal.tolist()])
