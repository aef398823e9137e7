"""A row that is taken as usual is exactly the row that the check of whole columns finds."""

from __future__ import annotations

import datetime as dt

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from app.stages.imports import queries as mappings
from app.stages.imports.rules import CHECKED, FIELDS, check, usual

OURS = mappings.mapping("headwater")
INSTANTS = st.datetimes(dt.datetime(2001, 1, 1), dt.datetime(2098, 1, 1))
odd = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8)
texts = st.one_of(st.sampled_from(["A-1", "MUG", "SHIP-FEE", "杯子", "1E5", "1.5E+7", '="7"', "", " a"]), odd)
cells = st.fixed_dictionaries(
    {
        "external_id": texts,
        "sku": texts,
        "region": texts,
        "quantity": st.one_of(
            st.integers(-2, 10**8).map(str), st.sampled_from(["1.0", "1.5", "+2", "٣", "01"])
        ),
        "unit_price": st.one_of(
            st.decimals(-1, 10**9, places=2).map(str), st.sampled_from(["7", "19.900", "0.05", "1,000", "."])
        ),
        "ordered_at": st.one_of(
            INSTANTS.map(lambda at: at.isoformat() + "+08:00"),
            st.datetimes().map(lambda at: at.isoformat() + "+00:00"),
            st.sampled_from(
                ["2026-11-11T10:00:00Z", "2026-02-30T10:00:00+08:00", "2026-11-11T10:00:60+08:00", "2026"]
            ),
        ),
    },
    optional={
        "commitment": st.sampled_from(["paid", "pledge", "PAID", "gift", ""]),
        "currency": st.sampled_from(["CNY", "cny", "JPY", ""]),
        "buyer": st.one_of(st.sampled_from(["13085.0", "u1", "王", "٣.0"]), texts),
        "campaign": texts,
        "status": st.sampled_from(["placed", "cancelled", "returned", "test", "Test", "lost", ""]),
        "device": texts,
        "address": st.one_of(st.sampled_from(["Main St. 5,  Apt 2", "ΑΣ. İ", "广东省，深圳市。"]), odd),
        "payment": texts,
        "account_created_at": INSTANTS.map(lambda at: at.isoformat() + "-03:30"),
    },
)  # fmt: skip


@given(cells, st.sampled_from(["CNY", "JPY", "KWD"]))
def test_what_is_taken_as_usual_is_what_the_check_of_columns_finds(
    row: dict[str, str], currency: str
) -> None:
    taken = usual(row, OURS, currency=currency, key=b"key", channel="shop")
    if taken is not None:
        assert taken == checked(row, currency)


@given(st.integers(1, 99), st.decimals(0, 999, places=2), INSTANTS)
def test_what_most_channels_send_is_usual(quantity: int, price: object, at: dt.datetime) -> None:
    row = {"external_id": "A-1", "sku": "MUG", "region": "CN-GD", "commitment": "pledge", "buyer": "王 u1"}
    row |= {
        "quantity": str(quantity),
        "unit_price": str(price),
        "currency": "CNY",
        "address": "Main St. 5, A",
    }
    row |= {"ordered_at": f"{at.replace(microsecond=0).isoformat()}+08:00", "campaign": "C1"}
    taken = usual(row, OURS, currency="CNY", key=b"key", channel="shop")
    assert taken is not None and taken == checked(row, "CNY")


def checked(row: dict[str, str], currency: str) -> dict[str, object]:
    """The row as the check of columns finds it; it must not be refused."""
    given_cells = [pl.Series(name, [row.get(name)], dtype=pl.String) for name in FIELDS if name in row]
    frame = pl.DataFrame([pl.Series("row", [0], dtype=pl.Int64), *given_cells])
    found = check(frame, OURS, {}, currency=currency, key=b"key", channel="shop")
    assert found.rejects.is_empty(), found.rejects.rows()
    told = found.rows.row(0, named=True)
    return {name: None if name == "row" else told[name] for name in CHECKED}
