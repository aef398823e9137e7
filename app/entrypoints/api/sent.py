"""Pledges as JSON says them → the fields as text, as the rules take them, and what is wrong with them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from marshmallow import Schema, ValidationError

from app.entrypoints.wire import pledges as wire
from app.stages.demand.operations import Flaw, SentPledge

MOST_STRANGERS = 10
"""Unknown members that are named in an answer."""
PLEDGE = wire.PledgeForm()
"""Made once: to make one takes longer than to read a row with it."""
CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([+-][0-9]{2}:[0-9]{2}|Z)"
)
TEXTS = frozenset(
    {"external_id", "commitment", "sku", "region", "unit_price", "currency", "buyer", "campaign", "status"}
    | {"device", "address", "payment"}
)
NEEDED = frozenset({"commitment", "sku", "region", "unit_price", "currency"})


def sent_pledge(row: Any) -> SentPledge:
    """A row as the rules take it: the usable fields as text, and what is wrong with the others."""
    return usual_form(row) or _by_schema(row)


def usual_form(row: Any) -> SentPledge | None:
    """What the schema makes of a row in the form that most have, in a tenth of the time; else None."""
    if not isinstance(row, dict):
        return None
    said = {name: value for name, value in row.items() if value is not None}
    channel, quantity, at = (
        said.pop("channel", None),
        said.pop("quantity", None),
        said.pop("ordered_at", None),
    )
    if (
        type(quantity) is not int
        or quantity < 1
        or not (isinstance(channel, str) and CHANNEL.fullmatch(channel))
    ):
        return None
    if (
        not said.keys() <= TEXTS
        or not said.keys() >= NEEDED
        or not (isinstance(at, str) and INSTANT.fullmatch(at))
    ):
        return None
    try:
        if not "".join(said.values()).isprintable():
            return None
        instant = dt.datetime.fromisoformat(at).isoformat()
    except (TypeError, ValueError):  # what is no text can't be joined
        return None
    return SentPledge(channel, {**said, "quantity": str(quantity), "ordered_at": instant})


def _by_schema(row: Any) -> SentPledge:
    if not isinstance(row, dict):
        return SentPledge("", {}, (Flaw("", "row_not_object", "This row is no JSON object."),))
    said, flaws = loaded(PLEDGE, row)
    if said.get("quantity", 1) < 0:
        flaws.append(
            Flaw("quantity", "quantity_negative", "quantity: send units that came back as a correction.")
        )
    if "ordered_at" in said:
        said["ordered_at"] = said["ordered_at"].isoformat()
    if said.get("flexible_skus") is not None:
        said["flexible_skus"] = "|".join(said["flexible_skus"]) or None
    channel = said.pop("channel", "")
    return SentPledge(
        channel, {name: str(value) for name, value in said.items() if value is not None}, tuple(flaws)
    )


def loaded(schema: Schema, row: dict[str, Any]) -> tuple[dict[str, Any], list[Flaw]]:
    """The members that have the right form, and a flaw for each of the others."""
    strangers = [name for name in row if name not in schema.fields]
    flaws = [
        Flaw(_readable(name), "field_unknown", "Nobody knows this field; leave it out.")
        for name in strangers[:MOST_STRANGERS]
    ]
    try:
        known: dict[str, Any] = schema.load({name: row[name] for name in schema.fields if name in row})
    except ValidationError as error:
        known = dict(error.valid_data)  # type: ignore[arg-type]
        messages: dict[str, Any] = error.messages  # type: ignore[assignment]
        flaws += [_flaw(name, _first(told), was_sent=name in row) for name, told in messages.items()]
    return known, flaws


def _first(told: Any) -> str:
    """The first sentence about a field; about a list, that about its first bad entry."""
    while not isinstance(told, str):
        told = next(iter(told.values() if isinstance(told, dict) else told))
    return told


def _readable(name: str) -> str:
    """A member's name for an answer: short, and nothing that can't be written."""
    return name[:60].encode("utf-8", "replace").decode("utf-8")


def _flaw(name: str, sentence: str, *, was_sent: bool) -> Flaw:
    if not was_sent:
        return Flaw(name, "value_missing", f"{name}: the cell is empty; it must have a value.")
    return Flaw(name, "field_invalid", f"{name}: {sentence}")
