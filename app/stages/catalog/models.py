"""Tables of the catalog: SKU, BOM, supplier, supply offer, warehouse, region, lane, calendar."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId, one_of
from app.stages.catalog.rules import RegionState, SkuState


class Sku(Base):
    """One sellable, countable variant; `goods` is false for postage, fees, samples and the like."""

    __tablename__ = "sku"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    name_zh: Mapped[str | None] = mapped_column(String(200))
    category: Mapped[str | None] = mapped_column(String(80), index=True)
    volume: Mapped[int] = mapped_column(default=1)
    holding_cost_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    goods: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str] = mapped_column(String(12))
    __table_args__ = (
        one_of("state", [state.value for state in SkuState]),
        CheckConstraint("volume >= 1", name="volume_positive"),
        CheckConstraint("holding_cost_minor >= 0", name="holding_cost_positive"),
    )


class BomLine(Base):
    __tablename__ = "bom_line"
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"), primary_key=True)
    component: Mapped[str] = mapped_column(String(80), primary_key=True)
    quantity_per: Mapped[int]
    __table_args__ = (CheckConstraint("quantity_per >= 1", name="quantity_positive"),)


class Supplier(Base):
    __tablename__ = "supplier"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    name_zh: Mapped[str | None] = mapped_column(String(200))
    weekly_capacity: Mapped[int | None]
    risk: Mapped[float] = mapped_column(default=0.0)
    active: Mapped[bool] = mapped_column(default=True)
    __table_args__ = (
        CheckConstraint("weekly_capacity IS NULL OR weekly_capacity >= 0", name="capacity_positive"),
        CheckConstraint("risk >= 0 AND risk <= 1", name="risk_in_unit"),
    )


class SupplyOffer(Base):
    """One supplier's terms for one SKU. Price breaks are all-units: the break reached prices every unit."""

    __tablename__ = "supply_offer"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("supplier.id"))
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"), index=True)
    moq: Mapped[int] = mapped_column(default=0)
    lot_multiple: Mapped[int] = mapped_column(default=1)
    lead_days: Mapped[int] = mapped_column(default=0)
    weekly_capacity: Mapped[int | None]
    order_cost_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    active: Mapped[bool] = mapped_column(default=True)
    __table_args__ = (
        UniqueConstraint("supplier_id", "sku_id"),
        CheckConstraint("moq >= 0", name="moq_positive"),
        CheckConstraint("lot_multiple >= 1", name="lot_multiple_positive"),
        CheckConstraint("lead_days >= 0", name="lead_positive"),
        CheckConstraint("weekly_capacity IS NULL OR weekly_capacity >= 0", name="capacity_positive"),
        CheckConstraint("order_cost_minor >= 0", name="order_cost_positive"),
    )


class PriceBreak(Base):
    __tablename__ = "price_break"
    offer_id: Mapped[int] = mapped_column(ForeignKey("supply_offer.id"), primary_key=True)
    min_quantity: Mapped[int] = mapped_column(primary_key=True)
    unit_price_minor: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (
        CheckConstraint("min_quantity >= 0", name="quantity_positive"),
        CheckConstraint("unit_price_minor >= 0", name="price_positive"),
    )


class Warehouse(Base):
    __tablename__ = "warehouse"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    name_zh: Mapped[str | None] = mapped_column(String(200))
    timezone: Mapped[str] = mapped_column(String(60))
    weekly_inbound: Mapped[int | None]
    storage: Mapped[int | None]
    __table_args__ = (
        CheckConstraint("weekly_inbound IS NULL OR weekly_inbound >= 0", name="inbound_positive"),
        CheckConstraint("storage IS NULL OR storage >= 0", name="storage_positive"),
    )


class Region(Base):
    __tablename__ = "region"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    name_zh: Mapped[str | None] = mapped_column(String(200))
    timezone: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(12))
    __table_args__ = (one_of("state", [state.value for state in RegionState]),)


class Lane(Base):
    """A way for goods: supplier → warehouse, warehouse → region, or supplier → region direct."""

    __tablename__ = "lane"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    from_supplier_id: Mapped[int | None] = mapped_column(ForeignKey("supplier.id"), index=True)
    from_warehouse_id: Mapped[int | None] = mapped_column(ForeignKey("warehouse.id"), index=True)
    to_warehouse_id: Mapped[int | None] = mapped_column(ForeignKey("warehouse.id"))
    to_region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))
    cost_minor: Mapped[int] = mapped_column(BigInteger)
    lead_days: Mapped[int]
    __table_args__ = (
        # one per kind of lane: a key over all four ends would never hold, since two of them are always null
        UniqueConstraint("from_supplier_id", "to_warehouse_id"),
        UniqueConstraint("from_warehouse_id", "to_region_id"),
        UniqueConstraint("from_supplier_id", "to_region_id"),
        CheckConstraint("(from_supplier_id IS NULL) <> (from_warehouse_id IS NULL)", name="one_origin"),
        CheckConstraint("(to_warehouse_id IS NULL) <> (to_region_id IS NULL)", name="one_destination"),
        CheckConstraint("from_warehouse_id IS NULL OR to_region_id IS NOT NULL", name="no_transfer"),
        CheckConstraint("cost_minor >= 0 AND lead_days >= 0", name="cost_and_lead_positive"),
    )


class CalendarDay(Base):
    """A promotion or holiday, known ahead."""

    __tablename__ = "calendar_day"
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    __table_args__ = (one_of("kind", ["promotion", "holiday"]),)
