"""What single values of a problem must be; each refusal with its path and reason."""

from __future__ import annotations

import math
from collections.abc import Iterable

from optimizer.form.errors import ProblemError

# Above this a float no longer holds every sum of quantities times prices to the unit.
LARGEST_QUANTITY = 10**8
LARGEST_MONEY = 1e9
LARGEST_HORIZON = 520


def fail(path: str, reason: str) -> None:
    raise ProblemError(path, reason)


def check_number(path: str, value: float, *, most: float = LARGEST_MONEY) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        fail(path, f"must be a number, not {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        fail(path, "must be finite (no NaN, no infinity)")
    if value < 0:
        fail(path, f"must not be negative: {_brief(value)}")
    if value > most:
        fail(path, f"{_brief(value)} is above the largest value {most:g}")


def _brief(value: float) -> str:
    """A number for a sentence: one of hundreds of digits by its first ones."""
    text = str(value)
    return text if len(text) <= 30 else f"{text[:12]}… of {len(text)} digits"


def check_whole(path: str, value: int, *, least: int = 0, most: int = LARGEST_QUANTITY) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        fail(path, f"must be a whole number, not {value!r}")
    if value < least:
        fail(path, f"must be at least {least}, not {_brief(value)}")
    if value > most:
        fail(path, f"{_brief(value)} is above the largest value {most}")


def check_units(path: str, value: float, *, continuous: bool, least: int = 0) -> None:
    """A quantity: whole, or any number in a continuous problem."""
    if continuous:
        check_number(path, value, most=LARGEST_QUANTITY)
        if value < least:
            fail(path, f"must be at least {least}, not {value}")
    else:
        check_whole(path, value, least=least)  # type: ignore[arg-type]


def check_weekly(path: str, values: Iterable[float] | None, *, weeks: int, whole: bool = False) -> None:
    if values is None:
        return
    listed = list(values)
    if len(listed) != weeks:
        fail(path, f"has {len(listed)} values for {weeks} weeks")
    for week, value in enumerate(listed):
        if whole:
            check_units(f"{path}[{week}]", value, continuous=False)
        check_number(f"{path}[{week}]", value, most=1e12)


def check_id(path: str, value: str) -> None:
    if not isinstance(value, str) or not value:
        fail(path, f"must be a non-empty text, not {value!r}")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        fail(path, f"is no valid Unicode text: {value!r}")


def check_known(path: str, value: str, known: set[str], kind: str) -> None:
    if value not in known:
        fail(path, f"unknown {kind} {value!r}")
