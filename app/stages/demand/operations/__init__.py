"""Changing the demand pool: absorbing files, pledges online, excluding and undoing, campaigns."""

from app.stages.demand.operations.ballots import (
    MOST_BALLOTS,
    BallotOutcome,
    BallotResult,
    SentBallot,
    cast_ballot,
    cast_ballots,
)
from app.stages.demand.operations.campaigns import (
    import_campaigns,
)
from app.stages.demand.operations.corrections import (
    CorrectionFact,
    correct_pledge,
)
from app.stages.demand.operations.drafts import (
    copy_campaign,
    draft_campaign,
    edit_campaign,
)
from app.stages.demand.operations.exclusions import (
    exclude_signal,
    undo_exclusion,
)
from app.stages.demand.operations.express import take_express
from app.stages.demand.operations.filling import (
    apply_tolerance,
    undo_fill,
)
from app.stages.demand.operations.importing import (
    ImportFact,
    Importing,
    OrderFile,
    import_orders,
)
from app.stages.demand.operations.life import (
    advance_campaign,
    cancel_campaign,
    close_campaign,
    close_due_campaigns,
    extend_campaign,
    launch_campaign,
    overrule_campaign,
)
from app.stages.demand.operations.plain import take_plain_pledge
from app.stages.demand.operations.pledges import (
    MOST_AT_ONCE,
    Outcome,
    PledgeResult,
    PledgeSettings,
    take_pledge,
    take_pledges,
)
from app.stages.demand.operations.privacy import (
    ErasedFact,
    erase_buyer,
    export_buyer,
    forget_old_buyers,
    pseudonyms_of,
)
from app.stages.demand.operations.pulls import (
    NextPage,
    PageFact,
    ask,
    connect_pull,
    disconnect_pull,
    next_page,
    note_pull_failure,
    pulled_channels,
    take_page,
)
from app.stages.demand.operations.reviewing import confirm_cluster, dismiss_cluster, reopen_cluster
from app.stages.demand.operations.rollups import count_buyers
from app.stages.demand.operations.rollups import fold as fold_changes
from app.stages.demand.operations.sent import (
    Flaw,
    SentPledge,
)
from app.stages.demand.operations.sources import (
    EventFact,
    Message,
    NewSecret,
    check_message,
    connect_channel,
    disconnect_channel,
    forget_old_events,
    note_failure,
    take_event,
)
from app.stages.demand.operations.superseding import replace_spot
from app.stages.demand.operations.suspicion import (
    exclude_suspected,
)
from app.stages.demand.operations.unpaid import exclude_unpaid
from app.stages.demand.operations.votes import (
    NewDesign,
    close_due_rounds,
    close_round,
    follow_votes,
    make_design,
    open_round,
)
from app.stages.demand.operations.weights import learn_weights
from app.stages.demand.rules.campaigns import (
    Limited,
    Step,
)
from app.stages.demand.rules.terms import (
    CampaignTerms,
    Variant,
)
from app.stages.imports.readers.remote import SourceBusy

__all__ = [
    "MOST_AT_ONCE",
    "MOST_BALLOTS",
    "BallotOutcome",
    "BallotResult",
    "CampaignTerms",
    "CorrectionFact",
    "ErasedFact",
    "EventFact",
    "Flaw",
    "ImportFact",
    "Importing",
    "Limited",
    "Message",
    "NewDesign",
    "NewSecret",
    "NextPage",
    "OrderFile",
    "Outcome",
    "PageFact",
    "PledgeResult",
    "PledgeSettings",
    "SentBallot",
    "SentPledge",
    "SourceBusy",
    "Step",
    "Variant",
    "advance_campaign",
    "apply_tolerance",
    "ask",
    "cancel_campaign",
    "cast_ballot",
    "cast_ballots",
    "check_message",
    "close_campaign",
    "close_due_campaigns",
    "close_due_rounds",
    "close_round",
    "confirm_cluster",
    "connect_channel",
    "connect_pull",
    "copy_campaign",
    "correct_pledge",
    "count_buyers",
    "disconnect_channel",
    "disconnect_pull",
    "dismiss_cluster",
    "draft_campaign",
    "edit_campaign",
    "erase_buyer",
    "exclude_signal",
    "exclude_suspected",
    "exclude_unpaid",
    "export_buyer",
    "extend_campaign",
    "fold_changes",
    "follow_votes",
    "forget_old_buyers",
    "forget_old_events",
    "import_campaigns",
    "import_orders",
    "launch_campaign",
    "learn_weights",
    "make_design",
    "next_page",
    "note_failure",
    "note_pull_failure",
    "open_round",
    "overrule_campaign",
    "pseudonyms_of",
    "pulled_channels",
    "reopen_cluster",
    "replace_spot",
    "take_event",
    "take_express",
    "take_page",
    "take_plain_pledge",
    "take_pledge",
    "take_pledges",
    "undo_exclusion",
    "undo_fill",
]
