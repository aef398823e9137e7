"""The network as the launch checks look at it: who can have a SKU in a region, and after how many weeks."""

from __future__ import annotations

from collections.abc import Iterable

from app.stages.catalog.queries import LaneFact, Network
from app.stages.demand.rules.launch import Source


def sources(network: Network, *, skus: Iterable[str]) -> list[Source]:
    """Every active offer for these SKUs whose goods can get to a region, the fastest way.

    Weeks are counted as plans count them: each leg takes whole weeks, and one that is begun is needed.
    """
    ids = {sku.id: sku.code for sku in network.skus}
    suppliers = {one.id: one for one in network.suppliers}
    wanted, ways = set(skus), _ways(network)
    return [
        Source(
            sku=ids[offer.sku_id],
            supplier=suppliers[offer.supplier_id].code,
            weeks=_weeks(offer.lead_days) + ways[offer.supplier_id],
            moq=offer.moq,
            weekly=offer.weekly_capacity,
            supplier_weekly=suppliers[offer.supplier_id].weekly_capacity,
        )
        for offer in network.offers
        if ids.get(offer.sku_id) in wanted and offer.supplier_id in ways
    ]


def unsold(network: Network, *, skus: Iterable[str]) -> list[str]:
    """Those of the SKUs that are retired or no goods."""
    sold = {sku.code for sku in network.skus}
    return [sku for sku in skus if sku not in sold]


def _ways(network: Network) -> dict[int, int]:
    """The fewest weeks from each supplier to any region, straight or by a warehouse."""
    onward: dict[int, int] = {}
    for lane in network.lanes:
        if lane.from_warehouse_id is not None:
            _keep_fastest(onward, lane.from_warehouse_id, _weeks(lane.lead_days))
    ways: dict[int, int] = {}
    for lane in network.lanes:
        if lane.from_supplier_id is not None:
            onto = _rest(lane, onward)
            if onto is not None:
                _keep_fastest(ways, lane.from_supplier_id, _weeks(lane.lead_days) + onto)
    return ways


def _rest(lane: LaneFact, onward: dict[int, int]) -> int | None:
    """Weeks from the end of a lane to a region."""
    return 0 if lane.to_warehouse_id is None else onward.get(lane.to_warehouse_id)


def _keep_fastest(table: dict[int, int], key: int, weeks: int) -> None:
    table[key] = min(weeks, table.get(key, weeks))


def _weeks(days: int) -> int:
    return -(-days // 7)
