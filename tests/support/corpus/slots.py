"""Where each slot of the corpus leads in the product: one function for each kind of slot.

A slot that leads nowhere, or an input that only a part of the product elsewhere can play, raises `Elsewhere`
with the reason; the test skips and says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from app.core.access import Role
from app.stages.catalog import queries
from app.stages.demand.operations.turns import take_turn
from support.corpus import files, flows, headers, transport, webhooks
from support.corpus.door import NOW, PLEDGE, Door, Seen
from support.corpus.elsewhere import Elsewhere
from support.corpus.entries import Entry, json_value

PLEDGED = {"int": "quantity", "text": "external_id", "sku": "sku", "money": "unit_price"}
PLEDGED |= {"currency": "currency", "datetime": "ordered_at"}
"""Members of a pledge that the kinds of field stand for."""
QUERIES = {"limit": "/api/v1/imports", "offset": "/api/v1/plan-lines", "q": "/api/v1/skus"}
QUERIES |= {"lang": "/sign-in", "next": "/sign-in"}
"""Routes that a parameter is meant for; any other goes where nobody knows it."""


def send(door: Door, entry: Entry, sent: bytes | None) -> Seen:
    """Send an input where it belongs."""
    slot, _, kind = entry.slot.partition(":")
    play = SLOTS.get(slot)
    if play is None:
        raise Elsewhere(f"no route takes {entry.slot}")
    return play(door, entry, sent, kind)


def _body(door: Door, entry: Entry, sent: bytes | None, _: str) -> Seen:
    how: dict[str, Any] = {"content_type": entry.input.get("content_type", "application/json")}
    if entry.made_by == "gzip_body":
        how["headers"] = {"Content-Encoding": "gzip"}
    return door.call("POST", "/api/v1/pledges", data=sent, **how)


def _field(door: Door, entry: Entry, sent: bytes | None, kind: str) -> Seen:
    if sent is None:
        sent = flows.written(entry)
    if kind in PLEDGED:
        return _pledge(door, entry, sent, PLEDGED[kind])
    if kind in FIELDS:
        return FIELDS[kind](door, entry, sent)
    raise Elsewhere(f"no JSON field is a {kind}")


def _pledge(door: Door, entry: Entry, sent: bytes, member: str) -> Seen:
    """The pledge's members as they are, but this one from its source text."""
    pledge = {**PLEDGE, "external_id": entry.id, "currency": entry.input.get("currency", PLEDGE["currency"])}
    members = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in pledge.items() if name != member]
    body = ", ".join([*members, f"{json.dumps(member)}: {sent.decode('utf-8')}"])
    channel = f'"channel": "{entry.id.lower()}"'
    body = body.replace(json.dumps("channel") + ": " + json.dumps(PLEDGE["channel"]), channel)
    if pledge["currency"] != "CNY":
        _sell_in(door, entry.id.lower(), pledge["currency"])
    seen = door.call(
        "POST", "/api/v1/pledges", data=b"{" + body.encode() + b"}", content_type="application/json"
    )
    if seen.taken and seen.response is not None:
        seen.sent = json_value(entry, sent)
        seen.read_back = seen.response.get_json()[member]
    return seen


def _sell_in(door: Door, channel: str, currency: str) -> None:
    """A channel that sells in this currency."""
    with door.db.transaction() as session:
        take_turn(session, channel=channel, currency=currency, now=NOW)
    door.mark()


def _day(door: Door, entry: Entry, sent: bytes) -> Seen:
    body = b'{"as_of": ' + sent + b"}"
    return door.call("POST", "/api/v1/cycles", data=body, content_type="application/json")


def _flag(door: Door, entry: Entry, sent: bytes) -> Seen:
    body = b'{"version": 1, "accept": ' + sent + b"}"
    return door.call("POST", "/api/v1/plan-lines/1/settlement", data=body, content_type="application/json")


def _name(door: Door, entry: Entry, sent: bytes) -> Seen:
    """Free text that people are shown: the reason of an override."""
    with door.db.reading() as session:
        sku = queries.sku_ids(session)["MUG"]
    said = b'{"sku_id": %d, "week": "2026-12-07", "units": 5, "reason": %s}' % (sku, sent)
    path = "/api/v1/forecasts/overrides"
    seen = door.call("POST", path, data=said, content_type="application/json")
    if seen.taken and seen.response is not None:
        seen.sent, seen.read_back = json_value(entry, sent), seen.response.get_json()["reason"]
        seen.shown_on = f"/forecasts?sku={sku}"
    return seen


def _email(door: Door, entry: Entry, sent: bytes) -> Seen:
    form = {"email": json_value(entry, sent), "name": "N", "password": "long enough for a test"}
    form |= {"role": "merchandiser", "locale": "en"}
    return door.call("POST", "/admin/accounts", role=Role.ADMINISTRATOR, data=form)


def _timezone(door: Door, entry: Entry, sent: bytes) -> Seen:
    """Zones come with the network's files only: a refusal there is the command's."""
    folder = door.folder / "network"
    path = folder / "regions.csv"
    kept = path.read_bytes()
    zone = str(json_value(entry, sent)).replace('"', '""')
    path.write_text(f'region,name,name_zh,timezone\nCN-GD,G,,"{zone}"\n', encoding="utf-8")
    try:
        ran = door.app.test_cli_runner().invoke(args=["import-network", str(folder)])
    finally:
        path.write_bytes(kept)
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    return Seen(201 if ran.exit_code == 0 else 422)


def _url(door: Door, entry: Entry, sent: bytes) -> Seen:
    body = b'{"mapping": "headwater-events", "url": ' + sent + b"}"
    path = f"/api/v1/channels/{entry.id.lower()}/source"
    return door.call("PUT", path, role=Role.ADMINISTRATOR, data=body, content_type="application/json")


FIELDS: dict[str, Callable[[Door, Entry, bytes], Seen]] = {
    "date": _day,
    "bool": _flag,
    "name": _name,
    "email": _email,
    "timezone": _timezone,
    "url": _url,
}


def _path(door: Door, entry: Entry, sent: bytes | None, _: str) -> Seen:
    return door.call("GET", f"/api/v1/imports/{(sent or b'').decode()}")


def _query(door: Door, entry: Entry, sent: bytes | None, _: str) -> Seen:
    text = flows.cursor(door, entry) if sent is None else sent.decode()
    name, _, value = text.partition("=")
    path = QUERIES.get(name, "/api/v1/imports")
    if name == "next":
        return headers.sign_in_to(door, text)
    role = None if path == "/sign-in" else Role.MERCHANDISER
    seen = door.call("GET", f"{path}?{'search=' + value if name == 'q' else text}", role=role)
    if name == "q" and seen.response is not None:
        wanted = value.replace("%25", "%")
        found = [one["code"] + one["name"] for one in seen.response.get_json()]
        assert all(wanted in one for one in found), "a search found what does not have its text"
    return seen


def _method(door: Door, entry: Entry, sent: bytes | None, _: str) -> Seen:
    return door.call((sent or b"").decode(), "/api/v1/pledges")


def _file_name(door: Door, entry: Entry, sent: bytes | None, _: str) -> Seen:
    """A file under this name, in a form as a careless client writes it."""
    name = str(json.loads(sent or b'""')).encode("utf-8", "surrogateescape")
    seen = files.upload(door, files.one_row(), name=name, channel=entry.id.lower())
    if seen.taken and seen.response is not None:
        batch = seen.response.get_json()["batch_id"]
        seen.shown_on = f"/imports/{batch}"
        stored = door.call("GET", f"/api/v1/imports/{batch}")
        assert stored.response is not None
        seen.sent = name.decode("utf-8", "replace")
        shown = stored.response.get_json()["file_name"]
        assert not any(ord(one) < 32 or one in "\u202e\ud800\ufffd/\\" for one in shown), repr(shown)
    return seen


def _form(door: Door, entry: Entry, sent: bytes | None, _: str) -> Seen:
    if entry.made_by != "cr_part":
        raise Elsewhere(f"no scenario plays {entry.made_by or entry.title}")
    return files.upload(door, b"\r" * (int(entry.arguments["mb"]) << 20), name=b"a.csv", channel="cr")


SLOTS: dict[str, Callable[[Door, Entry, bytes | None, str], Seen]] = {
    "json.body": _body,
    "json.field": _field,
    "path": _path,
    "query": _query,
    "method": _method,
    "multipart.filename": _file_name,
    "multipart": _form,
    "file.csv": files.csv_file,
    "file.xlsx": files.table,
    "file.parquet": files.table,
    "header": headers.header,
    "transport": transport.body,
    "raw": transport.raw,
    "flow": flows.flow,
    "webhook_in": webhooks.event,
    "webhook_out.url": webhooks.source,
    "webhook_out.flow": webhooks.asked,
}
