"""Inputs of somebody who asks for what is another's: a supplier, a stranger, an account that was closed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.core import access, accounts
from app.core.access import SYSTEM, Role
from app.stages.catalog import queries as catalog
from app.stages.confirmation import queries as lines
from app.stages.confirmation.models import PlanLine
from app.stages.forecasts import queries as forecasts
from support import brand
from support.corpus.door import NOW, PASSWORD, Door, Seen

Headers = dict[str, str]


@cache
def asked(door: Door) -> tuple[Headers, int, int]:
    """A supplier's key, a line that it is asked for, and one that another is asked for."""
    with door.db.reading() as session:
        run = forecasts.latest_run(session, today=NOW.date())
    assert run is not None
    brand.ask(door.db, brand.make_plan(door.db, run.id))
    with door.db.reading() as session:
        first, second, *_ = lines.supplier_lines(session, actor=brand.MERCHANDISER)
    assert first.supplier_id != second.supplier_id
    return _account(door, "asked", Role.SUPPLIER, first.supplier_id)[1], first.id, second.id


def _account(
    door: Door, name: str, role: Role, supplier_id: int | None = None
) -> tuple[access.AccountFact, Headers]:
    with door.db.transaction() as session:
        account = access.create_account(
            session,
            email=f"{name}@x.example",
            name=name,
            password=PASSWORD,
            role=role,
            supplier_id=supplier_id,
            now=NOW,
        )
        key = access.create_token(session, account_id=account.id, label="test", now=NOW)
    return account, {"Authorization": f"Bearer {key}"}


def answer(door: Door, key: Headers, line: int, **more: object) -> Seen:
    """One answer with this key; a confirmation of what nobody has answered, unless told otherwise."""
    path = f"/api/v1/plan-lines/{line}/answers"
    return door.call("POST", path, role=None, headers=key, json={"version": 1, "kind": "confirm", **more})


def another_line(door: Door, like: int, *, session: Session | None = None) -> int:
    """A line that asks the supplier of this one for the same, unanswered."""
    if session is None:
        with door.db.transaction() as own:
            return another_line(door, like, session=own)
    line = PlanLine.__table__.c
    terms = (line.plan_id, line.supplier_id, line.sku_id, line.warehouse_id, line.region_id, line.order_week)
    terms += (line.due_week, line.quantity, line.unit_price_minor, line.currency)
    row = session.execute(select(*terms).where(line.id == like)).one()
    asks = {**row._mapping, "state": "asked", "version": 1, "counter_refused": False}
    return session.scalars(insert(PlanLine).values(**asks).returning(PlanLine.id)).one()


def _others_line(door: Door) -> Seen:
    key, _, other = asked(door)
    door.mark()
    return answer(door, key, other)


def _in_the_name_of_another(door: Door) -> Seen:
    key, own, _ = asked(door)
    door.mark()
    with door.db.reading() as session:
        other = catalog.supplier_ids(session)["YW"]
    return answer(door, key, own, supplier_id=other)


def _own_lines_only(door: Door) -> Seen:
    key, own, other = asked(door)
    seen = door.call("GET", "/api/v1/plan-lines", role=None, headers=key)
    assert seen.response is not None
    told = {one["id"] for one in seen.response.get_json()}
    assert own in told and other not in told
    return seen


def _shares(door: Door) -> Seen:
    return _supplier_gets(door, "/api/v1/plans/1/shares")


def _jobs(door: Door) -> Seen:
    return _supplier_gets(door, "/api/v1/jobs/1")


def _supplier_gets(door: Door, path: str) -> Seen:
    key, *_ = asked(door)
    door.mark()
    return door.call("GET", path, role=None, headers=key)


def _everything_of_the_buyer(door: Door) -> Seen:
    """Whatever route names roles, and not a supplier's, with any number in its place."""
    key, *_ = asked(door)
    door.mark()
    routes = door.app.url_map.bind("localhost")
    seen = None
    for rule in door.app.url_map.iter_rules():
        roles = getattr(door.app.view_functions[rule.endpoint], "__roles__", ("public",))
        if {"supplier", "public", "anyone signed in"} & set(roles):
            continue
        values = {name: 1 if "\\d" in rule._converters[name].regex else "x" for name in rule.arguments}
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            path = routes.build(rule.endpoint, values, method=method)
            seen = door.call(method, path, role=None, headers=key)
            assert seen.status == 403, (method, path, seen.status)
    assert seen is not None
    return seen


def _closed(door: Door) -> Seen:
    account, key = _account(door, "closed", Role.MERCHANDISER)
    assert door.call("GET", "/api/v1/imports", role=None, headers=key).status == 200
    with door.db.transaction() as session:
        accounts.close_account(session, account_id=account.id, actor=SYSTEM, now=NOW)
    door.mark()
    return door.call("GET", "/api/v1/imports", role=None, headers=key)


def _wrong_password(door: Door, email: str, times: int) -> Seen:
    try:
        page = door.client.get("/sign-in").get_data(as_text=True)
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        form = {"email": email, "password": "not this one at all", "csrf_token": token}
        return [door.call("POST", "/sign-in", role=None, data=form) for _ in range(times)][-1]
    finally:
        door.client = door.app.test_client()


def _nobody(door: Door) -> Seen:
    """An e-mail that nobody has is answered as a wrong password is."""
    known, unknown = (
        _wrong_password(door, f"{name}@x.example", 1) for name in ("merchandiser", "merchandiseR0")
    )
    assert known.response is not None and unknown.response is not None
    told = [one.response.get_data(as_text=True).count("not match an account") for one in (known, unknown)]
    assert told == [1, 1] and known.status == unknown.status
    return unknown


def _guesses(door: Door) -> Seen:
    return _wrong_password(door, "merchandiser@x.example", 100)


def _set_up(door: Door) -> Seen:
    return door.call("GET", "/setup", role=None)


def _cached(door: Door) -> Seen:
    """What only its reader may see is kept by no cache for another one."""
    for path in ("/imports", "/api/v1/imports"):
        seen = door.call("GET", path)
        assert seen.response is not None
        assert seen.response.cache_control.private and seen.response.cache_control.no_cache
        assert "Cookie" in seen.response.headers["Vary"]
    return seen


def _at_once(door: Door) -> Seen:
    """Twenty times the same answer: one is taken, and the line has moved on for the others."""
    key, own, _ = asked(door)
    path = f"/api/v1/plan-lines/{own}/answers"

    def confirm(_: int) -> Seen:
        body = {"version": 1, "kind": "confirm"}
        response = door.app.test_client().post(path, headers=key, json=body)
        return Seen(response.status_code, response)

    with ThreadPoolExecutor(4) as threads:
        seen = list(threads.map(confirm, range(20)))
    assert sorted(one.status for one in seen) == [201] + [409] * 19
    door.mark()
    return max(seen, key=lambda one: int(one.status))


def _as_it_ends(door: Door) -> Seen:
    return door.pledge(external_id="as-it-ends", campaign="C1", ordered_at="2026-06-01T00:00:00+08:00")


PEOPLE = {
    ("authz", "GET every object route with B's ids as A"): _others_line,
    ("authz", "GET plan as A"): _own_lines_only,
    ("authz", "A reads the concentration dashboard"): _shares,
    ("authz", "POST {supplier_id: B}"): _in_the_name_of_another,
    ("authz", "GET /jobs/{id}, /files/{id}, /reports/{id}"): _jobs,
    ("authz", "POST reset/login"): _nobody,
    ("authz", "POST login x100"): _guesses,
    ("authz", "disable, then call"): _closed,
    ("authz", "fresh install, remote peer"): _set_up,
    ("authz", "A's page then B's through a caching proxy"): _cached,
    ("authz", "all admin routes as supplier"): _everything_of_the_buyer,
    ("flow_concurrency", "POST confirm x20"): _at_once,
    ("datetime", "pledge with server time == ends_at"): _as_it_ends,
}
