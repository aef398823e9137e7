"""A campaign's whole life in any order of steps, right and wrong ones: the model says what is stored."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from app.core.access import SYSTEM
from app.core.db import Database
from app.core.errors import RuleBroken
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.demand.models import Signal
from app.stages.demand.operations import CampaignTerms, Limited, PledgeSettings, SentPledge, Step, Variant
from support import brand

SETTINGS = PledgeSettings(pseudonym_key=b"key", currency="CNY", timezone="Asia/Shanghai")
DAY = dt.timedelta(days=1)
MOVES = {
    ("draft", "launch"): "open",
    ("open", "extend"): "open",
    ("open", "go"): "reached",
    ("open", "no_go"): "missed",
    ("reached", "overrule"): "missed",
    ("missed", "overrule"): "reached",
    **{(state, "cancel"): "cancelled" for state in ("draft", "open", "reached")},
    ("reached", "produce"): "in_production",
    ("in_production", "ship"): "shipping",
    **{(state, "finish"): "closed" for state in ("shipping", "missed", "cancelled")},
}
"""The life as product and guide tell it, written down a second time."""
LIMITED = (Limited(3, 15_000), Limited(2, 16_000))
DEPOSIT = 4_000
TIERS = {0: 20_000, 8: 19_000, 12: 18_000}
_numbers = itertools.count()
quantities = st.integers(1, 4)
commitments = st.sampled_from(["deposit", "paid"])
batches = st.lists(st.tuples(st.integers(-30, -1), quantities, commitments), min_size=1, max_size=4)
Batch = list[tuple[int, int, str]]


@dataclass
class Pledge:
    at: dt.datetime
    quantity: int
    commitment: str
    cancelled: bool = False
    exclusion: int | None = None

    @property
    def paid(self) -> int:
        return self.quantity * (20_000 if self.commitment == "paid" else DEPOSIT)

    @property
    def counts(self) -> bool:
        return not self.cancelled and self.exclusion is None


class CampaignLife(RuleBasedStateMachine):
    """One campaign beside those of other examples; the clock moves, the cycle closes what is due."""

    db: Database

    def __init__(self) -> None:
        super().__init__()
        self.number, self.ids = next(_numbers), itertools.count()
        self.now = brand.NOW
        self.pledges: dict[str, Pledge] = {}
        self.state, self.kept = "draft", 0

    def change(self, operation: Callable[..., Any], **said: Any) -> Any:
        with self.db.transaction() as session:
            return operation(session, actor=SYSTEM, now=self.now, **said)

    def terms(self, expected: int) -> CampaignTerms:
        return CampaignTerms(
            code=f"M{self.number}",
            name="Bags",
            variants=(Variant("BAG"),),
            opens_at=brand.NOW + DAY,
            closes_at=self.closes_at,
            fill_starts_at=self.fill_starts_at,
            expected_units=expected,
            due_week=dt.date(2027, 6, 7),
            deposit_minor=DEPOSIT,
            balance_due_at=self.closes_at + 9 * DAY,
            tiers=tuple(Step(*tier) for tier in TIERS.items()),
            limited=LIMITED,
        )

    @initialize(expected=st.integers(5, 9), first=st.one_of(st.none(), batches, batches))
    def draft(self, expected: int, first: Batch | None) -> None:
        """A draft, or a campaign that was launched and has its first pledges."""
        self.expected = expected
        self.opens_at = brand.NOW + DAY
        self.fill_starts_at = brand.NOW + 5 * DAY
        self.closes_at = brand.NOW + 7 * DAY
        self.id = self.change(demand.draft_campaign, terms=self.terms(expected))
        if first is not None:
            self.launch()
            self.now = self.opens_at + 2 * DAY
            self.take(first)

    def campaign(self) -> demands.CampaignFact:
        with self.db.reading() as session:
            return demands.get_campaign(session, campaign_id=self.id)

    def try_step(
        self, name: str, operation: Callable[..., Any], *, to: str | None = None, **said: Any
    ) -> bool:
        """Take a step: it is taken when the life has it, and refused without a trace when it has not."""
        wanted = MOVES.get((self.state, name))
        version = self.campaign().version
        if wanted is None:
            with pytest.raises(RuleBroken) as refused:
                self.change(operation, campaign_id=self.id, version=version, **said)
            assert refused.value.code == "campaign_move"
            return False
        self.change(operation, campaign_id=self.id, version=version, **said)
        self.state, self.kept = wanted, self.kept + 1
        return True

    @rule(expected=st.integers(5, 9))
    def edit(self, expected: int) -> None:
        said = {"campaign_id": self.id, "version": self.campaign().version, "terms": self.terms(expected)}
        if self.state == "draft":
            self.change(demand.edit_campaign, **said)
            self.expected = expected
        else:
            with pytest.raises(RuleBroken, match="launched"):
                self.change(demand.edit_campaign, **said)

    @rule(days=st.sampled_from([1, 1, 2, 9]))
    def wait(self, days: int) -> None:
        """Time passes – for a draft only until it opens – and the cycle closes what is due."""
        self.now += DAY if self.state == "draft" and self.now <= self.opens_at else days * DAY
        with self.db.transaction() as session:
            demand.close_due_campaigns(session, now=self.now)
        if self.state == "open" and self.closes_at <= self.now:
            self.state, self.kept = "reached" if self.goes() else "missed", self.kept + 1

    @rule(which=st.integers(0, 9), days=st.integers(1, 3))
    def take_a_step_of_its_life(self, which: int, days: int) -> None:
        names = [name for state, name in MOVES if state == self.state]
        if names:
            self.step(names[which % len(names)], days)

    @rule(name=st.sampled_from(sorted({name for _, name in MOVES})), days=st.integers(1, 3))
    def take_any_step(self, name: str, days: int) -> None:
        self.step(name, days)

    def step(self, name: str, days: int) -> None:
        match name:
            case "launch":
                self.launch()
            case "extend":
                self.extend(days)
            case "go" | "no_go":
                self.close(None if days == 1 else name)
            case "overrule":
                self.try_step(name, demand.overrule_campaign, reason="We know better")
            case "cancel":
                self.cancel()
            case _:
                self.try_step(name, demand.advance_campaign, kind=name)

    def launch(self) -> None:
        if self.state == "draft" and self.now >= self.closes_at:
            with pytest.raises(RuleBroken) as refused:
                self.try_step("launch", demand.launch_campaign, deposit_cap_percent=30)
            assert refused.value.code == "launch_refused"
        else:
            self.try_step("launch", demand.launch_campaign, deposit_cap_percent=30)

    def extend(self, days: int) -> None:
        said: dict[str, Any] = {"days": days, "reason": "Later", "deposit_cap_percent": 30}
        if self.try_step("extend", demand.extend_campaign, **said):
            self.closes_at += days * DAY
            self.fill_starts_at += days * DAY

    def close(self, decision: str | None) -> None:
        to = decision or ("go" if self.goes() else "no_go")
        if self.state == "open" and self.now <= self.opens_at:
            with pytest.raises(RuleBroken, match="not opened yet"):
                self.try_step(to, demand.close_campaign, decision=decision, reason="Early")
        elif self.try_step(to, demand.close_campaign, decision=decision, reason="Early"):
            self.closes_at = min(self.closes_at, self.now)

    def cancel(self) -> None:
        if self.try_step("cancel", demand.cancel_campaign, reason="No fabric"):
            self.closes_at = max(min(self.closes_at, self.now), self.opens_at + dt.timedelta(seconds=1))

    @rule(made=batches, order=st.randoms(use_true_random=False))
    def pledge(self, made: Batch, order: Any) -> None:
        """A batch of pledges made in the last hours, in any order; those outside the window are rejected."""
        order.shuffle(made)
        self.take(made)

    def take(self, made: Batch) -> None:
        rows = [(f"p{next(self.ids)}", self.now + dt.timedelta(hours=hours), *told) for hours, *told in made]
        with self.db.transaction() as session:
            results = demand.take_pledges(
                session, rows=[self.sent(*row) for row in rows], actor=SYSTEM, now=self.now, settings=SETTINGS
            )
        for (name, at, units, commitment), result in zip(rows, results, strict=True):
            taken = self.state != "draft" and self.opens_at <= at < self.closes_at
            assert result.outcome == ("accepted" if taken else "rejected"), (at, result)
            if taken:
                self.pledges[name] = Pledge(at, units, commitment)

    def sent(self, name: str, at: dt.datetime, units: int, commitment: str) -> SentPledge:
        cells = {
            "external_id": name,
            "commitment": commitment,
            "sku": "BAG",
            "region": "CN-GD",
            "quantity": str(units),
            "unit_price": "200.00",
            "currency": "CNY",
            "ordered_at": at.isoformat(),
            "buyer": name,
            "campaign": f"M{self.number}",
        }
        return SentPledge(f"machine{self.number}", cells)

    @precondition(lambda self: self.pledges)
    @rule(which=st.integers(0, 9), quantity=st.one_of(st.none(), quantities))
    def correct(self, which: int, quantity: int | None) -> None:
        """A buyer changes the quantity, or cancels: in the fill phase pledges only grow."""
        name, one = list(self.pledges.items())[which % len(self.pledges)]
        if one.cancelled or one.exclusion is not None:
            return
        said = {"status": "cancelled"} if quantity is None else {"quantity": quantity}
        shrinks = quantity is None or quantity < one.quantity
        filling = self.fill_starts_at <= self.now < self.closes_at
        correction = {"channel": f"machine{self.number}", "external_id": name, "currency": "CNY", **said}
        if filling and shrinks:
            with pytest.raises(RuleBroken, match="can only grow"):
                self.change(demand.correct_pledge, changed_at=self.now, **correction)
            return
        self.change(demand.correct_pledge, changed_at=self.now, **correction)
        one.quantity, one.cancelled = quantity or one.quantity, quantity is None
        self.now += dt.timedelta(seconds=1)  # the next word is a later one
        self.wait(0)

    @precondition(lambda self: any(one.counts for one in self.pledges.values()))
    @rule(which=st.integers(0, 9))
    def exclude(self, which: int) -> None:
        name, one = [(name, one) for name, one in self.pledges.items() if one.counts][which % self.counting]
        with self.db.reading() as session:
            query = select(Signal.id).where(Signal.external_id == name, Signal.campaign_id == self.id)
            signal = session.scalars(query).one()
        said = {"signal_id": signal, "reason": "suspected", "evidence": {"seen": "by hand"}}
        one.exclusion = self.change(demand.exclude_signal, **said)

    @precondition(lambda self: any(one.exclusion for one in self.pledges.values()))
    @rule(which=st.integers(0, 9))
    def undo(self, which: int) -> None:
        excluded = [one for one in self.pledges.values() if one.exclusion]
        one = excluded[which % len(excluded)]
        self.change(demand.undo_exclusion, exclusion_id=one.exclusion)
        one.exclusion = None

    @precondition(lambda self: self.state != "draft")
    @rule(column=st.sampled_from(["expected_units", "go_factor_percent"]))
    def tamper(self, column: str) -> None:
        with pytest.raises(DatabaseError, match="frozen at launch"), self.db.transaction() as session:
            session.execute(text(f"UPDATE campaign SET {column} = {column} + 1 WHERE id = {self.id}"))

    @property
    def counting(self) -> int:
        return sum(one.counts for one in self.pledges.values())

    def valid(self) -> int:
        return sum(one.quantity for one in self.pledges.values() if one.counts)

    def goes(self) -> bool:
        return self.valid() * 100 >= self.expected * 120

    @invariant()
    def what_is_stored_is_what_the_model_says(self) -> None:
        if not hasattr(self, "id"):
            return
        with self.db.reading() as session:
            fact = demands.get_campaign(session, campaign_id=self.id)
            water = demands.waterfall(session, campaign_id=self.id)
            assert (fact.state, fact.expected_units) == (self.state, self.expected)
            assert fact.valid_units == self.valid() == water.valid_units
            assert water.raw_units - sum(one.units for one in water.steps) == water.valid_units
            assert len(demands.list_decisions(session, campaign_id=self.id)) == self.kept
            self.prices_go_by_what_was_made(session)

    def prices_go_by_what_was_made(self, session: Session) -> None:
        """The tier by the units alone, the limited prices in the order the pledges were made."""
        outlook = demands.close_outlook(session, campaign_id=self.id)
        reached = TIERS[max(units for units in TIERS if units <= self.valid())]
        assert (outlook.price_minor, outlook.goes) == (reached, self.goes())
        if outlook.goes:
            owed = self.owed(reached)
            assert outlook.balance.amount_minor == sum(amount for amount in owed.values() if amount > 0)
            above = -sum(amount for amount in owed.values() if amount < 0)
            assert {one.why: one.amount_minor for one in outlook.refunds}["overpaid"] == above
            assert outlook.balance.pledges == sum(amount > 0 for amount in owed.values())
        awards = demands.list_awards(session, campaign_id=self.id)
        places = [(one.ordered_at, one.external_id) for one in awards]
        assert places == sorted(places)
        prices = [one.unit_price_minor for one in awards for _ in range(one.units)]
        assert prices == [15_000] * min(3, self.valid()) + [16_000] * max(0, min(2, self.valid() - 3))
        first = sorted((one.at, name) for name, one in self.pledges.items() if one.counts)
        assert list(dict.fromkeys(places)) == first[: len(set(places))]

    @invariant()
    def what_was_paid_is_kept_for_units_made_or_goes_back_once(self) -> None:
        if not hasattr(self, "id") or self.state in ("draft", "open", "closed"):
            return
        with self.db.reading() as session:
            reached = demands.close_outlook(session, campaign_id=self.id).price_minor
            listed: list[demands.PledgeSum] = []
            while page := demands.list_refunds(session, campaign_id=self.id, offset=len(listed), limit=3):
                listed += page
            sums = demands.refund_sums(session, campaign_id=self.id)
        back = {one.external_id: one.amount_minor for one in listed}
        assert len(back) == len(listed) == sum(one.pledges for one in sums)
        fails = self.state in ("missed", "cancelled")
        owed = {} if fails else self.owed(reached or 0)
        for name, one in self.pledges.items():
            made = one.counts and not fails
            goes_back = 0 if one.cancelled else max(0, -owed[name]) if made else one.paid
            assert back.get(name, 0) == goes_back, (name, one, self.state)

    def owed(self, reached: int) -> dict[str, int]:
        """What is still to pay for each pledge: its units at a limited price, or at the one reached."""
        counted = [(one.at, name, one) for name, one in self.pledges.items() if one.counts]
        prices = iter([15_000] * 3 + [16_000] * 2)
        owed = {}
        for _, name, one in sorted(counted, key=lambda told: told[:2]):
            owed[name] = sum(next(prices, reached) for _ in range(one.quantity)) - one.paid
        return owed

    def teardown(self) -> None:
        with self.db.reading() as session:
            assert demands.recount(session) == []


def test_a_campaign_never_leaves_its_life_and_its_figures_are_those_of_its_pledges(
    db: Database, tmp_path: Path
) -> None:
    brand.load_network(db, tmp_path)

    class OnThisDatabase(CampaignLife):
        pass

    OnThisDatabase.db = db
    run_state_machine_as_test(
        OnThisDatabase,
        settings=settings(
            max_examples=10,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
            phases=(Phase.generate,),
        ),
    )
