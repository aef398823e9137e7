"""What always holds of what counts in the demand pool, and that each of many bugs in its rules is caught."""

from __future__ import annotations

from types import ModuleType

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from mutations.seeding import QUICK, Mutation, Property

POOL = "app.stages.demand.rules"
REVIEWING = "app.stages.demand.rules.reviewing"
ORDER = ("paid", "deposit", "pledge", "waitlist", "vote", "wish_list", "enquiry")
FIRM = ORDER[:3]
FACTS = {"goods": pl.Boolean, "status": pl.String, "quantity": pl.Int64, "unit_price_minor": pl.Int64}
facts = st.tuples(
    st.booleans(),
    st.sampled_from(["placed", "placed", "cancelled", "test"]),
    st.integers(-3, 5).filter(bool),
    st.integers(-1, 2),
    st.sampled_from(ORDER),
)


def every_signal_has_the_reason_of_the_first_rule_that_applies(rules: ModuleType) -> None:
    @QUICK
    @given(st.lists(facts, min_size=1, max_size=20))
    def holds(told: list[tuple[bool, str, int, int, str]]) -> None:
        frame = pl.DataFrame(told, schema={**FACTS, "commitment": pl.String}, orient="row")
        by_column = frame.select(rules.reason_expression())["literal"].to_list()
        for (goods, status, quantity, price, commitment), column in zip(told, by_column, strict=True):
            firm = commitment in FIRM
            back = quantity < 0 and firm and (price > 0 or status == "cancelled")
            table = (
                (not goods, "not_goods"),
                (status == "test", "test"),
                (status == "cancelled" and quantity > 0, "cancelled"),
                (not firm, "interest"),
                (back, "returned"),
                (price <= 0, "unpriced"),
                (True, "valid"),
            )
            wanted = next(reason for applies, reason in table if applies)
            found = rules.classify(rules.SignalFacts(goods, status, quantity, price, commitment))
            assert wanted == found == column
            assert rules.valid_units(reason=found, quantity=quantity) == (
                quantity if wanted in ("valid", "returned") else 0
            )

    holds()


def what_a_person_lets_count_is_what_it_was_told_as(rules: ModuleType) -> None:
    rows = [(one, quantity) for one in ORDER for quantity in (-2, 1, 3)]
    frame = pl.DataFrame(rows, schema=["commitment", "quantity"], orient="row")
    counted = frame.select(rules.counted_expression().alias("r"))["r"].to_list()
    for (commitment, quantity), reason in zip(rows, counted, strict=True):
        assert reason == rules.classify(rules.SignalFacts(True, "placed", quantity, 100, commitment))


def a_cell_tells_reason_and_commitment(rules: ModuleType) -> None:
    rows = [(reason.value, one) for reason in rules.Reason for one in ORDER]
    rows = [(reason, one) for reason, one in rows if (reason == "interest") <= (one not in FIRM)]
    rows = [(reason, one) for reason, one in rows if (reason == "valid") <= (one in FIRM)]
    frame = pl.DataFrame(rows, schema=["reason", "commitment"], orient="row")
    kinds = frame.select(rules.cell_kind().alias("kind"))["kind"].to_list()
    stands = [(reason, one, kind) for (reason, one), kind in zip(rows, kinds, strict=True)]
    assert {rules.kind_reason(kind) == reason for reason, _, kind in stands} == {True}
    assert set(kinds) <= {kind.value for kind in rules.KINDS}
    apart = {kind for reason, _, kind in stands if reason in ("valid", "interest")}
    assert len(apart) == len(ORDER)


def the_limit_is_kept_and_nothing_that_fits_is_refused(rules: ModuleType) -> None:
    @QUICK
    @given(st.lists(st.integers(-2, 4).filter(bool), max_size=9), st.integers(1, 6))
    def holds(quantities: list[int], limit: int) -> None:
        held = 0
        for quantity, over in zip(quantities, rules.over_limit(quantities, limit=limit), strict=True):
            assert over == (quantity > 0 and held + quantity > limit)
            held += 0 if over else quantity

    holds()


def a_rule_decides_by_itself_while_people_find_it_right(rules: ModuleType) -> None:
    def free(score: float, reviewed: int, confirmed: int, precision: float = 0.9) -> bool:
        known = {"velocity": rules.Reviewed(reviewed, confirmed)}
        return bool(rules.may_exclude(score=score, rule="velocity", precision=precision, reviewed=known))

    assert free(0.9, 0, 0) and not free(0.899, 0, 0)
    assert free(0.95, 1, 0)
    assert free(0.95, 30, 28) and not free(0.95, 30, 20) and free(0.95, 300, 280) and not free(1.0, 5, 0)
    assert rules.may_exclude(score=0.9, rule="new", precision=0.9, reviewed={})
    assert not rules.may_exclude(score=0.99, rule="new", precision=0.98, reviewed={})
    keys = {rules.cluster_key(n, {"rule": one, "pledges": 3}) for n in (1, 2) for one in "ab"}
    assert len(keys) == 4
    assert rules.cluster_key(1, {"a": 1, "b": 2}) == rules.cluster_key(1, {"b": 2, "a": 1})


PROPERTIES: dict[str, list[Property]] = {
    POOL: [
        every_signal_has_the_reason_of_the_first_rule_that_applies,
        what_a_person_lets_count_is_what_it_was_told_as,
        a_cell_tells_reason_and_commitment,
        the_limit_is_kept_and_nothing_that_fits_is_refused,
    ],
    REVIEWING: [
        a_rule_decides_by_itself_while_people_find_it_right,
    ],
}
CHANGES = [
    ("interest is demand", POOL, "if facts.commitment in INTEREST:", "if facts.commitment in INTEREST[1:]:"),
    (
        "a test order counts",
        POOL,
        "if facts.status == SignalStatus.TEST:",
        "if facts.status == SignalStatus.TEST and facts.quantity > 1:",
    ),
    ("what is no goods counts", POOL, "    if not facts.goods:\n        return Reason.NOT_GOODS\n", ""),
    (
        "a cancelled order counts",
        POOL,
        "if facts.status == SignalStatus.CANCELLED and facts.quantity > 0:",
        "if facts.status == SignalStatus.CANCELLED and facts.quantity > 4:",
    ),
    ("free goods count", POOL, "if facts.unit_price_minor <= 0:", "if facts.unit_price_minor < 0:"),
    (
        "a waitlist in a column is demand",
        POOL,
        "then(pl.lit(Reason.INTEREST.value))\n        .when((",
        "then(pl.lit(Reason.VALID.value))\n        .when((",
    ),
    (
        "returns do not come off",
        POOL,
        "return quantity if reason in (Reason.VALID, Reason.RETURNED) else 0",
        "return quantity if reason == Reason.VALID else 0",
    ),
    (
        "an undone exclusion of interest is demand",
        POOL,
        "then(pl.lit(Reason.INTEREST.value))\n        .when(pl.col(",
        "then(pl.lit(Reason.VALID.value))\n        .when(pl.col(",
    ),
    (
        "cells forget what waits",
        POOL,
        'told = pl.col("reason").is_in([Reason.VALID.value, Reason.INTEREST.value])',
        'told = pl.col("reason").is_in([Reason.INTEREST.value])',
    ),
    (
        "cells of interest are demand",
        POOL,
        "return Reason.INTEREST if kind in INTEREST else Reason.VALID",
        "return Reason.VALID",
    ),
    (
        "the limit is one too high",
        POOL,
        "return beyond(quantities, most=limit)",
        "return beyond(quantities, most=limit + 1)",
    ),
    (
        "a rule decides below the precision",
        REVIEWING,
        "return score >= precision and",
        "return score >= precision - 0.1 and",
    ),
    ("what people say changes nothing", REVIEWING, ".precision >= precision", ".precision >= 0"),
    (
        "one word ends a rule",
        REVIEWING,
        "(TRUSTED * TRUSTED_FOR + self.confirmed) / (TRUSTED_FOR + self.reviewed)",
        "(TRUSTED + self.confirmed) / (1 + self.reviewed)",
    ),
    (
        "campaigns share a cluster",
        REVIEWING,
        "json.dumps([campaign_id, dict(evidence)]",
        "json.dumps([dict(evidence)]",
    ),
]
BUGS = [Mutation(*change) for change in CHANGES]
