"""Public instances with published optima, through the public door: optimum, cost found, gap and seconds.

    python benchmarks/published.py [DIRECTORY [NAME ...]] [--time-limit 600]

DIRECTORY holds capNN.txt.gz (OR-Library, capacitated warehouse location), capa.txt.gz, G53.txt.gz (Trigeiro,
lot sizing with set-up times) and small.json (textbook instances in full).
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from optimizer import Infeasible, Problem, Settings, check, solve

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "cflp"
OPTIMA = {
    "cap41": 1040444.375,
    "cap42": 1098000.450,
    "cap43": 1153000.450,
    "cap44": 1235500.450,
    "cap51": 1025208.225,
    "cap61": 932615.750,
    "cap62": 977799.400,
    "cap63": 1014062.050,
    "cap64": 1045650.250,
    "cap71": 932615.750,
    "cap72": 977799.400,
    "cap73": 1010641.450,
    "cap74": 1034976.975,
    "cap81": 838499.288,
    "cap82": 910889.563,
    "cap83": 975889.563,
    "cap84": 1069369.525,
    "cap91": 796648.438,
    "cap92": 855733.500,
    "cap93": 896617.538,
    "cap94": 946051.325,
    "capa_8000": 19240822.449,
    "capa_10000": 18438046.543,
    "capa_12000": 17765201.949,
    "capa_14000": 17160439.012,
    "G53": 74634.0,
}


def warehouse_location(text: str, *, capacity: float | None = None) -> dict[str, Any]:
    """An OR-Library file: m facilities, n customers, and what supplying all of a customer's demand costs.

    capacity replaces the word "capacity" of capa, capb and capc.
    """
    words = iter(text.split())
    facilities, customers = int(next(words)), int(next(words))
    suppliers, lanes, demand = [], [], []
    for number in range(facilities):
        limit, fixed = next(words), float(next(words))
        horizon = capacity if limit == "capacity" else float(limit)
        suppliers.append({"id": f"F{number}", "award_cost": fixed, "horizon_capacity": horizon})
    for number in range(customers):
        quantity = float(next(words))
        costs = [float(next(words)) for _ in range(facilities)]
        if quantity:
            demand.append({"sku": "K", "region": f"C{number}", "week": 0, "quantity": quantity})
            lanes += [
                {"from": f"F{at}", "to": f"C{number}", "cost": cost / quantity}
                for at, cost in enumerate(costs)
            ]
    return {
        "schema": "allocation/1",
        "weeks": 1,
        "continuous": True,
        "suppliers": suppliers,
        "regions": [{"id": f"C{number}"} for number in range(customers)],
        "skus": [{"id": "K"}],
        "offers": [{"supplier": one["id"], "sku": "K", "breaks": [[0, 0]]} for one in suppliers],
        "lanes": lanes,
        "demand": demand,
    }


def lot_sizing(text: str) -> dict[str, Any]:
    """A file of Trigeiro, Thomas & McClain: items, weeks, one machine, set-ups that take time and money."""
    words = iter(text.split())
    items, weeks = int(next(words)), int(next(words))
    next(words)
    capacity = float(next(words))
    skus, offers, demand = [], [], []
    for number in range(items):
        use, holding, setup, cost = (float(next(words)) for _ in range(4))
        skus.append({"id": f"K{number}", "holding_cost": holding})
        offers.append(
            {
                "supplier": "M",
                "sku": f"K{number}",
                "capacity_use": use,
                "setup_capacity": setup,
                "order_cost": cost,
                "breaks": [[0, 0]],
            }
        )
    for week in range(weeks):
        for number in range(items):
            quantity = int(float(next(words)))
            if quantity:
                demand.append(
                    {
                        "sku": f"K{number}",
                        "region": "R",
                        "week": week,
                        "quantity": quantity,
                        "max_late_weeks": 0,
                    }
                )
    return {
        "schema": "allocation/1",
        "weeks": weeks,
        "suppliers": [{"id": "M", "capacity": capacity}],
        "warehouses": [{"id": "W"}],
        "regions": [{"id": "R"}],
        "skus": skus,
        "offers": offers,
        "lanes": [{"from": "M", "to": "W"}, {"from": "W", "to": "R"}],
        "demand": demand,
    }


def textbook(data: dict[str, Any]) -> Iterator[tuple[str, float, dict[str, Any]]]:
    """(name, optimum, problem) of the instances of small.json.

    Left out is ampl_multmip3: an origin may serve only so many destinations, for which there is no rule here.
    """
    yield "trnsport", data["trnsport"]["opt"], _transport(data["trnsport"])
    for name in ("ampl_multi", "ampl_multmip1"):
        yield name, data[name]["opt"], _multi(data[name])
    yield "gams_bid", data["gams_bid"]["opt"], _bid(data["gams_bid"])
    name = "wagner_whitin_snyder_shen"
    yield name, data[name]["opt"], _wagner_whitin(data[name])


def _base(**parts: Any) -> dict[str, Any]:
    return {"schema": "allocation/1", "weeks": 1, "continuous": True} | parts


def _transport(one: dict[str, Any]) -> dict[str, Any]:
    return _base(
        suppliers=[{"id": name, "capacity": limit} for name, limit in one["supply"].items()],
        regions=[{"id": name} for name in one["demand"]],
        skus=[{"id": "K"}],
        offers=[{"supplier": name, "sku": "K", "breaks": [[0, 0]]} for name in one["supply"]],
        lanes=[
            {"from": source, "to": target, "cost": cost}
            for source, costs in one["unit_cost"].items()
            for target, cost in costs.items()
        ],
        demand=[
            {"sku": "K", "region": name, "week": 0, "quantity": units}
            for name, units in one["demand"].items()
        ],
    )


def _multi(one: dict[str, Any]) -> dict[str, Any]:
    """A product at a destination is a SKU, so that its cost from an origin is an offer's price; what an
    origin can make of a product is a material."""
    origins, targets = one["orig"], one["dest"]
    cells = [(p, d, units) for p in one["prod"] for d, units in zip(targets, one["demand"][p], strict=True)]
    cells = [cell for cell in cells if cell[2]]
    fixed = one["fcost"] or [[0] * len(targets)] * len(origins)
    return _base(
        suppliers=[{"id": origin} for origin in origins],
        regions=[{"id": target} for target in targets],
        skus=[{"id": f"{p} {d}"} for p, d, _ in cells],
        materials=[
            {"id": f"{p} {origin}", "available": units}
            for p in one["prod"]
            for origin, units in zip(origins, one["supply"][p], strict=True)
        ],
        offers=[
            {
                "supplier": origin,
                "sku": f"{p} {d}",
                "recipe": {f"{p} {origin}": 1},
                "breaks": [[0, one["vcost"][p][at][targets.index(d)]]],
            }
            for p, d, _ in cells
            for at, origin in enumerate(origins)
        ],
        lanes=[
            {
                "from": origin,
                "to": target,
                "fixed_cost": fixed[at][to],
                "capacity": one["limit"],
                "minimum": one.get("minload", 0),
            }
            for at, origin in enumerate(origins)
            for to, target in enumerate(targets)
        ],
        demand=[{"sku": f"{p} {d}", "region": d, "week": 0, "quantity": units} for p, d, units in cells],
    )


def _bid(one: dict[str, Any]) -> dict[str, Any]:
    suppliers, offers = [], []
    for vendor, parts in one["bids"].items():
        suppliers.append({"id": vendor, "award_cost": parts[0][0]})
        breaks = [[0 if at == 0 else part[2], part[1]] for at, part in enumerate(parts)]
        terms = {"moq": parts[0][2], "max": parts[-1][3], "price_mode": "incremental", "breaks": breaks}
        offers.append({"supplier": vendor, "sku": "K", **terms})
    return _base(
        suppliers=suppliers,
        regions=[{"id": "R"}],
        skus=[{"id": "K"}],
        offers=offers,
        lanes=[{"from": one["id"], "to": "R"} for one in suppliers],
        demand=[{"sku": "K", "region": "R", "week": 0, "quantity": one["req"]}],
    )


def _wagner_whitin(one: dict[str, Any]) -> dict[str, Any]:
    return _base(
        continuous=False,
        weeks=len(one["demand"]),
        suppliers=[{"id": "S"}],
        warehouses=[{"id": "W"}],
        regions=[{"id": "R"}],
        skus=[{"id": "K", "holding_cost": one["hold"]}],
        offers=[{"supplier": "S", "sku": "K", "order_cost": one["fixed"], "breaks": [[0, 0]]}],
        lanes=[{"from": "S", "to": "W"}, {"from": "W", "to": "R"}],
        demand=[
            {"sku": "K", "region": "R", "week": week, "quantity": units, "max_late_weeks": 0}
            for week, units in enumerate(one["demand"])
        ],
    )


def instances(directory: Path) -> Iterator[tuple[str, float, dict[str, Any]]]:
    """(name, published optimum, problem) of every instance whose file is there."""
    for name, optimum in OPTIMA.items():
        stem, _, size = name.partition("_")
        path = directory / f"{stem}.txt.gz"
        if path.exists():
            text = gzip.decompress(path.read_bytes()).decode()
            if stem.startswith("cap"):
                made = warehouse_location(text, capacity=float(size) if size else None)
            else:
                made = lot_sizing(text)
            yield name, optimum, made
    if (directory / "small.json").exists():
        yield from textbook(json.loads((directory / "small.json").read_text()))


def main() -> None:
    """Print one line an instance."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, nargs="?", default=SHARED)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--time-limit", type=float, default=600.0)
    options = parser.parse_args()
    print(f"{'instance':>26} {'optimum':>16} {'found':>16} {'off':>9} {'gap':>9} {'CPU s':>7}", flush=True)
    for name, optimum, made in instances(options.directory):
        if options.names and name not in options.names:
            continue
        begin = time.process_time()
        problem = Problem.from_json(made)
        answer = solve(problem, Settings(gap=0.0, time_limit=options.time_limit))
        if isinstance(answer, Infeasible):
            raise SystemExit(f"{name}: {answer.conflict}")
        check(problem, answer)
        off, spent = answer.objective / optimum - 1, time.process_time() - begin
        figures = f"{optimum:>16.3f} {answer.objective:>16.3f} {off:>9.1e} {answer.gap:>9.1e} {spent:>7.1f}"
        print(f"{name:>26} {figures}", flush=True)


if __name__ == "__main__":
    main()
