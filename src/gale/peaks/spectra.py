"""Spectra of peaks as entries of a library."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from gale.peaks.search import Peak
from gale.writers.msp import Entry


class PeaksOfRun(Protocol):
    """The peaks of one run."""

    @property
    def source(self) -> str:
        """Name of the run."""
        ...

    @property
    def peaks(self) -> tuple[Peak, ...]:
        """Its peaks."""
        ...


def entries(several: Sequence[PeaksOfRun]) -> Iterator[Entry]:
    """Give the spectrum of every peak of every run, named after the run and its time."""
    for each in several:
        for number, peak in enumerate(each.peaks, start=1):
            yield Entry(
                f"{Path(each.source).name} peak {number} at {peak.apex_min:.3f} min",
                peak.mz,
                peak.intensity,
                {
                    "RETENTIONTIME": f"{peak.apex_min:.4f}",
                    "RETENTIONINDEX": "" if math.isnan(peak.index) else f"{peak.index:.1f}",
                    "Comment": _comment(peak),
                },
            )


def _comment(peak: Peak) -> str:
    """Say what the peak is like, and what is to be known of it, in words without ``=``."""
    parts = [f"area {peak.area:.6g}", f"purity {peak.purity:.2f}"]
    if peak.origin:
        parts.append(peak.origin)
    if peak.saturated:
        parts.append("saturated")
    if peak.matches:
        best = peak.matches[0]
        weak = " (weak)" if best.weak else ""
        key = f" ({best.inchikey})" if best.inchikey else ""
        match = f"match {best.match}, reverse {best.reverse}{weak}"
        parts.append(f"like {best.compound}{key}, {match}")
    else:
        parts.append(peak.verdict)
    return "; ".join(parts)
