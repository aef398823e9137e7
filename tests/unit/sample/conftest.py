from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from app.sample import SampleFiles, write_sample

AS_OF = date(2026, 11, 23)


@dataclass(frozen=True)
class Sample:
    """The written files, read back as text; orders and pledges with their hidden truth beside them."""

    files: SampleFiles
    orders: pl.DataFrame
    pledges: pl.DataFrame
    campaigns: pl.DataFrame
    landings: pl.DataFrame

    def network(self, name: str) -> pl.DataFrame:
        return read_text(self.files.network / f"{name}.csv")


def read_text(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False).fill_null("")


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    files = write_sample(tmp_path_factory.mktemp("sample"), as_of=AS_OF)
    truth = read_text(files.truth / "signals.csv")
    return Sample(
        files=files,
        orders=_with_truth(files.orders, truth),
        pledges=_with_truth(files.pledges, truth),
        campaigns=read_text(files.campaigns),
        landings=read_text(files.truth / "campaigns.csv"),
    )


def _with_truth(path: Path, truth: pl.DataFrame) -> pl.DataFrame:
    rows = truth.filter(pl.col("file") == path.name)
    return read_text(path).with_columns(truth=rows["truth"])
