"""Child processes that begin without our threads, and with the imports that another one made for all of them.

A process that imports the service or a cluster's worker for itself takes two seconds of CPU before it does
anything; one that is forked from a server that has them takes none.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing.context import ForkServerContext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed import Client

IMPORTS = ["app.entrypoints.worker", "forecasting", "distributed.nanny"]


@lru_cache
def forking() -> ForkServerContext:
    """The server starts with the first process and ends with this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTS)
    return context


@contextmanager
def cluster() -> Iterator[Client]:
    """A client of two workers, each a process of its own; one that dies is started again."""
    import dask
    from distributed import Client, LocalCluster
    from distributed.utils import get_mp_context

    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        get_mp_context()  # it has a list of its own, the first time
        forking.cache_clear()
        forking()
        with (
            LocalCluster(
                n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
            ) as workers,
            Client(workers) as client,
        ):
            yield client
