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
)
from app.stages.demand.queries.exclusions import ExclusionFact, get_exclusion, list_exclusions
from app.stages.demand.queries.pool import (
    ChannelFact,
    DayUnits,
    Difference,
    SkuUnits,
    Waterfall,
    WaterfallStep,
    daily_units,
    list_channels,
    recount,
    sku_units,
    waterfall,
    weekly_units,
)

__all__ = [
    "CampaignFact",
    "ChannelFact",
    "CurvePoint",
    "DayUnits",
    "Difference",
    "ExclusionFact",
    "Requirement",
    "SkuUnits",
    "Waterfall",
    "WaterfallStep",
    "campaign_curve",
    "campaign_ids",
    "campaign_requirements",
    "daily_units",
    "get_campaign",
    "get_exclusion",
    "list_campaigns",
    "list_channels",
    "list_exclusions",
    "recount",
    "sku_units",
    "waterfall",
    "weekly_units",
]
