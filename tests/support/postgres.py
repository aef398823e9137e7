"""A throw-away PostgreSQL cluster on a free port, for tests and benchmarks.

    with cluster() as url:
        ...

PostgreSQL refuses to run as root, so root starts it as the user `postgres` that Debian's package makes.
Durability is off: nothing in it outlives the run.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

INSTALL = (
    "PostgreSQL is missing: install Debian's package `postgresql` (as root: apt-get install postgresql)."
)
SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=128MB",
    "max_connections=60",
    "timezone=UTC",
)
ROOM = 4 << 30
EMPTY = """
DO $$
DECLARE statement text;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR statement IN
        SELECT format(
            CASE WHEN pg_relation_size(oid) > 1e6 THEN 'TRUNCATE %I CASCADE' ELSE 'DELETE FROM %I' END,
            relname
        )
        FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
    LOOP
        EXECUTE statement;
    END LOOP;
    PERFORM setval(oid, 1, false) FROM pg_class WHERE relkind = 'S';
END $$
"""
"""Of a table that holds little, deleting takes a tenth of the time that new files for it would take."""


@contextmanager
def cluster() -> Iterator[str]:
    """The URL of the `postgres` database of a new cluster, which is stopped and deleted at the end."""
    folder = make_folder()
    try:
        yield start(folder)
    finally:
        stop(folder)


def fast_folder() -> Path:
    """Where tests write what nobody keeps: the memory, if it has room; benchmarks write on the disk."""
    memory = Path("/dev/shm")
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    return memory if roomy else Path(tempfile.gettempdir())


def make_folder(parent: Path | None = None) -> Path:
    """A folder that the server's user may write: in this one, or where temporary files are."""
    folder = Path(tempfile.mkdtemp(prefix="headwater-postgres-", dir=parent))
    if os.geteuid() == 0:
        shutil.chown(folder, user="postgres")
    return folder


def start(folder: Path) -> str:
    """Make a cluster in `folder`, start it, and return its URL.

    Raises:
        RuntimeError: PostgreSQL is missing, or would not start; the sentence says what to do.
    """
    data = folder / "data"
    _run(
        "initdb", "-D", data, "-U", "headwater", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"
    )
    for _ in range(3):  # another process may take the port between our look and the server's
        port = _free_port()
        options = [f"-c {setting}" for setting in (*SETTINGS, f"port={port}", "listen_addresses=127.0.0.1")]
        options.append(f"-c unix_socket_directories={folder}")
        try:
            _run("pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", " ".join(options), "start")
        except RuntimeError:
            continue
        return f"postgresql+psycopg://headwater@127.0.0.1:{port}/postgres"
    raise RuntimeError(f"PostgreSQL would not start:\n{(folder / 'log').read_text()}")


def stop(folder: Path) -> None:
    """Stop the cluster of `folder`, if it runs, and delete it."""
    if (folder / "data" / "postmaster.pid").exists():
        _run("pg_ctl", "-D", folder / "data", "-m", "immediate", "-w", "stop")
    shutil.rmtree(folder, ignore_errors=True)


def create_database(cluster_url: str, name: str, *, template: str = "template1") -> str:
    """A new database of the cluster, as a copy of `template`; returns its URL."""
    engine = create_engine(cluster_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    return make_url(cluster_url).set(database=name).render_as_string(hide_password=False)


def empty(url: str) -> None:
    """Delete every row, past the triggers that refuse it to the service, and number from one again."""
    with _sweeper(url).begin() as connection:
        connection.execute(text(EMPTY))


@lru_cache
def _sweeper(url: str) -> Engine:
    """Its one connection stays open: a new one takes longer than the sweeping. Tests may cut it, though."""
    return create_engine(url, pool_size=1, pool_pre_ping=True)


def _run(program: str, *arguments: str | Path) -> None:
    finished = subprocess.run(
        [_program(program), *map(str, arguments)],
        user="postgres" if os.geteuid() == 0 else None,
        group="postgres" if os.geteuid() == 0 else None,
        extra_groups=[] if os.geteuid() == 0 else None,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # a pipe would stay open in the server that pg_ctl leaves behind
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if finished.returncode:
        raise RuntimeError(f"{program} failed with status {finished.returncode}")


def _program(name: str) -> Path:
    """The newest installed version's program."""
    found = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parent.parent.name)
    )
    if not found:
        raise RuntimeError(INSTALL)
    return found[-1]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
