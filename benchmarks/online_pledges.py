"""Pledges a second online on PostgreSQL, over FastAPI and asyncpg with the same statements; a hot cell.

    python benchmarks/online_pledges.py [--requests 1500] [--repeats 3]

Both are served by granian, one process each: the service with 8 blocking threads, the peer (online_peer.py)
with its event loop. 16 connections send one pledge after the other. CPU is that of the server and of
PostgreSQL, from /proc. A throw-away cluster is used.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import http.client
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support import postgres  # noqa: E402

CONNECTIONS = 16
SKUS, REGIONS, CAMPAIGNS = 100, 20, 20
KEY = "benchmark"
AT = dt.datetime(2026, 11, 11, 12, tzinfo=dt.UTC)
numbers = itertools.count()


@dataclass(frozen=True)
class Measured:
    """Requests a second, and CPU seconds of server and database for each."""

    rate: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=1_500)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    folder = postgres.make_folder()
    try:
        url = postgres.create_database(postgres.start(folder), "online")
        token = prepared(url)
        with (
            served("wsgi:app", "wsgi", url, "--blocking-threads", "8") as ours,
            served("benchmarks.online_peer:app", "asgi", url, "--loop", "asyncio") as peers,
        ):
            compare(ours, peers, token, folder, options.requests, options.repeats)
            check(url)
    finally:
        postgres.stop(folder)


def compare(
    ours: tuple[int, int], peers: tuple[int, int], token: str, folder: Path, requests: int, repeats: int
) -> None:
    postmaster = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    def run(server: tuple[int, int], body: Callable[[], bytes], path: str, count: int) -> Measured:
        port, pid = server
        before, started = cpu_of(pid) + cpu_of(postmaster), time.perf_counter()
        send(port, path, token, body, count)
        seconds = time.perf_counter() - started
        return Measured(count / seconds, (cpu_of(pid) + cpu_of(postmaster) - before) / count)

    for server in (ours, peers):
        run(server, uniform, "pledges", 200)  # statements are prepared, pools filled
    found: dict[str, list[Measured]] = {"service": [], "peer": [], "hot": [], "batch": []}
    for _ in range(repeats):
        found["service"].append(run(ours, uniform, "pledges", requests))
        found["peer"].append(run(peers, uniform, "pledges", requests))
        found["hot"].append(run(ours, hot, "pledges", requests))
        found["batch"].append(run(ours, batch, "pledges:batch", 8))
    for name, runs in found.items():
        rows = 1_000 if name == "batch" else 1
        rate, cpu = (statistics.median(getattr(one, field) for one in runs) for field in ("rate", "cpu"))
        print(f"{name}: {rate * rows:,.0f} pledges/s, {cpu / rows * 1e6:,.0f} µs of CPU each")
    print(f"single POST ÷ FastAPI + asyncpg: {ratio(found, 'service', 'peer'):.2f} (goal ≥ 1.3)")
    print(f"hot cell ÷ uniform cells: {ratio(found, 'hot', 'service'):.2f} (goal ≥ 0.85)")
    part = statistics.median(
        b.cpu / 1_000 / s.cpu for b, s in zip(found["batch"], found["service"], strict=True)
    )
    print(f"CPU of a row in a batch ÷ of a single POST: {part:.3f} (goal ≤ 0.1)")


def ratio(found: dict[str, list[Measured]], one: str, other: str) -> float:
    return statistics.median(a.rate / b.rate for a, b in zip(found[one], found[other], strict=True))


def pledge(number: int, campaign: int, sku: int, region: int) -> dict[str, object]:
    return {
        "channel": "shop",
        "external_id": f"P-{number:09d}",
        "commitment": "pledge",
        "sku": f"SKU{sku}",
        "region": f"R{region}",
        "quantity": 1 + number % 3,
        "unit_price": "19.90",
        "currency": "CNY",
        "ordered_at": (AT + dt.timedelta(milliseconds=number)).isoformat(timespec="milliseconds"),
        "buyer": f"buyer {number}",
        "campaign": f"C{campaign}",
    }


def uniform() -> bytes:
    number = next(numbers)
    spread = pledge(number, number % CAMPAIGNS, number * 7 % SKUS, number * 13 % REGIONS)
    return json.dumps(spread).encode()


def hot() -> bytes:
    return json.dumps(pledge(next(numbers), 0, 0, 0)).encode()


def batch() -> bytes:
    return b"[" + b",".join(uniform() for _ in range(1_000)) + b"]"


def send(port: int, path: str, token: str, body: Callable[[], bytes], count: int) -> None:
    """`count` requests over CONNECTIONS connections; whatever is not taken ends the benchmark."""
    bodies = iter([body() for _ in range(count)])
    failures: list[str] = []
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while (content := next(bodies, None)) is not None and not failures:
            connection.request("POST", f"/api/v1/{path}", content, headers)
            answer = connection.getresponse()
            told = answer.read()
            if answer.status not in (200, 201) or b'"rejected"' in told:
                failures.append(f"{answer.status} {told[:300]!r}")

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(failures[0])


def prepared(url: str) -> str:
    """Codes, open campaigns and a merchandiser; returns the merchandiser's token."""
    from sqlalchemy import insert

    from app.core import access, schema
    from app.core.access import Role
    from app.core.db import Database
    from app.stages.catalog import operations as catalog
    from app.stages.demand.models import Campaign, Channel

    db = Database(url)
    schema.migrate(db)
    with db.transaction() as session:
        catalog.register_unknown(
            session,
            skus=[(f"SKU{number}", None, True) for number in range(SKUS)],
            regions=[f"R{number}" for number in range(REGIONS)],
            timezone="Asia/Shanghai",
        )
        terms = {"name": "C", "state": "open", "opens_at": AT - dt.timedelta(days=9), "expected_units": 1_000}
        terms |= {
            "closes_at": AT + dt.timedelta(days=9),
            "per_buyer_limit": 5,
            "due_week": dt.date(2026, 12, 7),
        }
        session.execute(insert(Campaign), [{"code": f"C{number}", **terms} for number in range(CAMPAIGNS)])
        session.execute(insert(Channel).values(code="shop", currency="CNY", created_at=AT))
        account = access.create_account(
            session, email="m@x.example", name="M", password="long enough!", role=Role.MERCHANDISER, now=AT
        )
        token = access.create_token(session, account_id=account.id, label="benchmark", now=AT)
    db.dispose()
    return token


@contextlib.contextmanager
def served(target: str, interface: str, url: str, *more: str) -> Iterator[tuple[int, int]]:
    """Port and process id of a granian that serves `target` with one worker."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", interface, "--port", str(port)]
    command += ["--workers", "1", "--no-access-log", *more, target]
    env = os.environ | {
        "DATABASE_URL": url,
        "PSEUDONYM_KEY": KEY,
        "SECRET_KEY": KEY * 5,
    }
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=ROOT, env=env, **quiet)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        time.sleep(1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(timeout=20)


def cpu_of(pid: int) -> float:
    """CPU seconds of a process and its children, also of those that have ended."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rsplit(")", 1)[1].split()
            if pid in (int(path.parent.name), int(fields[1])):
                ticks += int(fields[11]) + int(fields[12])
                ticks += (int(fields[13]) + int(fields[14])) if int(path.parent.name) == pid else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def check(url: str) -> None:
    from app.core.db import Database
    from app.stages.demand import queries

    db = Database(url)
    with db.reading() as session:
        print(f"roll-ups equal a recount: {queries.recount(session) == []}")
    db.dispose()


if __name__ == "__main__":
    main()
