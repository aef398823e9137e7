"""Secrets that the service must be able to use itself: encrypted in the database with SECRET_KEY."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.core.errors import Conflict


def seal(secret: str, *, key: str) -> str:
    return _box(key).encrypt(secret.encode()).decode()


def unseal(sealed: str, *, key: str) -> str:
    """The secret; raises Conflict `secret_unreadable` under another SECRET_KEY than it was sealed with."""
    try:
        return _box(key).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Conflict(
            "secret_unreadable", "SECRET_KEY has changed since this secret was kept; give the secret again."
        ) from None


def _box(key: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"headwater secrets of channels").derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
