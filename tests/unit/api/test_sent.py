"""A pledge in usual form is read without the schema, to the same cells."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.entrypoints.api import sent

PLEDGE = {
    "channel": "shop",
    "external_id": "A-1",
    "commitment": "pledge",
    "sku": "MUG",
    "region": "CN-GD",
    "quantity": 2,
    "unit_price": "19.90",
    "currency": "CNY",
    "ordered_at": "2026-11-02T23:30:00+00:00",
    "buyer": "Wang Xiaoming",
    "campaign": "C1",
}
INSTANTS = st.sampled_from(
    [
        "2026-11-02T23:30:00Z",
        "2026-11-02T23:30:00.5+08:00",
        "2026-02-30T10:00:00+08:00",
        "2026-11-02T24:00:00+08:00",
        "2026-11-02 23:30:00+08:00",
        "2026-11-02T23:30:00",
        "2026-11-02T23:30:00+99:00",
        "２０２６-11-02T23:30:00+08:00",
    ]
)
ANY: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**20), st.floats(), st.text(max_size=4), INSTANTS
)
CHANGES = st.dictionaries(
    st.sampled_from([*PLEDGE, "status", "device", "min_quantity", "account_created_at", "stranger"]),
    st.one_of(ANY, st.lists(ANY, max_size=1)),
    max_size=3,
)


def test_the_usual_form_is_taken() -> None:
    assert sent.usual_form(PLEDGE) == sent._by_schema(PLEDGE)
    assert sent.usual_form({**PLEDGE, "campaign": None, "ordered_at": "2026-11-02T23:30:00.25Z"}) is not None


@given(CHANGES, st.sets(st.sampled_from(sorted(PLEDGE)), max_size=2))
def test_whatever_is_taken_is_what_the_schema_would_make_of_it(
    changes: dict[str, Any], left_out: set[str]
) -> None:
    row = {name: value for name, value in {**PLEDGE, **changes}.items() if name not in left_out}
    usual = sent.usual_form(row)
    assert usual is None or usual == sent._by_schema(row)
