"""Events that come in as webhooks, signed by a channel that is connected for the corpus."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from standardwebhooks.webhooks import Webhook

from app.core.access import SYSTEM, Role
from app.core.errors import Conflict, RuleBroken
from app.entrypoints import pulling
from app.entrypoints.door import Services
from app.entrypoints.pulling import Puller
from app.stages.demand import operations
from app.stages.imports.readers import remote
from support.corpus.door import NOW, PLEDGE, Door, Seen
from support.corpus.elsewhere import Elsewhere
from support.corpus.entries import Entry
from support.source import Source, sourced

DATA = {**PLEDGE, "changed_at": "2026-03-01T08:00:00+08:00"}


def event(door: Door, entry: Entry, sent: bytes | None, _: str) -> Seen:
    """A message made wrong in the one way that the entry names, or none."""
    channel = f"hook-{entry.id.lower()}"
    secret = _connect(door, channel)
    if entry.made_by == "wh":
        seen = _send(door, channel, secret, entry, **entry.arguments)
    elif entry.made_by == "wh_rotation":
        _connect(door, channel)  # another secret: the old one still counts
        seen = _send(door, channel, secret, entry)
    elif entry.made_by == "wh_cross_tenant":
        other = _connect(door, f"{channel}-b")
        seen = _send(door, channel, other, entry)
    elif entry.made_by == "wh_burst":
        seen = [
            _send(door, channel, secret, entry, id=f"burst-{n}") for n in range(int(entry.arguments["x"]))
        ][-1]
    else:
        raise Elsewhere(f"no scenario plays {entry.made_by or entry.title}")
    return seen


NAMED_FAIR = ("metadata.tencentyun.com", "hook.test")
"""Hosts that only a look-up tells from others: refused over http, and over https once they are asked."""


def source(door: Door, entry: Entry, sent: bytes | None, _: str) -> Seen:
    """The service sends to no address that it is told, but it asks sources: no address may be theirs."""
    url = (sent or b"").decode()
    seen = _ask_at(door, entry, url)
    host = urlsplit(url).hostname
    if host not in NAMED_FAIR or "@" in url or ":22/" in url or len(url) > 2_000:
        secure = _ask_at(door, entry, url.replace("http:", "https:", 1))
        assert secure.status == 422, f"over https it is {secure.status}"
    return seen


def asked(door: Door, entry: Entry, sent: bytes | None, _: str) -> Seen:
    """A source that answers as no source should: the pull ends with a reason, and nothing came of it."""
    play = ANSWERS.get(entry.made_by or "")
    if play is None:
        raise Elsewhere(f"no source answers like this: {entry.title}")
    channel = f"source-{entry.id.lower()}"
    here = Services(replace(door.config, pull_hosts=("127.0.0.1",)), door.db, lambda: NOW)
    with sourced() as shop, pytest.MonkeyPatch.context() as patch:
        url = play(shop, patch)
        with door.db.transaction() as session:
            operations.connect_pull(
                session,
                channel=channel,
                mapping="headwater-events",
                url=url,
                secret=None,
                key=door.config.secret_key,
                currency="CNY",
                trusted=("127.0.0.1",),
                actor=SYSTEM,
                now=NOW,
            )
        door.mark()
        try:
            Puller(here, lambda *_: None, lambda _: None).pull(channel)
        except RuleBroken:
            return Seen("delivery:failed")
        except Conflict as later:
            assert later.code == "source_busy"
            return Seen("delivery:retry")
    raise AssertionError("a page was taken")


def _rebound(shop: Source, patch: pytest.MonkeyPatch) -> str:
    """A name that was public when it was connected leads home when it is asked."""
    home = [(0, 0, 0, "", ("127.0.0.1", 443))]
    patch.setattr(remote.socket, "getaddrinfo", lambda *_, **__: home)
    return "https://rebound.example/orders"


def _endless(shop: Source, patch: pytest.MonkeyPatch) -> str:
    patch.setattr(remote, "LARGEST_PAGE", 64 << 10)
    shop.instead = [(200, {}, b'{"events": [], "pad": "' + b" " * (65 << 10) + b'"}')]
    return shop.address


def _hanging(shop: Source, patch: pytest.MonkeyPatch) -> str:
    patch.setattr(remote, "SILENCE", 0.05)
    shop.instead = [(200, {"Content-Length": "99"}, b"{}")] * (len(pulling.WAITS) + 1)
    return shop.address


def _gone(shop: Source, patch: pytest.MonkeyPatch) -> str:
    shop.instead = [(410, {}, b"")]
    return shop.address


ANSWERS = {"rebind": _rebound, "endless_response": _endless, "hang": _hanging, "status": _gone}


def _ask_at(door: Door, entry: Entry, url: str) -> Seen:
    form = {"mapping": "headwater-events", "url": url}
    path = f"/api/v1/channels/out-{entry.id.lower()}/source"
    return door.call("PUT", path, role=Role.ADMINISTRATOR, json=form)


def _connect(door: Door, channel: str) -> str:
    form = {"channel": channel, "scheme": "standard", "mapping": "headwater-events"}
    made = door.call("POST", "/api/v1/channels", role=Role.ADMINISTRATOR, json=form)
    assert made.response is not None and made.status == 201
    door.mark()
    secret: str = made.response.get_json()["secret"]
    return secret


def _send(door: Door, channel: str, secret: str, entry: Entry, **wrong: Any) -> Seen:
    """`skew` seconds of the sender's clock, `sig`, `ts` and `id` in their headers' place, another `type`."""
    body = json.dumps(
        {"type": wrong.get("type", "pledge.created"), "data": {**DATA, "external_id": entry.id}}
    )
    when = NOW + dt.timedelta(seconds=int(wrong.get("skew", 0)))
    number = str(wrong.get("id", f"msg-{entry.id}"))
    signature = Webhook(secret).sign(number, when, body)
    headers = {
        "webhook-id": number,
        "webhook-timestamp": str(wrong.get("ts", int(when.timestamp()))),
        "webhook-signature": {"bad": "v1,AAAA"}.get(wrong.get("sig", ""), wrong.get("sig", signature)),
        "content-type": "application/json",
    }
    return door.call("POST", f"/api/v1/webhooks/{channel}", role=None, data=body, headers=headers)
