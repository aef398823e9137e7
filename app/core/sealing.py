"""What the service must be able to read again, encrypted with SECRET_KEY: secrets, and parts of files."""

from __future__ import annotations

import base64
import os
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.core.errors import Conflict

NONCE = 12


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


def seal_part(data: bytes, *, key: str, about: str) -> bytes:
    """A piece of a file, encrypted and bound to its place; `about` names file and place."""
    nonce = os.urandom(NONCE)
    return nonce + _cipher(key).encrypt(nonce, data, about.encode())


def open_part(sealed: bytes, *, key: str, about: str) -> bytes:
    """The piece; raises Conflict `part_unreadable` where it is another, was changed, or the key has."""
    try:
        return _cipher(key).decrypt(sealed[:NONCE], sealed[NONCE:], about.encode())
    except InvalidTag:
        raise Conflict(
            "part_unreadable", "A part of this upload can't be read; upload the file again."
        ) from None


@cache
def _cipher(key: str) -> AESGCM:
    return AESGCM(
        HKDF(SHA256(), length=32, salt=None, info=b"headwater parts of uploads").derive(key.encode())
    )
