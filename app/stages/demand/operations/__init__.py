"""Changing the demand pool: absorbing files, excluding and undoing, campaigns."""

from app.stages.demand.operations.absorb import ImportFact, import_orders
from app.stages.demand.operations.campaigns import close_due_campaigns, import_campaigns
from app.stages.demand.operations.exclusions import exclude_signal, undo_exclusion

__all__ = [
    "ImportFact",
    "close_due_campaigns",
    "exclude_signal",
    "import_campaigns",
    "import_orders",
    "undo_exclusion",
]
