"""Problems and plans as packed JSON, and their money in minor units."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any


def packed(document: Any) -> bytes:
    return zlib.compress(json.dumps(document, separators=(",", ":"), allow_nan=False).encode())


def unpacked(content: bytes) -> Any:
    return json.loads(zlib.decompress(content))


def in_minor(row: Mapping[str, Any], unit: int, money: tuple[str, ...]) -> dict[str, Any]:
    """The row with these fields in whole minor units; what is not known stays unknown."""
    told = {name: None if row[name] is None else round(row[name] * unit) for name in money}
    return {**row, **told}
