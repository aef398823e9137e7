"""Who sent a webhook: signatures after the Standard Webhooks specification, and as Shopify signs."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from standardwebhooks.webhooks import Webhook

from app.core.errors import NotAllowed

TOLERANCE = dt.timedelta(minutes=5)
"""How old a signed message may be, or how far ahead its sender's clock: an older one may be a replay."""
MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,120}")
SECONDS = re.compile(r"[0-9]{1,11}")


class Scheme(StrEnum):
    STANDARD = "standard"
    SHOPIFY = "shopify"


@dataclass(frozen=True, slots=True)
class Message:
    """What came: the body byte by byte, and the headers by their names in lower case."""

    body: bytes
    headers: Mapping[str, str]


def message_id(message: Message, *, scheme: Scheme) -> str:
    """The sender's number of a message. Raises NotAllowed `webhook_unsigned`."""
    name = "webhook-id" if scheme is Scheme.STANDARD else "x-shopify-webhook-id"
    found = message.headers.get(name, "")
    if not MESSAGE_ID.fullmatch(found):
        raise NotAllowed("webhook_unsigned", f"The header {name} is missing, or is no message's id.")
    return found


def verify(message: Message, *, scheme: Scheme, secrets: list[str], now: dt.datetime) -> None:
    """Refuse a message that none of the secrets signed, or that is not of now.

    Shopify signs no time: its messages are harmless when they come again, because the content says when it
    was changed.

    Raises:
        NotAllowed: `webhook_unsigned`, `webhook_stale`, `signature_invalid`.
    """
    number = message_id(message, scheme=scheme)
    if scheme is Scheme.STANDARD:
        expected = [_standard(message, number, secret, now) for secret in secrets]
        given = message.headers.get("webhook-signature", "").split(" ")
    else:
        expected = [_shopify(message, secret) for secret in secrets]
        given = [message.headers.get("x-shopify-hmac-sha256", "")]
    # as bytes: a comparison of text refuses to look at anything that is not ASCII
    if not any(hmac.compare_digest(one.encode(), other.encode()) for one in given for other in expected):
        raise NotAllowed("signature_invalid", "The signature is not this channel's; check its secret.")


def _standard(message: Message, number: str, secret: str, now: dt.datetime) -> str:
    told = message.headers.get("webhook-timestamp", "")
    if not SECONDS.fullmatch(told):
        raise NotAllowed("webhook_unsigned", "The header webhook-timestamp is no whole number of seconds.")
    sent = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=int(told))
    if abs(sent - now) > TOLERANCE:
        raise NotAllowed("webhook_stale", "The message is more than five minutes old, or ahead of our clock.")
    try:
        text = message.body.decode()
    except UnicodeDecodeError:
        raise NotAllowed("webhook_unsigned", "The body is no text in UTF-8.") from None
    return Webhook(secret).sign(number, sent, text)


def _shopify(message: Message, secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), message.body, "sha256")).decode()


def usable(secret: str, *, scheme: Scheme) -> bool:
    """Whether a secret is long enough, and of the scheme's form."""
    if not 16 <= len(secret) <= 200 or not secret.isascii() or not secret.isprintable():
        return False
    if scheme is Scheme.SHOPIFY:
        return True
    try:
        return len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) >= 16
    except ValueError:
        return False
