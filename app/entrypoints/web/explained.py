"""What was found out about a plan, and why there is none, as sentences: codes and numbers in, words out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext, ngettext

from app.entrypoints.web import show, words
from app.stages.allocation.queries import ExplanationFact, RefusalFact
from app.stages.catalog.queries import Names

Row = Mapping[str, Any]


def place(ids: Row, names: Names, *, first: dt.date) -> str:
    """The supplier, SKU, warehouse, material, lane, scope and week a rule is about, as far as it names
    them."""
    tables = {"supplier": names.suppliers, "sku": names.skus, "warehouse": names.warehouses}
    parts = [named(table, ids[kind]) for kind, table in tables.items() if ids.get(kind)]
    if "material" in ids:
        parts.append(str(ids["material"]))
    if "from" in ids:
        parts.append(f"{_end(ids['from'], names)} → {_end(ids['to'], names)}")
    if "scope" in ids:
        parts.append(scope(ids, names))
    if "week" in ids:
        monday = first + dt.timedelta(weeks=int(ids["week"]))
        parts.append(gettext("week of %(day)s", day=show.week(monday)))
    return " · ".join(parts)


def scope(ids: Row, names: Names) -> str:
    """What a share is a part of."""
    if ids["scope"] == "plan" or ids.get("key") is None:
        return gettext("the whole plan")
    return named(names.skus, ids["key"]) if ids["scope"] == "sku" else str(ids["key"])


def named(table: Mapping[int, Any], code: str) -> str:
    """A place or SKU by its code; one that shares its code with another kind is known as kind:code."""
    plain = code.partition(":")[2] or code
    found = next((one for one in table.values() if one.code in (code, plain)), None)
    return show.name(found) if found else code


def _end(code: str, names: Names) -> str:
    """A supplier, warehouse or region by its code."""
    known = (named(table, code) for table in (names.suppliers, names.warehouses, names.regions))
    return next((one for one in known if one != code), code)


def relief(found: ExplanationFact, names: Names, *, first: dt.date, currency: str) -> list[dict[str, str]]:
    """Rules by what loosening them saves."""
    return [
        {
            "rule": words.label(words.RULES, row["rule"]),
            "where": place(row["ids"], names, first=first),
            "step": _step(row),
            "saving": show.money(row["saving"], currency),
            "per_unit": show.money(row["per_unit"], currency),
        }
        for row in found.relief
    ]


def _step(row: Row) -> str:
    """How much a rule was loosened by."""
    if row["ids"].get("base") == "spend":
        return gettext("%(points)s percentage points of spend more", points=show.units(row["step"]))
    if row["rule"] == "moq":
        return gettext("%(units)s less", units=show.units(row["step"]))
    return gettext("%(units)s more", units=show.units(row["step"]))


def caps(found: ExplanationFact, names: Names, *, currency: str) -> list[dict[str, Any]]:
    """Share caps with their price and the lowest top share in reach."""
    return [
        {
            "scope": scope(row, names),
            "top": named(names.suppliers, row["top"]),
            "top_share": row["top_share"],
            "cap": row["cap"],
            "hard": row["hard"],
            "price": show.money(row["price"], currency),
            "suppliers": row["suppliers"],
            "floor": show.percent(row["floor"]),
            "lowest": show.percent(row["lowest"]),
            "lowest_cost": None if row["lowest"] is None else show.money(row["lowest_cost"], currency),
        }
        for row in found.caps
    ]


def why(found: ExplanationFact, names: Names, *, currency: str) -> list[dict[str, Any]]:
    """The reason of every share that was asked about."""
    return [
        {
            "sku": named(names.skus, row["sku"]),
            "supplier": named(names.suppliers, row["supplier"]),
            "units": row["units"],
            "share": row["share"],
            "extra": show.money(row["extra"], currency),
            "decided": words.label(words.DECIDED, row["decided_by"]),
            "instead": named(names.suppliers, row["instead"]) if row["instead"] else "",
            "held": _held(row["held_by"]),
        }
        for row in found.why
    ]


def _held(code: str) -> str:
    if code in words.HELD:
        return words.label(words.HELD, code)
    return gettext("held back by: %(rule)s", rule=words.label(words.RULES, code))


def clash(rule: Row, names: Names) -> str:
    """One rule of a clash."""
    numbers = rule["numbers"]
    if rule["rule"] == "demand":
        return gettext(
            "Demand of %(scope)s: %(units)s units are to be met",
            scope=scope(rule["ids"], names),
            units=show.units(numbers["units"]),
        )
    if rule["rule"] == "min_sources":
        return gettext("%(place)s needs at least %(count)s suppliers", **_sources(rule, names))
    return ngettext(
        "Hard limit of %(limit)s on %(scope)s: %(num)s supplier can cover %(covered)s of %(units)s units; "
        "no top share can be below %(floor)s",
        "Hard limit of %(limit)s on %(scope)s: %(num)s suppliers can cover %(covered)s of %(units)s units; "
        "no top share can be below %(floor)s",
        numbers["suppliers"],
        limit=show.percent(numbers["max_share"], 0),
        scope=scope(rule["ids"], names),
        covered=show.units(numbers["covered"]),
        units=show.units(numbers["units"]),
        floor=show.percent(numbers["floor"]),
    )


def _sources(rule: Row, names: Names) -> dict[str, Any]:
    return {"place": named(names.skus, rule["ids"]["sku"]), "count": rule["numbers"]["least"]}


def way(row: Row) -> str:
    """One way out of a clash."""
    if row["code"] == "raise_cap":
        return gettext("Raise the limit to %(limit)s", limit=show.percent(row["numbers"]["percent"] / 100, 0))
    if row["code"] == "soften_cap":
        return gettext("Price the limit instead of holding it")
    return gettext(
        "Keep the limit and leave %(units)s units unmet", units=show.units(row["numbers"]["units"])
    )


def refusal(found: RefusalFact | None, names: Names) -> dict[str, Any] | None:
    """Why the last inputs have no plan, and the ways out."""
    if found is None:
        return None
    return {
        "fact": found,
        "clashes": [[clash(rule, names) for rule in group] for group in found.clashes],
        "ways": [
            {
                "code": row["code"],
                "words": way(row),
                "cost": show.money(row["cost"], found.currency),
                "unmet": row["unmet"],
                "sets": row["code"] in ("raise_cap", "soften_cap"),
            }
            for row in found.relaxations
        ],
        "taken": next((way(row) for row in found.relaxations if _taken(row, found)), ""),
    }


def _taken(row: Row, found: RefusalFact) -> bool:
    return found.decision is not None and row["code"] == found.decision["code"]
