"""Changing the demand pool: absorbing files, pledges online, excluding and undoing, campaigns."""

from app.stages.demand.operations.absorb import ImportFact, import_orders
from app.stages.demand.operations.ballots import (
    MOST_BALLOTS,
    BallotOutcome,
    BallotResult,
    SentBallot,
    cast_ballot,
    cast_ballots,
)
from app.stages.demand.operations.campaigns import close_due_campaigns, import_campaigns
from app.stages.demand.operations.corrections import CorrectionFact, correct_pledge
from app.stages.demand.operations.exclusions import exclude_signal, undo_exclusion
from app.stages.demand.operations.filling import apply_tolerance, undo_fill
from app.stages.demand.operations.pledges import (
    MOST_AT_ONCE,
    Outcome,
    PledgeResult,
    PledgeSettings,
    take_pledge,
    take_pledges,
)
from app.stages.demand.operations.privacy import ErasedFact, erase_buyer, export_buyer, forget_old_buyers
from app.stages.demand.operations.sent import Flaw, SentPledge
from app.stages.demand.operations.suspicion import exclude_suspected
from app.stages.demand.operations.votes import (
    NewDesign,
    close_due_rounds,
    close_round,
    follow_votes,
    make_design,
    open_round,
)

__all__ = [
    "MOST_AT_ONCE",
    "MOST_BALLOTS",
    "BallotOutcome",
    "BallotResult",
    "CorrectionFact",
    "ErasedFact",
    "Flaw",
    "ImportFact",
    "NewDesign",
    "Outcome",
    "PledgeResult",
    "PledgeSettings",
    "SentBallot",
    "SentPledge",
    "apply_tolerance",
    "cast_ballot",
    "cast_ballots",
    "close_due_campaigns",
    "close_due_rounds",
    "close_round",
    "correct_pledge",
    "erase_buyer",
    "exclude_signal",
    "exclude_suspected",
    "export_buyer",
    "follow_votes",
    "forget_old_buyers",
    "import_campaigns",
    "import_orders",
    "make_design",
    "open_round",
    "take_pledge",
    "take_pledges",
    "undo_exclusion",
    "undo_fill",
]
