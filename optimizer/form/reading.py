"""JSON of schema "allocation/1" to rows of a problem and back: every field is read or refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from optimizer.form.errors import ProblemError
from optimizer.form.problem_rows import (
    SCHEMA,
    Demand,
    Lane,
    Locked,
    Material,
    Offer,
    ProblemRows,
    Recipe,
    Region,
    ShareCap,
    Sku,
    Stock,
    Supplier,
    Warehouse,
)
from optimizer.form.values import LARGEST_HORIZON

Row = TypeVar("Row")
Read = Callable[[str, Any], Any]
REQUIRED = {
    "suppliers": ("id",),
    "warehouses": ("id",),
    "regions": ("id",),
    "skus": ("id",),
    "offers": ("supplier", "sku", "breaks"),
    "lanes": ("from", "to"),
    "demand": ("sku", "region", "week", "quantity"),
    "stock": ("sku", "warehouse", "quantity"),
    "locked": ("supplier", "sku", "week", "to", "quantity"),
    "previous": ("supplier", "sku", "week", "to", "quantity"),
    "materials": ("id",),
    "share_caps": ("scope",),
}
RENAMED = {"from": "source", "to": "target"}


def read_rows(data: Any) -> ProblemRows:
    """The rows of parsed JSON, not yet held against one another. Raises ProblemError with path and reason."""
    if not isinstance(data, dict):
        raise ProblemError("$", "the problem must be a JSON object")
    if data.get("schema") != SCHEMA:
        raise ProblemError("schema", f"must be {SCHEMA!r}, not {data.get('schema')!r}")
    _refuse_unknown("", data, known={"schema", "weeks", "continuous", "churn_cost", *REQUIRED})
    if "weeks" not in data:
        raise ProblemError("weeks", "is missing")
    weeks = _whole("weeks", data["weeks"])
    if not 1 <= weeks <= LARGEST_HORIZON:
        raise ProblemError("weeks", f"must be from 1 to {LARGEST_HORIZON}")
    continuous = _flag("continuous", data.get("continuous", False))
    units = _amount if continuous else _whole
    promised = {"week": _whole, "quantity": units, "alternative": _whole}
    return ProblemRows(
        weeks=weeks,
        continuous=continuous,
        churn_cost=data.get("churn_cost", 0.0),
        suppliers=_rows(data, "suppliers", Supplier, {"capacity": _weekly(weeks)}),
        warehouses=_rows(
            data, "warehouses", Warehouse, {"storage": _weekly(weeks), "inbound": _weekly(weeks)}
        ),
        regions=_rows(data, "regions", Region, {"single_source": _flag}),
        skus=_rows(data, "skus", Sku, {"min_sources": _whole, "materials": _recipe}),
        offers=_rows(data, "offers", Offer, _offer_fields(weeks, units)),
        materials=_rows(data, "materials", Material, {"available": _weekly(weeks)}),
        lanes=_rows(data, "lanes", Lane, {"lead_weeks": _whole, "capacity": _weekly(weeks)}, renamed=RENAMED),
        demand=_rows(
            data, "demand", Demand, {"week": _whole, "quantity": units, "max_late_weeks": _optional(_whole)}
        ),
        stock=_rows(data, "stock", Stock, {"week": _whole, "quantity": units}),
        locked=_rows(data, "locked", Locked, promised),
        previous=_rows(data, "previous", Locked, promised),
        share_caps=_rows(data, "share_caps", ShareCap, {"hard": _flag}),
    )


def write_rows(problem: ProblemRows) -> dict[str, Any]:
    """The JSON document of a problem; read_rows gives the same rows back."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "weeks": problem.weeks,
        "continuous": problem.continuous,
        "churn_cost": problem.churn_cost,
    }
    back = {value: key for key, value in RENAMED.items()}
    for kind in REQUIRED:
        rows: Iterable[Any] = getattr(problem, kind)
        names = back if kind == "lanes" else {}
        document[kind] = [
            {names.get(key, key): _written(key, value) for key, value in asdict(row).items()} for row in rows
        ]
    return document


def _written(key: str, value: Any) -> Any:
    return dict(value) if key in ("materials", "recipe") and value is not None else value


def _offer_fields(weeks: int, units: Read) -> dict[str, Read]:
    return {
        "moq": units,
        "multiple": units,
        "max": _optional(units),
        "lead_weeks": _whole,
        "breaks": _breaks(units),
        "recipe": _optional(_recipe),
        "week_capacity": _weekly(weeks, units),
    }


def _rows(
    data: dict[str, Any],
    kind: str,
    make: Callable[..., Row],
    fields: Mapping[str, Read],
    *,
    renamed: dict[str, str] | None = None,
) -> tuple[Row, ...]:
    listed = data.get(kind, [])
    if not isinstance(listed, list):
        raise ProblemError(kind, "must be a list")
    fields_of: list[str] = list(make.__dataclass_fields__)  # type: ignore[attr-defined]
    names = renamed or {}
    back = {new: old for old, new in names.items()}
    known: set[str] = {back.get(name, name) for name in fields_of}
    made = []
    for index, row in enumerate(listed):
        path = f"{kind}[{index}]"
        if not isinstance(row, dict):
            raise ProblemError(path, "must be an object")
        _refuse_unknown(f"{path}.", row, known=known)
        for name in REQUIRED[kind]:
            if name not in row:
                raise ProblemError(f"{path}.{name}", "is missing")
        values: dict[str, Any] = {
            str(names.get(key, key)): fields[key](f"{path}.{key}", value) if key in fields else value
            for key, value in row.items()
            if key in known
        }
        _check_kinds(path, values)
        made.append(make(**values))
    return tuple(made)


def _check_kinds(path: str, values: dict[str, Any]) -> None:
    """A text where a number belongs (or the reverse) would only fail deep inside; refuse it here."""
    texts = {"id", "supplier", "sku", "warehouse", "region", "source", "target", "to", "scope", "base"}
    for name, value in values.items():
        if name in texts | {"price_mode"} and not isinstance(value, str):
            raise ProblemError(f"{path}.{name}", f"must be a text, not {value!r}")
        if name in ("category", "key") and value is not None and not isinstance(value, str):
            raise ProblemError(f"{path}.{name}", f"must be a text or null, not {value!r}")


def _refuse_unknown(path: str, row: dict[str, Any], *, known: set[str]) -> None:
    for name in row:
        if name not in known:
            raise ProblemError(f"{path}{name}", "is not a field of this schema")


def _whole(path: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProblemError(path, f"must be a whole number, not {value!r}")
    if isinstance(value, float) and not value.is_integer():
        raise ProblemError(path, f"must be a whole number, not {value!r}")
    return int(value)


def _amount(path: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProblemError(path, f"must be a number, not {value!r}")
    return value


def _optional(read: Read) -> Read:
    return lambda path, value: None if value is None else read(path, value)


def _recipe(path: str, value: Any) -> Recipe:
    if not isinstance(value, dict):
        raise ProblemError(path, "must be an object of units by material")
    return tuple((name, _amount(f"{path}.{name}", amount)) for name, amount in value.items())


def _flag(path: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ProblemError(path, f"must be true or false, not {value!r}")
    return value


def _weekly(weeks: int, units: Read = _amount) -> Read:
    """null stays null, a number is repeated for each week, a list is taken as it is."""

    def read(path: str, value: Any) -> Any:
        if value is None:
            return None
        listed = value if isinstance(value, list) else [value] * weeks
        return tuple(units(f"{path}[{week}]", one) for week, one in enumerate(listed))

    return read


def _breaks(units: Read) -> Read:
    def read(path: str, value: Any) -> tuple[tuple[Any, Any], ...]:
        if not isinstance(value, list):
            raise ProblemError(path, "must be a list of [from quantity, unit price]")
        made = []
        for index, pair in enumerate(value):
            if not isinstance(pair, list) or len(pair) != 2:
                raise ProblemError(f"{path}[{index}]", "must be [from quantity, unit price]")
            made.append((units(f"{path}[{index}][0]", pair[0]), pair[1]))
        return tuple(made)

    return read
