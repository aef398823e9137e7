"""A method is told by its parts, and its season by its length."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import Babel

from app.entrypoints.web import words


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("theta+ets-s52", "Theta + exponential smoothing, season of 52"),
        ("theta+ets+ar+ses", "Theta + exponential smoothing + autoregression + slow mean"),
        ("mean-short", "Mean, too short a history for more"),
        ("zero", "No demand"),
    ],
)
def test_a_method_is_told_in_words(name: str, said: str) -> None:
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        assert words.method(name) == said
