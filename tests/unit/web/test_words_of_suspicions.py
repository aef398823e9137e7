"""Every rule that suspects pledges says why in a sentence, in English and Chinese."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import force_locale

from app import create_app
from app.core.config import Config
from app.entrypoints.web import reasons, words

EVIDENCE = {
    "score": 0.97,
    "window_start": "2026-11-10T04:00:07+00:00",
    "seconds": 7200,
    "pledges": 14,
    "buyers": 6,
    "devices": 3,
    "payments": 2,
    "addresses": 5,
    "expected_pledges": 1.4,
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder = tmp_path_factory.mktemp("words")
    return create_app(Config.from_env({"HEADWATER_DATA": str(folder), "LOG_LEVEL": "ERROR"}))


@pytest.mark.parametrize("rule", reasons.SUSPICIONS)
def test_every_suspicion_has_a_sentence_with_its_figures_in_both_languages(app: Flask, rule: str) -> None:
    told = {}
    for language in ("en", "zh_Hans_CN"):
        with app.test_request_context(), force_locale(language):
            told[language] = reasons.why({"rule": rule, **EVIDENCE}), words.label(words.SUSPICIONS, rule)
    (english, name), (chinese, chinese_name) = told["en"], told["zh_Hans_CN"]
    assert english != chinese and name not in (rule, chinese_name)
    for figure in ("14", "6"):
        assert figure in english and figure in chinese
    assert "%(" not in english + chinese


def test_groups_that_are_alike_say_what_they_share(app: Flask) -> None:
    with app.test_request_context(), force_locale("en"):
        sentence = reasons.why({"rule": "alike", **EVIDENCE})
    assert "3 devices, 2 payments, 5 addresses" in sentence and "would be 1" in sentence


def test_the_words_are_of_the_rules_there_are() -> None:
    assert set(reasons.SUSPICIONS) == set(words.SUSPICIONS)
