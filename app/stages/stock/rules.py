"""The kinds of stock movement and what each may do."""

from __future__ import annotations

from enum import StrEnum


class MovementKind(StrEnum):
    OPENING = "opening"
    RECEIPT = "receipt"
    SHIPMENT = "shipment"
    ADJUSTMENT = "adjustment"
