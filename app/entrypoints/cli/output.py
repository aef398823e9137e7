"""How every command speaks: words for people, and with --json one object as the last line of stdout."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from app.core import schema
from app.core.errors import Conflict, HeadwaterError
from app.entrypoints.door import db


def command(
    name: str, *, say: Callable[[dict[str, Any]], str] | None = None
) -> Callable[[Callable[..., Any]], click.Command]:
    """A command that returns its result as a dict.

    Without --json, `say` turns the result into the text that is printed (default: one `key: value` per line).
    A refusal is a sentence on stderr and exit code 1; with --json it is also {"error": {…}} on stdout.
    """

    def wrap(function: Callable[..., dict[str, Any]]) -> click.Command:
        @functools.wraps(function)
        def run(*args: Any, as_json: bool, **kwargs: Any) -> None:
            try:
                result = function(*args, **kwargs)
            except HeadwaterError as refusal:
                _refuse(refusal, as_json=as_json)
            except DBAPIError as error:
                _refuse(_database_refusal(error), as_json=as_json)
            else:
                click.echo(_json(result) if as_json else (say or _lines)(result))

        option = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
        return click.command(name)(with_appcontext(option(run)))

    return wrap


def _database_refusal(error: DBAPIError) -> HeadwaterError:
    """What to do about a database that can't be reached or was not migrated; any other failure is ours."""
    try:
        found, wanted = schema.current(db()), schema.head()
    except DBAPIError as unreachable:
        first = str(unreachable.orig).strip().splitlines()[0]
        return Conflict("database_unreachable", f"The database can't be used: {first}. Check DATABASE_URL.")
    if found == wanted:
        raise error
    return Conflict(
        "schema_behind",
        f"The database is at revision {found or 'none'}, this version needs {wanted}. "
        "Run: flask --app wsgi migrate",
    )


def _refuse(refusal: HeadwaterError, *, as_json: bool) -> None:
    click.echo(f"{refusal.code}: {refusal.sentence}", err=True)
    for error in refusal.data.get("errors", []):
        click.echo("  " + ", ".join(f"{key} {value}" for key, value in error.items()), err=True)
    if as_json:
        click.echo(_json({"error": {"code": refusal.code, "sentence": refusal.sentence, **refusal.data}}))
    sys.exit(1)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _lines(result: dict[str, Any]) -> str:
    return "\n".join(f"{key}: {value}" for key, value in result.items())


class ProgressLine:
    """Progress on stderr: a line that is redrawn on a terminal, and one line per phase elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._phase = ""
        self._percent = -1

    def __call__(self, phase: str, done: int, total: int, _figures: object = None, /) -> None:
        percent = 100 if total <= 0 else min(100, done * 100 // total)
        if (phase, percent) == (self._phase, self._percent):
            return
        if self._live:
            bar = "█" * (percent // 5) + "·" * (20 - percent // 5)
            fresh = "\n" if self._phase and phase != self._phase else "\r"
            click.echo(f"{fresh}{phase:<28} {bar} {percent:3d} %", err=True, nl=False)
        elif phase != self._phase or percent // 25 != self._percent // 25:
            click.echo(f"{phase}: {percent} %", err=True)
        self._phase, self._percent = phase, percent

    def count(self, phase: str, done: int, _total: int, _figures: object = None, /) -> None:
        """Progress of work whose end is not known: how much is done."""
        if self._live:
            click.echo(f"\r{phase:<28} {done:,}", err=True, nl=False)
            self._phase = phase

    def close(self) -> None:
        if self._live and self._phase:
            click.echo("", err=True)
