"""The largest peaks of a run, whatever they are, and how they are called.

What they are is not what they are evidence for: a plasticiser or a solvent is named here, and
carries no family.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gale.matching import IndexTable, Matcher
from gale.peaks.search import Peak, search
from gale.run import Run

PEAKS = 3
"""Number of peaks that an answer names."""

LABELS = 40
"""Number of peaks that have a label, where there is room for it."""

IONS = 3
"""Ions of a peak that are drawn."""

ADJOINING = 2
"""Largest distance in scans from the end of a peak to the start of the next that adjoins it."""

LONGEST_LABEL = 28
"""Letters of a name above a chromatogram."""


@dataclass(frozen=True, eq=False)
class LargePeak:
    """A large peak of a run.

    Parameters
    ----------
    peak : Peak
    share : float
        Its area relative to that of all peaks.
    """

    peak: Peak
    share: float

    def ions(self, number: int = IONS) -> list[int]:
        """The m/z of its highest ions, highest first."""
        order = self.peak.intensity.argsort()[::-1][:number]
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
        said = (
            "weak match" if peak.matches and peak.matches[0].weak else None,
            peak.origin,
            "saturated" if peak.saturated else None,
            f"cut by the {peak.cut} of the run" if peak.cut else None,
        )
        return ", ".join(filter(None, said))


def labels_of(large: Sequence[LargePeak]) -> list[tuple[float, str]]:
    """Time and label of each, the largest first."""
    rows = sorted(large, key=lambda each: -each.share)
    return [(each.peak.apex_min, each.label) for each in rows]


def largest_of(peaks: Sequence[Peak], number: int) -> list[LargePeak]:
    """Choose the peaks with the largest area, the largest first."""
    total = sum(peak.area for peak in peaks) or 1.0
    largest = sorted(peaks, key=lambda peak: -peak.area)[:number]
    return [LargePeak(peak, peak.area / total) for peak in largest]


def find_largest(
    run: Run, matcher: Matcher, index: IndexTable | None = None, *, number: int = PEAKS
) -> list[LargePeak]:
    """Find the largest peaks of a run, and name what they are like.

    Parameters
    ----------
    run : Run
    matcher : Matcher
    index : IndexTable, optional
        Times of known retention index.
    number : int
        Largest number of peaks. Of several that adjoin and are most like the same compound, as
        parts of an overloaded peak are, the largest stands for all, with the share of all.

    Returns
    -------
    list of LargePeak
        The largest first; none in a run without a peak.

    Examples
    --------
    Here ``run_file`` is the path of a run.

    >>> from gale import Matcher, read_run
    >>> for each in find_largest(read_run(run_file), Matcher.default(), number=2):
    ...     print(f"{each.peak.apex_min:.1f} min, m/z {each.ions(2)}")
    7.0 min, m/z [91, 92]
    3.0 min, m/z [31, 45]
    """
    return once(search(run, matcher, index))[:number]


def once(peaks: Sequence[Peak]) -> list[LargePeak]:
    """Sort by area, and count an overloaded peak once that is divided into several of a name."""
    kept: list[LargePeak] = []
    for each in largest_of(peaks, len(peaks)):
        same = (place for place, one in enumerate(kept) if _is_part(each.peak, one.peak))
        if (place := next(same, None)) is None:
            kept.append(each)
        else:
            kept[place] = replace(kept[place], share=kept[place].share + each.share)
    return sorted(kept, key=lambda each: -each.share)


def _is_part(peak: Peak, larger: Peak) -> bool:
    """Whether two peaks overlap or adjoin, and are most like the same compound."""
    overlap = max(peak.start, larger.start) - min(peak.end, larger.end) <= ADJOINING
    named = peak.matches and larger.matches
    return bool(overlap and named and peak.matches[0].compound == larger.matches[0].compound)
