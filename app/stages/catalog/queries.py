"""What other stages and screens read of the catalog."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
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
from app.stages.catalog.rules import SkuState

_CODES_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class SkuFact:
    """`volume` counts storage units a piece takes; `holding_cost_minor` is per unit and week."""

    id: int
    code: str
    name: str
    name_zh: str | None
    category: str | None
    volume: int
    holding_cost_minor: int
    goods: bool
    state: str


@dataclass(frozen=True, slots=True)
class SupplierFact:
    """`weekly_capacity` in units over all its SKUs, None where it gave none; `risk` from 0 (none) to 1."""

    id: int
    code: str
    name: str
    name_zh: str | None
    weekly_capacity: int | None
    risk: float


@dataclass(frozen=True, slots=True)
class BreakFact:
    """From `min_quantity` on, every unit of the order costs `unit_price_minor`."""

    min_quantity: int
    unit_price_minor: int


@dataclass(frozen=True, slots=True)
class OfferFact:
    """`breaks` ascend by quantity and begin at 0."""

    id: int
    supplier_id: int
    sku_id: int
    moq: int
    lot_multiple: int
    lead_days: int
    weekly_capacity: int | None
    order_cost_minor: int
    breaks: tuple[BreakFact, ...]


@dataclass(frozen=True, slots=True)
class WarehouseFact:
    """`weekly_inbound` in units a week, `storage` in storage units; None where there is no limit."""

    id: int
    code: str
    name: str
    name_zh: str | None
    timezone: str
    weekly_inbound: int | None
    storage: int | None


@dataclass(frozen=True, slots=True)
class RegionFact:
    id: int
    code: str
    name: str
    name_zh: str | None
    timezone: str
    state: str


@dataclass(frozen=True, slots=True)
class LaneFact:
    """One origin and one destination are set; `cost_minor` is per unit."""

    id: int
    from_supplier_id: int | None
    from_warehouse_id: int | None
    to_warehouse_id: int | None
    to_region_id: int | None
    cost_minor: int
    lead_days: int


@dataclass(frozen=True, slots=True)
class BomFact:
    sku_id: int
    component: str
    quantity_per: int


@dataclass(frozen=True, slots=True)
class CalendarFact:
    """`kind` is promotion or holiday."""

    day: dt.date
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Network:
    """Who can make what, and how it travels. Each tuple ascends by id, so that equal networks are equal.

    `skus` are goods that are not retired, drafts included; only active suppliers and offers are listed.
    """

    skus: tuple[SkuFact, ...]
    suppliers: tuple[SupplierFact, ...]
    offers: tuple[OfferFact, ...]
    warehouses: tuple[WarehouseFact, ...]
    regions: tuple[RegionFact, ...]
    lanes: tuple[LaneFact, ...]


@dataclass(frozen=True, slots=True)
class Name:
    code: str
    name: str
    name_zh: str | None

    def in_language(self, locale: str) -> str:
        """The Chinese name for a Chinese reader where there is one, else the name."""
        return self.name_zh if self.name_zh and locale.startswith("zh") else self.name


@dataclass(frozen=True, slots=True)
class Names:
    """Names by id, for screens."""

    skus: Mapping[int, Name]
    suppliers: Mapping[int, Name]
    warehouses: Mapping[int, Name]
    regions: Mapping[int, Name]


def network(session: Session) -> Network:
    """The whole network as plain values; one statement a table."""
    return Network(
        skus=_skus(session),
        suppliers=_suppliers(session),
        offers=_offers(session),
        warehouses=tuple(list_warehouses(session)),
        regions=tuple(list_regions(session)),
        lanes=_lanes(session),
    )


def sku_ids(session: Session, *, codes: Sequence[str] | None = None) -> dict[str, int]:
    """The id of every SKU by its code, retired ones included; of those with these codes, where given."""
    query = select(Sku.code, Sku.id)
    if codes is None:
        return dict(session.execute(query).all())
    found: dict[str, int] = {}
    for start in range(0, len(codes), _CODES_AT_ONCE):
        some = Sku.code.in_(codes[start : start + _CODES_AT_ONCE])
        found.update(session.execute(query.where(some)).all())
    return found


def region_ids(session: Session) -> dict[str, tuple[int, str]]:
    """The id and the time zone of every region by its code."""
    rows = session.execute(select(Region.code, Region.id, Region.timezone))
    return {code: (id_, timezone) for code, id_, timezone in rows}


def supplier_ids(session: Session) -> dict[str, int]:
    return dict(session.execute(select(Supplier.code, Supplier.id)).all())


def supplier_id(session: Session, *, code: str) -> int:
    """The id of one supplier. Raises NotFound."""
    found = session.scalar(select(Supplier.id).where(Supplier.code == code))
    if found is None:
        raise NotFound("supplier_unknown", f"There is no supplier {code!r}.", supplier=code)
    return found


def warehouse_ids(session: Session) -> dict[str, int]:
    return dict(session.execute(select(Warehouse.code, Warehouse.id)).all())


def not_goods_ids(session: Session) -> frozenset[int]:
    """SKUs that are postage, fees, samples and the like: ordered, but no demand for goods."""
    return frozenset(session.scalars(select(Sku.id).where(Sku.goods.is_(False))))


def list_skus(
    session: Session, *, search: str | None = None, limit: int = 50, after: str | None = None
) -> list[SkuFact]:
    """SKUs by code; `search` is a part of code, name or category, `after` the last code seen."""
    query = select(*_columns(Sku, SkuFact)).order_by(Sku.code).limit(limit)
    if after is not None:
        query = query.where(Sku.code > after)
    if search:
        query = _search(query, search)
    return [SkuFact(*row) for row in session.execute(query)]


def get_sku(session: Session, *, sku_id: int) -> SkuFact | None:
    row = session.execute(select(*_columns(Sku, SkuFact)).where(Sku.id == sku_id)).one_or_none()
    return SkuFact(*row) if row else None


def list_suppliers(session: Session) -> list[SupplierFact]:
    return list(_suppliers(session))


def list_warehouses(session: Session) -> list[WarehouseFact]:
    query = select(*_columns(Warehouse, WarehouseFact)).order_by(Warehouse.id)
    return [WarehouseFact(*row) for row in session.execute(query)]


def list_regions(session: Session) -> list[RegionFact]:
    query = select(*_columns(Region, RegionFact)).order_by(Region.id)
    return [RegionFact(*row) for row in session.execute(query)]


def list_lanes(session: Session) -> list[LaneFact]:
    return list(_lanes(session))


def offers_of(session: Session, *, sku_id: int) -> list[OfferFact]:
    """Active supply offers for one SKU, by supplier."""
    return list(_offers(session, sku_id=sku_id))


def bom_of(session: Session, *, sku_id: int) -> list[BomFact]:
    query = select(*_columns(BomLine, BomFact)).where(BomLine.sku_id == sku_id).order_by(BomLine.component)
    return [BomFact(*row) for row in session.execute(query)]


def calendar(session: Session, *, since: dt.date, until: dt.date) -> list[CalendarFact]:
    """Promotions and holidays from `since` to the day before `until`."""
    query = (
        select(*_columns(CalendarDay, CalendarFact))
        .where(CalendarDay.day >= since, CalendarDay.day < until)
        .order_by(CalendarDay.day, CalendarDay.kind)
    )
    return [CalendarFact(*row) for row in session.execute(query)]


def names(session: Session) -> Names:
    """Code and names of every SKU, supplier, warehouse and region, by id."""
    return Names(
        skus=_names(session, Sku),
        suppliers=_names(session, Supplier),
        warehouses=_names(session, Warehouse),
        regions=_names(session, Region),
    )


def _names(session: Session, model: type[Sku | Supplier | Warehouse | Region]) -> dict[int, Name]:
    rows = session.execute(select(model.id, model.code, model.name, model.name_zh))
    return {id_: Name(code, name, name_zh) for id_, code, name, name_zh in rows}


def _columns(model: Any, fact: Any) -> list[Any]:
    """The columns of `model` in the order of the fact's fields."""
    return [getattr(model, field) for field in fact.__dataclass_fields__]


def _search(query: Select[Any], text: str) -> Select[Any]:
    places = (Sku.code, Sku.name, Sku.name_zh, Sku.category)
    return query.where(or_(*(place.icontains(text, autoescape=True) for place in places)))


def _skus(session: Session) -> tuple[SkuFact, ...]:
    query = select(*_columns(Sku, SkuFact)).where(Sku.state != SkuState.RETIRED, Sku.goods).order_by(Sku.id)
    return tuple(SkuFact(*row) for row in session.execute(query))


def _suppliers(session: Session) -> tuple[SupplierFact, ...]:
    query = select(*_columns(Supplier, SupplierFact)).where(Supplier.active).order_by(Supplier.id)
    return tuple(SupplierFact(*row) for row in session.execute(query))


def _lanes(session: Session) -> tuple[LaneFact, ...]:
    query = select(*_columns(Lane, LaneFact)).order_by(Lane.id)
    return tuple(LaneFact(*row) for row in session.execute(query))


def _offers(session: Session, *, sku_id: int | None = None) -> tuple[OfferFact, ...]:
    """Offers with their breaks: one ordered pass over the join, grouped by offer."""
    offer: list[Any] = [
        getattr(SupplyOffer, field) for field in OfferFact.__dataclass_fields__ if field != "breaks"
    ]
    query = (
        select(*offer, PriceBreak.min_quantity, PriceBreak.unit_price_minor)
        .join(PriceBreak, PriceBreak.offer_id == SupplyOffer.id)
        .join(Supplier, Supplier.id == SupplyOffer.supplier_id)
        .where(SupplyOffer.active, Supplier.active)
        .order_by(SupplyOffer.id, PriceBreak.min_quantity)
    )
    if sku_id is not None:
        query = query.where(SupplyOffer.sku_id == sku_id)
    rows: Iterable[tuple[Any, ...]] = (tuple(row) for row in session.execute(query))
    grouped = groupby(rows, key=lambda row: row[:-2])
    return tuple(
        OfferFact(*terms, tuple(BreakFact(*row[-2:]) for row in steps))  # type: ignore[call-arg]
        for terms, steps in grouped
    )
