"""What a unit of each commitment is worth: the part of it that is paid in the end, learnt by category.

Partial pooling by a beta-binomial: of the signals of a commitment in a category so many were paid. The prior
of a category is what the *other* categories taught, worth as many signals as categories are alike (κ, the one
of a few that makes what was seen likeliest: Kleinman 1973, "Proportions with Extraneous Variance", JASA 68;
Gelman et al., "Bayesian Data Analysis", 3rd ed., 5.3). What all taught leans to a stated prior while it is
little. Buyers of one campaign are alike, so that many of one say less than as many of several: their number
is divided by the design effect 1 + (n − 1) ρ (Kish 1965, "Survey Sampling", 5.4).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist

from app.stages.demand.rules.commitments import Commitment
from app.stages.demand.rules.votes import wilson

PRIORS = {
    Commitment.DEPOSIT: 0.92,
    Commitment.PLEDGE: 0.75,
    Commitment.WAITLIST: 0.30,
    Commitment.VOTE: 0.10,
    Commitment.WISH_LIST: 0.05,
    Commitment.ENQUIRY: 0.03,
}
"""The part that is paid, as we take it to be before anything was seen; a guess, and said to be one."""
PRIOR_SIGNALS = 20.0
"""How many signals the stated prior is worth."""
ALIKE = 0.02
"""ρ, the correlation of two buyers of one campaign: one campaign weighs as 50 signals at most."""
POOLED = (10.0, 20.0, 40.0, 80.0, 160.0, 320.0)
"""κ: how many signals what other categories taught may be worth."""
WHOLE = 1000
"""Weights are whole thousandths, so that sums of weighted units are exact. A paid unit is a whole one."""
ELSEWHERE = ""
"""Stands for SKUs without a category, and of one that nothing was seen of: what all taught together."""
_Z95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True, order=True)
class Seen:
    """Of `signals` of a commitment in a category and a finished campaign, `converted` were paid."""

    category: str
    commitment: str
    campaign_id: int
    signals: int
    converted: int


@dataclass(frozen=True, slots=True)
class Weight:
    """What is known of a commitment in a category: prior, data, the posterior's mean and 95 % of it."""

    category: str
    commitment: str
    prior_mean: float
    prior_signals: float
    campaigns: int
    signals: int
    converted: int
    permille: int
    lo_permille: int
    hi_permille: int


def learn(seen: Sequence[Seen]) -> list[Weight]:
    """Weights by commitment and category, ELSEWHERE first; without data the stated priors."""
    weights = []
    for commitment in PRIORS:
        theirs = sorted(one for one in seen if one.commitment == commitment and one.signals > 0)
        weights += _of_commitment(commitment, theirs)
    return weights


def fingerprint(seen: Sequence[Seen]) -> str:
    """64 hex digits for what is learnt from: the data, and all that is stated here."""
    stated = [{one.value: mean for one, mean in PRIORS.items()}, PRIOR_SIGNALS, ALIKE, POOLED]
    content = json.dumps([stated, [asdict(one) for one in sorted(seen)]], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def weight_of(weights: Mapping[tuple[str, str], int], *, category: str | None, commitment: str) -> int:
    """Thousandths of a unit, by (category, commitment); the stated prior where nothing was learnt."""
    if commitment == Commitment.PAID:
        return WHOLE
    stated = round(WHOLE * PRIORS[Commitment(commitment)])
    return weights.get((category or ELSEWHERE, commitment), weights.get((ELSEWHERE, commitment), stated))


def whole(thousandths: int) -> int:
    """Whole units, half of one rounded up."""
    return (thousandths + WHOLE // 2) // WHOLE


def _of_commitment(commitment: Commitment, seen: list[Seen]) -> list[Weight]:
    by_category: dict[str, list[Seen]] = {}
    for one in seen:
        by_category.setdefault(one.category, []).append(one)
    effective = {category: _effective(some) for category, some in by_category.items()}
    priors = {
        category: _mean(commitment, [one for other, one in effective.items() if other != category])
        for category in effective
    }
    worth = _pooled(effective, priors)
    found = [_weight(commitment, ELSEWHERE, seen, PRIORS[commitment], PRIOR_SIGNALS)]
    return found + [
        _weight(commitment, category, by_category[category], priors[category], worth)
        for category in sorted(by_category)
        if category != ELSEWHERE
    ]


def _effective(seen: list[Seen]) -> tuple[float, float]:
    """Signals that were paid and signals in all, each campaign divided by its design effect."""
    effects = [1 + (one.signals - 1) * ALIKE for one in seen]
    paid = math.fsum(one.converted / effect for one, effect in zip(seen, effects, strict=True))
    return paid, math.fsum(one.signals / effect for one, effect in zip(seen, effects, strict=True))


def _mean(commitment: Commitment, taught: list[tuple[float, float]]) -> float:
    paid = math.fsum(one for one, _ in taught)
    signals = math.fsum(of for _, of in taught)
    return (PRIORS[commitment] * PRIOR_SIGNALS + paid) / (PRIOR_SIGNALS + signals)


def _pooled(effective: Mapping[str, tuple[float, float]], priors: Mapping[str, float]) -> float:
    """κ that makes the categories' data likeliest; with one category nothing tells how alike they are."""
    if len(effective) < 2:
        return PRIOR_SIGNALS

    def likelihood(worth: float) -> float:
        return math.fsum(
            _log_beta(priors[name] * worth + paid, (1 - priors[name]) * worth + of - paid)
            - _log_beta(priors[name] * worth, (1 - priors[name]) * worth)
            for name, (paid, of) in effective.items()
        )

    return max(POOLED, key=likelihood)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _weight(commitment: Commitment, category: str, seen: list[Seen], prior: float, worth: float) -> Weight:
    """The posterior's mean, and Wilson's interval at its effective number of signals."""
    paid, of = _effective(seen)
    alpha, whole = prior * worth + paid, worth + of
    lo, hi = wilson(alpha, whole, z=_Z95)
    middle = round(WHOLE * alpha / whole)
    return Weight(
        category,
        commitment.value,
        prior,
        worth,
        len({one.campaign_id for one in seen}),
        sum(one.signals for one in seen),
        sum(one.converted for one in seen),
        middle,
        min(middle, max(0, round(WHOLE * lo))),
        max(middle, min(WHOLE, round(WHOLE * hi))),
    )
