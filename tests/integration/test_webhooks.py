"""Webhooks that come in: who sent them, once in effect, and in any order."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from standardwebhooks.webhooks import Webhook

from app.core.access import Role
from app.core.db import Database
from app.stages.demand import queries as demands
from app.stages.demand.queries import sources
from support import brand
from support.shop import bearer

EVENT = {
    "external_id": "W-1",
    "commitment": "paid",
    "sku": "MUG",
    "region": "CN-GD",
    "quantity": 2,
    "unit_price": "19.90",
    "currency": "CNY",
    "ordered_at": "2026-11-02T10:00:00+08:00",
    "buyer": "quxi.kanariya@example.org",
}
SHOPIFY_SECRET = "the secret of the shop's app"


class Sender:
    """A channel that sends events."""

    def __init__(self, client: FlaskClient, db: Database, now: dt.datetime, key: dict[str, str]) -> None:
        self.client, self.db, self.now, self.key = client, db, now, key
        self.numbers = itertools.count()
        self.secret = self.connect()

    def connect(self, channel: str = "shop", **form: Any) -> str:
        form = {"channel": channel, "scheme": "standard", "mapping": "headwater-events", **form}
        answer = self.client.post("/api/v1/channels", headers=self.key, json=form)
        assert answer.status_code == 201, answer.get_json()
        secret: str = answer.get_json()["secret"]
        return secret

    def send(
        self,
        kind: str = "pledge.created",
        at: str = "2026-11-02T02:00:00Z",
        *,
        number: str | None = None,
        sent: dt.datetime | None = None,
        secret: str | None = None,
        channel: str = "shop",
        headers: dict[str, str] | None = None,
        **members: Any,
    ) -> Any:
        number = number or f"msg_{next(self.numbers)}"
        body = json.dumps({"type": kind, "data": {**EVENT, "changed_at": at, **members}})
        when = sent or self.now
        signed = {
            "webhook-id": number,
            "webhook-timestamp": str(int(when.timestamp())),
            "webhook-signature": Webhook(secret or self.secret).sign(number, when, body),
            "content-type": "application/json",
        }
        path = f"/api/v1/webhooks/{channel}"
        return self.client.post(path, data=body, headers={**signed, **(headers or {})})

    def units(self) -> tuple[int, int]:
        with self.db.reading() as session:
            assert demands.recount(session) == []
            water = demands.waterfall(session)
            return water.raw_units, water.valid_units


@pytest.fixture
def sender(client: FlaskClient, db: Database, tmp_path: Path, now: dt.datetime) -> Sender:
    brand.load_network(db, tmp_path)
    return Sender(client, db, now, bearer(db, Role.ADMINISTRATOR, now=now))


def test_an_event_becomes_a_pledge_and_the_same_message_again_changes_nothing(sender: Sender) -> None:
    first, again = sender.send(number="m-1"), sender.send(number="m-1", quantity=9)
    assert first.get_json() == {"accepted": 1, "known": 0, "rejected": 0, "again": False, "ignored": False}
    assert (again.status_code, again.get_json()["again"]) == (200, True)
    assert sender.units() == (2, 2)


def test_an_event_sent_under_another_number_counts_once(sender: Sender) -> None:
    sender.send()
    assert sender.send().get_json()["known"] == 1
    assert sender.units() == (2, 2)


STORY = (
    ("pledge.created", "2026-11-02T02:00:00Z", 2),
    ("pledge.updated", "2026-11-02T03:00:00Z", 5),
    ("pledge.updated", "2026-11-02T04:00:00Z", 3),
)
CANCELLED = ("pledge.cancelled", "2026-11-02T05:00:00Z", 3)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_events_in_any_order_come_to_the_latest_word(sender: Sender, order: tuple[int, ...]) -> None:
    for place in order:
        kind, at, quantity = STORY[place]
        assert sender.send(kind, at, quantity=quantity).status_code == 200
    assert sender.units() == (3, 3)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)], ids=str)
def test_a_cancellation_counts_whenever_it_comes(sender: Sender, order: tuple[int, ...]) -> None:
    story = (*STORY, CANCELLED)
    for place in order:
        kind, at, quantity = story[place]
        sender.send(kind, at, quantity=quantity)
    assert sender.units() == (3, 0)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"headers": {"webhook-signature": "v1,AAAA"}}, "signature_invalid"),
        ({"headers": {"webhook-signature": "v1,é"}}, "signature_invalid"),
        ({"headers": {"webhook-signature": "nothing"}}, "signature_invalid"),
        ({"headers": {"webhook-timestamp": "1e400"}}, "webhook_unsigned"),
        ({"headers": {"webhook-timestamp": "99999999999"}}, "webhook_stale"),
        ({"number": "a.b"}, "webhook_unsigned"),
        ({"secret": "whsec_" + base64.b64encode(b"another channel's secret").decode()}, "signature_invalid"),
        ({"sent": dt.datetime(2026, 11, 23, 8, 50, tzinfo=dt.UTC)}, "webhook_stale"),
        ({"sent": dt.datetime(2026, 11, 23, 9, 10, tzinfo=dt.UTC)}, "webhook_stale"),
    ],
)
def test_a_message_that_the_channel_did_not_sign_just_now_is_refused(
    sender: Sender, how: dict[str, Any], code: str
) -> None:
    answer = sender.send(**how)
    assert (answer.status_code, answer.get_json()["code"]) == (401, code)
    assert sender.units() == (0, 0)
    with sender.db.reading() as session:
        found = sources.get_source(session, channel="shop", now=sender.now).webhook
    assert found and found.failed_at == sender.now and found.failure == answer.get_json()["detail"]


def test_while_a_secret_changes_both_count_for_a_day(sender: Sender) -> None:
    new = sender.connect()
    assert new != sender.secret
    assert sender.send().status_code == sender.send(secret=new).status_code == 200


def test_a_type_that_no_mapping_reads_is_answered_and_has_no_effect(sender: Sender) -> None:
    answer = sender.send("x.unknown")
    assert (answer.status_code, answer.get_json()["ignored"]) == (200, True)
    assert sender.units() == (0, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": 1.5},
        {"sku": "nobody's"},
        {"at": "yesterday"},
        {"at": "2027-01-01T00:00:00Z"},
        {"data": 1},
    ],
    ids=str,
)
def test_a_bad_row_is_kept_out_with_its_reason_and_the_event_is_taken(
    sender: Sender, wrong: dict[str, Any]
) -> None:
    answer = sender.send(**wrong) if "data" not in wrong else sender.send(quantity=None)
    assert (answer.status_code, answer.get_json()["rejected"]) == (200, 1)
    assert sender.units() == (0, 0)
    with sender.db.reading() as session:
        assert sources.received(session, channel="shop")[0].sentence


def test_the_secret_is_encrypted_and_the_buyer_is_a_pseudonym(sender: Sender) -> None:
    sender.send()
    with sender.db.reading() as session:
        kept = [repr(tuple(row)) for row in session.execute(text("SELECT * FROM channel_source"))]
        kept += [repr(tuple(row)) for row in session.execute(text("SELECT * FROM signal"))]
        kept += [repr(tuple(row)) for row in session.execute(text("SELECT * FROM audit_entry"))]
    assert not [one for one in kept if sender.secret in one or sender.secret[6:] in one or "quxi" in one]


def shopify(sender: Sender, body: dict[str, Any], *, topic: str, number: str, secret: str) -> Any:
    sent = json.dumps(body).encode()
    signature = base64.b64encode(hmac.digest(secret.encode(), sent, "sha256")).decode()
    headers = {
        "X-Shopify-Hmac-Sha256": signature,
        "X-Shopify-Topic": topic,
        "X-Shopify-Webhook-Id": number,
        "Content-Type": "application/json",
    }
    return sender.client.post("/api/v1/webhooks/shopify", data=sent, headers=headers)


def test_orders_of_shopify_are_read_line_by_line_and_their_content_says_what_is_cancelled(
    sender: Sender,
) -> None:
    sender.connect("shopify", scheme="shopify", mapping="shopify-webhook", secret=SHOPIFY_SECRET)
    line = {"sku": "MUG", "name": "Mug", "quantity": 2, "price": "19.90"}
    order = {
        "id": 820982911946154508,
        "financial_status": "paid",
        "currency": "CNY",
        "created_at": "2026-11-02T10:00:00+08:00",
        "updated_at": "2026-11-02T10:00:01+08:00",
        "cancelled_at": None,
        "email": "quxi.kanariya@example.org",
        "shipping_address": {"province": "CN-GD", "name": "Quxi"},
        "line_items": [{"id": 1, **line}, {"id": 2, **line, "sku": "BAG", "quantity": 1}],
    }
    taken = shopify(sender, order, topic="orders/create", number="a-1", secret=SHOPIFY_SECRET)
    assert (taken.status_code, taken.get_json()["accepted"]) == (200, 2), taken.get_json()
    assert sender.units() == (3, 3)
    # the topic is not signed: another one on the same body cancels nothing
    shopify(sender, order, topic="orders/cancelled", number="a-2", secret=SHOPIFY_SECRET)
    assert sender.units() == (3, 3)
    gone = {"cancelled_at": "2026-11-03T10:00:00+08:00", "updated_at": "2026-11-03T10:00:00+08:00"}
    shopify(sender, order | gone, topic="orders/cancelled", number="a-3", secret=SHOPIFY_SECRET)
    assert sender.units() == (3, 0)
    refused = shopify(sender, order, topic="orders/create", number="a-4", secret="x" * 20)
    assert refused.get_json()["code"] == "signature_invalid"


def test_only_an_administrator_connects_a_channel_and_unknown_ones_are_not_there(sender: Sender) -> None:
    form = {"channel": "mall", "scheme": "standard", "mapping": "headwater-events"}
    assert sender.client.post("/api/v1/channels", json=form).status_code == 401
    bad = sender.client.post("/api/v1/channels", headers=sender.key, json={**form, "mapping": "headwater"})
    assert bad.get_json()["code"] == "mapping_no_events"
    weak = sender.client.post("/api/v1/channels", headers=sender.key, json={**form, "secret": "short"})
    assert weak.get_json()["code"] == "secret_unusable"
    assert sender.send(channel="mall").status_code == 404
    listed = sender.client.get("/api/v1/channels", headers=sender.key).get_json()
    assert [(one["channel"], one["connected"], one["accepted"]) for one in listed] == [("shop", True, 0)]
    assert "secret" not in json.dumps(listed)
