"""The peer of online_pledges.py: FastAPI and asyncpg, one pledge by the statements that the service runs.

    DATABASE_URL=… PSEUDONYM_KEY=… granian --interface asgi benchmarks.online_peer:app

It looks up the token, checks the body with pydantic, and takes the pledge in one transaction: the shared
turn, what the pledge meets, the signal and its change. Whatever is not plain it answers with 422.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import hmac
import os
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import asyncpg
from fastapi import FastAPI, Header, HTTPException
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from app import create_app  # noqa: F401  (every model is known once the service is)
from app.stages.demand.operations.plain import STORE as STORE_SQL
from app.stages.demand.operations.turns import SHARED_BY_BUYER
from app.stages.demand.queries.pledges import WORLD
from app.stages.demand.rules.buyers import sketch_of

Word = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]
KEY = os.environ.get("PSEUDONYM_KEY", "").encode()
TOKEN = (
    "SELECT account.id FROM account JOIN access_token ON access_token.account_id = account.id "
    "WHERE access_token.token_hash = $1 AND access_token.revoked_at IS NULL AND account.active"
)


def numbered(statement: str) -> str:
    """Parameters as asyncpg writes them."""
    numbers = iter(range(1, 100))
    return re.sub("%s", lambda _: f"${next(numbers)}", statement)


LOCK, STORE = numbered(SHARED_BY_BUYER), numbered(STORE_SQL)
COMPILED: Any = WORLD.compile(dialect=dialect.dialect())
LOOK, ASKED = str(COMPILED), COMPILED.positiontup


class Pledge(BaseModel):
    channel: Word
    external_id: Word
    commitment: Annotated[
        str, StringConstraints(pattern="^(paid|deposit|pledge|waitlist|vote|wish_list|enquiry)$")
    ]
    sku: Word
    region: Word
    quantity: Annotated[int, Field(ge=1, le=1_000_000)]
    unit_price: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,10}(\.[0-9]{1,2})?$")]
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
    ordered_at: AwareDatetime
    buyer: Word
    campaign: Word


@contextlib.asynccontextmanager
async def connected(app: FastAPI) -> AsyncIterator[None]:
    url = os.environ["DATABASE_URL"].replace("+psycopg", "")
    async with asyncpg.create_pool(url, min_size=8, max_size=10) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=connected)


@app.post("/api/v1/pledges", status_code=201)
async def take(pledge: Pledge, authorization: Annotated[str, Header()]) -> dict[str, Any]:
    digest = hashlib.sha256(authorization.removeprefix("Bearer ").encode()).hexdigest()
    buyer = hmac.digest(KEY, f"{pledge.channel}\0{pledge.buyer}".encode(), "sha256").hex()[:32]
    asked = pledge.model_dump() | {"buyer": buyer}
    async with app.state.pool.acquire() as connection:
        if await connection.fetchval(TOKEN, digest) is None:
            raise HTTPException(401)
        async with connection.transaction():
            await connection.execute(LOCK, pledge.channel, buyer)
            here = await connection.fetchrow(
                LOOK, *(asked.get(name, COMPILED.params.get(name)) for name in ASKED)
            )
            signal = _signal(pledge, buyer, here)
            stored = None if signal is None else await connection.fetchrow(STORE, *signal)
    if stored is None:
        raise HTTPException(422)
    return asked | {"unit_price_minor": signal[8], "day": signal[11], "reason": "valid"}  # type: ignore[index]


def _signal(pledge: Pledge, buyer: str, here: Any) -> tuple[Any, ...] | None:
    channel_id, currency, sku_id, goods, region_id, zone, campaign_id = here[:7]
    state, opens, closes, fill, cap, limit, waits, known, committed = here[7:]
    at = pledge.ordered_at.astimezone(dt.UTC)
    if (
        None in (channel_id, sku_id, region_id, campaign_id)
        or waits
        or committed
        or not goods
        or cap is not None
    ):
        return None
    if state != "open" or not opens <= at < (fill or closes) or currency != pledge.currency:
        return None
    if limit is not None and (known or pledge.quantity > limit):
        return None
    price = int(Decimal(pledge.unit_price) * 100)
    day = at.astimezone(ZoneInfo(zone)).date()
    ids = sku_id, region_id, campaign_id
    written = pledge.quantity, price, buyer, at, day, "placed", "valid", sketch_of(buyer)
    return channel_id, pledge.external_id, None, pledge.commitment, *ids, *written
