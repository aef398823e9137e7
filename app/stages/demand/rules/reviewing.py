"""What people said of suspects: how often each rule was right, and whether it may still decide by itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TRUSTED, TRUSTED_FOR = 0.97, 30
"""The precision that a rule is taken to have before anybody looked, and for how many reviews that stands."""
REVIEW = "rule:review"
"""Whose suspicion it was that a person answered: it took nothing out of demand."""
LATEST = 200
"""Reviewed clusters that are looked back at."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Of `reviewed` clusters that people decided on, `confirmed` were bots or brushing."""

    reviewed: int
    confirmed: int

    @property
    def precision(self) -> float:
        """The mean of a beta distribution: what was seen, shrunk to what was measured beforehand."""
        return (TRUSTED * TRUSTED_FOR + self.confirmed) / (TRUSTED_FOR + self.reviewed)


def may_exclude(*, score: float, rule: str, precision: float, reviewed: Mapping[str, Reviewed]) -> bool:
    """Whether a rule excludes a pledge without asking: its score says so, and people found it right so far.

    Args:
        precision: the part of what is excluded that has to be bots', 0 to 1.
        reviewed: what people said of each rule's clusters.
    """
    return score >= precision and reviewed.get(rule, Reviewed(0, 0)).precision >= precision


def cluster_key(campaign_id: int, evidence: Mapping[str, Any]) -> str:
    """The same 16 hex digits for all pledges with the same evidence in a campaign."""
    content = json.dumps([campaign_id, dict(evidence)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
