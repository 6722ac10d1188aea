"""Peaks: what elutes in a run, when, how much, and which compounds it is like.

`traces` makes a matrix of a run, `detection` finds the apexes, `deconvolution` separates compounds
that elute together, `naming` compares their spectra with a library, and `search` puts it together.
`ladder` finds n-alkanes; `table`, `spectra` and `mztab` are what is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import overload

import polars as pl

from gale.errors import GaleError, warn
from gale.inspection.measures import monitored_mz
from gale.library import Library
from gale.matching import IndexTable, Matcher
from gale.peaks import mztab
from gale.peaks.ladder import find_ladder
from gale.peaks.largest import labels_of, once
from gale.peaks.naming import PeakMatch
from gale.peaks.search import Peak, search
from gale.peaks.spectra import entries
from gale.peaks.table import match_table, peak_table, write_table
from gale.plumbing.arguments import check_loaded
from gale.plumbing.kinds import checked, checked_but
from gale.plumbing.text import counted
from gale.run import Run
from gale.writers.msp import write_msp

__all__ = [
    "Peak",
    "PeakMatch",
    "Peaks",
    "find_ladder",
    "find_peaks",
    "write_mztab",
    "write_peak_matches",
    "write_peak_spectra",
    "write_peaks",
]


@dataclass(frozen=True, eq=False, repr=False)
class Peaks(Sequence[Peak]):
    """The peaks of a run, in order of time: a sequence of K :class:`gale.peaks.Peak`.

    Make one with :func:`gale.find_peaks`.

    Parameters
    ----------
    source : str
        Name of the run.
    peaks : tuple of Peak
    library : Library, optional
        What they were compared with.

    Examples
    --------
    In a folder with a run:

    >>> import gale
    >>> peaks = gale.find_peaks(gale.read_run("run.csv"))
    >>> peaks.table.columns[:4]
    ['run', 'peak', 'apex_min', 'start_min']
    >>> highest = max(peaks, key=lambda peak: peak.height)
    >>> highest.base_mz in highest.mz
    True
    """

    source: str
    peaks: tuple[Peak, ...]
    library: Library | None = None

    def __len__(self) -> int:
        return len(self.peaks)

    @overload
    def __getitem__(self, at: int) -> Peak: ...
    @overload
    def __getitem__(self, at: slice) -> Peaks: ...
    def __getitem__(self, at: int | slice) -> Peak | Peaks:
        chosen = self.peaks[at]
        return chosen if isinstance(chosen, Peak) else replace(self, peaks=chosen)

    def __repr__(self) -> str:
        named = sum(bool(peak.matches) for peak in self)
        return f"<Peaks {self.source}: {counted(len(self), 'peak')}, {named:,} like a compound>"

    @property
    def families(self) -> tuple[str, ...]:
        """Names of the families that the library or the best matches state, in their order."""
        stated = self.library.families if self.library else ()
        best = (peak.matches[0].families for peak in self if peak.matches)
        return tuple(dict.fromkeys(name for some in (*stated, *best) for name in some or ()))

    @property
    def labels(self) -> list[tuple[float, str]]:
        """Time of each peak and what it is called above a chromatogram, the largest first.

        That is its best match unless it is weak, its origin, or else its time; parts of an
        overloaded peak that have the same name are called once. For :func:`gale.plot_run`.
        """
        return labels_of(once(self))

    @property
    def table(self) -> pl.DataFrame:
        """One row per peak: the columns of :data:`gale.peaks.table.PEAK`, matches, families.

        The best match has the columns of :data:`gale.peaks.table.MATCH`, the others ``compound_2``
        to ``index_difference_5``. Each family has a column that says whether the best match carries
        it, null if that is unknown.
        """
        return peak_table(self.source, self, self.families)

    @property
    def matches(self) -> pl.DataFrame:
        """One row per peak and match, best first, with all that is known of each match."""
        return match_table(self.source, self)


@checked_but("run")
def find_peaks(
    run: Run,
    *,
    matcher: Matcher | None = None,
    index: IndexTable | None = None,
    names: bool = True,
    least_share: float = 0.0,
) -> Peaks:
    """Find the peaks of a run, separate those that overlap, and name what they are like.

    Warns (`gale.GaleWarning`) if there is no peak, if `index` covers no part of the run, and if the
    run has selected ions only, which do not make a spectrum.

    Parameters
    ----------
    run : Run
    matcher : Matcher, optional
        Library to compare spectra with; by default the one that comes with gale.
    index : IndexTable, optional
        Times of known retention index, for example of :func:`gale.find_ladder`. Compounds whose
        index is more than 50 off are left out.
    names : bool
        Whether peaks are named at all, which takes most of the time with large libraries.
    least_share : float
        Smallest area of a peak, relative to that of all peaks.

    Returns
    -------
    Peaks
        Empty for a run without peaks.

    Examples
    --------
    In a folder with a run:

    >>> import gale
    >>> run = gale.read_run("run.csv")
    >>> peaks = gale.find_peaks(run, least_share=0.01)
    >>> bool(min(peak.start_min for peak in peaks) >= run.time_min[0])
    True
    """
    check_loaded("run", run, Run)
    if not 0 <= least_share < 1:
        raise GaleError("least_share", f"is {least_share}", "a share from 0 to less than 1")
    matcher = (matcher or Matcher.default()) if names else None
    found = search(run, matcher, index)
    least = least_share * sum(peak.area for peak in found)
    kept = tuple(peak for peak in found if peak.area >= least)
    for note in _notes(run, kept, index):
        warn(note)
    return Peaks(run.source, kept, matcher.library if matcher else None)


def _notes(run: Run, peaks: Sequence[Peak], index: IndexTable | None) -> Iterator[str]:
    if not peaks:
        yield f"{run.source}: no peak stands out of the noise"
    if index is not None:
        yield from index.note_outside(run)
    if mz := monitored_mz(run):
        yield (
            f"{run.source}: selected-ion monitoring of {len(mz)} m/z, too few for names to be "
            "relied upon"
        )


@checked
def write_peaks(peaks: Peaks | Sequence[Peaks], path: str | Path, *, force: bool = False) -> None:
    """Write the table of the peaks of one or more runs.

    Parameters
    ----------
    peaks : Peaks, or sequence of Peaks
    path : str or path
        Its suffix, ``.csv``, ``.parquet`` or ``.xlsx``, is the format.
    force : bool
        Whether an existing file is overwritten.

    Raises
    ------
    OutputError
        If the suffix is another one, or the file exists or cannot be written.
    MissingExtraError
        If it is a workbook, and the extra ``xlsx`` is not installed.

    Examples
    --------
    In a folder with a run:

    >>> import gale
    >>> gale.write_peaks(gale.find_peaks(gale.read_run("run.csv")), "peaks.csv")
    """
    tables = [each.table for each in _several(peaks)]
    joined = pl.concat(tables, how="diagonal") if tables else peak_table("", (), ())
    write_table(joined, Path(path), force=force)


@checked
def write_peak_matches(
    peaks: Peaks | Sequence[Peaks], path: str | Path, *, force: bool = False
) -> None:
    """Write all matches of the peaks of one or more runs, one row per match.

    Parameters and exceptions are those of :func:`write_peaks`.

    Examples
    --------
    In a folder with a run:

    >>> import gale
    >>> gale.write_peak_matches(gale.find_peaks(gale.read_run("run.csv")), "matches.csv")
    """
    tables = [each.matches for each in _several(peaks)]
    joined = pl.concat(tables) if tables else match_table("", ())
    write_table(joined, Path(path), force=force)


@checked
def write_peak_spectra(
    peaks: Peaks | Sequence[Peaks], path: str | Path, *, force: bool = False
) -> None:
    """Write the spectra of peaks as an MSP file, which NIST MS Search, MS-DIAL and gale read.

    Each spectrum is called after its run and time, since its name is what is to be found; what it
    is like stands in its comment.

    Parameters
    ----------
    peaks : Peaks, or sequence of Peaks
    path : str or path
    force : bool
        Whether an existing file is overwritten.

    Raises
    ------
    OutputError
        If the file exists or cannot be written.

    Examples
    --------
    In a folder with a run:

    >>> import gale
    >>> peaks = gale.find_peaks(gale.read_run("run.csv"))
    >>> gale.write_peak_spectra(peaks, "spectra.msp")
    >>> len(gale.read_library("spectra.msp")) == len(peaks)
    True
    """
    write_msp(entries(_several(peaks)), Path(path), force=force)


@checked
def write_mztab(
    peaks: Peaks | Sequence[Peaks],
    path: str | Path,
    *,
    probabilities: Mapping[str, float] | None = None,
    force: bool = False,
) -> None:
    r"""Write the peaks of a run as mzTab-M 2.0, the exchange format of metabolomics.

    Each peak is a row of the summary and a feature, each match a row of evidence. Only a match that
    is not weak identifies a peak in the summary. Areas are the abundances, families, verdicts and
    what else gale knows of a peak optional columns.

    Parameters
    ----------
    peaks : Peaks, or sequence of one Peaks
        Peaks of different runs are not aligned, so each run has a file of its own.
    path : str or path
    probabilities : mapping of str to float, optional
        Probability of each family in the run, for example from a row of `gale.Model.predict`; they
        become fields ``custom`` of the metadata.
    force : bool
        Whether an existing file is overwritten.

    Raises
    ------
    OutputError
        If there is not one run, or the file exists or cannot be written.

    Examples
    --------
    In a folder with a run:

    >>> import gale
    >>> from pathlib import Path
    >>> gale.write_mztab(gale.find_peaks(gale.read_run("run.csv")), "run.mztab")
    >>> Path("run.mztab").read_text().splitlines()[0].split("\t")
    ['MTD', 'mzTab-version', '2.0.0-M']
    """
    mztab.write(_several(peaks), Path(path), probabilities or {}, force=force)


def _several(peaks: Peaks | Sequence[Peaks]) -> Sequence[Peaks]:
    return [peaks] if isinstance(peaks, Peaks) else peaks
