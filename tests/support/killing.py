"""Scripts that kill themselves in the middle of their work, as a machine does that loses power."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
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
    ended = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
    return ended.returncode == -signal.SIGKILL
