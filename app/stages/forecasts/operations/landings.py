"""Landings: where every running campaign ends up, seen from one day; frozen, computed, stored."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Hashable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl
from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from app.core.errors import Conflict
from app.stages.demand import queries as demand
from app.stages.demand.rules import CampaignState
from app.stages.forecasts import rules
from app.stages.forecasts.models import Landing, LandingExtension, LandingLine
from app.stages.forecasts.queries.landings import find_landings
from app.stages.forecasts.rules import Outlook
from app.stages.forecasts.rules.levers import EXTENSIONS, at_least

LANDING_METHOD = "landing/3"
"""Part of the fingerprint: a change of method draws the landings of the same day again."""

UNSEEN = (CampaignState.DRAFT, CampaignState.CANCELLED)
"""What never opened, or was called off, says nothing of where a campaign lands."""
CURVES = {
    "campaign_id": pl.Int64,
    "sku": pl.Int64,
    "region": pl.Int64,
    "end": pl.Date,
    "window_days": pl.Int64,
    "elapsed_day": pl.Int64,
    "cum_units": pl.Int64,
}
ALL = 0
"""The SKU and the region of a curve that is a whole campaign."""


@dataclass(frozen=True, slots=True)
class LandingInputs:
    """Curves (CURVES) of finished campaigns, and of running ones up to the last complete day before `as_of`.

    Each campaign has a curve for each SKU × region that was pledged for, and one for all of them together.
    """

    as_of: dt.date
    finished: pl.DataFrame
    running: pl.DataFrame
    fingerprint: str


@dataclass(frozen=True, slots=True)
class LandingResult:
    """The whole of each running campaign, with the method; its parts by SKU and region; and the whole if it
    closed so many days later, by campaign and days."""

    fingerprint: str
    wholes: dict[int, tuple[Outlook, str]]
    parts: dict[int, dict[tuple[int, int], Outlook]]
    extended: dict[tuple[int, int], Outlook]


def freeze_landings(session: Session, *, as_of: dt.date) -> LandingInputs:
    """Read the pledge curves as of the morning of `as_of`: its own pledges are not looked at yet."""
    days = demand.pledge_days(session, until=as_of)
    seen = [one for one in demand.list_campaigns(session) if one.state not in UNSEEN]
    windows = [_window(one, as_of) for one in seen]
    finished = _curves(days, [one for one in windows if one.elapsed == one.days])
    running = _curves(days, [one for one in windows if one.is_open and 0 < one.elapsed < one.days])
    digest = hashlib.sha256(f"{LANDING_METHOD} {as_of}\n".encode())
    for frame in (finished, running):
        digest.update(frame.write_csv(include_header=False).encode() + b"\n")
    return LandingInputs(as_of, finished, running, digest.hexdigest())


@dataclass(frozen=True, slots=True)
class _Window:
    campaign_id: int
    is_open: bool
    opens: dt.date
    days: int
    elapsed: int


def _window(campaign: demand.CampaignFact, as_of: dt.date) -> _Window:
    """The days on which a campaign takes pledges, both ends included, and how many of them are over."""
    opens = campaign.opens_at.date()
    days = (campaign.closes_at.date() - opens).days + 1
    elapsed = min(max((as_of - opens).days, 0), days)
    return _Window(campaign.id, campaign.state == CampaignState.OPEN, opens, days, elapsed)


def _curves(days: pl.DataFrame, windows: list[_Window]) -> pl.DataFrame:
    """Cumulative units after each day with pledges, and after the last complete one.

    The clock of a region may be a day before or behind: such pledges belong to the first or the last day.
    """
    curves = [_curve(days.filter(campaign_id=window.campaign_id), window) for window in windows]
    return pl.concat([pl.DataFrame(schema=CURVES), *curves])


def _curve(days: pl.DataFrame, window: _Window) -> pl.DataFrame:
    day = ((pl.col("day") - window.opens).dt.total_days() + 1).clip(1, window.elapsed)
    parts = days.select(pl.col("sku_id").alias("sku"), pl.col("region_id").alias("region"), day, "units")
    whole = parts.with_columns(sku=pl.lit(ALL, pl.Int64), region=pl.lit(ALL, pl.Int64))
    nothing = pl.DataFrame({"sku": [ALL], "region": [ALL], "day": [window.elapsed], "units": [0]})
    both = pl.concat([parts, whole, nothing.cast(parts.schema)])
    ends = both.select("sku", "region").unique().with_columns(day=window.elapsed, units=0)
    return (
        pl.concat([both, ends.cast(parts.schema)])
        .group_by("sku", "region", "day")
        .agg(pl.col("units").sum())
        .sort("sku", "region", "day")
        .select(
            pl.lit(window.campaign_id).alias("campaign_id"),
            "sku",
            "region",
            pl.lit(window.opens + dt.timedelta(days=window.days)).alias("end"),
            pl.lit(window.days).alias("window_days"),
            pl.col("day").alias("elapsed_day"),
            pl.col("units").cum_sum().over("sku", "region").clip(lower_bound=0).alias("cum_units"),
        )
        .cast(CURVES)  # type: ignore[arg-type]  # the stub wants a wider mapping
    )


def compute_landings(inputs: LandingInputs) -> LandingResult:
    """The final volume of each running campaign, as a whole and in parts that add up to it. Pure."""
    if inputs.running.is_empty():
        return LandingResult(inputs.fingerprint, {}, {}, {})
    import forecasting  # statsmodels takes seconds to load, and only a forecast needs it

    made = [
        forecasting.forecast_landing(inputs.finished.filter(kind), inputs.running.filter(kind))
        for kind in (pl.col("sku") == ALL, pl.col("sku") != ALL)
    ]
    held = inputs.running.group_by("campaign_id", "sku", "region").agg(pl.col("cum_units").last())
    units = {tuple(row[:3]): row[3] for row in held.rows()}
    wholes: dict[int, tuple[Outlook, str]] = {}
    parts: dict[int, dict[tuple[int, int], Outlook]] = {}
    for row in (row for frame in made for row in frame.to_dict("records")):
        campaign_id, sku, region = row["campaign_id"], row["sku"], row["region"]
        outlook = _outlook(row, units[campaign_id, sku, region])
        if sku == ALL:
            wholes[campaign_id] = (outlook, row["method"])
        else:
            parts.setdefault(campaign_id, {})[sku, region] = outlook
    for campaign_id, found in parts.items():
        fitted = rules.fit_parts(wholes[campaign_id][0], list(found.values()))
        parts[campaign_id] = dict(zip(found, fitted, strict=True))
    return LandingResult(inputs.fingerprint, wholes, parts, _extended(inputs, wholes))


def _extended(
    inputs: LandingInputs, wholes: Mapping[int, tuple[Outlook, str]]
) -> dict[tuple[int, int], Outlook]:
    """Where each campaign would land with more days: as if its window had been so long from the start."""
    import forecasting

    whole = pl.col("sku") == ALL
    extended = {}
    for days in EXTENSIONS:
        longer = inputs.running.filter(whole).with_columns(
            pl.col("window_days") + days, pl.col("end") + pl.duration(days=days)
        )
        made = forecasting.forecast_landing(inputs.finished.filter(whole), longer)
        for row in made.to_dict("records"):
            base = wholes[row["campaign_id"]][0]
            extended[row["campaign_id"], days] = at_least(_outlook(row, base.units), base)
    return extended


def _outlook(row: Mapping[Hashable, Any], units: int) -> Outlook:
    bounds = {f"{side}_{level}": row[f"{side}-{level}"] for side in ("lo", "hi") for level in (80, 95)}
    return Outlook(units, row["mean"], row["median"], **bounds)


def store_landings(
    session: Session, *, inputs: LandingInputs, result: LandingResult, now: dt.datetime
) -> int:
    """Keep the landings of the day in place of any drawn before; the same ones are kept once.

    Returns how many campaigns run.

    Raises:
        Conflict: `landing_stale` when the curves moved since the freeze.
    """
    if result.fingerprint != freeze_landings(session, as_of=inputs.as_of).fingerprint:
        raise Conflict("landing_stale", "Pledges moved while landings were drawn. Run the cycle again.")
    known = find_landings(session, fingerprint=inputs.fingerprint)
    if known:
        return len(known)
    for table in (LandingExtension, LandingLine, Landing):
        session.execute(delete(table).where(table.as_of == inputs.as_of))
    days = {
        row["campaign_id"]: row
        for row in inputs.running.filter(pl.col("sku") == ALL).group_by("campaign_id").last().to_dicts()
    }
    finished = inputs.finished["campaign_id"].n_unique()
    session.add_all(
        Landing(
            campaign_id=campaign_id,
            as_of=inputs.as_of,
            elapsed_day=days[campaign_id]["elapsed_day"],
            window_days=days[campaign_id]["window_days"],
            method=method,
            finished=finished,
            fingerprint=result.fingerprint,
            created_at=now,
            **asdict(outlook),
        )
        for campaign_id, (outlook, method) in result.wholes.items()
    )
    session.flush()
    lines = [
        {"campaign_id": campaign_id, "as_of": inputs.as_of, "sku_id": sku_id, "region_id": region_id}
        | asdict(outlook)
        for campaign_id, found in result.parts.items()
        for (sku_id, region_id), outlook in found.items()
    ]
    if lines:
        session.execute(insert(LandingLine), lines)
    session.add_all(
        LandingExtension(
            campaign_id=campaign_id,
            as_of=inputs.as_of,
            days=days,
            **{name: value for name, value in asdict(outlook).items() if name != "units"},
        )
        for (campaign_id, days), outlook in result.extended.items()
    )
    session.flush()
    return len(result.wholes)
