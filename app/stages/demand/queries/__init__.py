"""Reading the demand pool, its exclusions and the campaigns. Every answer is a frozen value."""

from app.stages.demand.queries.campaigns import (
    CampaignFact,
    CurvePoint,
    Requirement,
    campaign_curve,
    campaign_ids,
    campaign_requirements,
    get_campaign,
    list_campaigns,
    pledge_days,
)
from app.stages.demand.queries.cells import counted
from app.stages.demand.queries.exclusions import ExclusionFact, get_exclusion, list_exclusions
from app.stages.demand.queries.pool import (
    ChannelFact,
    DayUnits,
    Difference,
    SkuUnits,
    Waterfall,
    WaterfallStep,
    daily_units,
    latest_day,
    list_channels,
    recount,
    sku_units,
    waterfall,
    weekly_units,
)
from app.stages.demand.queries.suspicion import SuspectFact, review_list

__all__ = [
    "CampaignFact",
    "ChannelFact",
    "CurvePoint",
    "DayUnits",
    "Difference",
    "ExclusionFact",
    "Requirement",
    "SkuUnits",
    "SuspectFact",
    "Waterfall",
    "WaterfallStep",
    "campaign_curve",
    "campaign_ids",
    "campaign_requirements",
    "counted",
    "daily_units",
    "get_campaign",
    "get_exclusion",
    "latest_day",
    "list_campaigns",
    "list_channels",
    "list_exclusions",
    "pledge_days",
    "recount",
    "review_list",
    "sku_units",
    "waterfall",
    "weekly_units",
]
