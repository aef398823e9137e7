"""Addresses that may be asked, and the way from one page to the next."""

from __future__ import annotations

import datetime as dt

import pytest

from app.core.errors import RuleBroken
from app.stages.imports.queries import mapping
from app.stages.imports.rules import paging

URL = "https://shop.example/admin/orders.json?fields=id"
SHOPIFY, OURS = mapping("shopify-webhook").pull, mapping("headwater-events").pull
assert SHOPIFY is not None and OURS is not None
SINCE = dt.datetime(2026, 11, 2, 3, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "2606:4700:4700::1111",
        "64:ff9b::808:808",
    ],
)
def test_addresses_of_the_public_network(address: str) -> None:
    assert paging.is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:0:0:0:0:80ff:fffe",
    ],
)
def test_addresses_of_ones_own_network_also_where_they_hide(address: str) -> None:
    assert not paging.is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/orders",
        "ftp://shop.example/orders",
        "file:///etc/passwd",
        "https://",
        "https:///orders",
        "https://me:secret@shop.example/",
        "https://shop.example/#top",
        "https://shop.example/a b",
        "https://shop.example/\r\nHost: x",
        "https://shop.example:99999/",
        "https://[::1/",
        "https://shöp.example/",
        "https://shop.example/" + "x" * 2000,
        "",
    ],
)
def test_no_address_of_a_source(url: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        paging.check_address(url, trusted=())
    assert refused.value.code == "source_address"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "10.0.0.1",
        "localhost",
        "LOCALHOST.",
        "erp.internal",
    ],
)
def test_a_host_of_ones_own_network_is_refused_when_a_channel_is_connected(host: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        paging.check_address(f"https://{host}/orders", trusted=())
    assert refused.value.code == "source_private"
    with pytest.raises(RuleBroken):
        paging.check_address("https://shop.example:22/orders", trusted=())


def test_a_trusted_host_may_be_asked_over_http() -> None:
    assert paging.check_address("http://erp.internal:8080/x", trusted=["erp.internal"])


def test_the_first_page_has_the_mapping_s_parameters_and_the_latest_change() -> None:
    first = paging.page_address(URL, SHOPIFY, position=None, since=SINCE)
    assert first == (
        "https://shop.example/admin/orders.json?fields=id&status=any&limit=250"
        "&order=updated_at+asc&updated_at_min=2026-11-02T03%3A00%3A00Z"
    )
    assert paging.page_address(URL, OURS, position="a/b", since=None).endswith("?fields=id&cursor=a%2Fb")


def step(link: str, position: str | None = None) -> str | None:
    return paging.next_position(SHOPIFY, asked=URL, position=position, document={}, link=link, count=1)


@pytest.mark.parametrize(
    ("link", "position"),
    [
        ("", None),
        ('<https://shop.example/orders?page_info=p>; rel="previous"', None),
        ('<https://shop.example/o?p=1>; rel="previous", <https://shop.example/o?p=2>; rel="next"', "/o?p=2"),
        ("</o?p=3>; rel=next", "/o?p=3"),
        ('<?p=4>; title="x"; rel="last next"', "/admin/orders.json?p=4"),
        ("nonsense", None),
    ],
)
def test_the_next_page_stands_in_the_link_header(link: str, position: str | None) -> None:
    assert step(link) == position


@pytest.mark.parametrize(
    "link",
    ["https://elsewhere.example/o", "http://shop.example/o", "//10.0.0.1/o", "https://shop.example:8443/o"],
)
def test_a_next_page_on_another_host_is_refused(link: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        step(f"<{link}>; rel=next")
    assert refused.value.code == "source_strays"


def test_a_page_that_names_itself_is_refused() -> None:
    with pytest.raises(RuleBroken) as refused:
        step("</o?p=3>; rel=next", position="/o?p=3")
    assert refused.value.code == "source_loops"


def test_pages_are_counted_where_nothing_names_the_next() -> None:
    counted = paging.parse_pull("x", {"follow": "page", "parameter": "page"})
    told = {"asked": URL, "document": [], "link": ""}
    assert paging.next_position(counted, position=None, count=3, **told) == "2"  # type: ignore[arg-type]
    assert paging.next_position(counted, position="2", count=0, **told) is None  # type: ignore[arg-type]
    assert paging.documents([1], counted) == [1]


def test_a_mapping_that_lacks_what_its_way_needs_is_refused() -> None:
    with pytest.raises(RuleBroken) as refused:
        paging.parse_pull("x", {"follow": "cursor"})
    assert refused.value.code == "mapping_invalid"
