"""A row as most are, looked at alone: for one row a check of columns costs a hundred times as much.

Only what is certainly fine is taken here, with the values that `check` would find; every other row, and with
it every refusal and its sentence, is left to `check`. A property test holds the two together.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from collections.abc import Mapping as Dict
from functools import cache
from typing import Any

from app.core.limits import LARGEST_QUANTITY
from app.stages.imports.rules.cells import CHECKED, PSEUDONYMS, pseudonym
from app.stages.imports.rules.mapping import Mapping
from app.stages.imports.rules.reasons import (
    COMMITMENTS,
    EARLIEST,
    LARGEST_AMOUNT_MINOR,
    LARGEST_PRICE_MINOR,
    LATEST,
    LONGEST,
    STATUSES,
)
from app.stages.imports.rules.values import minor_digits

QUANTITY = re.compile(r"[1-9][0-9]{0,8}")
INSTANT = re.compile(
    r"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{3}|\.[0-9]{6})?"
    r"[+-][01][0-9]:[0-5][0-9]"
)
DAMAGED = re.compile(r"[0-9.]+[eE]\+?[0-9]+")
BETWEEN = re.compile(r"[ ,，.。]+")
MAY_HAVE = {"currency", "buyer", "campaign", "status", "device", "address", "payment", "account_created_at"}
NEEDED = {"external_id", "sku", "region", "commitment", "quantity", "unit_price", "ordered_at"}
INSTANTS = ("ordered_at", "account_created_at")
NOTHING: dict[str, Any] = dict.fromkeys(CHECKED)
SHORTEST_LIMIT = min(LONGEST.values())


def usual(
    cells: Dict[str, str], mapping: Mapping, *, currency: str, key: bytes, channel: str
) -> dict[str, Any] | None:
    """The columns CHECKED of one row but for its number; None where it must be checked with the others.

    Args:
        mapping: our own columns, which has no words, patterns or identities of a channel.
    """
    text = {field: cell for field, cell in cells.items() if cell}
    if text.keys() - MAY_HAVE != NEEDED or not _are_plain(text.values()):
        return None
    if max(map(len, text.values())) > SHORTEST_LIMIT and any(
        len(text.get(field, "")) > longest for field, longest in LONGEST.items()
    ):
        return None
    if DAMAGED.fullmatch(text["external_id"]) or DAMAGED.fullmatch(text["sku"]):
        return None
    given = [field for field in INSTANTS if field in text]
    status = text.get("status", "placed")
    row: dict[str, Any] = NOTHING | {
        "external_id": text["external_id"],
        "commitment": text["commitment"],
        "sku": text["sku"],
        "region": text["region"],
        "campaign": text.get("campaign"),
        "goods": _not_goods(mapping.not_goods).search(text["sku"]) is None,
        "quantity": _quantity(text["quantity"]),
        "unit_price_minor": _minor(text["unit_price"], minor_digits(currency)),
        "currency": currency,
        "status": "cancelled" if status == "returned" else status,
    }
    for field in given:
        row[field] = _instant(text[field])
    for field in PSEUDONYMS:
        if field in text:
            plain = _plain(text[field], field)
            row[field] = pseudonym(plain, key=key, channel=channel, field=field)
    fine = (
        row["quantity"]
        and row["unit_price_minor"] is not None
        and row["quantity"] * row["unit_price_minor"] <= LARGEST_AMOUNT_MINOR
        and all(row[field] is not None for field in given)
        and text.get("currency", currency) == currency
        and text["commitment"] in COMMITMENTS
        and status in STATUSES
    )
    return row if fine else None


def _are_plain(cells: Collection[str]) -> bool:
    """Neither blanks around a cell nor a sign that can't be seen, and no guard of a spreadsheet.

    All cells are looked at as one text; of what is printable only the space is blank.
    """
    if not "".join(cells).isprintable():
        return False
    lines = "\n" + "\n".join(cells) + "\n"
    return not ("\n " in lines or " \n" in lines or "\n=" in lines or "\ufffd" in lines)


@cache
def _not_goods(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in patterns) or r"(?!)")


def _quantity(cell: str) -> int | None:
    return int(cell) if QUANTITY.fullmatch(cell) and int(cell) <= LARGEST_QUANTITY else None


@cache
def _price(digits: int) -> re.Pattern[str]:
    return re.compile(rf"([0-9]{{1,10}})(?:\.([0-9]{{1,{digits}}}))?" if digits else r"([0-9]{1,10})()")


def _minor(cell: str, digits: int) -> int | None:
    found = _price(digits).fullmatch(cell)
    if found is None:
        return None
    minor = int(found[1] + (found[2] or "").ljust(digits, "0"))
    return minor if minor <= LARGEST_PRICE_MINOR else None


def _instant(cell: str) -> dt.datetime | None:
    if not INSTANT.fullmatch(cell):
        return None
    try:
        instant = dt.datetime.fromisoformat(cell).astimezone(dt.UTC)
    except ValueError:
        return None
    return instant if EARLIEST <= instant < LATEST else None


def _plain(cell: str, field: str) -> str:
    """What stands for the buyer, device, address or payment, as `check` takes it."""
    if cell.endswith(".0") and cell[:-2].isascii() and cell[:-2].isdigit():
        cell = cell[:-2]
    return BETWEEN.sub(" ", cell.lower()).strip() if field == "address" else cell
