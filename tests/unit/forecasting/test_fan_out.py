"""The same forecasts on the workers of a cluster, to the bit, also when one of them dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from distributed import Client

from forecasting import backtest, forecast_demand
from forecasting.methods import points
from support.processes import cluster

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with cluster() as client:
        yield client


@pytest.fixture
def history(monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    monkeypatch.setattr(points, "BLOCK_SERIES", 3)
    draw = np.random.default_rng(11)
    weeks = pd.date_range("2025-01-06", periods=40, freq="7D")
    units = draw.gamma(8, 4, (6, 40)).round()
    ids = np.repeat([f"s{number}" for number in range(6)], 40)
    return pd.DataFrame({"unique_id": ids, "ds": np.tile(weeks, 6), "y": units.ravel()})


def test_a_cluster_gives_the_bits_of_one_process(client: Client, history: pd.DataFrame) -> None:
    here, there = (forecast_demand(history, horizon=4, freq="W", client=one) for one in (None, client))
    pd.testing.assert_frame_equal(here, there, check_exact=True)
    backs = [backtest(history, horizon=4, freq="W", client=one) for one in (None, client)]
    pd.testing.assert_frame_equal(*backs, check_exact=True)


def test_a_worker_that_dies_is_made_up_for(client: Client, history: pd.DataFrame) -> None:
    killed: list[int] = []

    def kill_one(done: int, total: int) -> None:
        if not killed:
            killed.append(min(client.run(os.getpid).values()))
            os.kill(killed[0], signal.SIGKILL)

    here = forecast_demand(history, horizon=4, freq="W")
    there = forecast_demand(history, horizon=4, freq="W", client=client, progress=kill_one)
    assert killed
    pd.testing.assert_frame_equal(here, there, check_exact=True)


def test_a_call_that_is_stopped_leaves_the_cluster_usable(client: Client, history: pd.DataFrame) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        forecast_demand(history, horizon=4, freq="W", client=client, progress=stop)
    assert forecast_demand(history, horizon=4, freq="W", client=client).shape[0] == 24
