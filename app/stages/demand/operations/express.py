"""A plain pledge on PostgreSQL in two round trips: who sends it and what it meets, then it and its change.

It decides by the rules of `plain`, and only says yes; whatever it does not take goes the other ways.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from typing import Any

from sqlalchemy.dialects.postgresql import asyncpg

from app.core.access import AccessToken, Account, Role
from app.core.db import Database
from app.core.direct import Call, Prepared, Row
from app.stages.demand.operations import plain, rollups, storing
from app.stages.demand.operations.sent import SentPledge
from app.stages.demand.queries.pledges import WORLD, PledgeFact, PledgeWorld

MAY_SEND = {role.value.encode() for role in (Role.MERCHANDISER, Role.ADMINISTRATOR)}
_OF_TOKEN = (
    f"FROM {Account.__tablename__} AS account "
    f"JOIN {AccessToken.__tablename__} AS token ON token.account_id = account.id "
    "WHERE token.token_hash = $1 AND token.revoked_at IS NULL AND account.active"
)
_TURN = "pg_advisory_xact_lock_shared(hashtext('channel'), hashtext($2))"
_BUYER = "pg_advisory_xact_lock(hashtext('buyer'), hashtext($3))"
_ENTER = Prepared(b"enter", f"SELECT account.role, {_TURN} {_OF_TOKEN}".encode())
_ENTER_OF_BUYER = Prepared(b"enter_buyer", f"SELECT account.role, {_TURN}, {_BUYER} {_OF_TOKEN}".encode())
"""Whoever has no token takes no lock."""
_COMPILED: Any = WORLD.compile(dialect=asyncpg.dialect())
_LOOK = Prepared(b"look", str(_COMPILED).encode())
_ASKED = tuple((name, _COMPILED.params[name]) for name in _COMPILED.positiontup)


def _numbered(statement: str) -> str:
    numbers = iter(range(1, 100))
    return re.sub("%s", lambda _: f"${next(numbers)}", statement)


_STORE = Prepared(b"store", _numbered(plain.STORE).encode())


def take_express(
    db: Database, *, sent: SentPledge, token: str, pseudonym_key: bytes
) -> tuple[PledgeFact, bool] | None:
    """Take one plain pledge of whoever has this token, in a transaction of its own; as it is stored.

    Returns:
        The pledge, and whether waiting changes are to be folded; None where it is not plain, known already,
        or the token may not send: then nothing was stored.

    Raises:
        psycopg.Error: the database did not do it; take the pledge in another way.
    """
    row = plain.as_usual(sent, pseudonym_key=pseudonym_key)
    if row is None or any(row[name] is not None for name in storing.TRACES):
        return None
    taken: dict[str, Any] = {}

    def decide(found: list[Row | None]) -> list[Call] | None:
        who, around = found
        if who is None or who[0] not in MAY_SEND or around is None:
            return None
        here = _world(around)
        if not plain.is_plain(row, here):
            return None
        signal = taken["signal"] = plain.signal_of(row, here)
        taken["here"] = here
        return [(_STORE, tuple(map(_text, plain.stored_with(signal))))]

    stored = db.direct.transact([_enter(sent.channel, row, token), _look(sent.channel, row)], decide)
    if stored is None or stored[0] is None:
        return None
    id_, change = (int(cell or 0) for cell in stored[0])
    fact = plain.fact_of(id_, sent.channel, row, taken["signal"], taken["here"])
    return fact, change % rollups.FOLD_EVERY == 0


def _enter(channel: str, row: dict[str, Any], token: str) -> Call:
    digest = hashlib.sha256(token.encode()).hexdigest().encode()
    if row["campaign"] is None or row["buyer"] is None:
        return _ENTER, (digest, channel.encode())
    return _ENTER_OF_BUYER, (digest, channel.encode(), row["buyer"].encode())


def _look(channel: str, row: dict[str, Any]) -> Call:
    asked = {"channel": channel, **row}
    return _LOOK, tuple(_text(asked[name] if usual is None else usual) for name, usual in _ASKED)


def _text(value: Any) -> bytes | None:
    """A parameter as PostgreSQL reads it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, bytes):
        return b"\\x" + value.hex().encode()
    return (value.isoformat() if isinstance(value, dt.date) else str(value)).encode()


def _world(row: Row) -> PledgeWorld:
    cells = [cell.decode() if cell is not None else None for cell in row]
    (channel, currency, sku, goods, region, timezone, campaign, state, *rest) = cells
    opens, closes, fill, cap, limit, waits, known, committed = rest
    return PledgeWorld(
        _whole(channel),
        currency,
        _whole(sku),
        goods == "t",
        _whole(region),
        timezone,
        _whole(campaign),
        state,
        _instant(opens),
        _instant(closes),
        _instant(fill),
        _whole(cap),
        _whole(limit),
        waits == "t",
        known == "t",
        committed == "t",
    )


def _whole(cell: str | None) -> int | None:
    return None if cell is None else int(cell)


def _instant(cell: str | None) -> dt.datetime | None:
    return None if cell is None else dt.datetime.fromisoformat(cell)
