"""What a pledge comes with besides: device, address and payment of its account, and when that was opened.

All of it follows from the account's number, so that nothing else of the sample changes with it. Most
accounts have their own; some live at one address, and in a few homes two use one device. The accounts of a
burst run on one device, and say they live anywhere. One account in seven says nothing.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from app.sample.buyers import BUYERS, FIRST_BUYER, NEW_ACCOUNTS_SINCE, SECONDS_AN_ACCOUNT

TRACED = ("device", "address", "payment", "account_created_at")
FIRST_NEW = FIRST_BUYER + BUYERS + 10_000
TOGETHER = 40
"""Accounts opened one after the other within so many numbers are of one burst."""
SINCE = (date(2019, 1, 1) - date(1970, 1, 1)).days * 86_400
KNUTH = 2_654_435_761


def traces(pledges: pl.DataFrame) -> pl.DataFrame:
    """The columns TRACED as text, a row for each pledge.

    Args:
        pledges: `buyer` as the export writes it (u and the account's number), and `truth`.
    """
    number = pl.col("buyer").str.slice(1).cast(pl.Int64)
    luck = (number * KNUTH) % 2**32 // 7
    bots = pledges.filter(pl.col("truth") == "bot")["buyer"].unique().to_list()
    burst = pl.col("buyer").is_in(bots)
    home = number - (luck % 25 == 0).cast(pl.Int64)
    shared = pl.when(luck % 50 == 0).then(home).otherwise(number)
    opened = (
        pl.when(number >= FIRST_NEW)
        .then(NEW_ACCOUNTS_SINCE + (number - FIRST_NEW) * SECONDS_AN_ACCOUNT)
        .otherwise(SINCE + luck % (6 * 365 * 86_400))
    )
    told = luck % 7 != 0
    found = {
        "device": pl.when(burst).then(-(number // TOGETHER)).otherwise(shared),
        "address": home,
        "payment": number,
    }
    cells = [
        pl.when(burst | told).then(pl.lit(name[0] + "-") + value.cast(pl.String)).alias(name)
        for name, value in found.items()
    ]
    moment = pl.from_epoch(opened).dt.strftime("%Y-%m-%dT%H:%M:%S+08:00")
    return pledges.select(*cells, pl.when(burst | told).then(moment).alias("account_created_at"))
