"""Sources that are asked page by page: where each page is, and what stands on it."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import socket
from collections.abc import Collection
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from app.core.errors import RuleBroken

LONGEST_ADDRESS = 2_000
NEXT_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^,;]*)*)")
IS_NEXT = re.compile(r';\s*rel\s*=\s*(?:"[^"]*\bnext\b[^"]*"|next\b)', re.IGNORECASE)
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Follow(StrEnum):
    """How a page names the next one: in the Link header, by a cursor in it, or by counting."""

    LINK = "link"
    CURSOR = "cursor"
    PAGE = "page"


NEEDED = {Follow.CURSOR: ("parameter", "cursor"), Follow.PAGE: ("parameter",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class PullShape:
    """How a REST source is asked.

    Attributes:
        items: where the list of documents stands in an answer; None where the answer is the list.
        parameter: of the cursor, or of the number of the page.
        cursor: where an answer tells the next cursor.
        since: the parameter that asks for what changed at or after an instant; None: all of it every time.
        header, prefix: how the secret is sent.
        query: parameters of every first page.
    """

    items: str | None
    follow: Follow
    parameter: str | None
    cursor: str | None
    since: str | None
    header: str
    prefix: str
    query: Dict[str, str]


def parse_pull(name: str, raw: Dict[str, Any]) -> PullShape:
    """The `[pull]` table of a mapping. Raises RuleBroken `mapping_invalid`."""
    follow = Follow(raw["follow"])
    missing = [one for one in NEEDED.get(follow, ()) if one not in raw]
    if missing:
        raise RuleBroken("mapping_invalid", f"Mapping {name}: [pull] lacks {', '.join(missing)}.")
    return PullShape(
        items=raw.get("items"),
        follow=follow,
        parameter=raw.get("parameter"),
        cursor=raw.get("cursor"),
        since=raw.get("since"),
        header=raw.get("header", "Authorization"),
        prefix=raw.get("prefix", "Bearer "),
        query=raw.get("query", {}),
    )


def check_address(url: str, *, trusted: Collection[str]) -> str:
    """An address that may be asked: https, or a trusted host's; without a name, a password or a fragment.

    Raises:
        RuleBroken: `source_address`; `source_private`, where the host needs no look-up to be that.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST_ADDRESS
    if not host or not plain or parts.scheme not in ("http", "https"):
        raise RuleBroken("source_address", "This is no address of a source; write it like https://…/orders.")
    if parts.scheme == "http" and host not in trusted:
        raise RuleBroken("source_address", "A source is asked over https; see the setting PULL_HOSTS.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise RuleBroken("source_address", "Leave name, password and # out of the address of a source.")
    if host not in trusted and port is not None and port != 443 and port < 1024:
        raise RuleBroken("source_address", "A source is asked at port 443, or at one from 1024 on.")
    if host not in trusted and _is_private(host):
        raise RuleBroken(
            "source_private", f"{host} is no address of the public network; see the setting PULL_HOSTS."
        )
    return url


def _is_private(host: str) -> bool:
    """Whether a name needs no look-up to lead into one's own network, also written as 127.1 or 2130706433."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not is_public(name if ":" in name else socket.inet_ntoa(socket.inet_aton(name)))
    except (OSError, ValueError):
        return False


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public network, also where it hides in a longer one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def page_address(url: str, shape: PullShape, *, position: str | None, since: dt.datetime | None) -> str:
    """Where the page at a position is; position None is the first."""
    if position is not None and shape.follow is Follow.LINK:
        return urljoin(url, position)
    asked = dict(shape.query)
    if since is not None and shape.since is not None:
        asked[shape.since] = since.strftime("%Y-%m-%dT%H:%M:%SZ")
    if position is not None and shape.parameter is not None:
        asked[shape.parameter] = position
    parts = urlsplit(url)
    query = urlencode([*((k, v) for k, v in parse_qsl(parts.query) if k not in asked), *asked.items()])
    return urlunsplit(parts._replace(query=query))


def next_position(
    shape: PullShape, *, asked: str, position: str | None, document: Any, link: str, count: int
) -> str | None:
    """The position after this page; None: it was the last.

    Args:
        asked: the address that was asked.
        link: the header Link, or nothing.
        count: documents on the page.

    Raises:
        RuleBroken: `source_strays`, when the next page is another host's: the secret stays with its own;
            `source_loops`, when the next page is this one.
    """
    if shape.follow is Follow.PAGE:
        return str(int(position or 1) + 1) if count else None
    if shape.follow is Follow.CURSOR:
        told = member(document, shape.cursor or "")
        found = str(told) if told not in (None, "", False) else None
    else:
        found = _linked(asked, link)
    if found is None:
        return None
    if len(found) > LONGEST_ADDRESS:
        raise RuleBroken("source_unreadable", "The source names a next page that is too long.")
    if found == position:
        raise RuleBroken("source_loops", "The source names the page it just gave as the next one.")
    return found


def _linked(asked: str, link: str) -> str | None:
    address = next((one[1] for one in NEXT_LINK.finditer(link) if IS_NEXT.search(one[2])), None)
    if address is None:
        return None
    here, there = urlsplit(asked), urlsplit(urljoin(asked, address))
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        raise RuleBroken("source_strays", "The source names a next page on another host.")
    return urlunsplit(("", "", there.path, there.query, ""))


def documents(document: Any, shape: PullShape) -> list[Any]:
    """The documents of a page. Raises RuleBroken `source_unreadable`."""
    listed = member(document, shape.items) if shape.items else document
    if not isinstance(listed, list):
        where = f"at {shape.items}" if shape.items else "at its top"
        raise RuleBroken("source_unreadable", f"The answer of the source has no list {where}.")
    return listed


def member(document: Any, path: str) -> Any:
    """What stands at a dotted path; None where nothing does."""
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document
