"""The command line: every command of `flask --app wsgi`."""

from __future__ import annotations

import importlib

from flask import Flask

MODULES = (
    "admin",
    "imports",
    "campaigns",
    "channels",
    "demo",
    "forecast",
    "cycle",
    "policy",
    "privacy",
    "archive",
)


def register(app: Flask) -> None:
    for name in MODULES:
        for command in importlib.import_module(f"{__name__}.{name}").commands:
            app.cli.add_command(command)
