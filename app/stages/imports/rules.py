"""What a readable, well-formed order row is."""

from __future__ import annotations

BATCH_STATES = ("absorbed",)
