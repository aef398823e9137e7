"""What a readable, well-formed order row is."""

from app.stages.imports.rules import events, paging
from app.stages.imports.rules.cells import CHECKED, Checked, check, plain_buyer, pseudonym
from app.stages.imports.rules.mapping import FIELDS, Mapping, parse_mapping
from app.stages.imports.rules.usual import usual
from app.stages.imports.rules.values import minor_digits

BATCH_STATES = ("absorbed",)

__all__ = [
    "BATCH_STATES",
    "CHECKED",
    "FIELDS",
    "Checked",
    "Mapping",
    "check",
    "events",
    "minor_digits",
    "paging",
    "parse_mapping",
    "plain_buyer",
    "pseudonym",
    "usual",
]
