"""Figures of runs side by side: simulated ones in the left columns, real ones in the right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.simulator.measures import Measured
from gale.run import Run

N_ROWS = 6
"""Runs of each side; a figure has as many rows."""

Draw = Callable[[Axes, Measured], None]


def draw(
    folder: Path, simulated: Mapping[str, Sequence[Run]], real: Mapping[str, Sequence[Run]]
) -> list[Path]:
    """Draw all figures of groups of runs; give the files.

    Of the simulated groups, runs from the weakest to the most intense; of each real group in turn,
    those with the most ions.
    """
    folder.mkdir(parents=True, exist_ok=True)
    all_simulated = [run for runs in simulated.values() for run in runs]
    left = [Measured(run) for run in spread_out(all_simulated, N_ROWS)]
    turns = zip_longest(*(by_ions(runs) for runs in real.values()))
    in_turn = [run for turn in turns for run in turn if run is not None]
    right = [Measured(run) for run in in_turn[:N_ROWS]]
    kinds: dict[str, Draw] = {
        "total_ion_current": draw_total,
        "total_ion_current_log": draw_log_total,
        "ion_map": draw_map,
        "spectra": draw_spectrum,
        "peaks": draw_peak,
        "intensities": draw_intensities,
        "defects": draw_defects,
    }
    return [_figure(folder / f"{kind}.png", left, right, method) for kind, method in kinds.items()]


def spread_out(runs: Sequence[Run], number: int) -> list[Run]:
    """Give some runs, evenly spread over the order of their largest intensity."""
    order = sorted(runs, key=lambda run: float(run.intensity.max()))
    return [order[at] for at in np.unique(np.linspace(0, len(order) - 1, number).astype(int))]


def by_ions(runs: Sequence[Run]) -> list[Run]:
    """Give runs in order of their number of ions, the most first."""
    return sorted(runs, key=lambda run: -run.n_ions)


def _figure(path: Path, left: Sequence[Measured], right: Sequence[Measured], method: Draw) -> Path:
    figure = Figure(figsize=(15, 2.6 * N_ROWS), layout="constrained")
    axes = figure.subplots(N_ROWS, 2, squeeze=False)
    for column, panels in zip(axes.T, (left, right), strict=True):
        for each, measured in zip(column, panels, strict=False):
            each.set_title(f"…{measured.run.source[-60:]}", fontsize=7)
            method(each, measured)
        for unused in column[len(panels) :]:
            unused.remove()
    figure.savefig(path)
    return path


def draw_total(axes: Axes, measured: Measured) -> None:
    """Total ion current over time."""
    axes.plot(measured.run.time_min, measured.run.total_ion_current, linewidth=0.6)


def draw_log_total(axes: Axes, measured: Measured) -> None:
    """Total ion current over time in log scale, with the strongest peaks that were found."""
    run, apex = measured.run, measured.peaks.strongest().apex
    total = np.maximum(run.total_ion_current, run.intensity[run.intensity > 0].min())
    axes.semilogy(run.time_min, total, linewidth=0.6)
    axes.plot(run.time_min[apex], total[apex], "r.", markersize=3)


def draw_map(axes: Axes, measured: Measured) -> None:
    """Draw every ion at its time and m/z, its colour the log of its intensity."""
    run = measured.run
    order = np.argsort(run.intensity)  # the strongest on top
    scan, value = measured.scan[order], np.log10(np.maximum(run.intensity[order], 1e-12))
    axes.scatter(run.time_min[scan], run.mz[order], c=value, s=0.6, linewidths=0, cmap="viridis",
                 vmin=float(np.quantile(value, 0.02)), rasterized=True)  # fmt: skip
    axes.set_facecolor("black")


def draw_spectrum(axes: Axes, measured: Measured) -> None:
    """Draw the spectrum of the highest peak upwards; downwards, that of a scan outside peaks."""
    run, peaks = measured.run, measured.peaks
    quiet = np.flatnonzero(measured.outside_peaks)
    apex = peaks.apex[np.argmax(peaks.height)] if len(peaks.apex) else None
    for scan, sign in ((apex, 1), (quiet[len(quiet) // 2] if len(quiet) else None, -1)):
        if scan is None:
            continue
        ions = slice(run.scan_start[scan], run.scan_start[scan + 1])
        if run.ions_per_scan[scan]:
            relative = sign * run.intensity[ions] / run.intensity[ions].max()
            axes.vlines(run.mz[ions], 0, relative, linewidth=0.8, color="C0" if sign > 0 else "C1")


def draw_peak(axes: Axes, measured: Measured) -> None:
    """Draw the strongest ions around a high, a middling and a low peak, each over its maximum."""
    time_s = 60 * measured.run.time_min
    apexes = measured.peaks.apex[np.argsort(-measured.peaks.height)]
    ranks = np.unique(np.linspace(0, len(apexes) - 1, 3).astype(int)) if len(apexes) else ()
    for at, apex in enumerate(apexes[list(ranks)]):
        around = slice(max(apex - 20, 0), apex + 21)
        for channel in np.argsort(-measured.channels[apex])[:4]:
            trace = measured.channels[around, channel]
            scaled = trace / max(trace.max(), 1e-12)
            axes.plot(time_s[around] - time_s[apex], scaled - 1.2 * at, ".-", linewidth=0.6,
                      markersize=2)  # fmt: skip


def draw_intensities(axes: Axes, measured: Measured) -> None:
    """Draw how many ions have which intensity, over the smallest."""
    positive = measured.run.intensity[measured.run.intensity > 0]
    axes.hist(np.log10(positive / positive.min()), bins=100, log=True)


def draw_defects(axes: Axes, measured: Measured) -> None:
    """Draw m/z defect against m/z, its colour the log of the intensity, the strongest on top."""
    run = measured.run
    order = np.argsort(run.intensity)
    value = np.log10(np.maximum(run.intensity[order], 1e-12))
    axes.scatter(run.mz[order], measured.defect[order], c=value, s=0.6, linewidths=0,
                 cmap="viridis", rasterized=True)  # fmt: skip
