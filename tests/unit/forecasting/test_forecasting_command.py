"""`python -m forecasting` on files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from forecasting.__main__ import main


@pytest.fixture
def history(tmp_path: Path) -> Path:
    days = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 5, 13), "1w", eager=True)
    frame = pl.DataFrame({"unique_id": "007", "ds": days, "y": np.arange(len(days)) % 4 + 5})
    frame.write_csv(tmp_path / "history.csv")
    frame.write_parquet(tmp_path / "history.parquet")
    return tmp_path / "history.csv"


def demand(history: Path, out: Path, *more: str) -> int:
    return main(["demand", str(history), "--horizon", "3", "--freq", "W", "--out", str(out), *more])


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_demand_is_forecast_from_file_to_file(history: Path, suffix: str) -> None:
    out = history.with_name(f"out{suffix}")
    assert demand(history.with_suffix(suffix), out) == 0
    found = (
        pl.read_csv(out, schema_overrides={"unique_id": pl.String})
        if suffix == ".csv"
        else pl.read_parquet(out)
    )
    assert found["unique_id"].to_list() == ["007"] * 3
    assert [str(day) for day in found["ds"]] == ["2024-05-20", "2024-05-27", "2024-06-03"]
    assert found.null_count().sum_horizontal().item() == 0


def test_progress_goes_to_stderr(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demand(history, history.with_name("out.csv"))
    told = capsys.readouterr()
    assert told.out == ""
    assert "100 %" in told.err


def test_a_bad_file_ends_with_one_sentence(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = history.with_name("bad.csv")
    bad.write_text("unique_id,ds,y\na,2024-01-01,nan\n")
    texts = {
        "empty.csv": b"", "noise.parquet": b"no parquet", "latin.csv": b"unique_id,ds,y\n\xe9,2024-01-01,1\n",
        "twice.csv": b"unique_id,ds,y,y\na,2024-01-01,1,2\n", "ragged.csv": b"unique_id,ds,y\na,,1,9\n",
        "binary.csv": bytes(range(256)), "other.csv": b"id;day;units\n", "header.csv": b"unique_id,ds,y\n",
    }  # fmt: skip
    for name, text in texts.items():
        history.with_name(name).write_bytes(text)
    history.with_name("folder.csv").mkdir()
    paths = [history.with_name(name) for name in (*texts, "folder.csv", "none.csv", "a.xlsx")]
    for path in (bad, *paths):
        assert demand(path, history.with_name("out.csv")) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1
        assert told.startswith("forecasting: ")
    assert not history.with_name("out.csv").exists()


def test_an_answer_that_cannot_be_written_is_said_before_the_work(
    history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for out in (history.parent / "no folder" / "out.csv", history.parent, history.with_suffix(".xlsx")):
        assert demand(history, out) == 2
        told = capsys.readouterr().err
        assert (told.count("\n"), told.startswith("forecasting: ")) == (1, True)


def test_bad_series_can_be_left_out(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = history.read_text() + "bad,2024-01-01,-1\nworse,2024-01-01,-2\n"
    mixed, out = history.with_name("mixed.csv"), history.with_name("out.csv")
    mixed.write_text(lines)
    assert demand(mixed, out) == 2
    assert not out.exists()
    assert demand(mixed, out, "--skip-bad") == 1
    assert "left out: y of series bad is negative" in capsys.readouterr().err
    assert set(pl.read_csv(out, infer_schema=False)["unique_id"]) == {"007"}


def test_levels_are_taken_from_the_command_line(history: Path) -> None:
    out = history.with_name("out.csv")
    assert demand(history, out, "--levels", "50") == 0
    assert "hi-50" in pl.read_csv(out).columns
    assert demand(history, out, "--levels", "wide") == 2


def test_landings_are_forecast_from_file_to_file(tmp_path: Path) -> None:
    cells = {"sku": "S", "region": "R", "end": "2024-03-01", "window_days": 10}
    pl.DataFrame(
        {"campaign_id": "a", "elapsed_day": range(11), "cum_units": range(0, 110, 10), **cells}
    ).write_csv(tmp_path / "finished.csv")
    pl.DataFrame(
        {"campaign_id": "b", "elapsed_day": range(6), "cum_units": range(0, 60, 10), **cells}
    ).write_csv(tmp_path / "running.csv")
    out = tmp_path / "out.parquet"
    assert (
        main(["landing", str(tmp_path / "finished.csv"), str(tmp_path / "running.csv"), "--out", str(out)])
        == 0
    )
    assert pl.read_parquet(out)["mean"].to_list() == [pytest.approx(100, rel=0.05)]


def test_forecasts_are_made_to_add_up_from_file_to_file(tmp_path: Path) -> None:
    forecasts, groups, out = (tmp_path / name for name in ("forecasts.csv", "groups.csv", "out.csv"))
    forecasts.write_text(
        "unique_id,ds,mean,method\n007,2024-01-01,3,m\n008,2024-01-01,4,m\n9,2024-01-01,10,m\n"
    )
    groups.write_text("unique_id,total\n007,9\n008,9\n")
    assert main(["reconcile", str(forecasts), str(groups), "--out", str(out)]) == 0
    found = pl.read_csv(out, schema_overrides={"unique_id": pl.String})
    assert found["unique_id"].to_list() == ["007", "008", "9"]
    assert found["mean"][2] == pytest.approx(found["mean"][0] + found["mean"][1])
