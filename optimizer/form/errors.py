"""The named refusals of this package. Each carries where the fault is and why, in words for people."""

from __future__ import annotations


class _At(ValueError):
    """What is wrong at a path. The arguments stay as given, which is what pickle asks of an error."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class ProblemError(_At):
    """The problem can't be built: path says which value ("offers[3].moq"), reason says what is wrong."""


class StateError(_At):
    """A search can't go on from the state file at path: reason says why."""


class BrokenRule(ValueError):
    """A plan breaks a rule of its problem: rule is the rule's name, where the ids, reason by how much."""

    def __init__(self, rule: str, where: str, reason: str) -> None:
        super().__init__(rule, where, reason)
        self.rule = rule
        self.where = where
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.rule} [{self.where}]: {self.reason}"


class Cancelled(Exception):
    """Raised by progress to end the search: solve gives back the best plan it has by then."""


class SolverError(RuntimeError):
    """No solver could take the model; the text is theirs."""


# What a process may hand to another as it is.
OURS = (ProblemError, BrokenRule, StateError, Cancelled, SolverError)
