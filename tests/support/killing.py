"""Scripts that kill themselves in the middle of their work, as a machine does that loses power."""

from __future__ import annotations

import signal
import sys

from support.processes import forking

SETTINGS = """
import datetime as dt, os, signal, sys
from pathlib import Path
from app.core.config import Config
from app.core.db import Database
NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
"""
"""How such a script begins: `die` may be called with anything."""


def killed(script: str, *arguments: str) -> bool:
    """Run a script that kills itself; whether it did."""
    child = forking().Process(target=_run, args=(script, arguments))
    child.start()
    child.join()
    assert child.exitcode in (0, -signal.SIGKILL), "the script broke: its error stands in stderr"
    return child.exitcode == -signal.SIGKILL


def _run(script: str, arguments: tuple[str, ...]) -> None:
    sys.argv[1:] = arguments
    exec(script, {"__name__": "__main__"})
