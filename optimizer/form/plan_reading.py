"""A PLAN document back to what a Solution is built of, for checking plans from files."""

from __future__ import annotations

import math
from typing import Any

from optimizer.form.errors import ProblemError
from optimizer.form.plan_rows import Binding, Cost, Flow, Late, Order, ShadowPrice, Unmet

WORDS = ("supplier", "sku", "from", "to", "region", "reason")


def read_plan(data: Any) -> dict[str, Any]:
    """Read orders, flows, unmet and late demand, what binds and the stated cost. Raises ProblemError."""
    if not isinstance(data, dict):
        raise ProblemError("$", "the plan must be a JSON object")
    if data.get("status") not in ("optimal", "feasible"):
        raise ProblemError("status", f"must be optimal or feasible, not {data.get('status')!r}")
    cost = data.get("cost")
    if not isinstance(cost, dict):
        raise ProblemError("cost", "must be an object")
    return {
        "status": data["status"],
        "objective": _number("objective", data.get("objective")),
        "bound": _number("bound", data.get("bound")),
        "gap": _number("gap", data.get("gap", 0.0)),
        "seconds": _number("seconds", data.get("seconds", 0.0)),
        "seed": int(_number("seed", data.get("seed", 0))),
        "cost": Cost(
            **{name: _number(f"cost.{name}", cost.get(name, 0.0)) for name in Cost.__dataclass_fields__}
        ),
        "orders": tuple(
            Order(
                **_row(path, row, ("supplier", "sku", "week", "quantity", "unit_price")),
                alternative=_row(path, {"alternative": 0} | row, ("alternative",))["alternative"],
            )
            for path, row in _rows(data, "orders")
        ),
        "flows": tuple(_flow(path, row) for path, row in _rows(data, "flows")),
        "unmet": tuple(
            Unmet(**_row(path, row, ("sku", "region", "week", "quantity")), reason=str(row.get("reason", "")))
            for path, row in _rows(data, "unmet")
        ),
        "late": tuple(
            Late(
                **_row(path, row, ("sku", "region", "week", "weeks_late", "quantity")),
                reason=str(row.get("reason", "")),
            )
            for path, row in _rows(data, "late")
        ),
        "binding": tuple(_binding(path, row) for path, row in _rows(data, "binding")),
        "shadow_prices": tuple(_price(path, row) for path, row in _rows(data, "shadow_prices")),
    }


def _binding(path: str, row: dict[str, Any]) -> Binding:
    return Binding(
        **_named(path, row),
        used=_number(f"{path}.used", row.get("used")),
        limit=_number(f"{path}.limit", row.get("limit")),
        forced=row.get("forced") is True,
    )


def _price(path: str, row: dict[str, Any]) -> ShadowPrice:
    price = _number(f"{path}.price", row.get("price"))
    if not 0 <= price < math.inf:
        raise ProblemError(f"{path}.price", f"must be a number from 0 up, not {price!r}")
    return ShadowPrice(**_named(path, row), price=price)


def _named(path: str, row: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(row.get("rule"), str) or not isinstance(row.get("ids"), dict):
        raise ProblemError(path, "must have a rule and its ids")
    return {"rule": row["rule"], "ids": dict(row["ids"])}


def _flow(path: str, row: dict[str, Any]) -> Flow:
    values = _row(path, row, ("sku", "from", "to", "week", "quantity"))
    return Flow(
        sku=values["sku"],
        source=values["from"],
        target=values["to"],
        week=values["week"],
        quantity=values["quantity"],
    )


def _rows(data: dict[str, Any], kind: str) -> list[tuple[str, dict[str, Any]]]:
    listed = data.get(kind, [])
    if not isinstance(listed, list):
        raise ProblemError(kind, "must be a list")
    for index, row in enumerate(listed):
        if not isinstance(row, dict):
            raise ProblemError(f"{kind}[{index}]", "must be an object")
    return [(f"{kind}[{index}]", row) for index, row in enumerate(listed)]


def _row(path: str, row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in names:
        if name not in row:
            raise ProblemError(f"{path}.{name}", "is missing")
        value = row[name]
        if name in WORDS:
            if not isinstance(value, str):
                raise ProblemError(f"{path}.{name}", f"must be a text, not {value!r}")
        elif name == "unit_price" or (name == "quantity" and isinstance(value, float)):
            value = _number(f"{path}.{name}", value)
        elif isinstance(value, bool) or not isinstance(value, int):
            raise ProblemError(f"{path}.{name}", f"must be a whole number, not {value!r}")
        values[name] = value
    return values


def _number(path: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise ProblemError(path, f"must be a number, not {value!r}")
    try:
        return float(value)
    except OverflowError:
        raise ProblemError(path, "is a number too large") from None
