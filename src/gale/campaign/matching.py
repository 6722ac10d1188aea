"""Runs of two tables matched by name, even if the tables write it differently."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from gale.errors import TableError
from gale.plumbing.text import composed, listed, shown

EXTENSION = re.compile(r"(?<=.)(\.[A-Za-z]\w*)(\.(gz|bz2|xz|zst))?$")
"""It begins with a letter: ``S1.csv.gz`` is S1, but ``S1.5`` and ``S1.6`` are two runs."""


def match_runs(labelled: Iterable[str], predicted: Iterable[str], source: str) -> dict[str, str]:
    """Return the predicted run for every labelled run that has one.

    Runs match by name, with accents composed or not; the remaining ones by the name of their file
    without its folder; and those that then remain, also without its extension.

    Raises
    ------
    TableError
        If several remaining runs match under one name; its source is `source`.
    """
    labelled, predicted = list(labelled), list(predicted)
    match: dict[str, str] = {}
    for shorten in (composed, _file_name, _stem):
        matched = set(match.values())
        labelled_as = _group(shorten, (run for run in labelled if run not in match))
        predicted_as = _group(shorten, (run for run in predicted if run not in matched))
        for name in [name for name in labelled_as if name in predicted_as]:
            if len(labelled_as[name]) > 1 or len(predicted_as[name]) > 1:
                raise TableError(
                    source,
                    f"has the predictions {listed(predicted_as[name])} for the labels "
                    f"{listed(labelled_as[name])}",
                    f"one of each called {shown(name)}",
                    "name the runs the same way in both",
                )
            match[labelled_as[name][0]] = predicted_as[name][0]
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
