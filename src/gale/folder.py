"""A folder of runs: which files are runs, and which of them the names in a label table mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from gale.errors import ReadError
from gale.labels import LabelTable
from gale.readers import is_run_file
from gale.tables import Problems, exists, shown


def find_runs(
    root: Path, columns: Mapping[str, str] | None, problems: Problems
) -> tuple[list[Path], list[Path]]:
    """List the files of a folder and all below it, hidden ones aside, in order of their paths.

    Returns
    -------
    runs, left_out : list of Path
        The files that are runs, by their content, and those that are not.
    """
    runs: list[Path] = []
    left_out: list[Path] = []
    for file in _files(root, problems):
        try:
            (runs if is_run_file(file, columns=columns) else left_out).append(file)
        except ReadError as error:
            problems.add_error(error)
    return runs, left_out


def _files(root: Path, problems: Problems) -> list[Path]:
    """All files; a linked folder is entered last, and only if it is none of those entered before.

    So links that form a loop end, and a run has the shorter of two names.
    """
    files: list[Path] = []
    folders, links = [root], list[Path]()
    entered: set[Path] = set()
    while folders or links:
        folder = folders.pop() if folders else links.pop()
        if (place := folder.resolve()) in entered:
            continue
        entered.add(place)
        try:
            for entry in folder.iterdir():
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    (links if entry.is_symlink() else folders).append(entry)
                else:
                    files.append(entry)
        except OSError as error:
            problems.add(folder, f"cannot be listed ({error.strerror}); expected a folder of runs")
    return sorted(files)


def match_runs(
    path: Path, table: LabelTable, root: Path, files: Sequence[Path], problems: Problems
) -> dict[str, Path]:
    """Give the file that each run of a label table means, noting names and files without match.

    A name is the path relative to `root`, or the name of the file without its extension if only
    one file has it.
    """
    by_path = {file.relative_to(root).as_posix(): file for file in files}
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        by_stem[Path(file.name.removesuffix(".gz")).stem].append(file)

    matched: dict[str, Path] = {}
    row_of: dict[Path, int] = {}
    for run, row in zip(table.runs, table.rows, strict=True):
        if not run or run in matched:
            continue
        relative = run.replace("\\", "/")
        meant = [by_path[relative]] if relative in by_path else by_stem.get(run, [])
        if len(meant) == 1 and meant[0] not in row_of:
            matched[run] = meant[0]
        else:
            what = _mismatch(run, meant, root, row_of)
            problems.add(path, what, row=row, column="1")
        row_of.update(dict.fromkeys(meant, row))
    for file in files:
        if file not in row_of:
            problems.add(
                file, f"found no label; expected a row of {path} for it, blank where unknown"
            )
    return matched


def _mismatch(run: str, meant: Sequence[Path], root: Path, row_of: Mapping[Path, int]) -> str:
    """Say why a name does not mean one file of its own."""
    names = [file.relative_to(root).as_posix() for file in meant]
    if len(names) > 1:
        return (
            f"found {shown(run)}, which may be {' or '.join(names)}; "
            "expected the path relative to the folder"
        )
    if names:
        return (
            f"found {shown(run)}, which is {names[0]} as in row {row_of[meant[0]]}; "
            "expected every run once"
        )
    what = "is not a run that gale reads" if exists(root / run) else "does not exist"
    return f"found {shown(run)}, which {what}; expected the path of a run in {root}"
