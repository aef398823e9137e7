"""What a readable, well-formed order row is."""

from enum import StrEnum

from app.stages.imports.rules import events, paging
from app.stages.imports.rules.cells import CHECKED, Checked, check, plain_buyer, pseudonym
from app.stages.imports.rules.mapping import FIELDS, Mapping, parse_mapping
from app.stages.imports.rules.usual import usual
from app.stages.imports.rules.values import minor_digits


class BatchState(StrEnum):
    """Of a file: on its way (or killed on it), asked to stop, stopped between two chunks, or all there."""

    IMPORTING = "importing"
    STOPPING = "stopping"
    STOPPED = "stopped"
    ABSORBED = "absorbed"


UPLOAD_STATES = ("open", "complete", "imported", "failed")

__all__ = [
    "CHECKED",
    "FIELDS",
    "UPLOAD_STATES",
    "BatchState",
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
