"""What a valid network is."""

from __future__ import annotations

from enum import StrEnum


class SkuState(StrEnum):
    DRAFT = "draft"  # seen in an import, not yet described
    ACTIVE = "active"
    RETIRED = "retired"


class RegionState(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
