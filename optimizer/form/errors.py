"""The named refusals of this package. Each carries where the fault is and why, in words for people."""

from __future__ import annotations

from typing import Any


class ProblemError(ValueError):
    """The problem can't be built: path says which value ("offers[3].moq"), reason says what is wrong."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")

    def __reduce__(self) -> tuple[Any, ...]:
        """By pickle to another process and back."""
        return type(self), (self.path, self.reason)


class BrokenRule(ValueError):
    """A plan breaks a rule of its problem: rule is the rule's name, where the ids, numbers say by how
    much."""

    def __init__(self, rule: str, where: str, reason: str) -> None:
        self.rule = rule
        self.where = where
        self.reason = reason
        super().__init__(f"{rule} [{where}]: {reason}")

    def __reduce__(self) -> tuple[Any, ...]:
        """By pickle to another process and back."""
        return type(self), (self.rule, self.where, self.reason)


class StateError(ValueError):
    """A search can't go on from the state file at path: reason says why."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")

    def __reduce__(self) -> tuple[Any, ...]:
        """By pickle to another process and back."""
        return type(self), (self.path, self.reason)


class Cancelled(Exception):
    """Raised by progress to end the search: solve gives back the best plan it has by then."""


class SolverError(RuntimeError):
    """No solver could take the model; the text is theirs."""


# What a process may hand to another as it is.
OURS = (ProblemError, BrokenRule, StateError, Cancelled, SolverError)
