"""What `gale peaks` does: open what it needs, go through the runs, write and print."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from gale.cli.batch import software
from gale.cli.peak_lines import noted, printed
from gale.cli.printing import echo
from gale.cli.wording import error_text
from gale.errors import GaleError, GaleWarning
from gale.plumbing.batches import Chunk, Finished, Part
from gale.plumbing.frames import aligned, joined_schema
from gale.plumbing.progress import Progress

if TYPE_CHECKING:
    import polars as pl

    from gale.evidence import IndexTable, Matcher
    from gale.peaks import Peaks


def open_matcher(libraries: Sequence[str]) -> Matcher:
    """Read the libraries to search, by default what comes with gale and what was added to it."""
    from gale.evidence import Matcher
    from gale.library.choice import references
    from gale.library.disagreement import note_disagreement

    read = noted(references, libraries or None)
    for one, other in combinations(read if libraries else (), 2):
        if note := note_disagreement(one, other):
            echo(f"note: {note}; both are searched", err=True)
    return Matcher(read)


def open_index(
    index_table: Path | None,
    alkanes: Path | None,
    first: int | None,
    columns: Mapping[str, str] | None,
) -> IndexTable | None:
    """Read a table of retention indices, or make one of a run of n-alkanes."""
    import gale
    from gale.evidence import IndexTable

    if index_table is not None:
        return IndexTable.read(index_table)
    if alkanes is None:
        return None
    table = noted(gale.find_ladder, gale.read_run(alkanes, columns=columns), first_alkane=first)
    low, high = table.index[[0, -1]] / 100
    echo(f"{alkanes.name}: {len(table.index)} n-alkanes, C{low:.0f} to C{high:.0f}", err=True)
    return table


PEAKS, MATCHES, SPECTRA, MZTAB, PRINTED = "table", "matches", "msp", "mztab", "printed"
"""The tables of a part: what can be written, and what is printed if nothing is."""

RUNS = 8
"""Runs of a chunk: each takes long."""

_MATCHERS: dict[tuple[str, ...], Matcher] = {}


@dataclass(frozen=True)
class PeaksTask:
    """Finds the peaks of the runs of a chunk.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of the columns of tables.
    libraries : tuple of str
        What peaks are compared with, which each process opens itself.
    index : IndexTable, optional
    least_share : float
    wanted : tuple of str
        The tables to make.
    """

    columns: Mapping[str, str] | None
    libraries: tuple[str, ...]
    index: IndexTable | None
    least_share: float
    wanted: tuple[str, ...]

    def __call__(self, chunk: Chunk, progress: Progress) -> Part:
        """Find the peaks of every run that can be read, and say which cannot."""
        import polars as pl

        import gale

        found, failed = [], []
        for item in chunk:
            try:
                run = gale.read_run(item.path, columns=self.columns)
                with warnings.catch_warnings(record=True) as told:
                    warnings.simplefilter("always", GaleWarning)
                    peaks = gale.find_peaks(
                        run,
                        matcher=self._matcher(),
                        index=self.index,
                        least_share=self.least_share,
                    )
                found.append(peaks)
                for each in told:
                    progress.note(str(each.message))
            except GaleError as error:
                failed.append(error_text(error))
            progress.step()
        tables = {name: pl.concat([empty(name), *(made(name, each) for each in found)],
                                  how="diagonal") for name in self.wanted}  # fmt: skip
        facts = {
            "failed": failed,
            "peaks": sum(map(len, found)),
            "matches": sum(len(peak.matches) for each in found for peak in each),
        }
        return Part(facts, tables)

    def _matcher(self) -> Matcher:
        from gale.evidence import Matcher
        from gale.library.choice import references

        if self.libraries not in _MATCHERS:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", GaleWarning)
                _MATCHERS[self.libraries] = Matcher(references(self.libraries or None))
        return _MATCHERS[self.libraries]

    def made_with(self) -> dict[str, str]:
        """Say what the result depends on besides the runs; open what is compared."""
        if self.libraries not in _MATCHERS:
            _MATCHERS[self.libraries] = open_matcher(self.libraries)
        index = self.index
        return {
            **software(),
            "column": json.dumps(self.columns and dict(self.columns)),
            "library": json.dumps(list(self._matcher().sources), default=str),
            "index": json.dumps(index and [index.time_min.tolist(), index.index.tolist()]),
            "least-share": str(self.least_share),
            "output": ", ".join(self.wanted),
        }


def wanted_of(outputs: Mapping[str, Path | None]) -> tuple[str, ...]:
    """Name the tables that are needed for what was asked for."""
    return tuple(name for name, path in outputs.items() if path is not None) or (PRINTED,)


def empty(name: str) -> pl.DataFrame:
    """Give a table of a part without rows."""
    import polars as pl

    from gale.peaks.table import match_table, peak_table

    if name == PEAKS:
        return peak_table("", (), ())
    return match_table("", ()) if name == MATCHES else pl.DataFrame(schema={"text": pl.String})


def made(name: str, peaks: Peaks) -> pl.DataFrame:
    """Make a table of a part for a run."""
    import polars as pl

    from gale.peaks.mztab import mztab_text
    from gale.peaks.spectra import entries
    from gale.writers.msp import msp_text

    if name == PEAKS:
        return peaks.table
    if name == MATCHES:
        return peaks.matches
    if name == MZTAB:
        text = mztab_text(peaks)
    else:
        text = msp_text(entries([peaks])) if name == SPECTRA else "\n".join(printed(peaks))
    return pl.DataFrame({"text": [text]})


def write_all(
    finished: Finished, outputs: Mapping[str, Path | None], n_runs: int, *, force: bool
) -> int:
    """Write what was asked for, and say so; print the largest peaks if nothing was.

    Returns
    -------
    int
        Number of runs that could not be read.
    """
    from gale.peaks.table import rounded, texts_of
    from gale.plumbing.files import writing
    from gale.plumbing.frames import write_frames
    from gale.plumbing.text import counted

    n_peaks = n_matches = n_failed = 0
    for facts in finished.facts():
        n_peaks, n_matches = n_peaks + facts["peaks"], n_matches + facts["matches"]
        n_failed += len(facts["failed"])
        for each in facts["failed"]:
            echo(f"failed: {each}", err=True)
    of_runs = f"{counted(n_peaks, 'peak')} of {counted(n_runs - n_failed, 'run')}"
    said = {
        PEAKS: of_runs,
        MATCHES: counted(n_matches, "match", "matches"),
        SPECTRA: f"{of_runs} as spectra",
        MZTAB: f"{of_runs} as mzTab-M",
    }
    for name, path in outputs.items():
        if path is None or (name == MZTAB and n_failed == n_runs):
            continue
        if name in (SPECTRA, MZTAB):
            with writing(path, force=force) as temporary:
                write_texts(finished.tables(name), temporary)
        else:
            schema = joined_schema(finished.tables(name))
            tables = (rounded(aligned(each, schema)) for each in finished.tables(name))
            write_frames(tables, path, force=force, texts=texts_of(schema))
        echo(f"{path}: {said[name]}")
    if not any(outputs.values()):
        for table in finished.tables(PRINTED):
            for text in table["text"]:
                echo(text)
    return n_failed


def write_texts(tables: Iterable[pl.DataFrame], path: Path) -> None:
    """Write spectra one after the other."""
    between = ""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for table in tables:
            for text in filter(None, table["text"]):
                file.write(between + text)
                between = "\n"
