"""The table of peaks on the page of a run."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from gale.matching import IndexTable, Matcher
from gale.peaks.largest import LABELS, LargePeak, labels_of, largest_of
from gale.peaks.search import search
from gale.plumbing.text import in_words
from gale.run import Run

NEXT, LOW = 10, 0.1
"""A picture is logarithmic if most of the next highest peaks, so many, are lower than this share of
the highest: on a linear scale they would not be seen."""


class PeakRow(LargePeak):
    """A row of the table."""

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
        return labels_of(self.rows)

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
        rows = sorted(
            (PeakRow(each.peak, each.share) for each in largest_of(peaks, LABELS)),
            key=lambda row: row.peak.apex_min,
        )
        known = any(row.peak.index == row.peak.index for row in rows)
        return cls(tuple(rows), len(peaks), matcher.library.source, known)
