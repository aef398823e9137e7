"""What always holds of groups judged by all that are like them; bugs in that judgement are caught."""

from __future__ import annotations

import itertools
import random
from types import ModuleType

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from mutations.seeding import QUICK, Mutation, Property
from scipy.stats import binom

ALIKE = "app.stages.demand.rules.alike"
groups = st.lists(
    st.tuples(st.integers(3, 30), st.integers(0, 30), st.integers(0, 2)), min_size=1, max_size=9
)
usuals = st.sampled_from([0.2, 0.5, 0.75])
Drawn = list[tuple[int, int, int]]


def judged(rules: ModuleType, drawn: Drawn, usual: float, *, twice: bool = False) -> np.ndarray:
    """What is made of groups (size, how many have what people have, kind)."""
    label = np.repeat(np.arange(len(drawn)), [size for size, _, _ in drawn])
    has = np.concatenate([np.arange(size) < many for size, many, _ in drawn])
    trait = rules.Trait(np.ones(len(label), dtype=np.bool_), has, usual)
    kind = np.array([kind for _, _, kind in drawn])
    aspects = [[trait], [trait]] if twice else [[trait]]
    return rules.chance_of_people(label, np.arange(len(label)), kind, np.array([0.25, 0.5, 0.9]), aspects)


def what_is_made_of_groups_does_not_depend_on_their_order(rules: ModuleType) -> None:
    @QUICK
    @given(groups, usuals, st.randoms(use_true_random=False))
    def holds(drawn: Drawn, usual: float, luck: random.Random) -> None:
        order = list(range(len(drawn)))
        luck.shuffle(order)
        before, after = judged(rules, drawn, usual), judged(rules, [drawn[one] for one in order], usual)
        assert np.allclose(after, before[order])
        assert (before >= 0).all()

    holds()


def a_group_alone_of_its_kind_goes_by_itself_and_what_is_believed(rules: ModuleType) -> None:
    @QUICK
    @given(st.integers(3, 12), st.integers(0, 2), usuals, st.integers(0, 2))
    def holds(size: int, many: int, usual: float, kind: int) -> None:
        part = [0.25, 0.5, 0.9][kind]
        odds = part / (1 - part) * binom.cdf(many, size, usual)
        looks = (many - np.sqrt(many)) / (usual * size)
        found = judged(rules, [(size, many, kind)], usual)[0]
        assert np.isclose(found, max(2 * odds / (1 + odds), looks))

    holds()


def more_people_among_the_others_make_a_group_likelier_peoples(rules: ModuleType) -> None:
    @QUICK
    @given(st.integers(3, 8), st.integers(10, 30), usuals)
    def holds(size: int, others: int, usual: float) -> None:
        found = [judged(rules, [(size, 0, 0), (others, many, 0)], usual)[0] for many in range(others + 1)]
        assert all(later >= former - 1e-12 for former, later in itertools.pairwise(found))
        assert found[-1] > found[0]
        apart = judged(rules, [(size, 0, 0), (others, others, 1)], usual)[0]
        assert np.isclose(apart, judged(rules, [(size, 0, 0)], usual)[0])  # another kind says nothing

    holds()


def who_looks_like_people_is_not_condemned_by_others(rules: ModuleType) -> None:
    @QUICK
    @given(st.integers(12, 30), usuals)
    def holds(size: int, usual: float) -> None:
        many = int(np.ceil(size * usual))
        found = judged(rules, [(size, many, 0), (300, 0, 0)], usual)[0]
        assert found >= (many - np.sqrt(many)) / (usual * size) - 1e-9 and found > 0.3

    holds()


def two_findings_that_agree_are_surer_than_one(rules: ModuleType) -> None:
    one, both = (judged(rules, [(6, 0, 1)], 0.5, twice=twice)[0] for twice in (False, True))
    assert both < one


PROPERTIES: dict[str, list[Property]] = {
    ALIKE: [
        what_is_made_of_groups_does_not_depend_on_their_order,
        a_group_alone_of_its_kind_goes_by_itself_and_what_is_believed,
        more_people_among_the_others_make_a_group_likelier_peoples,
        who_looks_like_people_is_not_condemned_by_others,
        two_findings_that_agree_are_surer_than_one,
    ],
}
CHANGES = [
    (
        "a group counts among its others",
        ALIKE,
        "weights=has, minlength=kinds)[kind] - has",
        "weights=has, minlength=kinds)[kind]",
    ),
    (
        "kinds are thrown together",
        ALIKE,
        "others = np.bincount(kind, weights=of, minlength=kinds)[kind] - of",
        "others = of.sum() - of",
    ),
    (
        "what is believed beforehand is forgotten",
        ALIKE,
        "expected = theirs + BELIEVED * beforehand[kind] * one.usual",
        "expected = theirs",
    ),
    (
        "what people usually have is forgotten",
        ALIKE,
        "bdtr(has, np.maximum(of, 1), one.usual)",
        "bdtr(has, np.maximum(of, 1), 0.5)",
    ),
    (
        "the less people among others the likelier",
        ALIKE,
        "odds = part / (1 - part) * by_chance",
        "odds = (1 - part) / part * by_chance",
    ),
    ("a group's own look is forgotten", ALIKE, "(1 + odds), looks)", "(1 + odds), 0.0)"),
    ("the chance is not doubled", ALIKE, "np.maximum(2 * odds", "np.maximum(odds"),
    (
        "the last aspect alone speaks",
        ALIKE,
        "surprise - np.log(np.maximum(1e-300, chance))",
        "-np.log(np.maximum(1e-300, chance))",
    ),
]
BUGS = [Mutation(*change) for change in CHANGES]
