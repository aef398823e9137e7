"""From typed signals to the text of the export."""

from __future__ import annotations

from pathlib import Path

import polars as pl

# Typed columns while the sample is being made: at = seconds since 1970 on the wall clock of China (UTC+8),
# price = minor units, buyer = account number.
SIGNAL = ("at", "commitment", "sku", "region", "quantity", "price", "buyer", "campaign", "status", "truth")
# The product's own order columns (mapping "headwater").
EXPORT = (
    "external_id", "commitment", "sku", "region", "quantity", "unit_price",
    "currency", "ordered_at", "buyer", "campaign", "status",
)  # fmt: skip


def export_text(signals: pl.DataFrame, *, prefix: str) -> pl.DataFrame:
    """The export's columns as text, in order of time and numbered from 1, with `truth` kept as the last."""
    moment = pl.from_epoch("at")
    number = pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(7)
    return (
        signals.sort("at", maintain_order=True)
        .with_columns(
            external_id=pl.lit(prefix) + moment.dt.strftime("%Y%m%d") + number,
            quantity=pl.col("quantity").cast(pl.String),
            unit_price=money("price"),
            currency=pl.lit("CNY"),
            ordered_at=moment.dt.strftime("%Y-%m-%dT%H:%M:%S+08:00"),
            buyer=pl.lit("u") + pl.col("buyer").cast(pl.String),
        )
        .select(*EXPORT, "truth")
    )


def money(column: str) -> pl.Expr:
    """Minor units as decimal text with two places; whole numbers throughout, so that nothing is rounded."""
    minor = pl.col(column)
    return (minor // 100).cast(pl.String) + "." + (minor % 100).cast(pl.String).str.zfill(2)


def write_csv(frame: pl.DataFrame, path: Path) -> Path:
    """UTF-8, comma, header row, \\n; empty cells for nulls and empty text alike."""
    # Empty text would be written as "" to tell it from null; an export knows no such difference.
    frame.with_columns(pl.col(pl.String).replace("", None)).write_csv(path, quote_style="necessary")
    return path


def truth_of(text: pl.DataFrame, *, file: str) -> pl.DataFrame:
    """external_id, truth, file, line (the header is line 1): one row for each row of the file."""
    return text.select("external_id", "truth", file=pl.lit(file), line=pl.int_range(2, pl.len() + 2))
