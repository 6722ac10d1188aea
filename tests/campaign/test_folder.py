"""Campaigns that are a folder of runs, with a label table or without."""

from __future__ import annotations

import errno
import gzip
import os
import sys
import unicodedata
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import gale
from gale.campaign import TABLES, Campaign, folder
from gale.campaign.folder import left_out_name
from gale.errors import CampaignError, ReadError
from helpers.campaign_folders import Problem, check_problems
from helpers.errors import refused

RUN = "time,mass,intensity\n0.0,18.1,100\n0.1,18.1,200\n"
NAMES = ("a.csv", "b.csv", "day1/c.csv", "day2/c.csv", "day2/d.csv")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Five runs, two of one name in different folders, among other files."""
    root = tmp_path / "runs"
    for name in NAMES:
        write(root / name, RUN)
    write(root / "notes.txt", "a run of bad luck\n")
    write(root / ".hidden" / "e.csv", RUN)
    write(root / "._a.csv", RUN)
    return root


def check_campaign(root: Path, *problems: Problem) -> None:
    check_problems(root, lambda: Campaign.open(root), *problems)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_folder_without_labels(root: Path) -> None:
    campaign = Campaign.open(root)
    assert campaign.runs == NAMES
    assert campaign.paths == tuple(root / name for name in NAMES)
    assert campaign.split == ("",) * 5
    assert campaign.families == ()
    assert campaign.labels.shape == (5, 0)
    assert campaign.prevalence().shape == (0,)
    assert campaign.checksums == (None,) * 5
    assert campaign.submission is None
    assert campaign.left_out == (root / "notes.txt",)
    assert repr(campaign) == (
        f"<Campaign {root}: 5 runs (5 without labels), 0 families, 0 labelled, 5 without checksum>"
    )
    campaign.verify_checksums()


@pytest.mark.parametrize("given", [False, True])
def test_a_label_table_names_paths_or_file_names(root: Path, tmp_path: Path, given: bool) -> None:
    path = tmp_path / "given.csv" if given else root / "labels.csv"
    write(path, "run,alcohol\nday2\\c.csv,1\nd,0\nday1/c.csv,\nb,0\na.csv,1\n")
    campaign = Campaign.open(root, labels=path if given else None)
    assert campaign.runs == ("day2\\c.csv", "d", "day1/c.csv", "b", "a.csv")
    assert campaign.paths == tuple(
        root / name for name in ("day2/c.csv", "day2/d.csv", "day1/c.csv", "b.csv", "a.csv")
    )
    assert campaign.split == ("train", "train", "", "train", "train")
    assert_array_equal(campaign.labels, [[1], [0], [np.nan], [0], [1]])
    assert np.isnan(campaign.derivatized).all()
    assert campaign.left_out == (root / "notes.txt",)


def test_a_given_label_table_takes_the_place_of_labels_csv(root: Path, tmp_path: Path) -> None:
    write(root / "labels.csv", "broken")
    write(tmp_path / "given.csv", "run,x\n" + "".join(f"{name},1\n" for name in NAMES))
    assert Campaign.open(root, labels=tmp_path / "given.csv").families == ("x",)


@pytest.mark.parametrize(
    ("rows", "problems"),
    [
        (
            f"d,1\n{'x' * 5000},0\n",
            [Problem("labels.csv: row 6, column 1", (f"'{'x' * 57}...'", "exist"))],
        ),
        ("d,1\ne,0\n", [Problem("labels.csv: row 6, column 1", ("'e'", "exist"), "path")]),
        (
            "d,1\nnotes.txt,0\n",
            [Problem("labels.csv: row 6, column 1", ("'notes.txt'", "not a run"), "path")],
        ),
        ("", [Problem("day2/d.csv", "label", ("labels.csv", "blank"))]),
        (
            "d,1\nc,1\n",
            [Problem("labels.csv: row 6, column 1", ("'c'", "day1/c.csv or day2/c.csv"), "path")],
        ),
        (
            "d,1\nday2/d.csv,1\n",
            [Problem("labels.csv: row 6, column 1", ("'day2/d.csv'", "row 5"), "once")],
        ),
        ("d,1\nd,1\n", [Problem("labels.csv: row 6, column run", ("'d'", "row 5"), "once")]),
        ("d,1\n,1\n", [Problem("labels.csv: row 6, column run", "blank", "run")]),
        (
            "d,2\ne,0\n",
            [
                Problem("labels.csv: row 5, column alcohol", "'2'", "blank"),
                Problem("labels.csv: row 6, column 1", ("'e'", "exist"), "path"),
            ],
        ),
    ],
)
def test_names_that_do_not_match(root: Path, rows: str, problems: list[Problem]) -> None:
    (root / "b.csv").unlink()
    write(root / "labels.csv", f"run,alcohol\na,1\nday1/c.csv,1\nday2/c.csv,0\n{rows}")
    check_campaign(root, *problems)


def test_an_ambiguous_name_is_one_problem(root: Path) -> None:
    write(root / "labels.csv", "run,alcohol\na,1\nb,1\nc,1\nd,0\n")
    check_campaign(
        root, Problem("labels.csv: row 4, column 1", ("'c'", "day1/c.csv or day2/c.csv"))
    )


def test_a_label_table_that_is_none_is_the_only_problem(root: Path) -> None:
    write(root / "labels.csv", "file,alcohol\na,1\n")
    check_campaign(root, Problem("labels.csv: row 1, column 1", "'file'", "run"))
    check_problems(
        root,
        lambda: Campaign.open(root, labels=root / "none.csv"),
        Problem("none.csv", os.strerror(errno.ENOENT)),
    )


def test_a_folder_needs_runs(tmp_path: Path) -> None:
    write(tmp_path / "notes.txt", "no runs here\n")
    check_campaign(tmp_path, Problem("ROOT", "1 file"))


def test_columns_say_what_a_run_is(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "x,y,z\n0.0,18.1,100\n")
    columns = {"time_min": "x", "mz": "y", "intensity": "z"}
    campaign = Campaign.open(tmp_path, columns=columns)
    assert campaign.runs == ("a.csv",)
    assert campaign.columns == columns
    check_campaign(tmp_path, Problem("ROOT", "1 file"))


def test_compressed_files_have_the_name_of_what_is_in_them(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(RUN.encode()))
    write(tmp_path / "labels.csv", "run,alcohol\na,1\n")
    assert Campaign.open(tmp_path).paths == (tmp_path / "a.csv.gz",)


DOUBTFUL = {
    "blank.D/AcqData/MSScan.bin": b"\1\2",
    "damaged.gz": b"\x1f\x8b and no more",
    "damaged.parquet": b"PAR1",
    "empty.csv": b"",
    "garbage.bin": b"\1\2\3",
    "half.csv": b"time,mass\n0.0,18.1\n",
    "page.CDF": b"The server is busy.\n",
    "sheet.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "waters.raw/_FUNC001.DAT": b"\1\2",
}
"""Files that may have been meant as runs; those within a maker's folder are one."""

OTHER = {
    "README": b"Sunny.\n",
    "labels.csv": b"run,alcohol,time\na.csv,1,1\n",
    "list.csv": b"sample_id,time,place\na,noon,lab\n",
    "m.history.csv": b"fold,stage,member,epoch,train_loss,validation_log_loss\n0,member,0,1,1,1\n",
    "m.onnx": b"\x08\x08\x12\x07pytorch",
    "notes.csv": b"when,what\nnoon,sun\n",
    "p.csv": b"run,status,message,alcohol\na.csv,ok,,0.5\n",
    "p.json": b"{}",
    "paper.pdf": b"%PDF-1.7",
}


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """One run among everything that is none."""
    root = tmp_path / "mixed"
    for name, data in {"a.csv": RUN.encode(), **DOUBTFUL, **OTHER}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def test_to_predict_whatever_may_be_a_run_is_one(mixed: Path) -> None:
    campaign = Campaign.open(mixed, with_labels=False)
    assert campaign.runs == tuple(sorted({"a.csv", *(name.split("/")[0] for name in DOUBTFUL)}))
    assert campaign.paths == tuple(mixed / run for run in campaign.runs)
    assert campaign.left_out == tuple(mixed / name for name in sorted(OTHER))
    assert (campaign.families, campaign.split) == ((), ("",) * 10)
    (mixed / "labels.csv").unlink()
    assert Campaign.open(mixed).runs == campaign.runs


def test_to_train_only_runs_are_runs(mixed: Path) -> None:
    campaign = Campaign.open(mixed)
    assert campaign.runs == ("a.csv",)
    assert len(campaign.left_out) == len(DOUBTFUL) + len(OTHER) - 1
    assert mixed / "blank.D" in campaign.left_out
    assert mixed / "labels.csv" not in campaign.left_out
    write(mixed / "labels.csv", "run,alcohol\na,1\nblank.D,0\n")
    check_campaign(mixed, Problem("labels.csv: row 3, column 1", ("'blank.D'", "not a run")))


def test_pages_of_runs_are_no_runs(root: Path) -> None:
    page = "<!DOCTYPE html>\n<title>1 run</title>\n"
    for name in ("pages/index.html", "pages/a.csv.html", "pages/INDEX.HTM"):
        write(root / name, page)
    write(root / "saved.csv", page)
    campaign = Campaign.open(root, with_labels=False)
    assert set(campaign.runs) == {*NAMES, "saved.csv"}


def test_files_that_may_not_be_read(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(path: Path, **_: object) -> None:
        raise ReadError(path, "cannot be read")

    monkeypatch.setattr(folder, "glance", deny)
    assert "README" in Campaign.open(mixed, with_labels=False).runs


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes in folders on Windows")
def test_pipes_are_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "pipe.csv")
    assert Campaign.open(root).left_out == (root / "notes.txt", root / "pipe.csv")


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux only")
def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path / "a") + b"\xe9.csv"))
    write(path, RUN)
    campaign = Campaign.open(tmp_path)
    assert (campaign.runs, campaign.paths) == (("a\\xe9.csv",), (path,))
    write(tmp_path / "labels.csv", "run,alcohol\na\\xe9,1\n")
    assert Campaign.open(tmp_path).paths == (path,)


FORMS = {
    "composed": partial(unicodedata.normalize, "NFC"),
    "decomposed": partial(unicodedata.normalize, "NFD"),
}


@pytest.mark.parametrize("forms", [tuple(FORMS), tuple(reversed(FORMS))])
@pytest.mark.parametrize("name", ["caf\u00e9/\u00e4.csv", "\u00e4"])
def test_accents_may_be_composed_or_not(tmp_path: Path, forms: tuple[str, str], name: str) -> None:
    on_disk, in_table = (FORMS[form] for form in forms)
    write(tmp_path / on_disk("caf\u00e9") / on_disk("\u00e4.csv"), RUN)
    (tmp_path / "labels.csv").write_text(f"run,alcohol\n{in_table(name)},1\n", "utf-8")
    campaign = Campaign.open(tmp_path)
    assert campaign.runs == (in_table(name),)
    assert campaign.paths[0].exists()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_links_are_followed_once(root: Path, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere" / "f.csv", RUN)
    (root / "a_loop").symlink_to(root)
    (root / "a_twin").symlink_to(root / "day1")
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "linked.csv").symlink_to(root / "a.csv")
    (root / "broken.csv").symlink_to(root / "none.csv")
    (root / "itself.csv").symlink_to(root / "itself.csv")
    (root / "outside.csv").symlink_to(tmp_path / "elsewhere" / "f.csv")
    (root / "password.csv").symlink_to("/etc/passwd")
    campaign = Campaign.open(root)
    links = ("broken.csv", "itself.csv", "linked.csv")
    assert campaign.runs == tuple(sorted((*NAMES, *links), key=Path))
    outside = [root / name for name in ("linked", "outside.csv", "password.csv")]
    assert campaign.left_out == tuple(sorted([root / "notes.txt", *outside]))
    assert "leads out" in left_out_name(root / "linked", root)
    assert left_out_name(root / "notes.txt", root) == "notes.txt"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_links_that_lead_out_are_no_runs(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    root.mkdir()
    write(tmp_path / "a.csv", RUN)
    (root / "a.csv").symlink_to(tmp_path / "a.csv")
    found = "no run among 1 file, of which 1 is a link that leads out of it"
    with refused(CampaignError, root, found=found, remedy="copy the runs into the folder"):
        Campaign.open(root)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_a_label_of_a_link_that_leads_out(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    write(root / "a.csv", RUN)
    write(tmp_path / "b.csv", RUN)
    (root / "b.csv").symlink_to(tmp_path / "b.csv")
    write(root / "labels.csv", "run,alcohol\na,1\nb.csv,0\n")
    with refused(CampaignError, f"{root / 'labels.csv'}: row 3, column 1", found=("b.csv", "link")):
        Campaign.open(root)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_leads_out(name: str, tmp_path: Path) -> None:
    root = tmp_path / "runs"
    write(root / "a.csv", RUN)
    (root / name).symlink_to("/etc/passwd")
    with refused(CampaignError, root / name, found="link"):
        Campaign.open(root)


DENIED = PermissionError(errno.EACCES, "Permission denied")


def test_a_folder_that_cannot_be_listed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = Path.iterdir

    def deny(path: Path) -> Iterator[Path]:
        if path.name == "day1":
            raise DENIED
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", deny)
    campaign = Campaign.open(root, with_labels=False)
    assert "day1" in campaign.runs
    assert "a.csv" in campaign.runs
    with refused(ReadError, root / "day1", found="Permission denied"):
        gale.read_run(root / "day1")
    monkeypatch.setattr(Path, "iterdir", lambda _: (_ for _ in ()).throw(DENIED))
    with pytest.raises(CampaignError, match="Permission denied"):
        Campaign.open(root)


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="root may read and enter everything"
)
@pytest.mark.parametrize("mode", [0o000, 0o400, 0o100])
def test_a_folder_that_may_not_be_entered(root: Path, mode: int) -> None:
    (root / "day1").chmod(mode)
    try:
        campaign = Campaign.open(root, with_labels=False)
        assert "a.csv" in campaign.runs
        assert any(run.startswith("day1") for run in campaign.runs)
    finally:
        (root / "day1").chmod(0o700)


def test_real_runs(tmp_path: Path) -> None:
    data = os.environ.get("GALE_EXTRA_DATA")
    if not data:
        pytest.skip("GALE_EXTRA_DATA names no folder of real files")
    campaign = Campaign.open(Path(data) / "real" / "gunshot")
    assert len(campaign) == 10
    assert_array_equal(campaign.prevalence(), [0.5, 0.5])
    campaign.check_trainable()
