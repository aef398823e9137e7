"""The checked files against each other and against what is known, and their rows as rows of the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from app.stages.catalog.rules import (
    MOST_SHOWN,
    Fault,
    RegionState,
    SkuState,
    dearer_step,
    smallest_order,
)

Tables = Mapping[str, pl.DataFrame]
Offer = tuple[str, str]
"""(supplier code, SKU code)."""
Step = tuple[int | None, int | None, int]
"""(minimum quantity, unit price, row) of a price break; null where the cell has a fault."""


@dataclass(frozen=True, slots=True)
class Known:
    """Codes the database knows already; a file may refer to them without repeating them."""

    skus: frozenset[str]
    suppliers: frozenset[str]
    warehouses: frozenset[str]
    regions: frozenset[str]
    offers: frozenset[Offer]


def check_between(tables: Tables, known: Known) -> list[Fault]:
    """What is wrong between files that are right by themselves: unknown references, prices, orders, lanes."""
    skus = _codes(tables, "skus", "sku") | known.skus
    suppliers = _codes(tables, "suppliers", "supplier") | known.suppliers
    warehouses = _codes(tables, "warehouses", "warehouse") | known.warehouses
    regions = _codes(tables, "regions", "region") | known.regions
    faults: list[Fault] = []
    for name in ("supply_offers", "stock", "bom"):
        faults += _unknown(tables[name], name, "sku", skus, "skus")
    faults += _unknown(tables["supply_offers"], "supply_offers", "supplier", suppliers, "suppliers")
    faults += _unknown(tables["stock"], "stock", "warehouse", warehouses, "warehouses")
    ends = {"supplier": suppliers, "warehouse": warehouses, "region": regions}
    faults += _lane_faults(tables["lanes"], ends)
    faults += _order_faults(tables["supply_offers"])
    faults += _price_faults(tables, known.offers)
    return faults


def _codes(tables: Tables, name: str, column: str) -> frozenset[str]:
    return frozenset(tables[name][column].drop_nulls())


def _unknown(
    frame: pl.DataFrame, name: str, column: str, codes: frozenset[str], described: str
) -> Iterable[Fault]:
    wrong = frame.filter(pl.col(column).is_not_null() & ~pl.col(column).is_in(list(codes)))
    for row, code in wrong.select("row", column).head(MOST_SHOWN + 1).iter_rows():
        why = f"{_cut(code)} is no known {column}; describe it in {described}.csv or correct the code."
        yield Fault(f"{name}.csv", row, column, f"{column}_unknown", why)


def _lane_faults(lanes: pl.DataFrame, ends: Mapping[str, frozenset[str]]) -> Iterable[Fault]:
    for column in ("from", "to"):
        for kind, codes in ends.items():
            some = lanes.filter(pl.col(f"{column}_kind") == kind)
            for fault in _unknown(some, "lanes", column, codes, f"{kind}s"):
                why = fault.sentence.replace(f"no known {column};", f"no known {kind};")
                yield Fault(fault.file, fault.row, column, f"{kind}_unknown", why)
    transfers = lanes.filter((pl.col("from_kind") == "warehouse") & (pl.col("to_kind") == "warehouse"))
    for row in transfers["row"].head(MOST_SHOWN + 1):
        why = "A lane from a warehouse ends in a region; lanes between warehouses are not planned."
        yield Fault("lanes.csv", row, "to_kind", "lane_between_warehouses", why)


def _order_faults(offers: pl.DataFrame) -> Iterable[Fault]:
    """Offers of which no order can be placed. A capacity of 0 is meant: the supplier pauses."""
    columns = ("row", "moq", "lot_multiple", "weekly_capacity")
    for row, moq, lot, capacity in offers.select(columns).drop_nulls().iter_rows():
        least = smallest_order(moq=moq, lot_multiple=lot)
        if 0 < capacity < least:
            why = (
                f"The smallest order is {least:,} units (MOQ {moq:,} in lots of {lot:,}), the weekly "
                f"capacity is {capacity:,}: nothing could be ordered. Raise the capacity, or lower the MOQ."
            )
            yield Fault("supply_offers.csv", row, "moq", "moq_over_capacity", why)


def _price_faults(tables: Tables, known: frozenset[Offer]) -> Iterable[Fault]:
    """Offers without a price, prices without an offer, and price lists that are none."""
    offers, breaks = tables["supply_offers"], tables["price_breaks"]
    rows = {
        (supplier, sku): row
        for row, supplier, sku in offers.select("row", "supplier", "sku").drop_nulls().iter_rows()
    }
    priced = _steps(breaks)
    for offer, steps in priced.items():
        if offer not in rows and offer not in known:
            why = f"{_named(offer)} is no supply offer; add it to supply_offers.csv or remove the price."
            yield Fault("price_breaks.csv", steps[0][2], "sku", "offer_unknown", why)
        if all(None not in step for step in steps):  # a broken row was named already
            yield from _step_faults(sorted(steps, key=lambda step: step[0] or 0))
    for offer, row in rows.items():
        if offer not in priced and offer not in known:
            why = f"{_named(offer)} has no price; add a price break from quantity 0 to price_breaks.csv."
            yield Fault("supply_offers.csv", row, "sku", "price_missing", why)


def _steps(breaks: pl.DataFrame) -> dict[Offer, list[Step]]:
    steps: dict[Offer, list[Step]] = {}
    columns = ("supplier", "sku", "min_quantity", "unit_price", "row")
    for supplier, sku, *step in breaks.select(columns).drop_nulls(["supplier", "sku"]).iter_rows():
        steps.setdefault((supplier, sku), []).append((step[0], step[1], step[2]))
    return steps


def _step_faults(steps: Sequence[Any]) -> Iterable[Fault]:
    if steps[0][0] != 0:
        why = f"The first price break is at {steps[0][0]:,}; begin with 0, the price of a single unit."
        yield Fault("price_breaks.csv", steps[0][2], "min_quantity", "first_break_not_zero", why)
    dearer = dearer_step([(quantity, price) for quantity, price, _ in steps])
    if dearer is not None:
        row = next(row for quantity, _, row in steps if quantity == dearer)
        why = f"From {dearer:,} units on the price is higher than below; more units never cost more each."
        yield Fault("price_breaks.csv", row, "unit_price", "price_rises", why)


def sku_rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            "code": row["sku"],
            "name": row["name"],
            "name_zh": row["name_zh"],
            "category": row["category"],
            "volume": _or(row["volume"], 1),
            "holding_cost_minor": _or(row["holding_cost"], 0),
            "state": SkuState.ACTIVE.value,
        }
        for row in frame.sort("sku").iter_rows(named=True)
    ]


def supplier_rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            "code": row["supplier"],
            "name": row["name"],
            "name_zh": row["name_zh"],
            "weekly_capacity": row["weekly_capacity"],
            "risk": _or(row["risk"], 0.0),
            "active": True,
        }
        for row in frame.sort("supplier").iter_rows(named=True)
    ]


def warehouse_rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    columns = ("name", "name_zh", "timezone", "weekly_inbound", "storage")
    return [
        {"code": row["warehouse"], **{column: row[column] for column in columns}}
        for row in frame.sort("warehouse").iter_rows(named=True)
    ]


def region_rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    columns = ("name", "name_zh", "timezone")
    return [
        {
            "code": row["region"],
            **{column: row[column] for column in columns},
            "state": RegionState.ACTIVE.value,
        }
        for row in frame.sort("region").iter_rows(named=True)
    ]


def offer_rows(
    frame: pl.DataFrame, *, suppliers: Mapping[str, int], skus: Mapping[str, int]
) -> list[dict[str, Any]]:
    return [
        {
            "supplier_id": suppliers[row["supplier"]],
            "sku_id": skus[row["sku"]],
            "moq": row["moq"],
            "lot_multiple": row["lot_multiple"],
            "lead_days": row["lead_days"],
            "weekly_capacity": row["weekly_capacity"],
            "order_cost_minor": _or(row["order_cost"], 0),
            "active": True,
        }
        for row in frame.sort("supplier", "sku").iter_rows(named=True)
    ]


def break_rows(frame: pl.DataFrame, *, offer: Callable[[str, str], int]) -> list[dict[str, Any]]:
    return [
        {
            "offer_id": offer(row["supplier"], row["sku"]),
            "min_quantity": row["min_quantity"],
            "unit_price_minor": row["unit_price"],
        }
        for row in frame.sort("supplier", "sku", "min_quantity").iter_rows(named=True)
    ]


def lane_rows(frame: pl.DataFrame, *, ids: Mapping[str, Mapping[str, int]]) -> list[dict[str, Any]]:
    """`ids`: for supplier, warehouse and region the id of each code."""
    rows = []
    for row in frame.sort("from_kind", "from", "to_kind", "to").iter_rows(named=True):
        ends = dict.fromkeys(LANE_ENDS)
        ends[f"from_{row['from_kind']}_id"] = ids[row["from_kind"]][row["from"]]
        ends[f"to_{row['to_kind']}_id"] = ids[row["to_kind"]][row["to"]]
        rows.append({**ends, "cost_minor": row["cost_per_unit"], "lead_days": row["lead_days"]})
    return rows


LANE_ENDS = ("from_supplier_id", "from_warehouse_id", "to_warehouse_id", "to_region_id")


def calendar_rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return [
        {"day": row["date"], "kind": row["kind"], "name": row["name"]}
        for row in frame.sort("date", "kind").iter_rows(named=True)
    ]


def bom_rows(frame: pl.DataFrame, *, skus: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "sku_id": skus[row["sku"]],
            "component": row["component"],
            "quantity_per": row["quantity_per"],
        }
        for row in frame.sort("sku", "component").iter_rows(named=True)
    ]


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _named(offer: Offer) -> str:
    return _cut(" / ".join(offer))


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"
