"""What is wrong with real exports: repeats, cancelled orders, tests, fees, gifts, broken rows."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

Names = np.ndarray

CANCELLED, RETURNED, UNPRICED, TESTS = 0.012, 0.013, 0.003, 15
FEE_ROWS = 40
FEE_CODE = "SHIP-FEE"
FEES = (1000, 1200, 1500)  # minor units
REPEATED_ORDERS, REPEATED_PLEDGES = 0.015, 0.008


def spot_status(count: int, rng: np.random.Generator) -> tuple[Names, Names]:
    """Status and truth of each spot order, shape (count,)."""
    draw = rng.random(count)
    status = np.full(count, "", dtype="<U9")
    truth = np.full(count, "honest", dtype="<U12")
    status[draw < CANCELLED + RETURNED] = "returned"
    status[draw < CANCELLED] = "cancelled"
    truth[status != ""] = "cancelled"
    truth[draw >= 1 - UNPRICED] = "unpriced"
    tests = rng.choice(np.flatnonzero(truth == "honest"), size=TESTS, replace=False)
    status[tests] = truth[tests] = "test"
    return status, truth


def add_fees(orders: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Postage lines, as a channel exports them beside the goods of an order."""
    rows = rng.choice(np.flatnonzero(orders["truth"] == "honest"), size=FEE_ROWS, replace=False)
    fees = orders[np.sort(rows)].with_columns(
        sku=pl.lit(FEE_CODE),
        quantity=pl.lit(1, dtype=pl.Int64),
        price=pl.Series(rng.choice(FEES, size=FEE_ROWS)),
        truth=pl.lit("not_goods"),
    )
    return pl.concat([orders, fees])


def repeat_rows(text: pl.DataFrame, share: float, rng: np.random.Generator) -> pl.DataFrame:
    """The same rows again a little later, as an at-least-once export gives; their truth is "duplicate"."""
    rows = np.sort(rng.choice(text.height, size=round(text.height * share), replace=False))
    copies = text[rows].with_columns(truth=pl.lit("duplicate"))
    position = np.concatenate([np.arange(text.height), rows + rng.integers(1, 400, size=len(rows)) + 0.5])
    return pl.concat([text, copies])[np.argsort(position, kind="stable")]


def break_rows(text: pl.DataFrame, *, as_of: date, rng: np.random.Generator) -> pl.DataFrame:
    """Spoil one cell in each of a few rows that are there once and honest; their truth is "malformed"."""
    bad = _bad_cells(as_of.year)
    once = (text["truth"] == "honest") & ~text["external_id"].is_duplicated()
    rows = np.sort(rng.choice(np.flatnonzero(once), size=len(bad), replace=False))
    for row, (column, value) in zip(rows.tolist(), bad, strict=True):
        text[row, column] = value
        text[row, "truth"] = "malformed"
    return text


def _bad_cells(year: int) -> list[tuple[str, str]]:
    return [
        ("ordered_at", f"{year}-02-30T10:15:00+08:00"),
        ("ordered_at", f"{year}-13-01T09:00:00+08:00"),
        ("ordered_at", ""),
        ("quantity", "1.5"),
        ("quantity", "two"),
        ("quantity", "1.5"),
        ("sku", "FW26-COAT-XXX-BLK-M"),
        ("sku", "AL26-BAG-TOT-PNK"),
        ("region", "CN-XX"),
        ("region", "Guangdong Sheng"),
        ("unit_price", "n/a"),
        ("commitment", "maybe"),
    ]
