"""Lanes: freight and days by distance, from suppliers to warehouses and on to the buyers' regions."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, ceil, cos, radians, sin, sqrt

import polars as pl

from app.sample.facts import Brand, Region, Supplier, Warehouse

Place = Supplier | Warehouse | Region
EARTH_KM = 6371.0
DETOUR = 1.25  # roads against the straight line


@dataclass(frozen=True)
class Tariff:
    """CNY a litre: `base` + `per_km` × km. Days: `days` + one for each `km_a_day` begun."""

    base: float
    per_km: float
    days: int
    km_a_day: float


TRUNK = Tariff(base=0.02, per_km=0.00012, days=1, km_a_day=600)
LAST_MILE = Tariff(base=0.25, per_km=0.00030, days=1, km_a_day=700)
# A parcel from the factory saves a handling, but travels without the bulk rate.
DIRECT = Tariff(base=0.25, per_km=0.00038, days=2, km_a_day=500)


def distance_km(a: Place, b: Place) -> float:
    """Road kilometres: great circle (haversine) × a detour factor."""
    up, along = radians(b.latitude - a.latitude), radians(b.longitude - a.longitude)
    half = sin(up / 2) ** 2 + cos(radians(a.latitude)) * cos(radians(b.latitude)) * sin(along / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(half)) * DETOUR


def lane_table(brand: Brand) -> pl.DataFrame:
    """Every supplier to every warehouse, every warehouse to every region, and some straight from origin."""
    trunk = [_lane("supplier", s, "warehouse", w, TRUNK) for s in brand.suppliers for w in brand.warehouses]
    last = [_lane("warehouse", w, "region", r, LAST_MILE) for w in brand.warehouses for r in brand.regions]
    direct = [
        _lane("supplier", s, "region", r, DIRECT)
        for s in brand.suppliers
        for r in brand.regions
        if distance_km(s, r) <= s.direct_km
    ]
    return pl.DataFrame(trunk + last + direct)


def _lane(from_kind: str, start: Place, to_kind: str, end: Place, tariff: Tariff) -> dict[str, object]:
    km = distance_km(start, end)
    return {
        "from_kind": from_kind,
        "from": start.code,
        "to_kind": to_kind,
        "to": end.code,
        "cost_per_unit": f"{tariff.base + tariff.per_km * km:.2f}",
        "lead_days": tariff.days + ceil(km / tariff.km_a_day),
    }
