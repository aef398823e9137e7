"""What always holds of the demand pool, whatever arrives in whatever order."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from app.stages.demand import rules

facts = st.builds(
    rules.SignalFacts,
    goods=st.booleans(),
    status=st.sampled_from([status.value for status in rules.SignalStatus]),
    quantity=st.integers(-5, 5).filter(bool),
    unit_price_minor=st.integers(-2, 2),
)


@given(st.lists(facts, max_size=30))
def test_a_column_is_classified_as_each_of_its_signals_is(signals: list[rules.SignalFacts]) -> None:
    frame = pl.DataFrame(
        [(one.goods, one.status, one.quantity, one.unit_price_minor) for one in signals],
        schema={"goods": pl.Boolean, "status": pl.String, "quantity": pl.Int64, "unit_price_minor": pl.Int64},
        orient="row",
    )
    by_column = frame.select(rules.reason_expression().alias("reason"))["reason"].to_list()
    assert by_column == [rules.classify(one) for one in signals]


@given(facts)
def test_only_valid_and_returned_signals_move_valid_demand(signal: rules.SignalFacts) -> None:
    reason = rules.classify(signal)
    added = rules.valid_units(reason=reason, quantity=signal.quantity)
    assert added == (signal.quantity if reason in ("valid", "returned") else 0)
    assert (added > 0) == (reason == "valid") and (added < 0) == (reason == "returned")


@given(st.lists(st.integers(1, 6), max_size=12), st.integers(1, 8))
def test_what_is_kept_never_exceeds_the_limit_and_nothing_fitting_is_refused(
    quantities: list[int], limit: int
) -> None:
    held = 0
    for quantity, over in zip(quantities, rules.over_limit(quantities, limit=limit), strict=True):
        assert over == (held + quantity > limit)
        held += 0 if over else quantity
    assert held <= limit


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(1, 500))
def test_the_go_line_is_the_fewest_units_that_go(valid: int, expected: int, factor: int) -> None:
    line = rules.go_units(expected_units=expected, go_factor_percent=factor)
    goes = rules.reaches_go(valid_units=valid, expected_units=expected, go_factor_percent=factor)
    assert goes == (valid >= line)
