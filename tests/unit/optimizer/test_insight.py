"""Relief, the price of share caps and the reasons of shares, on problems whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from unit.optimizer.allocation_problems import EXACT, document, need, offer, plan, with_suppliers

from optimizer import Explanation, Problem, Solution, explain, solve
from optimizer.insight import focus as focus_module
from optimizer.insight import sharing as sharing_module
from optimizer.insight.focus import Draft, Questions
from optimizer.insight.lowest import lowest_top
from optimizer.rules.book import book
from optimizer.rules.limits import cap_rows

CAP = [{"scope": "sku", "max_share": 0.4, "penalty": 3.0}]


def explained(data: dict[str, Any]) -> Explanation:
    problem, solution = plan(data)
    return explain(problem, solution, EXACT)


def relief_of(found: Explanation, rule: str) -> dict[str, Any]:
    return next(one for one in found.relief if one["rule"] == rule)


def two_priced(**first: Any) -> dict[str, Any]:
    """100 units, a cheap supplier with a limit, a dear one without."""
    data = with_suppliers(2, [10.0, 13.0], demand=[need(100)])
    data["suppliers"][0] |= first
    return data


def test_a_unit_of_capacity_is_worth_what_the_next_supplier_costs_more() -> None:
    one = relief_of(explained(two_priced(capacity=[60, 0, 0, 0])), "capacity")
    assert one["ids"] == {"supplier": "S0", "week": 0}
    assert (one["step"], one["saving"], one["per_unit"]) == (1.0, 3.0, 3.0)
    assert one["shadow_price"] == pytest.approx(3.0)
    assert "capacity [S0/week 0]" in one["words"]


def test_relief_comes_in_whole_lots_where_a_unit_is_no_use() -> None:
    data = two_priced(capacity=[60, 0, 0, 0])
    data["offers"][0] |= {"moq": 20, "multiple": 20}
    one = relief_of(explained(data), "capacity")
    assert (one["step"], one["saving"], one["per_unit"]) == (20.0, 60.0, 3.0)


def test_a_capacity_that_nobody_wants_more_of_is_not_relief() -> None:
    found = explained(two_priced(capacity=[60, 0, 0, 0]) | {"demand": [need(60)]})
    assert [one for one in found.relief if one["rule"] == "capacity"] == []


def test_a_smaller_moq_saves_the_surplus_it_forces() -> None:
    data = document(offers=[offer(moq=100)], demand=[need(95)])
    one = relief_of(explained(data), "moq")
    assert one["ids"] == {"supplier": "S", "sku": "A", "week": 0}
    assert (one["step"], one["saving"]) == (1.0, 10.0)


@pytest.mark.parametrize("small", [focus_module.SMALL, -1])
def test_a_lane_out_of_a_warehouse_is_worth_the_dearer_way_round(
    monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    """A unit of two cubic metres for 1 a cubic metre over the lane that is full, or for 4 over another."""
    monkeypatch.setattr(focus_module, "SMALL", small)
    lanes = [{"from": "S", "to": house} for house in ("V", "W")]
    lanes += [{"from": "V", "to": "R", "cost": 4}, {"from": "W", "to": "R", "cost": 1, "capacity": 80}]
    houses, skus = [{"id": "V"}, {"id": "W"}], [{"id": "A", "volume": 2}]
    one = relief_of(explained(document(warehouses=houses, skus=skus, lanes=lanes)), "lane_capacity")
    assert one["ids"] == {"from": "W", "to": "R", "week": 0}
    assert (one["step"], one["per_unit"]) == (2.0, 3.0)
    assert one["shadow_price"] == pytest.approx(3.0)


def test_a_larger_dock_saves_the_lateness_of_a_unit() -> None:
    data = document(
        warehouses=[{"id": "W", "inbound": 60}],
        lanes=[{"from": "S", "to": "W"}, {"from": "W", "to": "R"}],
    )
    one = relief_of(explained(data), "inbound")
    assert (one["ids"], one["per_unit"]) == ({"warehouse": "W", "week": 0}, 5.0)
    assert one["shadow_price"] == pytest.approx(5.0)


def test_what_a_cap_costs_and_the_lowest_top_share_in_reach() -> None:
    found = explained(with_suppliers(3, [10.0, 11.0, 14.0], demand=[need(100)], share_caps=CAP)).caps
    assert len(found) == 1
    assert (found[0]["suppliers"], found[0]["floor"]) == (3, pytest.approx(1 / 3))
    # with the cap 60 at 10 and 40 at 11 and 20 x 3 of penalty; without it 100 at 10
    assert found[0]["price"] == pytest.approx(100.0)
    # 34 + 34 + 32 units against 60 + 40
    assert found[0]["lowest"] == pytest.approx(0.34)
    assert found[0]["lowest_cost"] == pytest.approx((340 + 374 + 448) - (600 + 440))
    assert "lowest reachable top share is 34.0%" in found[0]["words"]


@pytest.mark.parametrize("small", [focus_module.SMALL, -1])
def test_the_lowest_share_stops_where_demand_would_go_unmet(
    monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    """Whether the problem is asked about as a whole or the SKU alone."""
    monkeypatch.setattr(focus_module, "SMALL", small)
    data = with_suppliers(3, [10.0, 11.0, 14.0], demand=[need(100)], share_caps=CAP)
    data["suppliers"][2]["capacity"] = [10, 0, 0, 0]
    found = explained(data).caps[0]
    assert found["lowest"] == pytest.approx(0.45)


@pytest.mark.parametrize("suppliers", [1, 3])
@pytest.mark.parametrize("reached", [*range(334, 1001, 37), 1000, None])
def test_the_lowest_share_is_found_to_a_hundredth_by_few_questions(
    reached: int | None, suppliers: int
) -> None:
    """Demand of 1,000; what is unmet falls from there to nothing at the share in reach."""
    problem = Problem.from_json(document(demand=[need(1000)], share_caps=CAP))
    row, asked = cap_rows(problem)[0], []

    class Asked:
        """As Questions: at a cap of so many units all of some suppliers are at it."""

        whole = True

        def base(self, _: frozenset[str]) -> Any:
            return SimpleNamespace(unmet=lambda: 5)

        def drafted(self, change: Any, _: frozenset[str]) -> Any:
            units = round(change(problem).share_caps[-1].max_share * 1000)
            asked.append(units)
            unmet = 1000 if reached is None else max(0, suppliers * (reached - units))
            return SimpleNamespace(
                cap=units, unmet=lambda: 5 + unmet, units=lambda _: dict.fromkeys(range(suppliers), units)
            )

        def priced(self, draft: Any) -> Any:
            return draft

    found = lowest_top(Asked(), row, low=334, top=1000)  # type: ignore[arg-type]
    assert asked[0] == 334 and len(asked) == len(set(asked)) <= 11
    if reached is None:
        assert found is None
    else:
        assert found is not None
        assert reached <= found.cap < max(reached + 10, 335)  # type: ignore[attr-defined]
        assert len(asked) <= 4


def test_a_saving_that_needs_no_relief_is_not_told_as_relief(monkeypatch: pytest.MonkeyPatch) -> None:
    """The base is the cheapest plan known without the change, wherever it was found."""
    monkeypatch.setattr(focus_module, "SMALL", -1)
    monkeypatch.setattr(focus_module, "around", lambda *_, **__: None)
    problem, best = plan(with_suppliers(2, [10.0, 13.0], demand=[need(100)]))
    dear = solve(replace(problem, offers=problem.offers[1:]), EXACT)
    assert isinstance(dear, Solution)
    ask, skus = Questions(problem, dear, EXACT, solve), frozenset("A")
    assert ask.base(skus).cost.total == dear.objective
    better = ask.priced(Draft(problem=ask.problem, book=book(ask.problem, best)))
    assert better is not None
    ask.as_things_are(better, skus)
    assert ask.base(skus).cost.total == best.objective
    tight = replace(
        problem, suppliers=(replace(problem.suppliers[0], capacity=(60.0,) * 4), problem.suppliers[1])
    )
    ask = Questions(tight, dear, EXACT, solve)
    ask.as_things_are(better, skus)  # it breaks the capacity
    assert ask.base(skus).cost.total == dear.objective


def test_explaining_tells_of_every_question_and_stops_when_told_to() -> None:
    problem, solution = plan(two_priced(capacity=[60, 0, 0, 0]) | {"share_caps": CAP})
    told: list[tuple[str, int, int]] = []
    explain(
        problem, solution, EXACT, progress=lambda one: told.append((one["phase"], one["done"], one["total"]))
    )
    assert list(dict.fromkeys(phase for phase, _, _ in told)) == [
        "relief",
        "share caps",
        "shares",
        "explained",
    ]
    assert len(told) > 8

    class Stop(Exception):
        """Whoever listens wants no more."""

    def stop(one: dict[str, Any]) -> None:
        heard.append(one)
        if len(heard) == 3:
            raise Stop

    heard: list[dict[str, Any]] = []
    with pytest.raises(Stop):
        explain(problem, solution, EXACT, progress=stop)
    assert len(heard) == 3


def test_a_single_source_cannot_be_less_than_all() -> None:
    found = explained(document(share_caps=CAP)).caps[0]
    assert (found["floor"], found["lowest"], found["lowest_cost"]) == (1.0, 1.0, 0.0)


def test_a_share_is_explained_by_what_the_plan_costs_without_it() -> None:
    found = {one["supplier"]: one for one in explained(two_priced(capacity=[60, 0, 0, 0])).why}
    assert found["S0"]["decided_by"] == "price"
    assert (found["S0"]["extra"], found["S0"]["per_unit"]) == (180.0, 3.0)
    assert (found["S0"]["instead"], found["S0"]["held_by"]) == ("S1", "capacity")
    assert found["S1"]["decided_by"] == "capacity"
    assert found["S1"]["held_by"] == "price"


@pytest.mark.parametrize(
    ("changes", "decided"),
    [
        ({"suppliers": [{"id": "S0"}, {"id": "S1", "risk": 0.2}]}, "risk"),
        ({"lanes": [{"from": "S0", "to": "R"}, {"from": "S1", "to": "R", "cost": 2.0}]}, "freight"),
        ({"lanes": [{"from": "S0", "to": "R"}, {"from": "S1", "to": "R", "lead_weeks": 1}]}, "lead"),
        ({}, "nothing"),
    ],
)
def test_the_number_that_decided_is_the_part_that_grows_most(changes: dict[str, Any], decided: str) -> None:
    data = with_suppliers(2, [10.0, 10.0], demand=[need(100)]) | changes
    found = explained(data).why
    assert {one["decided_by"] for one in found} == {decided}


def test_who_alone_makes_it_is_told_so() -> None:
    found = explained(document()).why
    assert (found[0]["decided_by"], found[0]["held_by"], found[0]["share"]) == ("only_source", "demand", 1.0)


def test_a_large_problem_is_asked_about_its_skus_alone_and_priced_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = two_priced(capacity=[60, 0, 0, 0])
    data["skus"] = [{"id": "A"}, {"id": "B"}]
    data["offers"].append({"supplier": "S0", "sku": "B", "breaks": [[0, 20.0]]})
    data["demand"].append(need(10) | {"sku": "B"})
    whole = explained(data)
    monkeypatch.setattr(focus_module, "SMALL", 0)
    parts = explained(data)
    assert relief_of(parts, "capacity")["saving"] == relief_of(whole, "capacity")["saving"] == 3.0
    # the other SKUs stay as they are: what it would cost is never less than if they could move too
    assert all(one["extra"] >= other["extra"] for one, other in zip(parts.why, whole.why, strict=True))


def test_a_cap_over_many_skus_of_a_large_problem_is_told_without_planning_them_all_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cap = [{"scope": "plan", "max_share": 0.4, "penalty": 3.0}]
    data = with_suppliers(3, [10.0, 11.0, 14.0], demand=[need(100)], share_caps=cap)
    data["skus"] = [{"id": "A"}, {"id": "B"}]
    monkeypatch.setattr(focus_module, "SMALL", 0)
    assert explained(data).caps[0]["price"] == pytest.approx(100.0)
    monkeypatch.setattr(sharing_module, "MOST_SKUS", 1)
    found = explained(data).caps[0]
    assert (found["price"], found["lowest"], found["lowest_cost"]) == (None, None, None)
    assert (found["top_share"], found["floor"]) == (pytest.approx(0.6), pytest.approx(1 / 3))


def material(data: dict[str, Any]) -> dict[str, Any]:
    data["materials"] = [{"id": "M", "available": [120, 0, 0, 0]}]
    data["offers"][0]["recipe"] = {"M": 2}
    return data


def narrow(data: dict[str, Any]) -> dict[str, Any]:
    data["lanes"][0]["capacity"] = [60, 0, 0, 0]
    return data


def through(data: dict[str, Any]) -> dict[str, Any]:
    data["warehouses"] = [{"id": "W", "throughput": 60}]
    data["lanes"] = [{"from": "S0", "to": "W"}, {"from": "W", "to": "R"}, {"from": "S1", "to": "R"}]
    return data


RELIEVED = {
    "material": (material, {"material": "M", "week": 0}, 2.0, 1.5),
    "lane_capacity": (narrow, {"from": "S0", "to": "R", "week": 0}, 1.0, 3.0),
    "throughput": (through, {"warehouse": "W"}, 1.0, 3.0),
}


@pytest.mark.parametrize("rule", RELIEVED)
@pytest.mark.parametrize("small", [True, False])
def test_a_unit_of_material_lane_or_throughput_is_worth_the_dearer_supplier(
    rule: str, small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, ids, step, per_unit = RELIEVED[rule]
    if not small:
        monkeypatch.setattr(focus_module, "SMALL", 0)
    one = relief_of(explained(change(two_priced())), rule)
    assert (one["ids"], one["step"], one["per_unit"]) == (ids, step, per_unit)
    assert one["shadow_price"] == pytest.approx(per_unit)


def test_a_point_of_a_hard_cap_of_spend_is_worth_what_it_moves_to_the_cheaper_supplier() -> None:
    cap = {"scope": "plan", "base": "spend", "max_share": 0.6, "hard": True}
    data = two_priced() | {"share_caps": [cap], "continuous": True}
    one = relief_of(explained(data), "share_cap")
    assert (one["ids"]["supplier"], one["ids"]["base"], one["step"]) == ("S0", "spend", 1.0)

    def cost(share: float) -> float:
        """10 x units of the cheap one are the share of what is spent on 100 units."""
        cheap = 1300 * share / (10 * (1 - share) + 13 * share)
        return 10 * cheap + 13 * (100 - cheap)

    assert one["saving"] == pytest.approx(cost(0.6) - cost(0.61), abs=1e-3)


@pytest.mark.parametrize("rule", RELIEVED)
def test_what_other_skus_use_of_a_rule_is_not_there_to_be_had(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SKU B needs 50 of the 60 units that fit: 10 are left to A, and one more is worth as much."""
    monkeypatch.setattr(focus_module, "SMALL", 0)
    data = RELIEVED[rule][0](two_priced())
    data["skus"] = [{"id": "A"}, {"id": "B"}]
    data["offers"].append(data["offers"][0] | {"sku": "B"})
    data["demand"].append(need(50) | {"sku": "B"})
    found = explained(data)
    assert relief_of(found, rule)["per_unit"] == RELIEVED[rule][3]
    cheap = next(one for one in found.why if (one["sku"], one["supplier"]) == ("A", "S0"))
    assert (cheap["units"], cheap["extra"]) == (10, 30.0)


def test_a_share_that_only_the_least_number_of_suppliers_gives_is_told_so() -> None:
    data = with_suppliers(2, [10.0, 13.0], demand=[need(100)])
    data["skus"] = [{"id": "A", "min_sources": 2}]
    data["offers"][1]["moq"] = 20
    found = {one["supplier"]: one for one in explained(data).why}
    assert (found["S1"]["decided_by"], found["S1"]["instead"]) == ("min_sources", "S0")
    assert (found["S1"]["units"], found["S1"]["extra"]) == (20, -60.0)
    assert found["S0"]["decided_by"] != "min_sources"


def test_too_few_suppliers_a_material_and_a_lane_are_reasons_for_unmet_demand() -> None:
    data = document(skus=[{"id": "A", "min_sources": 2}])
    _, solution = plan(data)
    assert (solution.unmet[0].reason, solution.unmet[0].numbers["least"]) == ("min_sources", 2.0)
    _, solution = plan(material(document()))
    assert (solution.unmet[0].reason, solution.unmet[0].quantity) == ("material", 35)
    _, solution = plan(narrow(document(demand=[need(95, max_late_weeks=0)])))
    assert (solution.unmet[0].reason, solution.unmet[0].quantity) == ("lane", 35)
