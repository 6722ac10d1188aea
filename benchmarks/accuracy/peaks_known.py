"""Real runs of known content: which of the peaks that must be there are found and named."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import gale
from benchmarks.tables import Table
from gale.peaks import Peak

ESTERS = (
    "Caprylate", "Caprate", "Laurate", "Myristate", "Palmitate", "Stearate", "Eicosanoate",
    "Docosanoate", "Lignocerate", "Hexacosanoate", "Octacosanoate",
)  # fmt: skip
"""Methyl esters of the standard, as the library that comes with gale calls them: those with a peak
in the trace of m/z 74."""

PRODUCT_MIN, STARTING_MIN = 10.29, 6.30
"""Times of two peaks of a reaction that was followed over thirteen runs."""

RATIOS = (0.003, 0.077, 0.183, 0.343, 0.518, 0.734, 0.902, 1.10, 1.28, 1.49, 1.70, 2.57, 3.36)
"""Ratio of their areas in each run, by the maker's software."""


def tables_of(folder: Path) -> Iterator[tuple[str, Table]]:
    """Give a title and a table for each kind of run in the folder."""
    known = folder / "known"
    if (ladder := known / "nist_alkane_RI_2023.cdf").exists():
        yield "Ladder of n-alkanes, C8 to C36", alkanes(ladder, known / "nist_alkane_truth.csv")
    if (esters := known / "corems_FAMES_DATA.MS").exists():
        yield "Standard of fatty acid methyl esters", methyl_esters(esters)
    if series := sorted((folder / "agilent").glob("*.D")):
        yield "Ratio of two areas in thirteen runs of a reaction", reaction(series)


def alkanes(path: Path, truth: Path) -> Table:
    """Compare a ladder with the times that its table states."""
    run = gale.read_run(path)
    with truth.open(encoding="utf-8", newline="") as file:
        times = {
            float(row["retention_index"]): float(row["time_min"]) for row in csv.DictReader(file)
        }
    table = gale.find_ladder(run)
    found = dict(zip(table.index.tolist(), table.time_min.tolist(), strict=True))
    off = [abs(found[index] - time) for index, time in times.items() if index in found]
    peaks = gale.find_peaks(run, names=False)
    total = sum(peak.area for peak in peaks)
    alike = sum(peak.area for peak in peaks if np.abs(table.time_min - peak.apex_min).min() < 0.01)
    return [
        ["alkanes", "found with their number", "largest error, min", "peaks", "area in alkanes"],
        [
            f"{len(times)}",
            f"{len(off)}",
            f"{max(off):.3f}",
            f"{len(peaks)}",
            f"{alike / total:.1%}",
        ],
    ]


def methyl_esters(path: Path) -> Table:
    """Look for each ester as the name of a peak."""
    with tempfile.TemporaryDirectory() as folder:
        run_folder = Path(folder, "esters.D")
        run_folder.mkdir()
        shutil.copy(path, run_folder / "data.ms")
        run = gale.read_run(run_folder)
    peaks = gale.find_peaks(run)
    rows = [["ester", "min", "match", "reverse", "verdict", "area"]]
    total = sum(peak.area for peak in peaks)
    for ester in ESTERS:
        name = f"Methyl {ester}"
        best = max(
            (each for each in peaks if each.matches and each.matches[0].compound == name),
            key=lambda peak: peak.area,
            default=None,
        )
        rows.append([name, *(_cells(best, total) if best else ["-", "-", "-", "not found", "-"])])
    return rows


def _cells(peak: Peak, total: float) -> list[str]:
    match = peak.matches[0]
    return [f"{peak.apex_min:.3f}", f"{match.match}", f"{match.reverse}", peak.verdict,
            f"{peak.area / total:.1%}"]  # fmt: skip


def reaction(folders: list[Path]) -> Table:
    """Compare the ratio of two areas with the maker's."""
    rows = [["run", "maker's ratio", "gale's ratio"]]
    for folder, ratio in zip(folders, RATIOS, strict=True):
        peaks = gale.find_peaks(gale.read_run(folder), names=False)
        product, starting = (_area(list(peaks), at) for at in (PRODUCT_MIN, STARTING_MIN))
        rows.append([folder.name, f"{ratio:g}", f"{product / starting:.3g}"])
    return rows


def _area(peaks: list[Peak], time_min: float) -> float:
    """Area of the largest peak at a time; 0 if there is none."""
    near = [peak.area for peak in peaks if abs(peak.apex_min - time_min) < 0.03]
    return max(near, default=0.0)
