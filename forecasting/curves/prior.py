"""The stated prior of landings: which part of its final volume a curve of no known kind has by now.

Two published forms are the ends: crowdfunding, U-shaped (Kuppuswamy & Bayus 2018, "Crowdfunding Creative
Ideas"; some 40, 50, 62, 75 % at 10, 25, 50, 75 % of the window), and advance bookings, back-loaded (Antonio
et al. 2019, Data in Brief 22; some 5, 14, 30, 50 %). A form lies between them, by a weighted geometric mean.
How curves went until now, running ones too, says where: one that rushed at its opening and slowed down lies
near crowdfunding, one that rises ever faster near bookings.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecasting.curves.scaled import GRID, Curves

Floats = NDArray[np.float64]

# Crowdfunding: parts of a rush at the opening, even pledging, and a rush at the close; how long a rush takes.
LAUNCH, EVEN, CLOSE = 0.37, 0.45, 0.18
LAUNCH_FADES, CLOSE_RISES = 0.03, 0.08
# Bookings: the part that comes evenly, and how long the rise to the close takes.
EVENLY, RISES = 0.55, 0.15
# The weight of crowdfunding is one of these.
LEANS = np.linspace(0.0, 1.0, 11)
# Each curve's past is looked at in so many steps of the same length.
STEPS = 4
# Units come in clusters, and curves differ in form: so many count as one, and all as no more than so many.
CLUSTER, MOST_SEEN = 2.0, 60.0


class Form:
    """A form between the two: `reached(share)` rises from 0 to 1."""

    def __init__(self, lean: float = 0.5) -> None:
        self.lean = lean

    def reached(self, share: float | Floats) -> Floats:
        """The part of the final volume there at `share` (0 … 1) of the window."""
        share = np.asarray(share, dtype=np.float64)
        launch = LAUNCH * (1 - np.exp(-share / LAUNCH_FADES))
        crowd = launch + EVEN * share + CLOSE * np.exp((share - 1) / CLOSE_RISES)
        booked = EVENLY * share + (1 - EVENLY) * np.exp((share - 1) / RISES)
        return np.asarray(crowd**self.lean * booked ** (1 - self.lean))


def form_of(*curves: Curves) -> Form:
    """The form that the pasts of these curves make likely: the mean of LEANS by their likelihood.

    A past is what came in each of STEPS equal parts of the window elapsed, as shares of what is there
    (multinomial). Seen units count as less than as many independent ones (CLUSTER, MOST_SEEN).
    """
    came = np.concatenate([_came(one) for one in curves])
    share = np.concatenate([one.share for one in curves])
    seen = float(came.sum())
    if seen <= 0:
        return Form()
    told = min(seen / CLUSTER, MOST_SEEN) / seen
    steps = share[:, None] * np.linspace(0.0, 1.0, STEPS + 1)
    likely = [told * float((came * np.log(_parts(Form(lean), steps))).sum()) for lean in LEANS]
    weight = np.exp(np.array(likely) - max(likely))
    return Form(float(weight @ LEANS / weight.sum()))


def _parts(form: Form, steps: Floats) -> Floats:
    """The part (n, STEPS) of what is there by the last of `steps` that came in each."""
    rises = np.diff(form.reached(steps), axis=1)
    return np.asarray(np.maximum(rises, 1e-9) / np.maximum(rises.sum(axis=1, keepdims=True), 1e-9))


def _came(curves: Curves) -> Floats:
    """Units (n, STEPS) that came in each part of the window elapsed; none where a net curve fell."""
    place = curves.share[:, None] * np.linspace(0.0, 1.0, STEPS + 1) * (len(GRID) - 1)
    left = np.minimum(place.astype(np.int64), len(GRID) - 2)
    weight, row = place - left, np.arange(len(curves))[:, None]
    there = (1 - weight) * curves.shape[row, left] + weight * curves.shape[row, left + 1]
    return np.asarray(np.maximum(np.diff(there, axis=1), 0.0))
