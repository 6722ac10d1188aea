"""What `gale peaks` opens before it goes through runs, and writes and prints afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from gale.cli.peak_lines import noted
from gale.cli.printing import echo
from gale.cli.tasks.peak_tables import MATCHES, MZTAB, PEAKS, PRINTED, SPECTRA
from gale.plumbing.batches import Finished
from gale.plumbing.frames import aligned, joined_schema

if TYPE_CHECKING:
    import polars as pl

    from gale.matching import IndexTable, Matcher


def open_matcher(libraries: Sequence[str]) -> Matcher:
    """Read the libraries to search, by default what comes with gale and what was added to it."""
    from gale.library.choice import references
    from gale.library.disagreement import note_disagreement
    from gale.matching import Matcher

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
    from gale.matching import IndexTable

    if index_table is not None:
        return IndexTable.read(index_table)
    if alkanes is None:
        return None
    table = noted(gale.find_ladder, gale.read_run(alkanes, columns=columns), first_alkane=first)
    low, high = table.index[[0, -1]] / 100
    echo(f"{alkanes.name}: {len(table.index)} n-alkanes, C{low:.0f} to C{high:.0f}", err=True)
    return table


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
    from gale.plumbing.text import counted, display_name

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
        echo(f"{display_name(path)}: {said[name]}")
    if not any(outputs.values()):
        for table in finished.tables(PRINTED):
            for text in table["text"]:
                echo(text)
    return n_failed


def write_texts(tables: Iterable[pl.DataFrame], path: Path) -> None:
    """Write spectra one after the other."""
    from gale.plumbing.files import text_to_write

    between = ""
    with text_to_write(path) as file:
        for table in tables:
            for text in filter(None, table["text"]):
                file.write(between + text)
                between = "\n"
