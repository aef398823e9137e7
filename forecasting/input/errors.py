"""What can be wrong with a call, said in one sentence that names the series, the row and the field."""

from __future__ import annotations

from typing import Any


class ForecastInputError(ValueError):
    """The frames or arguments can't be forecast from.

    `sentence` says what is wrong and what to do; `series` (id), `row` (1-based, in the frame as given),
    `ds` and `field` say where, each `None` when it does not apply. `str()` of the error holds all of it.
    `affected` are the ids of all series that have the same fault, once or more often each; `frame` is the
    argument that `row` counts in.
    """

    frame = "history"

    def __init__(
        self,
        sentence: str,
        *,
        field: str | None = None,
        series: Any = None,
        row: int | None = None,
        ds: Any = None,
        affected: Any = (),
    ) -> None:
        self.affected = affected
        self.sentence, self.field, self.series, self.row, self.ds = sentence, field, series, row, ds
        super().__init__(sentence, field, series, row, ds)

    def __str__(self) -> str:
        places = {"field": self.field, "series": self.series, "row": self.row, "ds": self.ds}
        where = ", ".join(f"{name} {value}" for name, value in places.items() if value is not None)
        return f"{self.sentence.rstrip('.')} ({where})." if where else self.sentence

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.sentence, self.field, self.series, self.row, self.ds)


def _rebuild(sentence: str, field: str | None, series: Any, row: int | None, ds: Any) -> ForecastInputError:
    return ForecastInputError(sentence, field=field, series=series, row=row, ds=ds)
