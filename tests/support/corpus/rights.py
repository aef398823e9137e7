"""Inputs of somebody who would learn or change what is another's by a detour."""

from __future__ import annotations

import re
import statistics
import time

from sqlalchemy import text

from app.core.access import Role
from support import brand
from support.corpus.door import Door, Seen
from support.corpus.people import Headers, another_line, answer, asked

PAIRS = 60
ALIKE = 1.1
OF_ITS_OWN = re.compile(rb'"request_id": "[^"]*"|name="csrf_token" value="[^"]*"|"X-CSRFToken": "[^"]*"')
"""What differs from answer to answer, whoever asks."""
OTHERS = ("JDZ", "YW", "DG", "Jingdezhen", "Yiwu", "Dongguan", "景德镇", "义乌", "东莞")


def told(door: Door, key: Headers) -> dict[str, bytes]:
    """Every byte that a supplier's key gets to read, by address."""
    routes = door.app.url_map.bind("localhost")
    found = {}
    for rule in door.app.url_map.iter_rules():
        roles = set(getattr(door.app.view_functions[rule.endpoint], "__roles__", ()))
        if (
            "GET" not in (rule.methods or set())
            or rule.arguments
            or not roles & {"supplier", "anyone signed in"}
        ):
            continue
        path = routes.build(rule.endpoint, method="GET")
        for query in ("", "?state=asked", "?state=confirmed", "?offset=0", "?offset=1"):
            seen = door.call("GET", path + query, role=None, headers=key)
            assert seen.response is not None and seen.status < 500
            found[path + query] = OF_ITS_OWN.sub(b"", seen.response.data)
    return found


def _events(door: Door) -> Seen:
    """The service sends suppliers nothing; all they are told are the answers to what they do."""
    key, own, _ = asked(door)
    with door.db.reading() as session:
        code = session.scalar(
            text("SELECT s.code FROM supplier s JOIN plan_line l ON l.supplier_id = s.id WHERE l.id = :id"),
            {"id": own},
        )
    others = [name for name, mine in zip(OTHERS, ("JDZ", "YW", "DG") * 3, strict=True) if mine != code]
    said = [
        answer(door, key, another_line(door, own)),
        answer(door, key, another_line(door, own), kind="decline"),
        answer(door, key, another_line(door, own), kind="counter", quantity=1),
        answer(door, key, another_line(door, own), kind="counter", quantity=0),
    ]
    bodies = [one.response.get_data(as_text=True) for one in said if one.response]
    bodies += [body.decode() for body in told(door, key).values()]
    assert [one.status for one in said] == [201, 201, 201, 422]
    assert not [(name, body) for name in others for body in bodies if name in body]
    door.mark()
    return Seen("flow")


def _same_code(door: Door) -> Seen:
    """A supplier makes no SKU: it is told so, in the same words for a code that is another's and for none."""
    key, *_ = asked(door)
    door.mark()
    bodies = set()
    for code in ("BAG", "NOBODYS"):
        form = {"code": "X1", "name": "X", "skus": [code]}
        seen = door.call("POST", "/api/v1/campaigns", role=None, headers=key, json=form)
        assert seen.response is not None
        bodies.add(OF_ITS_OWN.sub(b"", seen.response.data))
    assert len(bodies) == 1
    return seen


def _two_worlds(door: Door) -> Seen:
    """Another supplier's price, capacity and answers: not one byte tells of them."""
    key, own, other = asked(door)
    for line in (own, other, 999_999):
        answer(door, key, line, version=99)
    before = told(door, key) | {"other": _refusal(door, key, other)}
    prices = brand.NETWORK["price_breaks"].replace("YW,MUG,0,9.50", "YW,MUG,0,1.23")
    prices = prices.replace("DG,MUG,0,9.60", "DG,MUG,0,4.56")
    capacities = brand.NETWORK["suppliers"].replace("YW,Yiwu,义乌,,", "YW,Yiwu,义乌,7,")
    changed = {
        "price_breaks": prices,
        "suppliers": capacities.replace("DG,Dongguan,东莞,,", "DG,Dongguan,东莞,8,"),
    }
    brand.load_network(door.db, door.folder, changed=changed)
    with door.db.transaction() as session:
        theirs = another_line(door, other, session=session)
        session.execute(
            text("UPDATE plan_line SET state = 'declined', version = 2 WHERE id IN (:a, :b)"),
            {"a": theirs, "b": other},
        )
    after = told(door, key) | {"other": _refusal(door, key, other)}
    brand.load_network(door.db, door.folder)
    moved = [path for path in before if after[path] != before[path]]
    assert not moved, moved
    door.mark()
    return Seen("flow")


def _refusal(door: Door, key: Headers, line: int) -> bytes:
    seen = answer(door, key, line)
    assert seen.response is not None and seen.status == 404
    return OF_ITS_OWN.sub(b"", seen.response.data).replace(str(line).encode(), b"N")


def _own_profile(door: Door) -> Seen:
    """All of an account that its owner may change is its language, and nothing comes along with it."""
    seen = _chosen(door, {"locale": "en", "role": "administrator", "is_verified": "true", "tenant_id": "2"})
    with door.db.reading() as session:
        role = session.scalar(text("SELECT role FROM account WHERE email = 'merchandiser@x.example'"))
    assert role == "merchandiser"
    return seen


def _chosen(door: Door, form: dict[str, str]) -> Seen:
    return door.call("POST", "/language", data=form)


def _overwritten(door: Door) -> Seen:
    """What was checked when it was made is checked when it is changed: a source's address and mapping."""
    path = "/api/v1/channels/overwritten/source"
    good = {"mapping": "headwater-events", "url": "https://shop.example/orders"}
    assert door.call("PUT", path, role=Role.ADMINISTRATOR, json=good).status == 200
    assert door.call("PUT", path, json=good).status == 403
    door.mark()
    assert door.call("PUT", path, role=Role.ADMINISTRATOR, json={**good, "mapping": "../x"}).status in (
        404,
        422,
    )
    return door.call("PUT", path, role=Role.ADMINISTRATOR, json={**good, "url": "https://127.0.0.1/"})


def _own_offer(door: Door) -> Seen:
    """Who makes a counter-offer does not take it."""
    key, own, _ = asked(door)
    line = another_line(door, own)
    assert answer(door, key, line, kind="counter", quantity=1).status == 201
    door.mark()
    path = f"/api/v1/plan-lines/{line}/settlement"
    return door.call("POST", path, role=None, headers=key, json={"version": 2, "accept": True})


def _as_long(door: Door) -> Seen:
    """Another's line and none take equally long to be refused, in CPU time of this thread."""
    key, _, other = asked(door)
    door.mark()
    spent: dict[int, list[int]] = {other: [], other + 1_000_000: []}
    for _ in range(PAIRS):
        for line, times in spent.items():
            began = time.thread_time_ns()
            seen = answer(door, key, line)
            times.append(time.thread_time_ns() - began)
            assert seen.status == 404
    short, long = sorted(statistics.median(sorted(times)[: PAIRS // 2]) for times in spent.values())
    assert long <= ALIKE * short, spent
    return seen


RIGHTS = {
    ("authz", "trigger every event type for A"): _events,
    ("authz", "A creates a SKU code that only B uses"): _same_code,
    (
        "authz",
        "run A's session in world 1 and world 2 that differ only in B's price, capacity or share",
    ): _two_worlds,
    ("authz", "PATCH"): _own_profile,
    ("authz", "PATCH an existing saved view"): _overwritten,
    ("authz", "confirm by the author"): _own_offer,
    ("authz", "1,000 paired GETs"): _as_long,
}
