"""The table of peaks on the page of a run."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from statistics import median

from gale.evidence import IndexTable, Matcher
from gale.peaks.search import Peak, search
from gale.plumbing.text import in_words
from gale.run import Run

IONS = 3
"""Ions of a peak that are drawn."""

MOST = 40
"""Peaks on a page, those with the largest area."""

LONGEST_LABEL = 28
"""Letters of a name above the chromatogram; the table has the whole."""

NEXT, LOW = 10, 0.1
"""A picture is logarithmic if most of the next highest peaks, so many, are lower than this share of
the highest: on a linear scale they would not be seen."""


@dataclass(frozen=True)
class PeakRow:
    """A row of the table.

    Parameters
    ----------
    peak : Peak
    share : float
        Its area relative to that of all peaks.
    """

    peak: Peak
    share: float

    @property
    def ions(self) -> list[int]:
        """The m/z of its highest ions, which are drawn when it is shown in the run."""
        order = self.peak.intensity.argsort()[::-1][:IONS]
        return [int(mz) for mz in self.peak.mz[order]]

    @property
    def label(self) -> str:
        """What is written above it: what it is probably, or when it elutes."""
        peak = self.peak
        best = peak.matches[0] if peak.matches else None
        named = best.compound if best and not best.weak else f"{peak.apex_min:.2f}"
        return textwrap.shorten(peak.origin or named, LONGEST_LABEL, placeholder=" …")

    @property
    def remarks(self) -> str:
        """What is to be known of the peak, in words; empty if nothing is."""
        peak = self.peak
        return ", ".join(
            filter(
                None,
                (
                    peak.origin,
                    "saturated" if peak.saturated else None,
                    f"cut by the {peak.cut} of the run" if peak.cut else None,
                    "weak match" if peak.matches and peak.matches[0].weak else None,
                ),
            )
        )

    @property
    def families(self) -> str:
        """Families of the best match, in words."""
        known = self.peak.matches[0].families if self.peak.matches else None
        if known is None:
            return ""
        return ", ".join(map(in_words, known)) or "none"


@dataclass(frozen=True)
class PeakSection:
    """The largest peaks of a run, in order of time.

    Parameters
    ----------
    rows : tuple of PeakRow
    number : int
        Number of all peaks.
    library : str
        What they were compared with.
    has_index : bool
        Whether retention indices are known.
    """

    rows: tuple[PeakRow, ...]
    number: int
    library: str
    has_index: bool

    @property
    def labels(self) -> list[tuple[float, str]]:
        """Time and label of each, the largest first."""
        rows = sorted(self.rows, key=lambda row: -row.share)
        return [(row.peak.apex_min, row.label) for row in rows]

    @property
    def flattened(self) -> bool:
        """Whether one peak is so high that hardly any other is seen beside it."""
        height = sorted((row.peak.height for row in self.rows), reverse=True)[: NEXT + 1]
        return len(height) > 1 and median(height[1:]) < LOW * height[0]

    @classmethod
    def of(cls, run: Run, matcher: Matcher | None, index: IndexTable | None) -> PeakSection:
        """Find the peaks of a run; by default compared with the libraries that gale has."""
        matcher = matcher or Matcher.default()
        peaks = search(run, matcher, index)
        total = sum(peak.area for peak in peaks) or 1.0
        largest = sorted(peaks, key=lambda peak: -peak.area)[:MOST]
        rows = tuple(
            PeakRow(peak, peak.area / total)
            for peak in sorted(largest, key=lambda peak: peak.apex_min)
        )
        known = any(peak.index == peak.index for peak in largest)
        return cls(rows, len(peaks), matcher.library.source, known)
