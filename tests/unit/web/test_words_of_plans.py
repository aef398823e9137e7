"""Every code a plan or its explanation can say has words, in English and Chinese."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields
from typing import Any, get_args

import pytest
from flask import Flask
from flask_babel import force_locale

from app import create_app
from app.core.config import Config
from app.entrypoints.web import explained, words
from app.stages.allocation.translate.answer import REASONS
from app.stages.catalog.queries import Name, Names
from optimizer import Cost
from optimizer.form import codes
from optimizer.insight.relief import LOOSENED
from optimizer.insight.why import DECIDED_BY
from optimizer.telling import sentences

RULES = get_args(codes.Rule)
LABELS: dict[str, tuple[tuple[str, ...], Any]] = {
    "rules": (RULES, words.RULES),
    "reasons": (get_args(codes.Reason), words.UNMET),
    "decisions": (get_args(codes.Decision), words.DECIDED),
    "held": (tuple(set(get_args(codes.Held)) - set(RULES)), words.HELD),
    "costs": (tuple(one.name for one in fields(Cost)), words.COST_PARTS),
}
MILL, DOCK = Name("S1", "Mill", None), Name("W1", "Dock", None)
NAMES = Names(skus={}, suppliers={1: MILL}, warehouses={1: DOCK}, regions={})


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder = tmp_path_factory.mktemp("words")
    return create_app(Config.from_env({"HEADWATER_DATA": str(folder), "LOG_LEVEL": "ERROR"}))


@pytest.mark.parametrize("kind", LABELS)
def test_every_code_has_its_words_in_both_languages(app: Flask, kind: str) -> None:
    wanted, known = LABELS[kind]
    with app.test_request_context():
        for code in wanted:
            with force_locale("en"):
                english = words.label(known, code)
            with force_locale("zh_Hans_CN"):
                chinese = words.label(known, code)
            assert english != code, code
            assert chinese not in (english, code) or code in ("moq",), code


def test_the_package_speaks_of_every_code_itself() -> None:
    assert set(RULES) == set(sentences.RULES)
    assert set(get_args(codes.Decision)) == set(sentences.DECIDED)
    assert set(DECIDED_BY.values()) <= set(get_args(codes.Decision))
    assert set(DECIDED_BY) == {one.name for one in fields(Cost)}
    assert set(LOOSENED) <= set(RULES)
    assert set(get_args(codes.Reason)) <= set(REASONS)


ROW = {"step": 2.0, "saving": 5.0, "per_unit": 2.5}
NUMBERS = {
    "least": 2,
    "units": 5,
    "max_share": 0.4,
    "suppliers": 2,
    "covered": 4,
    "floor": 0.5,
    "percent": 45,
}


@pytest.mark.parametrize("locale", ["en", "zh_Hans_CN"])
def test_every_clash_way_out_and_step_is_a_sentence(app: Flask, locale: str) -> None:
    with app.test_request_context(), force_locale(locale):
        said = [explained.way({"code": code, "numbers": NUMBERS}) for code in get_args(codes.Way)]
        ids = {"sku": "A", "scope": "plan", "key": None}
        clashes = [{"rule": code, "ids": ids, "numbers": NUMBERS} for code in get_args(codes.Clash)]
        said += [explained.clash(one, NAMES) for one in clashes]
        bases: list[dict[str, Any]] = [{}, {"base": "spend"}]
        said += [explained._step(ROW | {"rule": "share_cap", "ids": base}) for base in bases]
        said += [explained._step(ROW | {"rule": "moq", "ids": {}})]
        said += [explained._held(code) for code in get_args(codes.Held)]
    assert len(set(said)) == len(said)
    assert not any("%(" in one for one in said)


def test_a_lane_and_a_material_are_named(app: Flask) -> None:
    with app.test_request_context():
        monday = dt.date(2026, 1, 5)
        assert "Mill" in explained.place({"from": "S1", "to": "W1"}, NAMES, first=monday)
        assert "→" in explained.place({"from": "S1", "to": "W1"}, NAMES, first=monday)
        assert explained.place({"material": "M"}, NAMES, first=monday) == "M"
