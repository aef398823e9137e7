"""What the network says about names and the dearest way to have a unit."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from app.stages.catalog.queries import Network


class Landed:
    """The dearest landed cost of each SKU in minor units: dearest price of one unit plus the dearest way."""

    def __init__(self, network: Network) -> None:
        price: dict[int, int] = defaultdict(int)
        for offer in network.offers:
            price[offer.sku_id] = max(price[offer.sku_id], *(one.unit_price_minor for one in offer.breaks))
        into = max(
            (lane.cost_minor for lane in network.lanes if lane.from_supplier_id is not None), default=0
        )
        out = max(
            (lane.cost_minor for lane in network.lanes if lane.from_warehouse_id is not None), default=0
        )
        self._cost = {sku.id: price[sku.id] + (into + out) * sku.volume for sku in network.skus}

    def of(self, sku: int) -> int:
        """At least one minor unit, so that nothing is ever free to leave unplanned."""
        return max(self._cost[sku], 1)

    def part(self, sku: int, percent: int) -> int:
        """A part of it, rounded up to whole minor units."""
        return -(-self.of(sku) * percent // 100)


def node_names(network: Network) -> dict[tuple[str, int], str]:
    """The name of every place in problems and plans, by its kind and id."""
    kinds = (("supplier", network.suppliers), ("warehouse", network.warehouses), ("region", network.regions))
    return place_names({kind: {place.id: place.code for place in group} for kind, group in kinds})


def place_names(codes: Mapping[str, Mapping[int, str]]) -> dict[tuple[str, int], str]:
    """Codes name the places; one that two kinds of place share is told apart by its kind.

    Args:
        codes: by id, of suppliers, warehouses and regions.
    """
    count = Counter(code for group in codes.values() for code in group.values())
    return {
        (kind, id_): code if count[code] == 1 else f"{kind}:{code}"
        for kind, group in codes.items()
        for id_, code in group.items()
    }
