"""Headers: which request each of them can do harm to, found by what the header is."""

from __future__ import annotations

from collections.abc import Callable

from support.corpus.door import PASSWORD, PLEDGE, Door, Seen
from support.corpus.elsewhere import Elsewhere
from support.corpus.entries import Entry

EMAIL = "merchandiser@x.example"


def header(door: Door, entry: Entry, sent: bytes | None, _: str) -> Seen:
    if entry.made_by in SCENARIOS:
        return SCENARIOS[entry.made_by](door)
    if entry.made_by == "many_headers":
        raise Elsewhere("the server ends headers that are too many with 431, before the service is asked")
    if not sent:
        return _left_out(door, entry)
    name, _, value = sent.decode().partition(":")
    if name in SITUATIONS:
        return SITUATIONS[name](door, value.strip())
    how = {name: value.strip()}
    if name == "Authorization":
        return door.call("GET", "/api/v1/imports", role=None, headers=how)
    return door.call("GET", "/demand", headers=how)


def _left_out(door: Door, entry: Entry) -> Seen:
    """A header that is needed, and is not there."""
    if "Idempotency-Key" in entry.title:
        body = {name: value for name, value in PLEDGE.items() if name != "external_id"}
        return door.call("POST", "/api/v1/pledges", json=body)
    if "If-Match" in entry.title:
        return door.call("POST", "/api/v1/plan-lines/1/settlement", json={"accept": True})
    raise Elsewhere(f"no route needs a header for this: {entry.title}")


def _signed_in(door: Door) -> None:
    """This browser signs in, as a person does."""
    door.client.get("/sign-in")
    page = door.client.get("/sign-in").get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"email": EMAIL, "password": PASSWORD, "csrf_token": token}
    assert door.client.post("/sign-in", data=form).status_code == 303


def _csrf(door: Door) -> str:
    page: str = door.client.get("/imports").get_data(as_text=True)
    return page.split('name="csrf_token" value="')[1].split('"')[0]


def _origin(door: Door, value: str) -> Seen:
    """Another site's page sends a form of ours, with the session and even with a stolen token."""
    try:
        _signed_in(door)
        form = {"locale": "en", "csrf_token": _csrf(door)}
        return door.call("POST", "/language", role=None, data=form, headers={"Origin": value})
    finally:
        door.client = door.app.test_client()


def _range(door: Door, value: str) -> Seen:
    return door.call("GET", "/assets/css/headwater.css", headers={"Range": value})


def _host(door: Door, value: str) -> Seen:
    return door.call("GET", "/sign-in", role=None, base_url=f"http://{value}")


def _logged_out(door: Door) -> Seen:
    """The session's cookie of somebody who signed out."""
    try:
        _signed_in(door)
        kept = door.client.get_cookie("headwater")
        assert kept is not None
        door.client.post("/sign-out", data={"csrf_token": _csrf(door)})
        door.client.set_cookie("headwater", kept.value)
        return door.call("GET", "/imports", role=None)
    finally:
        door.client = door.app.test_client()


def _wrong_purpose(door: Door) -> Seen:
    """A key of another purpose as an access token: the session's."""
    try:
        _signed_in(door)
        kept = door.client.get_cookie("headwater")
        assert kept is not None
        return door.call(
            "GET", "/api/v1/imports", role=None, headers={"Authorization": f"Bearer {kept.value}"}
        )
    finally:
        door.client = door.app.test_client()


def sign_in_to(door: Door, query: str) -> Seen:
    """Sign in with a place to go to afterwards; wherever it leads must be on this host."""
    try:
        page = door.client.get("/sign-in").get_data(as_text=True)
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        form = {"email": EMAIL, "password": PASSWORD, "csrf_token": token}
        seen = door.call("POST", f"/sign-in?{query}", role=None, data=form)
        assert seen.response is not None
        place = seen.response.headers.get("Location", "/")
        assert place.startswith("/") and not place.startswith(("//", "/\\")), place
        return seen
    finally:
        door.client = door.app.test_client()


SITUATIONS: dict[str, Callable[[Door, str], Seen]] = {"Origin": _origin, "Range": _range, "Host": _host}
SCENARIOS: dict[str, Callable[[Door], Seen]] = {
    "logged_out_session": _logged_out,
    "wrong_purpose_token": _wrong_purpose,
}
