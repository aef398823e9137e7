"""What the worker processes of one test run share, made once: a cluster and migrated databases."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support import postgres


class TestRun:
    """A folder that all processes of the run know.

    Whoever needs a thing first makes it while the others wait; the process that began the run ends it.
    """

    __test__ = False
    TEMPLATE = "headwater_template"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def sqlite_template(self) -> Path:
        """A migrated SQLite file without rows."""
        path = self.folder / "template.db"
        with self.alone("sqlite"):
            if not path.exists():
                fresh = self.folder / "fresh.db"
                _migrate(f"sqlite:///{fresh}")
                fresh.rename(path)
        return path

    def sqlite_copy(self, template: Path, name: str) -> str:
        """The URL of a copy of a file and what waits beside it; the copy of before is gone."""
        path = self.folder / f"{name}.db"
        for end in ("", "-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
            if (part := template.with_name(template.name + end)).exists():
                shutil.copy(part, path.with_name(path.name + end))
        return f"sqlite:///{path}"

    def postgres_url(self) -> str:
        """The running cluster, whose database TEMPLATE is migrated and without rows."""
        note = self.folder / "postgres.url"
        with self.alone("postgres"):
            if not note.exists():
                cluster = postgres.make_folder(postgres.fast_folder())
                (self.folder / "postgres.folder").write_text(str(cluster))
                url = postgres.start(cluster)
                _migrate(postgres.create_database(url, self.TEMPLATE))
                note.write_text(url)
        return note.read_text()

    def end(self) -> None:
        note = self.folder / "postgres.folder"
        if note.exists():
            postgres.stop(Path(note.read_text()))
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """One process of the run at a time."""
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _migrate(url: str) -> None:
    from app.core.db import Database
    from app.core.schema import migrate

    db = Database(url)
    migrate(db)
    db.dispose()
