"""The files of runs beside a table that names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gale.campaign.beside import files_beside
from helpers.training import Recorder

RUN = "time,mass,intensity\n0.1,18.0,5\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("runs/a.csv", "b.csv"):
        file = tmp_path / "campaign" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(RUN, "utf-8")
    return tmp_path / "campaign"


def test_a_path_in_the_folder_and_the_end_of_one_elsewhere(root: Path) -> None:
    names = {"b.csv": (), "a": ("runs/a.csv",), "far": ("C:\\data\\runs\\a.csv",), "c": ("c.csv",)}
    assert files_beside(root, names, Recorder()) == {
        "b.csv": root / "b.csv",
        "a": root / "runs" / "a.csv",
        "far": root / "runs" / "a.csv",
    }


def test_nothing_outside_the_folder_is_found(root: Path) -> None:
    outside = root.parent / "secret.csv"
    outside.write_text(RUN, "utf-8")
    (root / "linked.csv").symlink_to(outside)
    names = dict.fromkeys(("../secret.csv", str(outside), "linked.csv", "", "a\x00b", "runs"), ())
    assert files_beside(root, names, Recorder()) == {}


def test_the_metadata_say_where_the_files_are(root: Path) -> None:
    header = "sample_id,split,derivatized,features_path,features_md5_hash\n"
    rows = "S1,train,,runs/a.csv,\nS2,train,,gone.csv,\n"
    (root / "metadata.csv").write_text(header + rows, "utf-8")
    names = {"S1": (), "S2": (), "b.csv": (), "odd": ("S1",)}
    found = files_beside(root, names, Recorder())
    assert found == dict.fromkeys(("S1", "odd"), root / "runs" / "a.csv")


def test_metadata_of_something_else_are_noted(root: Path) -> None:
    (root / "metadata.csv").write_text("title,year\nx,2020\n", "utf-8")
    recorder = Recorder()
    assert files_beside(root, {"b.csv": ()}, recorder) == {}
    (note,) = recorder.notes
    assert "metadata.csv" in note
    assert "sample_id" in note
