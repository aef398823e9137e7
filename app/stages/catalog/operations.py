"""Changing the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.stages.catalog.models import Region, Sku
from app.stages.catalog.rules import RegionState, SkuState


def register_unknown(
    session: Session,
    *,
    skus: Sequence[tuple[str, str | None, bool]],
    regions: Sequence[str],
    timezone: str,
) -> None:
    """Add SKUs (code, name, goods) and regions nobody described yet as drafts; known ones stay as they are."""
    drafts = [
        {
            "code": code,
            "name": (name or code)[:200],
            "goods": goods,
            "state": SkuState.DRAFT,
            "volume": 1,
            "holding_cost_minor": 0,
        }
        for code, name, goods in sorted(skus)
    ]
    _insert_new(session, Sku, drafts)
    _insert_new(
        session,
        Region,
        [
            {"code": code, "name": code, "timezone": timezone, "state": RegionState.DRAFT}
            for code in sorted(regions)
        ],
    )


def _insert_new(session: Session, model: type[Sku] | type[Region], rows: list[dict[str, Any]]) -> None:
    if rows:
        insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
        session.execute(insert(model).on_conflict_do_nothing(index_elements=["code"]), rows)
