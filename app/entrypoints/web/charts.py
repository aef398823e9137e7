"""Facts → the data the chart modules under static/js/charts read, with their words translated."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from babel.numbers import get_currency_precision
from flask_babel import gettext

from app.entrypoints.web import show, words
from app.stages.allocation.queries import PlanFact, SankeyLink, ShareFact
from app.stages.catalog.queries import Name, Names
from app.stages.demand.queries import CampaignFact, CurvePoint, Expected, Waterfall
from app.stages.forecasts.queries import FanChart, LandingFact

Data = dict[str, Any]
DIRECT = "direct"


def waterfall(water: Waterfall, expected: Expected | None = None) -> Data:
    """Raw, one bar per reason, valid; then what is expected to be paid and what is planned of it."""
    bars = [_bar(gettext("Raw"), 0, water.raw_units, "total", show.units(water.raw_units))]
    level = water.raw_units
    for step in water.steps:
        after = level - step.units
        note = gettext("%(count)s signals", count=show.units(step.signals))
        kind = "minus" if step.units >= 0 else "plus"
        name = words.label(words.REASONS, step.reason)
        bars.append(_bar(name, min(level, after), max(level, after), kind, show.signed(-step.units), note))
        level = after
    bars.append(_bar(gettext("Valid"), 0, water.valid_units, "valid", show.units(water.valid_units)))
    for name, thousandths in _ends(expected):
        bars.append(_bar(name, 0, round(thousandths / 1000), "valid", show.units(thousandths / 1000)))
    return {"bars": bars, "words": {"units": gettext("units")}}


def _ends(expected: Expected | None) -> list[tuple[str, int]]:
    if expected is None:
        return []
    return [
        (gettext("Expected to pay"), expected.expected_thousandths),
        (gettext("To plan"), expected.to_plan_thousandths),
    ]


def _bar(label: str, low: int, high: int, kind: str, text: str, note: str = "") -> Data:
    return {"label": label, "from": low, "to": high, "kind": kind, "text": text, "note": note}


def sankey(flows: Iterable[SankeyLink], *, names: Names, alerted: Iterable[int] = ()) -> Data:
    """Suppliers left, warehouses right; what goes straight to regions is one node."""
    units: dict[tuple[int, int | str], int] = defaultdict(int)
    for flow in flows:
        units[flow.supplier_id, flow.warehouse_id or DIRECT] += flow.quantity
    made, taken = _sums(units, 0), _sums(units, 1)
    total = sum(made.values()) or 1
    hot = set(alerted)
    left = [
        _node(f"s{key}", _place(key, names.suppliers), made[key], total, "left", key in hot)
        for key in sorted(made, key=lambda key: -made[key])
    ]
    right = [
        _node(f"w{key}", _place(key, names.warehouses), taken[key], total, "right", False)
        for key in sorted(taken, key=lambda key: -taken[key])
    ]
    links = [{"source": f"s{a}", "target": f"w{b}", "value": quantity} for (a, b), quantity in units.items()]
    return {"nodes": left + right, "links": links, "words": {"units": gettext("units")}}


def _sums(units: dict[tuple[int, int | str], int], end: int) -> dict[int | str, int]:
    sums: dict[int | str, int] = defaultdict(int)
    for ends, quantity in units.items():
        sums[ends[end]] += quantity
    return sums


def _place(key: int | str, table: Mapping[int, Name]) -> str:
    return gettext("Direct to regions") if isinstance(key, str) else show.name(table.get(key))


def _node(key: str, label: str, quantity: int, total: int, side: str, alert: bool) -> Data:
    note = f"{show.units(quantity)} · {show.percent(quantity / total)}"
    return {"id": key, "label": label, "note": note, "side": side, "alert": alert}


def fan(chart: FanChart) -> Data:
    kinds = {"promotion": gettext("Promotion"), "holiday": gettext("Holiday")}
    return {
        "history": [{"week": point.week.isoformat(), "units": point.units} for point in chart.history],
        "forecast": [
            {
                "week": point.week.isoformat(),
                "mean": round(point.mean, 1),
                "lo_80": round(point.lo_80, 1),
                "hi_80": round(point.hi_80, 1),
                "lo_95": round(point.lo_95, 1),
                "hi_95": round(point.hi_95, 1),
            }
            for point in chart.forecast
        ],
        "festivals": [
            {
                "week": one.week.isoformat(),
                "kind": one.kind,
                "text": f"{kinds[one.kind]}: {one.name}",
            }
            for one in chart.festivals
        ],
        "words": {
            "sold": gettext("Sold"),
            "forecast": gettext("Forecast"),
            **kinds,
            "band80": gettext("%(level)s interval", level=show.percent(0.80, 0)),
            "band95": gettext("%(level)s interval", level=show.percent(0.95, 0)),
        },
    }


def pledges(
    campaign: CampaignFact, curve: Sequence[CurvePoint], *, today: dt.date, landing: LandingFact | None = None
) -> Data:
    """The pledge curve with the go line and the expected volume, and where it lands."""
    opens, closes = campaign.opens_at.date(), campaign.closes_at.date()
    marks = [
        _mark("go", gettext("Go line"), campaign.go_units),
        _mark("expected", gettext("Expected"), campaign.expected_units),
    ]
    return {
        "opens": opens.isoformat(),
        "closes": closes.isoformat(),
        "today": today.isoformat() if opens <= today <= closes else None,
        "points": [[point.day.isoformat(), point.cum_units, point.units] for point in curve],
        "marks": marks,
        "landing": _landing(landing) if landing else None,
        "words": {
            "total": gettext("Valid units so far"),
            "daily": gettext("Per day"),
            "today": gettext("Today"),
            "landing": gettext("Landing"),
            "band80": gettext("%(level)s interval", level=show.percent(0.80, 0)),
            "band95": gettext("%(level)s interval", level=show.percent(0.95, 0)),
        },
    }


def landings(seen: Sequence[LandingFact], campaign: CampaignFact) -> Data:
    """What the landing was seen as, day by day, against the go line."""
    return {
        "days": [_landing(landing) for landing in seen],
        "go": _mark("go", gettext("Go line"), campaign.go_units),
        "words": {
            "landing": gettext("Landing"),
            "units": gettext("Valid units so far"),
            "band80": gettext("%(level)s interval", level=show.percent(0.80, 0)),
            "band95": gettext("%(level)s interval", level=show.percent(0.95, 0)),
        },
    }


def _landing(landing: LandingFact) -> Data:
    bounds = ("mean", "lo_80", "hi_80", "lo_95", "hi_95")
    return {
        "day": landing.as_of.isoformat(),
        "units": landing.units,
        **{name: round(getattr(landing, name)) for name in bounds},
    }


def _mark(kind: str, label: str, quantity: int) -> Data:
    return {"kind": kind, "label": f"{label} · {show.units(quantity)}", "units": quantity}


def supplier_shares(shares: Sequence[ShareFact], *, names: Names, threshold: int) -> Data:
    """Each supplier's share of a scope, against the concentration limit."""
    bars = [
        {
            "label": show.name(names.suppliers.get(share.supplier_id)),
            "value": round(share.share * 100, 2),
            "text": show.percent(share.share),
            "alert": share.amount * 100 > threshold * share.scope_amount,
        }
        for share in sorted(shares, key=lambda share: -share.amount)
    ]
    limit = {"value": threshold, "label": show.percent(threshold / 100, 0)}
    return {"bars": bars, "limit": limit, "percent": True}


def cost_parts(plan: PlanFact) -> Data:
    """What the plan costs, by part, largest first."""
    parts = sorted(plan.cost_parts.items(), key=lambda part: -part[1])
    bars = [(words.label(words.COST_PARTS, name), minor) for name, minor in parts if minor]
    return _money_bars(bars, plan.currency)


def changed_parts(parts: Mapping[str, int], currency: str) -> Data:
    """By how much each part of the cost changes, the largest change first."""
    moved = sorted(parts.items(), key=lambda part: -abs(part[1]))
    bars = [(words.label(words.COST_PARTS, name), minor) for name, minor in moved if minor]
    return _money_bars(bars, currency, changes=True)


def scenario_costs(scenarios: Sequence[tuple[str, int]], currency: str) -> Data:
    """What each scenario costs more or less than the plan, the dearest first."""
    return _money_bars(sorted(scenarios, key=lambda one: -one[1]), currency, changes=True)


def _money_bars(bars: Iterable[tuple[str, int]], currency: str, *, changes: bool = False) -> Data:
    """Bars of money; of changes, what grows is marked."""
    return {
        "bars": [
            {
                "label": label,
                "value": minor / 10 ** get_currency_precision(currency),
                "text": ("+" if changes and minor > 0 else "−" if minor < 0 else "")
                + (show.money_short if changes else show.money)(abs(minor), currency),
                "alert": changes and minor > 0,
            }
            for label, minor in bars
        ],
        "limit": None,
        "percent": False,
    }
