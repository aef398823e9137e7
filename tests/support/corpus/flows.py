"""Inputs that are a small story: several requests, or a value that depends on the clock."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable

from app.core.access import Role
from support.corpus import files, people, races, rights
from support.corpus.door import NOW, PLEDGE, Door, Seen
from support.corpus.elsewhere import Elsewhere
from support.corpus.entries import Entry


def flow(door: Door, entry: Entry, sent: bytes | None, _: str) -> Seen:
    play = FLOWS.get((entry.boundary, (sent or b"").decode()))
    if play is None:
        raise Elsewhere(f"no scenario plays {entry.title}")
    return play(door)


def written(entry: Entry) -> bytes:
    """The JSON source of a value that depends on the clock."""
    if entry.made_by == "now_plus":
        return json.dumps((NOW + dt.timedelta(**entry.arguments)).isoformat()).encode()
    raise Elsewhere(f"no scenario plays {entry.made_by}")


def cursor(door: Door, entry: Entry) -> str:
    """A place in a list, damaged. A cursor of ours is the id of the last row seen, and tells nothing else."""
    if entry.made_by == "flip_cursor":
        return f"before_id={chr(ord('5') ^ 0x40)}"
    raise Elsewhere("cursors are ids of rows in one brand's lists; there is no other tenant's")


def _foreign_currency(door: Door) -> Seen:
    return door.pledge(external_id="dollars", currency="USD", campaign="C1")


def _twice(door: Door) -> Seen:
    first = files.upload(door, files.one_row(event_id="twice"), channel="twice")
    again = files.upload(door, files.one_row(event_id="twice"), channel="twice")
    assert first.counts["accepted"] == 1
    assert again.response is not None and again.response.get_json()["unchanged"] is True
    return again


def _case(door: Door) -> Seen:
    """The e-mail of an account, with other capitals."""
    form = {"email": "Merchandiser@X.example", "name": "N", "password": "long enough for a test"}
    form |= {"role": "merchandiser", "locale": "en"}
    return door.call("POST", "/admin/accounts", role=Role.ADMINISTRATOR, data=form)


def _cents(door: Door) -> Seen:
    """A million times one cent, as ten thousand rows of a hundred units."""
    heading = files.one_row().split(b"\r\n")[0]
    rows = [f"c{n},,,CENT,100,0.01,CNY,2026-03-01T08:00:00+08:00," for n in range(10_000)]
    content = heading + b"\r\n" + "\r\n".join(rows).encode() + b"\r\n"
    seen = files.upload(door, content, channel="cents")
    with door.db.reading() as session:
        amount = _amount(session)
    assert amount == 1_000_000, amount
    seen.status = 200 if seen.status == "job:completed" else seen.status
    return seen


def _split(door: Door) -> Seen:
    """Nobody types shares: a plan is split into whole units, and the parts of every whole add up to it."""
    people.asked(door)
    door.mark()
    seen = door.call("GET", "/api/v1/plans/1/shares")
    assert seen.response is not None
    wholes: dict[tuple[str, ...], list[int]] = {}
    for one in seen.response.get_json():
        whole = wholes.setdefault((one["scope"], one["scope_key"], one["base"]), [one["scope_amount"]])
        whole.append(-one["amount"])
    assert wholes and not any(map(sum, wholes.values())), wholes
    return seen


def _adjustment(door: Door) -> Seen:
    """A line that takes back a cent is recorded, with why it counts as no demand."""
    seen = door.pledge(external_id="rounding", quantity=1, unit_price="-0.01")
    assert seen.status == 201 and seen.response is not None
    assert seen.response.get_json()["reason"] == "unpriced"
    return Seen(200, seen.response)


def _amount(session: object) -> int:
    """Minor units of the channel of cents, summed over its roll-up."""
    from sqlalchemy import text

    query = text(
        "SELECT SUM(amount_minor) FROM demand_day JOIN channel ON channel.id = channel_id "
        "WHERE channel.code = 'cents'"
    )
    return int(session.scalar(query))  # type: ignore[attr-defined]


def _withdrawn_twice(door: Door) -> Seen:
    door.pledge(external_id="withdrawn")
    first = door.call("DELETE", "/api/v1/pledges/corpus/withdrawn")
    again = door.call("DELETE", "/api/v1/pledges/corpus/withdrawn")
    assert first.response is not None and again.response is not None
    assert first.response.get_json() == again.response.get_json()
    return again


def _more_than_pledged(door: Door) -> Seen:
    """Five units of two are taken back."""
    door.pledge(external_id="few")
    door.mark()
    return door.call("PATCH", "/api/v1/pledges/corpus/few", json={"quantity": PLEDGE["quantity"] - 5})


def _from_draft_to_closed(door: Door) -> Seen:
    draft = door.call("POST", "/api/v1/campaigns/1/copy", json={"code": "C2"})
    assert draft.response is not None and draft.status == 201
    door.mark()
    path = f"/api/v1/campaigns/{draft.response.get_json()['id']}/close"
    return door.call("POST", path, json={"version": 1})


def _stale(door: Door) -> Seen:
    """A step of somebody who saw the campaign before another one closed it."""
    return door.call("POST", "/api/v1/campaigns/1/close", json={"version": 1})


FLOWS: dict[tuple[str, str], Callable[[Door], Seen]] = {
    ("money_currency", "POST pledge with USD into a CNY campaign"): _foreign_currency,
    ("money_currency", "sum of 1e6 x 0.01"): _cents,
    ("money_currency", "shares 33.3333 x 3"): _split,
    ("money_currency", "adjustment line of -0.01"): _adjustment,
    ("csv", "upload f; upload f"): _twice,
    ("unicode_text", "invite A@x.cn then a@X.cn"): _case,
    ("flow_concurrency", "POST withdraw x2"): _withdrawn_twice,
    ("flow_concurrency", "qty > pledged"): _more_than_pledged,
    ("flow_concurrency", "POST close"): _from_draft_to_closed,
    ("flow_concurrency", "PUT x2"): _stale,
    **people.PEOPLE,
    **rights.RIGHTS,
    **races.RACES,
}
