"""What `gale peaks` does: open what it needs, go through the runs, write and print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gale.cli.peak_lines import noted, printed
from gale.cli.printing import echo
from gale.cli.sources import paths_of
from gale.cli.wording import error_text
from gale.errors import GaleError

if TYPE_CHECKING:
    import gale
    from gale.evidence import IndexTable, Matcher
    from gale.peaks import Peaks


def check_outputs(outputs: Mapping[str, Path | None], n_runs: int) -> None:
    """Check that tables have a suffix that can be written, and other files can have the runs."""
    from gale.peaks.mztab import check_one
    from gale.plumbing.frames import check_suffix

    for name in ("table", "matches"):
        if (path := outputs[name]) is not None:
            check_suffix(path)
    if (path := outputs["mztab"]) is not None:
        check_one(n_runs, path)


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


def find_all(
    sources: gale.Campaign | tuple[Path, ...],
    columns: Mapping[str, str] | None,
    *,
    quiet: bool,
    **choices: Any,
) -> tuple[list[Peaks], int]:
    """Find the peaks of every run that can be read, and count those that cannot."""
    import gale
    from gale.cli.progress import ConsoleProgress

    paths = paths_of(sources)
    found, failed = [], []
    with closing(ConsoleProgress(quiet=quiet)) as progress:
        progress.begin("looking for peaks", len(paths))
        for path in paths:
            try:
                run = gale.read_run(path, columns=columns)
                found.append(noted(gale.find_peaks, run, **choices))
            except GaleError as error:
                failed.append(error)
            progress.step()
    echo("".join(f"failed: {error_text(each)}\n" for each in failed), nl=False, err=True)
    return found, len(failed)


def write_all(
    found: Sequence[Peaks], outputs: Mapping[str, Path | None], *, force: bool
) -> Iterator[str]:
    """Write what was asked for, and say so; print the largest peaks if nothing was."""
    import gale
    from gale.plumbing.text import counted

    n_peaks = counted(sum(map(len, found)), "peak")
    n_runs = counted(len(found), "run")
    if (path := outputs["table"]) is not None:
        gale.write_peaks(found, path, force=force)
        yield f"{path}: {n_peaks} of {n_runs}"
    if (path := outputs["matches"]) is not None:
        gale.write_peak_matches(found, path, force=force)
        number = sum(len(peak.matches) for each in found for peak in each)
        yield f"{path}: {counted(number, 'match', 'matches')}"
    if (path := outputs["msp"]) is not None:
        gale.write_peak_spectra(found, path, force=force)
        yield f"{path}: {n_peaks} of {n_runs} as spectra"
    if (path := outputs["mztab"]) is not None and found:
        gale.write_mztab(found, path, force=force)
        yield f"{path}: {n_peaks} of {n_runs} as mzTab-M"
    if not any(outputs.values()):
        for each in found:
            yield from printed(each)
