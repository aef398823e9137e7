"""Changing the demand pool: absorbing files, pledges online, excluding and undoing, campaigns."""

from app.stages.demand.operations.absorb import ImportFact, import_orders
from app.stages.demand.operations.campaigns import close_due_campaigns, import_campaigns
from app.stages.demand.operations.corrections import CorrectionFact, correct_pledge
from app.stages.demand.operations.exclusions import exclude_signal, undo_exclusion
from app.stages.demand.operations.pledges import (
    MOST_AT_ONCE,
    Outcome,
    PledgeResult,
    PledgeSettings,
    take_pledge,
    take_pledges,
)
from app.stages.demand.operations.sent import Flaw, SentPledge
from app.stages.demand.operations.suspicion import exclude_suspected

__all__ = [
    "MOST_AT_ONCE",
    "CorrectionFact",
    "Flaw",
    "ImportFact",
    "Outcome",
    "PledgeResult",
    "PledgeSettings",
    "SentPledge",
    "close_due_campaigns",
    "correct_pledge",
    "exclude_signal",
    "exclude_suspected",
    "import_campaigns",
    "import_orders",
    "take_pledge",
    "take_pledges",
    "undo_exclusion",
]
