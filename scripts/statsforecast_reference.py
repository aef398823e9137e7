"""What statsforecast makes of a few series, as the tests of our engines compare with.

    python -m scripts.statsforecast_reference > tests/unit/forecasting/statsforecast_reference.csv

statsforecast is no dependency: install it in a virtual environment of its own and run this there. Parameters
are those of its own search. A row is a model and a series: `total` of the series, so that other random
numbers would be noticed, `squares` of its one-step errors (of Theta from the third value on), and its steps
ahead.
"""

from __future__ import annotations

import csv
import importlib
import importlib.util
import sys

import numpy as np

HORIZON = 8


def series() -> dict[str, np.ndarray]:
    """Walks with drift, noise about a trend, and demand that comes now and then."""
    made = {}
    for seed in range(4):
        draw = np.random.default_rng(seed)
        made[f"walk-{seed}"] = 100 * np.exp(np.cumsum(draw.normal(0.004, 0.03, 50 + 10 * seed)))
        made[f"noise-{seed}"] = 100 + 0.4 * np.arange(60) + draw.normal(0, 8, 60)
        made[f"thin-{seed}"] = np.where(draw.random(150) < 0.25, draw.integers(1, 9, 150), 0).astype(float)
    return {name: np.round(values, 3) for name, values in made.items()}


def main() -> int:
    if not importlib.util.find_spec("statsforecast"):
        print("statsforecast is not installed here; the stored values stay as they are.", file=sys.stderr)
        return 0
    models = importlib.import_module("statsforecast.models")

    regular = {
        "theta-optimised": models.DynamicOptimizedTheta(season_length=1),
        "theta-standard": models.DynamicTheta(season_length=1),
        "ets-level": models.AutoETS(season_length=1, model="ANN"),
        "ets-linear": models.AutoETS(season_length=1, model="AAN", damped=False),
        "ets-damped": models.AutoETS(season_length=1, model="AAN", damped=True),
    }
    thin = {"adida": models.ADIDA(), "imapa": models.IMAPA(), "tsb": models.TSB(alpha_d=0.15, alpha_p=0.15)}
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(
        ["model", "series", "total", "squares", *(f"step-{step}" for step in range(1, HORIZON + 1))]
    )
    for name, y in series().items():
        for label, model in (thin if name.startswith("thin") else regular).items():
            found = model.forecast(y=y, h=HORIZON, fitted=True)
            first = 2 if label.startswith("theta") else 0
            squares = float(np.nansum((y - found["fitted"])[first:] ** 2))
            numbers = (float(y.sum()), squares, *found["mean"])
            writer.writerow([label, name, *(f"{number:.7g}" for number in numbers)])
    return 0


if __name__ == "__main__":
    sys.exit(main())
