"""From votes to volume: how many voters order, and what a campaign lands at for each who does.

Two things are learnt from finished campaigns that followed a round, per category, and lean to a stated prior
while these are few:

- the part of a design's voters who order it: beta-binomial. Voters of one campaign are alike, so that many of
  one say less than as many of several: their number is divided by the design effect 1 + (n − 1) ρ (Kish 1965,
  "Survey Sampling", 5.4), which is the beta-binomial's own overdispersion;
- the units a campaign lands at for each voter who orders, since most buyers never voted: a log-normal whose
  mean and variance lean to the prior's by pseudo-observations (Gelman et al., "Bayesian Data Analysis", 3.3).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from app.stages.demand.rules.votes import wilson

PRIOR_RATE, PRIOR_VOTERS = 0.10, 20.0
"""One voter in ten orders, said with the weight of 20 voters."""
ALIKE = 0.02
"""ρ, the correlation of two voters of one campaign: one campaign weighs as 50 voters at most."""
PRIOR_MULTIPLE, PRIOR_DEVIATION, PRIOR_CAMPAIGNS = 3.0, 1.0, 1.0
"""Three units land for each voter who orders, right within a factor of e: the weight of one campaign."""
_Z80, _Z95 = NormalDist().inv_cdf(0.9), NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Followed:
    """A finished campaign of a design after its round: voters, those who ordered, valid units landed."""

    voters: int
    ordered: int
    landed_units: int


@dataclass(frozen=True, slots=True)
class Learnt:
    """What is known of a category: the beta of the rate, the log of units for each voter who orders."""

    alpha: float
    beta: float
    log_multiple: float
    variance: float
    campaigns: int

    @property
    def rate(self) -> float:
        """The part of voters who order."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def rate_interval(self) -> tuple[float, float]:
        """95 % of the category's rate: Wilson's interval at the effective number of voters."""
        return wilson(self.alpha, self.alpha + self.beta, z=_Z95)

    @property
    def multiple(self) -> float:
        """Units that land for each voter who orders (median)."""
        return math.exp(self.log_multiple)


@dataclass(frozen=True, slots=True)
class Volume:
    """The median volume of a campaign to come, and its 80 % interval."""

    units: float
    lo_80: float
    hi_80: float


def learn(past: Sequence[Followed]) -> Learnt:
    """What finished campaigns of one category teach; without any, the stated prior. Order does not matter."""
    told = [one for one in past if one.voters > 0]
    alpha, beta = PRIOR_RATE * PRIOR_VOTERS, (1 - PRIOR_RATE) * PRIOR_VOTERS
    for one in told:
        effect = 1 + (one.voters - 1) * ALIKE
        alpha += one.ordered / effect
        beta += (one.voters - one.ordered) / effect
    logs = [math.log(max(one.landed_units, 0.5) / max(one.ordered, 0.5)) for one in told]
    weight = PRIOR_CAMPAIGNS + len(logs)
    mean = math.fsum([math.log(PRIOR_MULTIPLE) * PRIOR_CAMPAIGNS, *logs]) / weight
    spread = [PRIOR_CAMPAIGNS * (PRIOR_DEVIATION**2 + (math.log(PRIOR_MULTIPLE) - mean) ** 2)]
    variance = math.fsum(spread + [(log - mean) ** 2 for log in logs]) / weight
    return Learnt(alpha, beta, mean, variance * (1 + 1 / weight), len(told))


def expect(learnt: Learnt, *, voters: int) -> Volume:
    """The volume of a campaign whose design got so many votes (≥ 1).

    Voters who order are beta-binomial, with the rate's own doubt and that between campaigns; their log and
    that of the units for each are added as normal ones.
    """
    rate = learnt.rate
    doubt = rate * (1 - rate) * (ALIKE + (1 - ALIKE) / (learnt.alpha + learnt.beta + 1))
    ordering = voters * rate * (1 - rate) + voters * (voters - 1) * doubt
    relative = ordering / (voters * rate) ** 2
    middle = math.log(voters * rate) + learnt.log_multiple
    spread = _Z80 * math.sqrt(math.log1p(relative) + learnt.variance)
    return Volume(math.exp(middle), math.exp(middle - spread), math.exp(middle + spread))
