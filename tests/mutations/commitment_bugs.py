"""What always holds of commitments and their weights, and that each of many bugs in their rules is caught."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from types import ModuleType

from hypothesis import given
from hypothesis import strategies as st
from mutations.seeding import QUICK, Mutation, Property

COMMITMENTS = "app.stages.demand.rules.commitments"
WEIGHTS = "app.stages.demand.rules.weights"
START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
ORDER = ("paid", "deposit", "pledge", "waitlist", "vote", "wish_list", "enquiry")
said = st.tuples(st.integers(0, 9), st.sampled_from(ORDER), st.integers(1, 4), st.booleans())


def a_graver_commitment_stands_once_for_lighter_ones(rules: ModuleType) -> None:
    @QUICK
    @given(st.lists(said, max_size=9), st.randoms(use_true_random=False))
    def holds(rows: list[tuple[int, str, int, bool]], luck: random.Random) -> None:
        signals = [
            rules.Said(START + dt.timedelta(hours=hour), 1, f"{id_:02}", id_, commitment, units, stands)
            for id_, (hour, commitment, units, stands) in enumerate(rows)
        ]
        mixed = list(signals)
        luck.shuffle(mixed)
        replaced = rules.superseded(signals)
        assert replaced == rules.superseded(mixed)
        by_id = {one.id: one for one in signals}
        for lighter, graver in ((by_id[a], by_id[b]) for a, b in replaced.items()):
            assert lighter.stands and lighter < graver
            assert ORDER.index(lighter.commitment) > ORDER.index(graver.commitment)
        for one in signals:
            theirs = sorted(by_id[a] for a, b in replaced.items() if b == one.id)
            assert sum(each.quantity for each in theirs[:-1]) < one.quantity
            if sum(each.quantity for each in theirs) < one.quantity:  # then nothing lighter is left before it
                left = [each for each in signals if each.stands and each < one and each.id not in replaced]
                assert not [x for x in left if ORDER.index(x.commitment) > ORDER.index(one.commitment)]

    holds()


def who_pays_for_what_he_pledged_counts_once(rules: ModuleType) -> None:
    @QUICK
    @given(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    def holds(units: list[int]) -> None:
        at = [START + dt.timedelta(hours=hour) for hour in range(2 * len(units))]
        pledged = [rules.Said(at[n], 1, f"P{n}", n, "pledge", one) for n, one in enumerate(units)]
        paid = [
            rules.Said(at[len(units) + n], 1, f"O{n}", 100 + n, "paid", one) for n, one in enumerate(units)
        ]
        first = rules.superseded([*pledged, *paid[:1]])
        assert set(first.values()) == {100} and 0 in first
        assert rules.superseded([*pledged, *paid]).keys() == {one.id for one in pledged}
        alone = rules.superseded([replace(one, stands=False) for one in pledged] + paid)
        assert alone == {}

    holds()


def what_is_owed_is_past_due_after_the_grace(rules: ModuleType) -> None:
    day, due = dt.timedelta(days=1), START + dt.timedelta(days=10)
    terms = rules.Owing(True, 500, due, due + 10 * day)

    def owes(commitment: str, days: int, **other: object) -> str | None:
        told = {"made_at": START, "unit_price_minor": 2_000, "grace": 7 * day, **other}
        asked = told.pop("terms", terms)
        found = rules.past_due(asked, commitment=commitment, now=START + days * day, **told)
        return found and found[0]

    assert [owes("pledge", days) for days in (17, 18, 40)] == [None, "deposit", "deposit"]
    assert [owes("deposit", days) for days in (18, 27, 28)] == [None, None, "balance"]
    assert owes("deposit", 99, unit_price_minor=500) is None and owes("paid", 99) is None
    assert owes("deposit", 99, terms=replace(terms, asks_balance=False)) is None
    assert owes("pledge", 99, terms=replace(terms, deposit_minor=0, asks_balance=False)) is None
    assert owes("pledge", 99, terms=replace(terms, deposit_minor=0)) == "balance"
    late = due + 5 * day
    assert [owes("pledge", days, made_at=late) for days in (22, 23)] == [None, "deposit"]
    assert [owes("pledge", days, grace=dt.timedelta()) for days in (10, 11)] == [None, "deposit"]


seen = st.builds(
    lambda category, commitment, campaign, signals, part: (category, commitment, campaign, signals, part),
    st.sampled_from(["shoes", "tea", "coats"]),
    st.sampled_from(ORDER[1:]),
    st.integers(1, 4),
    st.integers(0, 400),
    st.floats(0, 1),
)


def weights_lie_between_what_was_stated_and_what_was_seen(rules: ModuleType) -> None:
    @QUICK
    @given(st.lists(seen, max_size=8))
    def holds(rows: list[tuple[str, str, int, int, float]]) -> None:
        data = [rules.Seen(a, b, n, signals, round(signals * part)) for a, b, n, signals, part in rows]
        found = rules.learn(data)
        assert found == rules.learn(data[::-1])
        assert len({(one.category, one.commitment) for one in found}) == len(found)
        for commitment, stated in rules.PRIORS.items():
            theirs = [one for one in data if one.commitment == commitment and one.signals]
            parts = [one.converted / one.signals for one in theirs] + [stated]
            for one in (each for each in found if each.commitment == commitment):
                assert min(parts) * 1000 - 1 <= one.permille <= max(parts) * 1000 + 1
                assert 0 <= one.lo_permille <= one.permille <= one.hi_permille <= 1000
                mine = [each for each in theirs if each.category == one.category or not one.category]
                assert one.signals == sum(each.signals for each in mine)
                assert one.converted == sum(each.converted for each in mine)
                assert one.campaigns == len({each.campaign_id for each in mine})

    holds()


def what_is_seen_moves_weights_by_how_much_it_says(rules: ModuleType) -> None:
    def of(*data: tuple[str, int, int, int], category: str = "tea") -> object:
        found = rules.learn([rules.Seen(a, "pledge", n, b, c) for a, n, b, c in data])
        mine = {one.category: one for one in found if one.commitment == "pledge"}
        return mine.get(category, mine[""])

    nothing, one = of(), of(("tea", 1, 200, 40))
    several = of(*(("tea", n, 50, 10) for n in range(4)))
    assert (nothing.permille, one.prior_mean) == (750, 0.75)
    assert 500 < nothing.lo_permille < 750 < nothing.hi_permille < 950  # as 20 signals would leave it
    assert 200 < several.permille < one.permille < 750  # as many buyers of several campaigns say more
    assert several.hi_permille - several.lo_permille < one.hi_permille - one.lo_permille
    others = [(name, 1, 500, 100) for name in ("shoes", "coats", "hats")]
    taught = of(*others, ("tea", 9, 1, 1))
    assert taught.prior_mean < 0.5 and of(*others, category="").permille < 500
    assert of(("tea", 9, 1, 1), category="shoes").permille > 750  # elsewhere learns of all
    many = [(name, n, 500, 100) for name in ("shoes", "coats", "hats", "bags", "mugs") for n in range(4)]
    alike = of(*many, ("tea", 9, 2, 1))
    unlike = of(("shoes", 1, 500, 450), ("coats", 1, 500, 25), ("hats", 1, 500, 250), ("tea", 9, 4, 4))
    assert alike.permille - 1000 * alike.prior_mean < 40 < 60 < unlike.permille - 1000 * unlike.prior_mean


def a_paid_unit_is_a_whole_one_and_the_rest_their_weight(rules: ModuleType) -> None:
    known = {("tea", "pledge"): 800, ("", "pledge"): 700}
    found = [
        rules.weight_of(known, category=category, commitment=commitment)
        for category, commitment in (("tea", "paid"), ("tea", "pledge"), ("x", "pledge"), (None, "pledge"))
    ]
    assert found == [1000, 800, 700, 700]
    assert rules.weight_of({}, category="tea", commitment="vote") == 100
    assert [rules.whole(one) for one in (0, 499, 500, 1499, 1500, -499, -501)] == [0, 0, 1, 1, 2, 0, -1]
    one = [rules.Seen("tea", "pledge", 1, 10, 5)]
    assert rules.fingerprint(one) == rules.fingerprint(list(one)) != rules.fingerprint([])
    assert rules.fingerprint(one) != rules.fingerprint([rules.Seen("tea", "pledge", 1, 10, 6)])


PROPERTIES: dict[str, list[Property]] = {
    COMMITMENTS: [
        a_graver_commitment_stands_once_for_lighter_ones,
        who_pays_for_what_he_pledged_counts_once,
        what_is_owed_is_past_due_after_the_grace,
    ],
    WEIGHTS: [
        weights_lie_between_what_was_stated_and_what_was_seen,
        what_is_seen_moves_weights_by_how_much_it_says,
        a_paid_unit_is_a_whole_one_and_the_rest_their_weight,
    ],
}
CHANGES = [
    (
        "lighter replaces graver",
        COMMITMENTS,
        "gravity(lighter.commitment) < gravity(graver.commitment)",
        "gravity(lighter.commitment) > gravity(graver.commitment)",
    ),
    (
        "two pledges replace each other",
        COMMITMENTS,
        "gravity(lighter.commitment) < gravity(graver.commitment)",
        "gravity(lighter.commitment) <= gravity(graver.commitment)",
    ),
    (
        "arrival decides what replaces",
        COMMITMENTS,
        "    ordered = sorted(signals)",
        "    ordered = list(signals)",
    ),
    (
        "later ones are replaced as well",
        COMMITMENTS,
        "for lighter in ordered[:place]:",
        "for lighter in ordered:",
    ),
    (
        "one order replaces every pledge",
        COMMITMENTS,
        "            if left <= 0:\n                break\n",
        "",
    ),
    ("one order replaces one pledge only", COMMITMENTS, "left -= lighter.quantity", "left = 0"),
    (
        "a pledge is replaced twice",
        COMMITMENTS,
        "lighter.stands and lighter.id not in replaced",
        "lighter.stands",
    ),
    (
        "a cancelled pledge is replaced",
        COMMITMENTS,
        "lighter.stands and lighter.id not in replaced",
        "lighter.id not in replaced",
    ),
    ("there is no grace", COMMITMENTS, "max(due_at, made_at) + grace", "max(due_at, made_at)"),
    (
        "late pledges are past due at once",
        COMMITMENTS,
        "now > max(due_at, made_at) + grace",
        "now > due_at + grace",
    ),
    ("a balance is asked before it goes", COMMITMENTS, "if rest and terms.asks_balance:", "if rest:"),
    (
        "a whole price paid down is owed again",
        COMMITMENTS,
        "unit_price_minor > terms.deposit_minor",
        "unit_price_minor >= terms.deposit_minor",
    ),
    (
        "the stated prior is forgotten",
        WEIGHTS,
        "return (PRIORS[commitment] * PRIOR_SIGNALS + paid) / (PRIOR_SIGNALS + signals)",
        "return paid / signals if signals else PRIORS[commitment]",
    ),
    (
        "a category teaches itself",
        WEIGHTS,
        "for other, one in effective.items() if other != category]",
        "for other, one in effective.items()]",
    ),
    (
        "buyers of one campaign say all",
        WEIGHTS,
        "effects = [1 + (one.signals - 1) * ALIKE for one in seen]",
        "effects = [1.0 for one in seen]",
    ),
    ("categories are always as alike", WEIGHTS, "return max(POOLED, key=likelihood)", "return POOLED[-1]"),
    (
        "the interval has no prior",
        WEIGHTS,
        "lo, hi = wilson(alpha, whole, z=_Z95)",
        "lo, hi = wilson(paid, of or 1.0, z=_Z95)",
    ),
    (
        "a paid unit has a weight",
        WEIGHTS,
        "    if commitment == Commitment.PAID:\n        return WHOLE\n",
        "",
    ),
    (
        "units are cut off",
        WEIGHTS,
        "return (thousandths + WHOLE // 2) // WHOLE",
        "return thousandths // WHOLE",
    ),
    ("data without a fingerprint", WEIGHTS, "[asdict(one) for one in sorted(seen)]", "len(seen)"),
]
BUGS = [Mutation(*change) for change in CHANGES]
