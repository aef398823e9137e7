"""Campaigns from a file: what runs, or ran, in a channel already, so that it is launched as it is."""

from __future__ import annotations

import csv
import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.access import Actor, Role
from app.core.errors import RuleBroken
from app.stages.catalog import queries as catalog
from app.stages.demand.models import Campaign, CampaignDecision, CampaignSku, Tier
from app.stages.demand.operations.drafts import record
from app.stages.demand.rules import CampaignState
from app.stages.demand.rules.campaigns import DecisionKind

HEADINGS = (
    "campaign",
    "name",
    "name_zh",
    "sku",
    "opens_at",
    "closes_at",
    "expected_units",
    "go_factor",
    "due_week",
    "per_buyer_limit",
    "tiers",
)


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: dict[str, str]

    def refuse(self, column: str, why: str) -> RuleBroken:
        sentence = f"line {self.line}, {column}: {self.cells.get(column, '')!r} {why}."
        return RuleBroken("campaigns_invalid", sentence, row=self.line, column=column)


def import_campaigns(session: Session, *, path: Path, actor: Actor, now: dt.datetime) -> int:
    """Create the campaigns of a file that are not there yet, open from their opening time; returns how many.

    They are launched without the checks of a draft: the file says what a channel sells already.

    The file has a row per campaign and SKU (columns HEADINGS); the other cells are the same in all rows of a
    campaign. `tiers` reads "0:299.00|300:279.00": from so many units on, every unit costs so much.

    Raises:
        RuleBroken: `campaigns_invalid` with line, column, and what to write; nothing is stored.
    """
    actor.must_be(Role.MERCHANDISER)
    known = set(session.scalars(select(Campaign.code)))
    skus = catalog.sku_ids(session)
    count = 0
    for code, rows in _by_campaign(path).items():
        if code in known:
            continue
        campaign = _campaign(rows[0])
        session.add(campaign)
        session.flush()
        session.add_all(
            CampaignSku(campaign_id=campaign.id, sku_id=sku_id) for sku_id in _sku_ids(rows, known=skus)
        )
        session.add_all(
            Tier(campaign_id=campaign.id, min_units=least, unit_price_minor=price)
            for least, price in _tiers(rows[0])
        )
        session.add(_launch(campaign, actor=actor, now=now))
        data = {"expected_units": campaign.expected_units, "go_factor_percent": campaign.go_factor_percent}
        record(session, campaign=campaign, action="campaign.launched", data=data, actor=actor, now=now)
        count += 1
    return count


def _launch(campaign: Campaign, *, actor: Actor, now: dt.datetime) -> CampaignDecision:
    return CampaignDecision(
        campaign_id=campaign.id,
        kind=DecisionKind.LAUNCH,
        from_state=CampaignState.DRAFT,
        to_state=CampaignState.OPEN,
        valid_units=0,
        expected_units=campaign.expected_units,
        go_factor_percent=campaign.go_factor_percent,
        inputs={"from_file": True},
        decided_by=actor.name,
        decided_at=now,
    )


def _sku_ids(rows: list[_Row], *, known: dict[str, int]) -> list[int]:
    ids: list[int] = []
    for row in rows:
        sku_id = known.get(row.cells["sku"])
        if sku_id is None:
            raise row.refuse("sku", "is unknown; describe it in skus.csv first")
        if sku_id in ids:
            raise row.refuse("sku", "stands twice in this campaign; name each SKU once")
        ids.append(sku_id)
    return ids


def _by_campaign(path: Path) -> dict[str, list[_Row]]:
    grouped: dict[str, list[_Row]] = {}
    try:
        for row in _rows(path):
            for column, longest in (("campaign", 80), ("name", 200)):
                if not 0 < len(row.cells[column]) <= longest:
                    raise row.refuse(column, f"must have 1 to {longest} characters")
            grouped.setdefault(row.cells["campaign"], []).append(row)
    except (UnicodeDecodeError, csv.Error):
        raise RuleBroken(
            "campaigns_invalid", f"{path.name}: this is no CSV in UTF-8; save it as such and try again."
        ) from None
    return grouped


def _rows(path: Path) -> list[_Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [heading for heading in HEADINGS if heading not in (reader.fieldnames or [])]
        if missing:
            raise RuleBroken(
                "campaigns_invalid", f"{path.name}: no column {', '.join(missing)}; use the template."
            )
        return [
            _Row(reader.line_num, {key: (value or "").strip() for key, value in row.items() if key})
            for row in reader
        ]


def _campaign(row: _Row) -> Campaign:
    opens_at, closes_at = _instant(row, "opens_at"), _instant(row, "closes_at")
    if closes_at <= opens_at:
        raise row.refuse("closes_at", "is not after opens_at; a campaign closes after it opens")
    factor = row.cells["go_factor"]
    if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,2})?", factor):
        raise row.refuse("go_factor", "is no factor; write it like 1.2")
    limit = row.cells["per_buyer_limit"]
    return Campaign(
        version=1,
        code=row.cells["campaign"],
        name=row.cells["name"],
        name_zh=row.cells["name_zh"] or None,
        state=CampaignState.OPEN,
        launched_at=opens_at,
        opens_at=opens_at,
        closes_at=closes_at,
        expected_units=_units(row, "expected_units"),
        go_factor_percent=_minor(factor),
        per_buyer_limit=_units(row, "per_buyer_limit") if limit else None,
        due_week=_monday(row),
    )


def _instant(row: _Row, column: str) -> dt.datetime:
    try:
        instant = dt.datetime.fromisoformat(row.cells[column])
    except ValueError:
        raise row.refuse(column, "is no time; write it like 2026-11-11T10:00:00+08:00") from None
    if instant.tzinfo is None:
        raise row.refuse(column, "has no offset; write it like 2026-11-11T10:00:00+08:00")
    return instant


def _monday(row: _Row) -> dt.date:
    try:
        day = dt.date.fromisoformat(row.cells["due_week"])
    except ValueError:
        raise row.refuse("due_week", "is no date; write a Monday like 2026-12-07") from None
    if day.weekday() != 0:
        raise row.refuse("due_week", "is no Monday; a planning week is named by its Monday")
    return day


def _units(row: _Row, column: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,8}", row.cells[column]):
        raise row.refuse(column, "is no whole number of units above 0")
    return int(row.cells[column])


def _tiers(row: _Row) -> list[tuple[int, int]]:
    parts = [part for part in row.cells["tiers"].split("|") if part]
    if not all(re.fullmatch(r"[0-9]{1,9}:[0-9]{1,10}\.[0-9]{2}", part) for part in parts):
        raise row.refuse("tiers", "are no tiers; write them like 0:299.00|300:279.00")
    tiers = [(int(part.split(":")[0]), _minor(part.split(":")[1])) for part in parts]
    if [least for least, _ in tiers] != sorted({least for least, _ in tiers}):
        raise row.refuse("tiers", "do not rise; each begins at more units than the one before")
    return tiers


def _minor(decimal: str) -> int:
    whole, _, part = decimal.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0")) if part else int(whole) * 100
