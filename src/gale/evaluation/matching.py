"""Which run of one table is which run of another, although they may name it differently."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from gale.errors import TableError
from gale.plumbing.text import composed, listed, shown

EXTENSION = re.compile(r"(?<=.)(\.[A-Za-z]\w*)(\.(gz|bz2|xz|zst))?$")
"""Starts with a letter: ``S1.csv.gz`` is S1, but ``S1.5`` and ``S1.6`` are two runs."""


def match_runs(labelled: Iterable[str], predicted: Iterable[str], source: str) -> dict[str, str]:
    """Return the predicted run of every labelled run that has one.

    Runs match by name, accents composed or not; those left, by the name of the file without its
    folder; those left then, also without its extension.

    Raises
    ------
    TableError
        If several runs left match under one name; `source` is the file it says.
    """
    labelled, predicted = list(labelled), list(predicted)
    match: dict[str, str] = {}
    for shorten in (composed, _file_name, _stem):
        matched = set(match.values())
        ours = _group(shorten, (run for run in labelled if run not in match))
        theirs = _group(shorten, (run for run in predicted if run not in matched))
        for name in [name for name in ours if name in theirs]:
            if len(ours[name]) > 1 or len(theirs[name]) > 1:
                raise TableError(
                    f"{source}: found the predictions {listed(theirs[name])} for the labels "
                    f"{listed(ours[name])}; expected one of each called {shown(name)}; "
                    "name the runs the same way in both"
                )
            match[ours[name][0]] = theirs[name][0]
    return match


def _group(shorten: Callable[[str], str], runs: Iterable[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for run in runs:
        groups.setdefault(shorten(run), []).append(run)
    return groups


def _file_name(run: str) -> str:
    return re.split(r"[/\\]", composed(run).rstrip("/\\"))[-1]


def _stem(run: str) -> str:
    return EXTENSION.sub("", _file_name(run))
