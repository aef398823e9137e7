"""The four ways an operation can refuse; the door turns each into one HTTP status."""

from __future__ import annotations

from typing import Any, ClassVar


class HeadwaterError(Exception):
    """A refusal with a stable `code`, a sentence for people, and data for machines."""

    status: ClassVar[int] = 500

    def __init__(self, code: str, sentence: str, **data: Any) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.data = data


class NotFound(HeadwaterError):
    status = 404


class NotAllowed(HeadwaterError):
    status = 403


class RuleBroken(HeadwaterError):
    status = 422


class Conflict(HeadwaterError):
    status = 409
