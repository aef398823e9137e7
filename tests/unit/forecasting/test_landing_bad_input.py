"""Bad curves are refused with frame, campaign, row and a sentence, or left out where that is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from forecasting import ForecastInputError, forecast_landing
from forecasting.__main__ import main
from tests.unit.forecasting.landing_worlds import BOUNDS, DAYS, cut, drawn

KNOWN = drawn(12)


def now(count: int = 2, day: int = 10) -> pd.DataFrame:
    frame = cut(drawn(count, seed=5), day)
    return frame.assign(campaign_id="now" + frame["campaign_id"]).reset_index(drop=True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cum_units", np.nan), ("cum_units", -1.0), ("cum_units", np.inf), ("cum_units", 1e16),
        ("cum_units", "many"), ("elapsed_day", DAYS + 1), ("elapsed_day", 2), ("elapsed_day", 1.5),
        ("elapsed_day", -1), ("window_days", 0), ("window_days", DAYS + 1), ("window_days", np.inf),
        ("end", "2010-02-30"), ("end", pd.Timestamp("2024-03-02")), ("end", 20240301),
        ("end", pd.Timestamp("2024-03-01", tz="Asia/Tokyo")), ("sku", None), ("region", ["R"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("what", ["finished", "running"])
def test_bad_cells_are_named_by_frame_row_and_field(what: str, field: str, value: Any) -> None:
    frames = {"finished": KNOWN.reset_index(drop=True), "running": now()}
    bad = frames[what].astype({field: object})
    bad.at[3, field] = value
    with pytest.raises(ForecastInputError, match=f"in {what}") as caught:
        forecast_landing(**(frames | {what: bad}))
    error = caught.value
    assert (error.field, error.row, error.frame) == (field, 4, what)
    assert error.series == (None if field in ("sku", "region") else bad["campaign_id"][0])


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ForecastInputError, match="finished lacks the column sku"):
        forecast_landing(KNOWN.drop(columns="sku"), now())


@pytest.mark.parametrize("frame", [None, "curves.csv", [1], {"sku": [1]}])
def test_what_is_no_frame_is_refused(frame: Any) -> None:
    with pytest.raises(ForecastInputError, match="running must be a pandas or polars frame"):
        forecast_landing(KNOWN, frame)


@pytest.mark.parametrize(
    ("finished", "running"), [(1e-9, 1.0), (1.0, 1e-9), (1e12, 1.0), (1e12, 1e12), (0.0, 1.0), (0.0, 0.0)]
)
@pytest.mark.parametrize("count", [0, 1, 12])
def test_huge_tiny_and_no_units_give_ordered_numbers(count: int, finished: float, running: float) -> None:
    known = KNOWN[KNOWN["campaign_id"].isin([f"c{number}" for number in range(count)])]
    curves = now()
    found = forecast_landing(
        known.assign(cum_units=known["cum_units"] * finished),
        curves.assign(cum_units=curves["cum_units"] * running),
    )
    bounds = found[BOUNDS].to_numpy(dtype=float)
    assert np.isfinite(bounds).all()
    assert (np.diff(bounds, axis=1) >= 0).all()


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_bad_campaigns_are_left_out_where_that_is_asked(kind: str) -> None:
    worse = now(5).astype({"sku": object})
    worse.loc[worse["campaign_id"] == "nowc1", "cum_units"] = np.nan
    worse.loc[worse["campaign_id"] == "nowc3", "elapsed_day"] = 3
    good = worse[~worse["campaign_id"].isin(["nowc1", "nowc3"])]
    frames = [KNOWN, worse]
    if kind == "polars":
        frames = [pl.DataFrame({name: frame[name].to_list() for name in frame}) for frame in frames]
    told: list[ForecastInputError] = []
    found = forecast_landing(*frames, on_bad=told.append)
    pd.testing.assert_frame_equal(found, forecast_landing(KNOWN, good))
    assert [(error.series, error.field, error.frame) for error in told] == [
        ("nowc1", "cum_units", "running"), ("nowc3", "elapsed_day", "running"),
    ]  # fmt: skip
    place = worse.iloc[told[1].row - 1]
    assert (place["campaign_id"], place["elapsed_day"]) == ("nowc3", 3)


def test_where_every_campaign_is_bad_the_fault_is_raised() -> None:
    with pytest.raises(ForecastInputError, match="is negative"):
        forecast_landing(KNOWN, now().assign(cum_units=-1.0), on_bad=lambda error: None)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, frame in (("finished", KNOWN), ("running", now(3))):
        frame.assign(end="2024-03-01").to_csv(tmp_path / f"{name}.csv", index=False)
    return tmp_path


def landing(files: Path, *more: str, running: str = "running.csv") -> int:
    names = [str(files / name) for name in ("finished.csv", running)]
    return main(["landing", *names, "--out", str(files / "out.csv"), *more])


def test_files_are_landed_with_progress_on_stderr(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert landing(files) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "100 %" in told.err
    assert len(pl.read_csv(files / "out.csv")) == 6


def test_a_bad_file_ends_with_one_sentence_or_without_its_campaign(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        (files / "running.csv")
        .read_text()
        .replace("nowc1,S,N,2024-03-01,40,3,", "nowc1,S,N,2024-03-01,40,99,")
    )
    (files / "bad.csv").write_text(text)
    assert landing(files, running="bad.csv") == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "nowc1" in told
    assert not (files / "out.csv").exists()
    assert landing(files, "--skip-bad", running="bad.csv") == 1
    assert "left out: " in capsys.readouterr().err
    assert set(pl.read_csv(files / "out.csv")["campaign_id"]) == {"nowc0", "nowc2"}
