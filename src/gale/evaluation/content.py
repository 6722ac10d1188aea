"""What runs hold, so that predictions are not scored with labels of other runs of the same names.

Runs are matched by name, and campaigns name theirs alike: many have a run S0001. So predictions
keep of each run what names its content, which is compared with the files of the labelled runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gale.campaign.matching import EXTENSION
from gale.errors import ReadError, TableError
from gale.plumbing.progress import Progress
from gale.plumbing.text import counted, display_name
from gale.readers import DIGITS, checksum_of, load

UNSAID = "no JSON file beside the predictions says what was read"
UNSEEN = "their files are not in the folder of the labels"
UNLIKE_FILES = "they were predicted from files of another format or packing"
"""Why it is unknown whether a labelled run is the one predicted."""


class Content(NamedTuple):
    """The content of a run: the name of its file, and the first digits of its SHA-256."""

    file: str
    sha256: str

    @classmethod
    def of(cls, path: Path, checksum: str) -> Content:
        """Name the content of a file or folder by what :func:`gale.readers.checksum_of` gave."""
        return cls(display_name(path.name), checksum[:DIGITS])

    @property
    def kind(self) -> str:
        """The extensions; in another format or packing, the same run is of other bytes."""
        found = EXTENSION.search(self.file)
        return found[0].lower() if found else ""


def contents_of(
    runs: Iterable[str], paths: Iterable[Path], checksums: Iterable[str]
) -> dict[str, Content]:
    """Name the content of the runs that were read; a checksum is empty for one that was not."""
    return {
        run: Content.of(path, checksum)
        for run, path, checksum in zip(runs, paths, checksums, strict=True)
        if checksum
    }


def read_contents(files: Mapping[str, Path], progress: Progress) -> dict[str, Content]:
    """Hash the files of runs, by their names; those that cannot be read are left out."""
    found = {}
    if files:
        progress.begin("comparing runs with those predicted", len(files))
    for run, path in files.items():
        with suppress(ReadError):  # what does not open cannot be compared, as is said later
            found[run] = Content.of(path, checksum_of(load(path)))
        progress.step()
    return found


def check_contents(
    predicted: Mapping[str, Content],
    labelled: Mapping[str, Content],
    match: Mapping[str, str],
    source: str,
    other: str = "the labels",
) -> dict[str, tuple[str, ...]]:
    """Refuse predictions of other runs than those of the same names.

    Parameters
    ----------
    predicted, labelled : mapping of str to Content
        By the names in the predictions, and in the labels.
    match : mapping of str to str
        The predicted run for each labelled one to compare.
    source, other : str
        What to call both in messages.

    Returns
    -------
    dict of str to tuple of str
        Labelled runs that may be others all the same, by the reason.

    Raises
    ------
    TableError
        If the content of a run differs.

    Examples
    --------
    >>> table, packed = Content("S1.csv", "89ab"), Content("S1.csv.gz", "0123")
    >>> check_contents({"S1": table}, {"S1": packed}, {"S1": "S1"}, "p.csv")
    {'they were predicted from files of another format or packing': ('S1',)}
    """
    others, unknown = list[str](), dict[str, tuple[str, ...]]()
    for run, name in match.items():
        was, found = predicted.get(name), labelled.get(run)
        if was is None or found is None:
            reason = UNSAID if was is None else UNSEEN
        elif was.sha256 == found.sha256:
            continue
        elif was.kind == found.kind:
            others.append(run)
            continue
        else:
            reason = UNLIKE_FILES
        unknown[reason] = (*unknown.get(reason, ()), run)
    if others:
        first, *more = others
        raise TableError(
            source,
            f"is of other runs: its run {match[first]} has other content than {first} of {other}"
            + (f" (and {len(more):,} more)" if more else ""),
            "the same runs, not others of the same names",
            "predict the labelled runs again, or use the labels of those that were predicted",
        )
    return unknown


def unknown_note(reason: str, runs: Sequence[str]) -> str:
    """Say of how many scored runs it is unknown whether they are those predicted, and why."""
    return (
        f"cannot tell whether the labels of {counted(len(runs), 'run')} are of what was predicted, "
        f"since only names were compared: {reason}"
    )
