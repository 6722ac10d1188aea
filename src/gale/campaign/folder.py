"""A folder of runs: which files are runs, and which file each name in a label table means."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

from gale.campaign.labels import LabelTable, is_run_column
from gale.errors import ReadError
from gale.plumbing.batches import is_partial, is_stamp
from gale.plumbing.files import exists
from gale.plumbing.reading import is_within
from gale.plumbing.remote import address_of, files_at
from gale.plumbing.tables import Problems
from gale.plumbing.text import composed, display_name, shown
from gale.readers import SCAN_FORMATS, glance, is_run_file
from gale.readers.instrument_folders import is_run_folder
from gale.readers.refused import NO_RUNS
from gale.readers.tables.headers import N_COLUMNS, count_columns

Kind = Literal["run", "doubtful", "other", "outside"]
"""Kind of a file in a folder; a ``doubtful`` one may be meant as a run that cannot be read.

What is ``outside`` is a link that leads out of the folder, and is not opened: who made the folder
must not choose what else of this computer is read, and quoted in messages.
"""

OUTSIDE = "is a link that leads out of the folder"

RUN_SUFFIXES = (".cdf", ".nc", ".jdx", ".dx", ".mzml", ".mzxml")
"""Suffixes that only runs have."""

WEB_PAGE, PAGE_SUFFIXES = "web", (".html", ".htm")
"""What web pages are by their content, and by their names, as `gale report run` gives them."""


def find_runs(
    root: Path, columns: Mapping[str, str] | None, problems: Problems
) -> dict[Kind, list[Path]]:
    """List the files of a folder and its subfolders by kind; hidden files are skipped.

    A vendor's run folder counts as one file. A folder that cannot be listed is a doubtful file.
    Each list is in order of the paths.
    """
    found: dict[Kind, list[Path]] = {"run": [], "doubtful": [], "other": [], "outside": []}
    for file in list_files(root, problems):
        found[recognise(file, columns) if is_within(file, root) else "outside"].append(file)
    return found


def recognise(file: Path, columns: Mapping[str, str] | None) -> Kind:
    """Tell the kind of a file from its first bytes, or of a run folder from the names in it.

    Doubtful are files that are empty, damaged or unreadable, tables with only some columns of a
    run, and formats that may contain a run but that gale does not read.
    """
    try:
        if address_of(file) is None:
            is_folder = file.is_dir()
            if not is_folder and not file.is_file():  # reading a pipe would wait
                return "doubtful" if file.is_symlink() else "other"
            if is_folder:
                return "run" if is_run_file(file) else "doubtful"
        word, header = glance(file, columns=columns)
    except (ReadError, OSError):
        return "doubtful"
    n_columns = count_columns(header, columns)
    if word in SCAN_FORMATS or n_columns == N_COLUMNS:
        return "run"
    if word == WEB_PAGE and file.suffix.lower() in PAGE_SUFFIXES:
        return "other"  # under the name of a run, one was saved in its place
    doubtful = n_columns > 0 and not is_run_column(header[0]) if header else word not in NO_RUNS
    return "doubtful" if doubtful or file.suffix.lower() in RUN_SUFFIXES else "other"


def list_files(
    root: Path, problems: Problems, is_whole: Callable[[Path], bool] = is_run_folder
) -> list[Path]:
    """List all files; linked folders are entered last, and no folder is entered twice.

    What `gale.plumbing.batches` keeps of an unfinished output is no file of the folder.
    So loops of links end, and a run in a linked folder gets the name of its real folder. Folders
    that cannot be listed, and links that lead out of `root`, count as files, as do those that
    `is_whole` takes for a run.
    """
    if (address := address_of(root)) is not None:
        return _list_files_at(address, root, problems)
    files: list[Path] = []
    folders, links = [root], list[Path]()
    entered: set[Path] = set()
    while folders or links:
        folder = folders.pop() if folders else links.pop()
        if (place := folder.resolve()) in entered:
            continue
        entered.add(place)
        if folder != root and is_whole(folder):
            files.append(folder)
            continue
        try:
            entries = list(folder.iterdir())
        except OSError as error:
            if folder == root:
                problems.add(folder, f"cannot be listed ({error.strerror})", "a folder of runs")
            else:
                files.append(folder)
            continue
        for entry in entries:
            if entry.name.startswith(".") or is_partial(entry):
                continue
            if _may_be_entered(entry, root):
                (links if entry.is_symlink() else folders).append(entry)
            else:
                files.append(entry)
    return sorted(files)


def _list_files_at(address: str, root: Path, problems: Problems) -> list[Path]:
    """List all files of a folder at an address, which has no links."""
    try:
        names = files_at(address, below=True)
    except OSError as error:
        problems.add(root, f"cannot be listed ({error.strerror})", "a folder of runs")
        return []
    parts = {name: PurePosixPath(name).parts for name in names}
    kept = {PurePosixPath(name).parent.parts for name in names if is_stamp(name)}
    return [
        root / name
        for name in names
        if not any(part.startswith(".") for part in parts[name])
        and not any(parts[name][: len(folder)] == folder for folder in kept)
    ]


def _may_be_entered(entry: Path, root: Path) -> bool:
    try:
        return entry.is_dir() and (not entry.is_symlink() or is_within(entry, root))
    except OSError:
        return False


def match_runs(
    path: Path, table: LabelTable, root: Path, files: Sequence[Path], problems: Problems
) -> dict[str, Path]:
    """Find the file of each run in a label table, and note names and files without a match.

    A name is the path relative to `root`, or the name of the file without its extension if only
    one file has that name. Accents match whether composed or not; macOS decomposes file names.
    """
    by_path, by_stem = defaultdict[str, list[Path]](list), defaultdict[str, list[Path]](list)
    for file in files:
        name = composed(run_name(file, root))
        by_path[name].append(file)
        unpacked = name.removesuffix(".gz").removesuffix(".zip")
        by_stem[Path(unpacked).stem].append(file)

    matched: dict[str, Path] = {}
    row_of: dict[Path, int] = {}
    for run, row in zip(table.runs, table.rows, strict=True):
        if not run or run in matched:
            continue
        name = composed(run)
        meant = by_path.get(name.replace("\\", "/")) or by_stem.get(name, [])
        if len(meant) == 1 and meant[0] not in row_of:
            matched[run] = meant[0]
        else:
            problems.add(path, *_mismatch(run, meant, root, row_of), row=row, column="1")
        row_of.update(dict.fromkeys(meant, row))
    for file in files:
        if file not in row_of:
            problems.add(file, "has no label", f"a row for it in {path}, blank where unknown")
    return matched


def run_name(file: Path, root: Path) -> str:
    """Return the name of a run: its path in the folder, with forward slashes."""
    return display_name(file.relative_to(root).as_posix())


def left_out_name(file: Path, root: Path) -> str:
    """Return the name of a file that is left out, with the reason if it leads out of `root`."""
    name = run_name(file, root)
    return name if is_within(file, root) else f"{name} ({OUTSIDE})"


def _mismatch(
    run: str, meant: Sequence[Path], root: Path, row_of: Mapping[Path, int]
) -> tuple[str, str]:
    """Say what was found and expected where a name does not mean one file of its own."""
    names = [run_name(file, root) for file in meant]
    found = f"found {shown(run)}, which"
    if len(names) > 1:
        return f"{found} may be {' or '.join(names)}", "the path relative to the folder"
    if names:
        return f"{found} is {names[0]} as in row {row_of[meant[0]]}", "every run once"
    reason = "is not a run that gale reads" if exists(root / run) else "does not exist"
    if not is_within(root / run, root):
        reason = OUTSIDE
    return f"{found} {reason}", f"the path of a run in {root}"
