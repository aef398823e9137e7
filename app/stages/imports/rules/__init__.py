"""What a readable, well-formed order row is."""

from app.stages.imports.rules.cells import CHECKED, Checked, check
from app.stages.imports.rules.mapping import FIELDS, Mapping, parse_mapping

BATCH_STATES = ("absorbed",)

__all__ = ["BATCH_STATES", "CHECKED", "FIELDS", "Checked", "Mapping", "check", "parse_mapping"]
