"""Small campaigns for tests to open and to break, and checks of the problems they have then."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from gale.errors import CampaignError, GaleError
from helpers.errors import Facts, check_error

RUN = "time,mass,intensity\n0.0,4.0,100\n0.1,18.1,{}\n"
RUNS = {"T1": "train", "T2": "train", "T3": "train", "V1": "val", "X1": "test", "X2": "test"}
TABLES = {
    "metadata.csv": "sample_id,split,derivatized,features_path,features_md5_hash\n",
    "train_labels.csv": "sample_id,alcohol,mineral\nT1,1,0\nT2,0,1\nT3,,1\n",
    "val_labels.csv": "sample_id,mineral,alcohol\nV1,1,0\n",
    "submission_format.csv": "sample_id,alcohol,mineral\nX2,0.5,0.5\nV1,0.5,0.5\nX1,0.5,0.5\n",
}


def write_competition(folder: Path) -> Path:
    """A competition folder without fault: six runs, two families, no labels of test."""
    metadata = TABLES["metadata.csv"]
    for at, (run, split) in enumerate(RUNS.items()):
        name = f"{split}_features/{run}.csv"
        content = RUN.format(at).encode()
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
        derivatized = "1" if run in ("T2", "X1") else ""
        metadata += f"{run},{split},{derivatized},{name},{hashlib.md5(content).hexdigest()}\n"
    for name, text in (TABLES | {"metadata.csv": metadata}).items():
        (folder / name).write_text(text)
    return folder


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


class Problem(NamedTuple):
    """A problem: its source, relative to the folder (``ROOT``), and facts in its other fields."""

    source: str
    found: Facts = ()
    expected: Facts = ()
    remedy: Facts = ()


def check_problems(
    root: Path,
    action: Callable[[], object],
    *problems: Problem,
    kind: type[GaleError] = CampaignError,
) -> None:
    """Expect an error with exactly these problems, in their order."""
    with pytest.raises(kind) as caught:
        action()
    errors = caught.value.problems or (caught.value,)
    sources = [error.source.replace(f"{root}{os.sep}", "") for error in errors]
    assert [source.replace(str(root), "ROOT") for source in sources] == [
        problem.source for problem in problems
    ]
    for error, (_, found, expected, remedy) in zip(errors, problems, strict=True):
        check_error(error, found=found, expected=expected, remedy=remedy, kind=kind)
