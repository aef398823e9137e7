"""Changing the catalog."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core import audit
from app.core.access import Actor, Role
from app.core.db import Base
from app.core.errors import RuleBroken
from app.core.jobs import Progress
from app.stages.catalog import queries, translate
from app.stages.catalog.models import (
    BomLine,
    CalendarDay,
    Lane,
    PriceBreak,
    Region,
    Sku,
    Supplier,
    SupplyOffer,
    Warehouse,
)
from app.stages.catalog.readers import NetworkFiles, read_network, read_table
from app.stages.catalog.rules import MOST_SHOWN, Fault, RegionState, SkuState, file_named

_NETWORK_LOCK = 0x4E45_5457
"""Any fixed number: imports of a network wait for each other on PostgreSQL; SQLite has one writer anyway."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TableFact:
    """What an import did to one table: rows read, and of those created, updated, unchanged.

    `removed` rows were there before and are no longer: steps of a price list that replaced another.
    """

    read: int
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class NetworkFact:
    """What an import of a network did, by file of the template. `unchanged`: it was all known already."""

    tables: dict[str, TableFact]
    unchanged: bool
    seconds: float


def import_network(
    session: Session,
    *,
    directory: Path,
    actor: Actor,
    now: dt.datetime,
    currency: str,
    progress: Progress | None = None,
) -> NetworkFact:
    """Load the network's CSV files but stock.csv, which is checked here and moved by the stock stage.

    Rows are matched by code: new ones are created, changed ones updated, drafts made active. Nothing is
    deleted, but the price breaks of an offer are replaced as a whole.

    Raises:
        NotAllowed: the actor is no merchandiser.
        RuleBroken: network_invalid, with up to 50 errors of all files (file, row, column, code, sentence);
            nothing is stored then.
    """
    actor.must_be(Role.MERCHANDISER)
    started = time.perf_counter()
    tell = progress or (lambda *_: None)
    tell("Checking the network", 0, 1)
    files = read_network(directory, currency=currency)
    if not _is_sqlite(session):
        session.execute(select(func.pg_advisory_xact_lock(_NETWORK_LOCK)))
    refuse_faults([*files.faults, *translate.check_between(files.tables, _known(session))])
    tell("Checking the network", 1, 1)
    tables = _store(session, files, tell)
    changed = {name: fact for name, fact in tables.items() if fact.unchanged != fact.read or fact.removed}
    if changed:
        data = {name: [fact.created, fact.updated, fact.removed] for name, fact in changed.items()}
        audit.record(session, actor=actor, action="network.imported", subject="network", data=data, now=now)
    return NetworkFact(tables, unchanged=not changed, seconds=time.perf_counter() - started)


@dataclass(frozen=True, slots=True)
class StockRow:
    """Units declared to be on hand, in row `row` of stock.csv."""

    row: int
    sku: str
    warehouse: str
    quantity: int


def read_stock(directory: Path) -> list[StockRow]:
    """The rows of stock.csv; none where there is no such file.

    Raises:
        RuleBroken: network_invalid when the file has errors.
    """
    faults: list[Fault] = []
    frame = read_table(directory, file_named("stock"), currency="", faults=faults)
    refuse_faults(faults)
    return [StockRow(*row) for row in frame.select("row", "sku", "warehouse", "quantity").iter_rows()]


def refuse_faults(faults: Sequence[Fault]) -> None:
    """Refuse a network with faults, naming them."""
    if not faults:
        return
    first = faults[0]
    count = f"{len(faults)} errors" if len(faults) > 1 else "an error"
    if len(faults) > MOST_SHOWN:
        count = f"more than {MOST_SHOWN} errors; the first {MOST_SHOWN} are listed"
    place = first.file if first.row is None else f"{first.file}, row {first.row}"
    raise RuleBroken(
        "network_invalid",
        f"The network has {count}, and nothing was stored. The first, in {place}: {first.sentence}",
        errors=[fault.as_data() for fault in faults[:MOST_SHOWN]],
    )


def register_unknown(
    session: Session,
    *,
    skus: Sequence[tuple[str, str | None, bool]],
    regions: Sequence[str],
    timezone: str,
) -> None:
    """Add SKUs (code, name, goods) and regions nobody described yet as drafts; known ones stay."""
    drafts = [
        {
            "code": code,
            "name": (name or code)[:200],
            "goods": goods,
            "state": SkuState.DRAFT.value,
            "volume": 1,
            "holding_cost_minor": 0,
        }
        for code, name, goods in sorted(skus)
    ]
    places = [
        {"code": code, "name": code, "timezone": timezone, "state": RegionState.DRAFT.value}
        for code in sorted(regions)
    ]
    for model, rows in ((Sku, drafts), (Region, places)):
        if rows:
            statement = _insert(session)(model.__table__)
            session.execute(statement.on_conflict_do_nothing(index_elements=["code"]), rows)


def _known(session: Session) -> translate.Known:
    offers = (
        select(Supplier.code, Sku.code)
        .select_from(SupplyOffer)
        .join(Supplier, Supplier.id == SupplyOffer.supplier_id)
        .join(Sku, Sku.id == SupplyOffer.sku_id)
    )
    return translate.Known(
        skus=frozenset(queries.sku_ids(session)),
        suppliers=frozenset(queries.supplier_ids(session)),
        warehouses=frozenset(queries.warehouse_ids(session)),
        regions=frozenset(queries.region_ids(session)),
        offers=frozenset((supplier, sku) for supplier, sku in session.execute(offers)),
    )


def _store(session: Session, files: NetworkFiles, tell: Progress) -> dict[str, TableFact]:
    """Table by table, in an order in which every reference is there before it is used."""
    frames = files.tables
    facts: dict[str, TableFact] = {}

    def merge(name: str, rows: list[Row], model: type[Base], key: tuple[str, ...]) -> None:
        tell("Storing the network", len(facts), 9)
        facts[name] = _merge(session, model=model, key=key, rows=rows)

    merge("skus", translate.sku_rows(frames["skus"]), Sku, ("code",))
    merge("suppliers", translate.supplier_rows(frames["suppliers"]), Supplier, ("code",))
    merge("warehouses", translate.warehouse_rows(frames["warehouses"]), Warehouse, ("code",))
    merge("regions", translate.region_rows(frames["regions"]), Region, ("code",))
    skus, suppliers = queries.sku_ids(session), queries.supplier_ids(session)
    offers = translate.offer_rows(frames["supply_offers"], suppliers=suppliers, skus=skus)
    merge("supply_offers", offers, SupplyOffer, ("supplier_id", "sku_id"))
    ids = _offer_ids(session)
    breaks = translate.break_rows(
        frames["price_breaks"], offer=lambda supplier, sku: ids[suppliers[supplier], skus[sku]]
    )
    removed = _drop_other_breaks(session, breaks)
    merge("price_breaks", breaks, PriceBreak, ("offer_id", "min_quantity"))
    facts["price_breaks"] = _with_removed(facts["price_breaks"], removed)
    ends = {
        "supplier": suppliers,
        "warehouse": queries.warehouse_ids(session),
        "region": {code: id_ for code, (id_, _) in queries.region_ids(session).items()},
    }
    merge("lanes", translate.lane_rows(frames["lanes"], ids=ends), Lane, translate.LANE_ENDS)
    merge("calendar", translate.calendar_rows(frames["calendar"]), CalendarDay, ("day", "kind"))
    merge("bom", translate.bom_rows(frames["bom"], skus=skus), BomLine, ("sku_id", "component"))
    tell("Storing the network", 9, 9)
    return facts


def _offer_ids(session: Session) -> dict[tuple[int, int], int]:
    rows = session.execute(select(SupplyOffer.supplier_id, SupplyOffer.sku_id, SupplyOffer.id))
    return {(supplier_id, sku_id): id_ for supplier_id, sku_id, id_ in rows}


def _drop_other_breaks(session: Session, breaks: list[Row]) -> int:
    """Delete the steps that a new price list of the same offer no longer has."""
    kept = {(row["offer_id"], row["min_quantity"]) for row in breaks}
    offers = {offer_id for offer_id, _ in kept}
    stored = session.execute(select(PriceBreak.offer_id, PriceBreak.min_quantity))
    gone = sorted(step for step in stored if step[0] in offers and step not in kept)
    if gone:
        statement = delete(PriceBreak).where(
            PriceBreak.offer_id == bindparam("offer"), PriceBreak.min_quantity == bindparam("quantity")
        )
        session.connection().execute(
            statement, [{"offer": offer_id, "quantity": quantity} for offer_id, quantity in gone]
        )
    return len(gone)


def _with_removed(fact: TableFact, removed: int) -> TableFact:
    return TableFact(fact.read, fact.created, fact.updated, fact.unchanged, removed)


def _merge(session: Session, *, model: type[Base], key: tuple[str, ...], rows: list[Row]) -> TableFact:
    """Create the rows whose key is new, update those that differ, leave the rest alone."""
    if not rows:
        return TableFact(0)
    values = [column for column in rows[0] if column not in key]
    stored = _stored(session, model, key, values)
    new = [row for row in rows if tuple(row[column] for column in key) not in stored]
    changed = [
        row
        for row in rows
        if (known := stored.get(tuple(row[column] for column in key))) is not None
        and known != tuple(row[column] for column in values)
    ]
    if new:
        _create(session, model, key, values, new)
    if changed:
        _update(session, model, key, values, changed)
    return TableFact(len(rows), len(new), len(changed), len(rows) - len(new) - len(changed))


def _stored(
    session: Session, model: type[Base], key: tuple[str, ...], values: list[str]
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    rows = session.execute(select(*_columns(model, [*key, *values]))).all()
    return {tuple(row[: len(key)]): tuple(row[len(key) :]) for row in rows}


def _create(
    session: Session, model: type[Base], key: tuple[str, ...], values: list[str], rows: list[Row]
) -> None:
    if key != ("code",):
        session.execute(insert(model), rows)
        return
    # An order import may register the same code as a draft at this very moment: describe that draft then.
    statement = _insert(session)(model)
    fresh = {column: statement.excluded[column] for column in values}
    session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=fresh), rows)


def _update(
    session: Session, model: type[Base], key: tuple[str, ...], values: list[str], rows: list[Row]
) -> None:
    """One statement for all rows. A lane's unused ends are null, and null = null is not true in SQL."""
    same = [
        column.is_not_distinct_from(bindparam(f"key_{column.key}"))
        if column.nullable
        else column == bindparam(f"key_{column.key}")
        for column in (model.__table__.c[name] for name in key)
    ]
    statement = update(model).where(*same).values({column: bindparam(f"new_{column}") for column in values})
    session.connection().execute(
        statement,
        [
            {f"key_{column}": row[column] for column in key}
            | {f"new_{column}": row[column] for column in values}
            for row in rows
        ],
    )


def _columns(model: type[Base], names: Sequence[str]) -> list[InstrumentedAttribute[Any]]:
    return [getattr(model, name) for name in names]


def _insert(session: Session) -> Callable[..., Any]:
    return sqlite.insert if _is_sqlite(session) else postgresql.insert


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
