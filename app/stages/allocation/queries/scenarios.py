"""Scenarios of a plan: what was otherwise, and what it came to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.stages.allocation.models import Scenario
from app.stages.allocation.translate import place_names
from app.stages.catalog import queries as catalog
from app.stages.catalog.queries import Name


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioFact:
    """One scenario. changes: kind and its fields, places and SKUs by their codes.

    result is None until it was planned. Then: status, cost_minor, bound_minor, gap, stopped_by,
    cost_change_minor, cost_parts and parts_minor (each part of the cost, and its change), moved (units
    another supplier makes), unmet, unmet_change, late, late_change, shares (supplier, before, after), moves
    (sku, supplier, before, after: the SKUs that move most). Of an infeasible one: status and rules (groups
    that clash). Of drawn demand: status, draws, level (None: the demand as given), expected_minor,
    cvar_minor (mean of the dearest tenth), ordered, tried (level, expected_minor, cvar_minor of every
    candidate).
    """

    id: int
    run_id: int
    changes: list[dict[str, Any]]
    result: dict[str, Any] | None
    created_by: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Choices:
    """What changes can name, as plans name it: places and lanes with their words."""

    suppliers: tuple[tuple[str, Name], ...]
    regions: tuple[tuple[str, Name], ...]
    lanes: tuple[tuple[str, str, Name, Name], ...]


def choices(session: Session) -> Choices:
    """Suppliers, regions and lanes of the network, by their names."""
    names = catalog.names(session)
    tables = {"supplier": names.suppliers, "warehouse": names.warehouses, "region": names.regions}
    codes = {kind: {id_: name.code for id_, name in table.items()} for kind, table in tables.items()}
    called = place_names(codes)

    def end(**ids: int | None) -> tuple[str, Name]:
        kind, id_ = next((kind, id_) for kind, id_ in ids.items() if id_ is not None)
        return called[kind, id_], tables[kind][id_]

    lanes = []
    for lane in catalog.list_lanes(session):
        source, from_ = end(supplier=lane.from_supplier_id, warehouse=lane.from_warehouse_id)
        target, to = end(warehouse=lane.to_warehouse_id, region=lane.to_region_id)
        lanes.append((source, target, from_, to))

    def listed(kind: str) -> tuple[tuple[str, Name], ...]:
        return tuple(sorted((called[kind, id_], name) for id_, name in tables[kind].items()))

    return Choices(listed("supplier"), listed("region"), tuple(sorted(lanes, key=lambda lane: lane[:2])))


def scenarios(session: Session, *, run_id: int, limit: int = 20) -> list[ScenarioFact]:
    """Scenarios of a plan, newest first."""
    query = select(Scenario).where(Scenario.run_id == run_id).order_by(Scenario.id.desc()).limit(limit)
    return [_fact(row) for row in session.scalars(query)]


def get_scenario(session: Session, *, scenario_id: int) -> ScenarioFact:
    """Raises NotFound."""
    row = session.get(Scenario, scenario_id)
    if row is None:
        raise NotFound("scenario_unknown", f"There is no scenario {scenario_id}.", scenario_id=scenario_id)
    return _fact(row)


def _fact(row: Scenario) -> ScenarioFact:
    return ScenarioFact(**{name: getattr(row, name) for name in ScenarioFact.__dataclass_fields__})
