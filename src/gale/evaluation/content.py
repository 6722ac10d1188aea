"""What runs hold, so that predictions are not scored with labels of other runs of the same names.

Runs are matched by name, and campaigns name theirs alike: many have a run S0001. So predictions
keep of each run what names its content, which is compared with the files of the labelled runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gale.campaign.matching import EXTENSION
from gale.errors import ReadError, TableError
from gale.features.content import checksum_inside
from gale.plumbing.progress import Progress
from gale.plumbing.text import counted, display_name
from gale.readers import DIGITS, checksum_of, load

PACKED = re.compile(r"(?i)\.(gz|zip)$")
"""How names of packed files end."""

UNSAID = "no JSON file beside the predictions says what was read"
UNSEEN = "their files are not in the folder of the labels, or cannot be read"
UNLIKE_FILES = "they were predicted from files of another format"
"""Why it is unknown whether a labelled run is the one predicted."""


class Content(NamedTuple):
    """The content of a run: the name of its file, and the first digits of its SHA-256.

    The last one is the SHA-256 of what is in a packed file, by which it is compared, and empty for
    others.
    """

    file: str
    sha256: str
    inside: str = ""

    @classmethod
    def of(cls, path: Path, checksum: str, inside: str) -> Content:
        """Name the content of a file or folder, see `gale.features.FeatureTable`."""
        packed = inside[:DIGITS] if inside != checksum else ""
        return cls(display_name(path.name), checksum[:DIGITS], packed)

    @classmethod
    def read(cls, path: Path) -> Content:
        """Read the content of a file or folder.

        Raises
        ------
        ReadError
        """
        data = load(path)
        checksum = inside = checksum_of(data)
        with suppress(ReadError):  # then it is compared as it is
            inside = checksum_inside(data, str(path), None, checksum)
        return cls.of(path, checksum, inside)

    def to_dict(self) -> dict[str, str]:
        """Return it as the file beside predictions has it."""
        packed = {"content": self.inside} if self.inside else {}
        return {"file": self.file, "sha256": self.sha256, **packed}

    def is_same(self, other: Content) -> bool | None:
        """Whether it is that of the same run; None if that is unknown.

        In another format the same run is of other bytes, and so it is in another packing, of which
        older files do not say what is in it.
        """
        if {self.sha256, self.inside} & {other.sha256, other.inside} - {""}:
            return True
        of_same_kind = self._kind == other._kind and not PACKED.search(self._kind)
        return False if of_same_kind else None

    @property
    def _kind(self) -> str:
        """The extension in small letters, without that of a packing whose content is known."""
        found = EXTENSION.search(PACKED.sub("", self.file) if self.inside else self.file)
        return found[0].lower() if found else ""


def read_contents(files: Mapping[str, Path], progress: Progress) -> dict[str, Content]:
    """Hash the files of runs, by their names; those that cannot be read are left out."""
    found = {}
    if files:
        progress.begin("comparing runs with those predicted", len(files))
    for run, path in files.items():
        with suppress(ReadError):  # what does not open cannot be compared, as is said later
            found[run] = Content.read(path)
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
    >>> table, packed = Content("S1.csv", "89ab"), Content("S1.csv.gz", "0123", "89ab")
    >>> check_contents({"S1": table}, {"S1": packed}, {"S1": "S1"}, "p.csv")
    {}
    >>> check_contents({"S1": table}, {"S1": Content("S1.cdf", "4567")}, {"S1": "S1"}, "p.csv")
    {'they were predicted from files of another format': ('S1',)}
    """
    others, unknown = list[str](), dict[str, tuple[str, ...]]()
    for run, name in match.items():
        was, found = predicted.get(name), labelled.get(run)
        if was is None or found is None:
            reason = UNSAID if was is None else UNSEEN
        elif (is_same := was.is_same(found)) is None:
            reason = UNLIKE_FILES
        else:
            others += [] if is_same else [run]
            continue
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
