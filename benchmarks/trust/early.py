"""How early in a run its families are called, when it is predicted while it is recorded.

The runs of each CAMPAIGN, none of which MODEL was trained on, are predicted as gale.Stream does,
from their scans up to a share of the run. The threshold, one for all families, is the lowest at
which --precision of the calls of complete runs are right. For each share of the run: how many of
the families that runs hold are called, how many of the calls are right, and how many of them are
taken back at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import gale
from benchmarks import options, tables
from benchmarks.tables import Table
from gale.errors import ReadError
from gale.plotting import save_figure
from gale.run import Floats, Floats32, Run

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Predict the parts of all runs, print a table for each campaign, and draw them together."""
    parser = options.parser("benchmarks.trust.early", __doc__)
    parser.add_argument("model", type=Path, metavar="MODEL")
    parser.add_argument("campaigns", type=Path, nargs="+", metavar="CAMPAIGN")
    parser.add_argument("--precision", type=float, default=0.9)
    parser.add_argument("--runs", type=int, default=500, help="runs to look at, at most")
    parser.add_argument(
        "--splits", nargs="+", default=["test"], help="splits to look at (default: test)"
    )
    parser.add_argument("--figure", type=Path, help="picture to draw")
    asked = parser.parse_args(arguments)

    model = gale.Model.load(asked.model)
    curves = {}
    for folder in asked.campaigns:
        chosen = gale.Campaign.open(folder).of_split(*asked.splits)
        predicted = np.stack(
            [parts_of(model, gale.read_run(path)) for path in chosen.paths[: asked.runs]], axis=1
        )
        columns = [chosen.families.index(name) for name in model.families]
        labels = chosen.labels[: asked.runs, columns]
        at = threshold(predicted[-1], labels, asked.precision)
        found = calls(predicted, labels, at)
        curves[folder.name] = found[0]
        held = int((labels == 1).sum())
        title = (
            f"{folder.name}: {predicted.shape[1]} runs with {held} families in all, called from "
            f"{at:.2f} on"
        )
        tables.show(title, table(found), markdown=asked.markdown)
    if asked.figure is not None:
        save_figure(drawn(curves, asked.precision), asked.figure, asked.figure.suffix[1:])


def parts_of(model: gale.Model, run: Run) -> Floats32:
    """Probabilities (P, K) of the scans up to each share of a run; 0 where nothing can be said."""
    elapsed = (run.time_min - run.time_min[0]) / (run.time_min[-1] - run.time_min[0])
    rows = np.zeros((len(SHARES), len(model.families)), dtype=np.float32)
    for row, share in zip(rows, SHARES, strict=True):
        end = int(np.searchsorted(elapsed, share + 1e-9))
        last = run.scan_start[end]
        try:
            part = Run.from_scans(
                run.time_min[:end],
                run.ions_per_scan[:end],
                run.mz[:last],
                run.intensity[:last],
            )
            features = model.spec.features_of(part)
        except ReadError:
            continue
        row[:] = model.predict_features(features[None])[0][0]
    return rows


def threshold(probability: Floats32, labels: Floats32, precision: float) -> float:
    """The lowest threshold from which on this share of the calls (R, K) is right."""
    known = np.isfinite(labels)
    order = np.argsort(-probability[known], kind="stable")
    right = np.cumsum(labels[known][order] == 1) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(right >= precision)
    return float(probability[known][order][enough[-1]]) if len(enough) else 1.0


def calls(predicted: Floats32, labels: Floats32, at: float) -> tuple[Floats, Floats, Floats]:
    """Shares of families called, of calls that are right, and of calls taken back, for each part.

    Parameters
    ----------
    predicted : array of shape (P, R, K)
    labels : array of shape (R, K)
        1, 0, or NaN where it is unknown.
    at : float
        The threshold.
    """
    known, held = np.isfinite(labels), labels == 1
    called = predicted >= at
    n_called = np.maximum((called & known).sum(axis=(1, 2)), 1)
    return (
        (called & held).sum(axis=(1, 2)) / held.sum(),
        (called & held).sum(axis=(1, 2)) / n_called,
        (called & known & ~called[-1]).sum(axis=(1, 2)) / n_called,
    )


def table(found: tuple[Floats, Floats, Floats]) -> Table:
    """Make the table."""
    rows = [["share of the run", "families called", "calls that are right", "calls taken back"]]
    for share, *values in zip(SHARES, *found, strict=True):
        rows.append([f"{share:.0%}", *(f"{value:.0%}" for value in values)])
    return rows


def drawn(curves: dict[str, Floats], precision: float) -> Figure:
    """Draw the share of families called against the share of the run elapsed."""
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    for name, called in curves.items():
        axes.plot([0, *(100 * share for share in SHARES)], [0, *(100 * called)], "o-", label=name)
    axes.set(xlim=(0, 100), ylim=(0, 100), xlabel="Share of the run elapsed (%)",
             ylabel=f"True families called (%)\nat a precision of {precision:g}")  # fmt: skip
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return figure


if __name__ == "__main__":
    main()
