"""Seeding bugs into copies of rules, to see that the properties of the rules catch every one of them.

How to add some, on one page:

1.  A property is a function that takes the *module* of the rules and fails when they are wrong:

        def tiers_never_rise(rules: ModuleType) -> None:
            @QUICK
            @given(...)
            def holds(...): assert rules.volume_price(...) ...
            holds()

    Hypothesis runs inside, derandomized as everywhere here. The same functions run on the rules as they are,
    in an ordinary test: they are the tests of the rules, not of the bugs.

2.  A bug is one changed piece of the source, `Mutation(name, module, old, new)`: `old` must stand in the
    source exactly once, so that a bug can't get lost when the rules are rewritten: the test then says so.

3.  A test file lists both and calls the two functions below:

        @pytest.mark.parametrize("prove", PROPERTIES)
        def test_the_rules_hold(prove): prove(import_module(MODULE))

        @pytest.mark.parametrize("bug", BUGS, ids=str)
        def test_a_seeded_bug_is_caught(bug): assert caught(bug, by=PROPERTIES)

The copy is compiled under the name of the original and lives in memory only: nothing on disk changes, and the
service keeps the rules it has imported. A copy imports its neighbours unchanged, so a bug belongs into the
module whose functions the properties call.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import Phase, settings

QUICK = settings(max_examples=60, phases=(Phase.explicit, Phase.generate))
"""For the properties: that a bug is found matters here, and not its smallest example."""
Property = Callable[[ModuleType], None]


@dataclass(frozen=True)
class Mutation:
    """One bug: `old` becomes `new` in a copy of the module."""

    name: str
    module: str
    old: str
    new: str

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def mutated(bug: Mutation) -> ModuleType:
    """A copy of the module with the bug in it.

    Raises:
        LookupError: the piece of source is not there exactly once.
    """
    spec = importlib.util.find_spec(bug.module)
    assert spec is not None and spec.origin is not None
    source = Path(spec.origin).read_text(encoding="utf-8")
    if source.count(bug.old) != 1:
        raise LookupError(f"{bug.name}: {bug.old!r} stands {source.count(bug.old)} times in {bug.module}")
    copy = ModuleType(bug.module)
    copy.__file__ = spec.origin
    original = sys.modules.get(bug.module)
    sys.modules[bug.module] = copy  # while it is made: dataclasses look their module up
    try:
        exec(compile(source.replace(bug.old, bug.new), f"{spec.origin} ({bug.name})", "exec"), copy.__dict__)
    finally:
        if original is not None:
            sys.modules[bug.module] = original
        else:
            del sys.modules[bug.module]
    return copy


def caught(bug: Mutation, *, by: Iterable[Property]) -> bool:
    """Does any property fail with the bug? An error of another kind is a catch as well: the rules broke."""
    copy = mutated(bug)
    for prove in by:
        try:
            prove(copy)
        except (Exception, pytest.fail.Exception):
            return True
    return False
