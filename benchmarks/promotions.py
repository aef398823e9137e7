"""What knowing prices and promotions ahead is worth on real sales: WAPE and bias in their weeks and others.

    python benchmarks/promotions.py [FILE] [--horizon 4] [--first 28] [--stride 2]

FILE (CSV or Parquet) holds weekly `unique_id`, `ds`, `y`, `price` and flags such as `promo`; a week is one of
a promotion where a flag is above 0. Without FILE a wholesaler's order lines of the shared data are used: the
median price of a SKU's lines in a week, and a flag where it is a tenth below its usual one. Weeks without a
row are taken as not known. Forecasts begin after `--first` weeks, every `--stride` weeks. Bounds of a bias
come from drawing weeks with replacement: a chain promotes everywhere at once, so weeks are independent.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from forecasting import forecast_demand

SHARED = os.environ.get("HEADWATER_SHARED", str(Path(__file__).resolve().parents[2] / "shared"))
ORDERS = Path(SHARED) / "data" / "online_retail_2009_2010.parquet"
WEEKS_SOLD, DRAWS = 45, 2000


def wholesale(path: Path) -> pd.DataFrame:
    lines = pl.read_parquet(path).filter(
        ~pl.col("Invoice").cast(pl.String).str.starts_with("C"),
        pl.col("Quantity") > 0,
        pl.col("Price") > 0,
        pl.col("StockCode").str.contains(r"^\d{5}"),
    )
    weekly = (
        lines.with_columns(pl.col("InvoiceDate").str.to_datetime().dt.truncate("1w").alias("ds"))
        .group_by(pl.col("StockCode").alias("unique_id"), "ds")
        .agg(pl.col("Quantity").sum().alias("y"), pl.col("Price").median().alias("price"))
        .filter(pl.len().over("unique_id") >= WEEKS_SOLD)
        .sort("unique_id", "ds")
    )
    sold = pd.DataFrame({name: weekly[name].to_list() for name in weekly.columns})
    usual = sold.groupby("unique_id")["price"].transform("median")
    return sold.assign(promo=(sold["price"] < 0.9 * usual).astype(float))


def whole(sold: pd.DataFrame) -> pd.DataFrame:
    """A row for every series and week; those that were not there carry the last price and in_stock 0."""
    weeks = pd.date_range(sold["ds"].min(), sold["ds"].max(), freq="7D")
    grid = pd.MultiIndex.from_product([sorted(sold["unique_id"].unique()), weeks], names=["unique_id", "ds"])
    rows = sold.set_index(["unique_id", "ds"]).reindex(grid)
    known = rows["y"].notna()
    prices = rows.groupby("unique_id")["price"]
    rows["price"] = prices.ffill().fillna(prices.bfill())
    return rows.fillna(0.0).assign(in_stock=known.astype(float)).reset_index()


def measure(rows: pd.DataFrame, columns: list[str], *, horizon: int, first: int, stride: int) -> pd.DataFrame:
    weeks = np.sort(rows["ds"].unique())
    found = []
    for origin in range(first, len(weeks) - horizon + 1, stride):
        past = rows.loc[rows["ds"] < weeks[origin], ["unique_id", "ds", "y", "in_stock", *columns]]
        came = rows[rows["ds"].isin(weeks[origin : origin + horizon])]
        future = came[["unique_id", "ds", *columns]] if columns else None
        made = forecast_demand(past, horizon=horizon, freq="W", future=future, tier="bulk")
        found.append(made.merge(came, on=["unique_id", "ds"]))
    cells = pd.concat(found)
    return cells[cells["in_stock"] > 0]


def line(cells: pd.DataFrame) -> str:
    error = cells["mean"] - cells["y"]
    weeks = pd.DataFrame({"error": error, "y": cells["y"]}).groupby(cells["ds"]).sum().to_numpy()
    drawn = np.random.default_rng(0).integers(0, len(weeks), (DRAWS, len(weeks)))
    low, high = np.quantile(np.divide(*weeks[drawn].sum(axis=1).T), [0.025, 0.975])
    inside = ((cells["y"] >= cells["lo-80"]) & (cells["y"] <= cells["hi-80"])).mean()
    wape, bias = error.abs().sum() / cells["y"].sum(), error.sum() / cells["y"].sum()
    shown = f"{100 * bias:+.1f} ({100 * low:+.1f} … {100 * high:+.1f})"
    return f"{len(cells):>7} rows  WAPE {100 * wape:5.1f}  bias {shown:<24} in 80 % {100 * inside:4.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--horizon", type=int, default=4)
    parser.add_argument("--first", type=int, default=28)
    parser.add_argument("--stride", type=int, default=2)
    chosen = parser.parse_args()
    if chosen.file is None and not ORDERS.is_file():
        print(f"{ORDERS} is not there; name a FILE.")
        return
    if chosen.file is None:
        sold = wholesale(ORDERS)
    else:
        read = pl.read_parquet if chosen.file.suffix == ".parquet" else pl.read_csv
        frame = read(chosen.file)
        sold = pd.DataFrame({name: frame[name].to_list() for name in frame.columns})
        sold["ds"] = pd.to_datetime(sold["ds"])
    rows = whole(sold)
    columns = [name for name in rows.columns if name not in ("unique_id", "ds", "y", "in_stock")]
    flags = [name for name in columns if name != "price"]
    print(f"{rows['unique_id'].nunique()} series, {rows['ds'].nunique()} weeks; known: {', '.join(columns)}")
    for label, known in (("without", []), ("known", columns)):
        cells = measure(rows, known, horizon=chosen.horizon, first=chosen.first, stride=chosen.stride)
        promoted = (cells[flags] > 0).any(axis=1)
        for name, part in (("promotion", cells[promoted]), ("other", cells[~promoted])):
            print(f"{label:>8} {name:<10}{line(part)}", flush=True)


if __name__ == "__main__":
    main()
