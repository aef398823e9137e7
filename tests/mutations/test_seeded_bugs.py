"""What the properties say always holds, and each bug seeded into the rules is caught by them."""

from __future__ import annotations

from importlib import import_module

import pytest
from mutations import campaign_bugs, commitment_bugs, launch_bugs, pool_bugs, suspicion_bugs
from mutations.seeding import Mutation, Property, caught

THEMES = (campaign_bugs, commitment_bugs, launch_bugs, pool_bugs, suspicion_bugs)
PROVEN = [(module, proofs) for theme in THEMES for module, proofs in theme.PROPERTIES.items()]
SEEDED = [(bug, theme.PROPERTIES[bug.module]) for theme in THEMES for bug in theme.BUGS]


@pytest.mark.parametrize(("module", "proofs"), PROVEN, ids=[module for module, _ in PROVEN])
def test_it_always_holds(module: str, proofs: list[Property]) -> None:
    for prove in proofs:
        prove(import_module(module))


@pytest.mark.parametrize(("bug", "proofs"), SEEDED, ids=[str(bug) for bug, _ in SEEDED])
def test_a_seeded_bug_is_caught(bug: Mutation, proofs: list[Property]) -> None:
    assert caught(bug, by=proofs)
