"""Events as rows of a mapping: the members of a document by their dotted paths, as text."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from app.stages.imports.rules.mapping import Mapping
from app.stages.imports.rules.paging import member

LINE = "line."
CHANGED = "changed_at"


def kind_of(document: Any, mapping: Mapping, *, topic: str) -> str | None:
    """The type of an event that the mapping reads: told in the document, or else in a header."""
    assert mapping.event is not None
    told = member(document, mapping.event.type) if mapping.event.type else topic
    return told if told in mapping.event.types else None


def rows(document: Any, mapping: Mapping) -> list[dict[str, str | None]]:
    """One row for each line of the document, or one for all of it: the fields as text, and nothing else.

    The heading of a column is a dotted path; one that begins with "line." is looked for in the line. The
    first heading with a value counts.
    """
    event = mapping.event
    assert event is not None
    wanted = {**mapping.columns, CHANGED: (event.changed_at,)}
    listed = member(document, event.lines) if event.lines else [document]
    return [
        {field: _first(document, line, paths) for field, paths in wanted.items()}
        for line in (listed if isinstance(listed, list) else [])
    ]


def changed_at(row: dict[str, str | None]) -> dt.datetime | None:
    """When the sender made the change; None where that is no time with an offset, after the year 2000."""
    try:
        told = dt.datetime.fromisoformat(row[CHANGED] or "")
    except ValueError:
        return None
    return told.astimezone(dt.UTC) if told.tzinfo is not None and told.year in range(2000, 2100) else None


def _first(document: Any, line: Any, paths: tuple[str, ...]) -> str | None:
    for path in paths:
        place, name = (line, path.removeprefix(LINE)) if path.startswith(LINE) else (document, path)
        found = _text(member(place, name))
        if found is not None:
            return found
    return None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, dict | list):
        return None
    return value if isinstance(value, str) else json.dumps(value)
