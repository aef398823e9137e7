"""How planning grows with the number of SKUs: seconds, bound, gap and memory of each size.

    python benchmarks/allocation_scale.py [SKUS ...] [--threads 2] [--seed 0] [--suppliers 50] [--gap 0.01]

The generator is seeded: suppliers with weekly capacity, warehouses near some regions, long-tailed demand.
"""

from __future__ import annotations

import argparse
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from optimizer import Infeasible, Problem, Settings, check, solve

DEFAULT_SIZES = (100, 300, 1_000, 3_000)
# Seconds of wall clock for every 1,000 SKUs, and at least so many.
LIMIT_SECONDS = 600.0
LARGEST_MOQ = 100


def problem(
    skus: int,
    *,
    seed: int = 0,
    suppliers: int = 12,
    warehouses: int = 6,
    regions: int = 40,
    weeks: int = 12,
    sold_in: float = 7.0,
    tightness: float = 1.15,
) -> Problem:
    """A believable problem: sold_in regions a SKU on average, supplier capacity tightness x the mean need."""
    rng = np.random.default_rng([seed, skus])
    house = rng.uniform(0, 100, (warehouses, 2))
    place = rng.uniform(0, 100, (regions, 2))
    plant = rng.uniform(0, 100, (suppliers, 2))
    weight = rng.pareto(1.3, regions) + 0.2
    rows: dict[str, Any] = {name: [] for name in ("skus", "offers", "demand", "stock")}
    load = np.zeros(suppliers)
    for number in range(skus):
        _add_sku(rows, rng, f"K{number:05d}", weight / weight.sum(), load, sold_in=sold_in, houses=warehouses)
    capacity = np.ceil(load.sum() / suppliers / 8 * tightness * rng.uniform(0.7, 1.4, suppliers))
    capacity = np.maximum(capacity, LARGEST_MOQ)
    lanes = _lanes("S", plant, "W", house, per_unit=0.012, far=60) + _lanes(
        "W", house, "R", place, per_unit=0.02
    )
    lanes += [one for one in _lanes("S", plant, "R", place, per_unit=0.05, far=60) if one["cost"] < 2.0]
    return Problem.from_json(
        {
            "schema": "allocation/1",
            "weeks": weeks,
            "suppliers": [{"id": f"S{i}", "capacity": float(c)} for i, c in enumerate(capacity)],
            "warehouses": [{"id": f"W{i}"} for i in range(warehouses)],
            "regions": [{"id": f"R{i}"} for i in range(regions)],
            **rows,
            "lanes": lanes,
            "share_caps": [
                {"scope": "sku", "max_share": 0.4, "penalty": 1.5},
                {"scope": "plan", "max_share": 0.4, "penalty": 0.5},
            ],
        }
    )


def _add_sku(
    rows: dict[str, Any],
    rng: np.random.Generator,
    sku: str,
    weight: np.ndarray,
    load: np.ndarray,
    *,
    sold_in: float,
    houses: int,
) -> None:
    price = float(np.round(np.exp(rng.normal(2.3, 0.7)), 2)) + 0.5
    rows["skus"].append(
        {"id": sku, "holding_cost": round(price * 0.004, 4), "category": f"C{rng.integers(4)}"}
    )
    weekly = float(np.exp(rng.normal(4.0, 1.1)))
    count = min(len(weight), 1 + rng.poisson(sold_in - 1))
    sold = np.sort(rng.choice(len(weight), size=count, replace=False, p=weight))
    part = weight[sold] / weight[sold].sum()
    total = 0
    for week in range(3, 11):
        for region, units in zip(sold, rng.poisson(weekly * part), strict=True):
            total += int(units)
            if units:
                rows["demand"].append(
                    {
                        "sku": sku,
                        "region": f"R{region}",
                        "week": week,
                        "quantity": int(units),
                        "late_cost": round(price * 0.05, 3),
                        "short_cost": round(price * 3, 2),
                    }
                )
    chosen = np.sort(rng.choice(len(load), size=min(len(load), int(rng.integers(2, 6))), replace=False))
    load[chosen] += total / len(chosen)
    for supplier in chosen:
        own = round(price * float(rng.uniform(0.9, 1.1)), 2)
        moq = int(rng.choice([0, 20, 50, LARGEST_MOQ]))
        rows["offers"].append(
            {
                "supplier": f"S{supplier}",
                "sku": sku,
                "moq": moq,
                "multiple": int(rng.choice([1, 1, 5, 10])),
                "lead_weeks": int(rng.integers(0, 3)),
                "order_cost": float(rng.choice([10.0, 25.0, 40.0])),
                "breaks": [[0, own]] if rng.random() < 0.6 else [[0, own], [500, round(own * 0.95, 2)]],
            }
        )
    if rng.random() < 0.3:
        units = int(weekly)
        if units:
            rows["stock"].append({"sku": sku, "warehouse": f"W{rng.integers(houses)}", "quantity": units})


def _lanes(
    first: str, here: np.ndarray, second: str, there: np.ndarray, *, per_unit: float, far: float = 1e9
) -> list[dict[str, Any]]:
    distance = np.linalg.norm(here[:, None] - there[None], axis=2)
    return [
        {
            "from": f"{first}{i}",
            "to": f"{second}{j}",
            "cost": round(float(distance[i, j]) * per_unit, 3),
            "lead_weeks": int(distance[i, j] > far),
        }
        for i in range(len(here))
        for j in range(len(there))
    ]


def peak_memory(threads: int) -> float:
    """Peak resident megabytes of this process and of its children, each as large as the largest so far."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = threads if threads > 1 else 0
    return (own + children * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def cpu_seconds() -> float:
    """Processor seconds of this process and of its ended children so far."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def measure(made: Problem, settings: Settings) -> str:
    """Plan, check, and one line of figures. Ends the program where there is no plan."""
    before = cpu_seconds()
    answer = solve(made, settings, progress=_show)
    if isinstance(answer, Infeasible):
        raise SystemExit("\n".join(answer.conflict))
    check(made, answer)
    size, spent = len(made.skus), cpu_seconds() - before
    unmet = sum(one.quantity for one in answer.unmet)
    return (
        f"\r{size:>6} {len(made.demand):>8} {answer.seconds:>8.1f} {spent:>8.1f} {answer.bound:>14.2f} "
        f"{answer.objective:>14.2f} {answer.gap:>7.2%} {unmet:>7} {peak_memory(settings.threads):>6.0f}"
        f" {spent / size:>8.3f}" + (f"  stopped by {answer.limit}" if answer.limit else "")
    )


def main() -> None:
    """Print one line a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("skus", type=int, nargs="*", default=list(DEFAULT_SIZES))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--regions", type=int, default=40)
    parser.add_argument("--suppliers", type=int, default=50)
    parser.add_argument("--warehouses", type=int, default=20)
    parser.add_argument("--sold-in", type=float, default=7.0)
    parser.add_argument("--gap", type=float, default=0.01)
    parser.add_argument("--time-limit", type=float, default=LIMIT_SECONDS)
    options = parser.parse_args()
    print(
        f"{'SKUs':>6} {'demands':>8} {'seconds':>8} {'CPU s':>8} {'bound':>14} {'objective':>14} {'gap':>7} "
        f"{'unmet':>7} {'MB':>6} {'CPU/SKU':>8}",
        flush=True,
    )
    for size in options.skus:
        made = problem(
            size,
            seed=options.seed,
            regions=options.regions,
            suppliers=options.suppliers,
            warehouses=options.warehouses,
            sold_in=options.sold_in,
        )
        limit = options.time_limit * max(1.0, size / 1_000)
        settings = Settings(gap=options.gap, threads=options.threads, time_limit=limit, seed=options.seed)
        print(measure(made, settings), flush=True)


def _show(state: dict[str, Any]) -> None:
    if sys.stderr.isatty():
        print(
            f"\r{state['phase']} {state['done']}/{state['total']}     ", end="", file=sys.stderr, flush=True
        )


if __name__ == "__main__":
    main()
