"""What people may type: plain whole numbers and days, nothing guessed."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.entrypoints.web import forms
from app.entrypoints.web.language import ShippedDomain
from app.entrypoints.web.replies import local_address


@pytest.fixture(autouse=True)
def speaking() -> object:
    """Sentences of forms are translated, so there must be a request that speaks a language."""
    from flask_babel import Babel

    app = Flask("forms")
    babel = Babel(app)
    babel.domain_instance = ShippedDomain()
    with app.test_request_context("/"):
        yield


@pytest.mark.parametrize(
    "typed", ["1.5", "1_000", "1,000", "-3", "+3", "１２", "١٢", "0x10", "1e3", "NaN", "", "0"]
)
def test_a_quantity_is_nothing_but_digits(typed: str) -> None:
    given = forms.read(forms.Counter(), {"version": "1", "quantity": typed, "week": "2026-11-23"})
    assert set(given.errors) == {"quantity"}
    assert given.values == {}


@given(st.integers(1, 10**9))
def test_a_quantity_in_digits_is_that_number(quantity: int) -> None:
    with Flask("plain").app_context():
        read = forms.read(forms.Receipt(), {"reference": "DN", "quantity": f" {quantity} "})
    assert read.values["quantity"] == quantity


def test_a_day_is_read_as_the_monday_of_its_week() -> None:
    typed = {"version": "1", "quantity": "2", "week": "2026-11-25", "note": ""}
    assert forms.read(forms.Counter(), typed).values["week"] == dt.date(2026, 11, 23)


@pytest.mark.parametrize("typed", ["2026-02-30", "30.11.2026", "", "2026-W48"])
def test_a_day_that_is_none_is_refused(typed: str) -> None:
    read = forms.read(forms.Counter(), {"version": "1", "quantity": "2", "week": typed})
    assert set(read.errors) == {"week"}


def test_a_decline_says_why() -> None:
    def told(note: str) -> dict[str, str]:
        return forms.read(forms.Decline(), {"version": "3", "note": note}).errors

    assert told("") == {"note": "This is needed."}
    assert told("x" * 501) == {"note": "At most 500 characters."}
    assert forms.read(forms.Decline(), {"version": "0", "note": "x"}).errors == {
        "version": "The number must be from 1 to 1000000000."
    }
    assert forms.read(forms.Decline(), {"note": "x"}).errors == {"version": "This is needed."}


def test_a_limit_may_leave_its_price_open() -> None:
    typed = {"scope": "sku", "base": "units", "threshold_percent": "40", "penalty": ""}
    assert forms.read(forms.Limit(), typed).values == {
        "scope": "sku",
        "base": "units",
        "threshold_percent": 40,
        "hard": False,
        "penalty": None,
    }


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "", None, "/a\\b", "javascript:x"],
)
def test_after_the_sign_in_nobody_is_sent_elsewhere(address: str | None) -> None:
    assert local_address(address) is None


@pytest.mark.parametrize("address", ["/", "/plan?run=2", "/campaigns/3"])
def test_an_address_of_this_site_is_kept(address: str) -> None:
    assert local_address(address) == address
