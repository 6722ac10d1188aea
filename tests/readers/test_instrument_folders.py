from __future__ import annotations

import os
import pickle
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gale.campaign import Campaign
from gale.errors import ReadError, UnsupportedFormatError
from gale.plumbing.cache import Cache
from gale.readers import instrument_folders as folders
from gale.readers import is_run_file, load, parse_run, read_run
from gale.readers.instrument_folders import is_run_folder
from helpers.errors import refused
from helpers.run_files import assert_same, csv
from helpers.vendor_files import FOLDERS, data_ms, lay_out, masshunter, masslynx, nominal_run


@pytest.fixture(params=sorted(FOLDERS))
def maker(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(maker: str, tmp_path: Path) -> Path:
    return lay_out(tmp_path / "campaign" / "a run", FOLDERS[maker](nominal_run()))


def contents(root: Path) -> dict[Path, tuple[int, int, bytes]]:
    """Everything below a folder, with its time of change."""
    found = {}
    for path in [root, *root.rglob("*")]:
        state = path.stat()
        data = path.read_bytes() if path.is_file() else b""
        found[path] = (state.st_mtime_ns, state.st_mode, data)
    return found


def test_a_folder_is_a_run(folder: Path, maker: str) -> None:
    run = read_run(folder)
    expected = nominal_run()
    assert (run.format, run.source, run.n_scans) == (maker, str(folder), expected.n_scans)
    assert run.intensity.tolist() == expected.intensity.tolist()
    assert is_run_file(folder)
    assert is_run_folder(folder)


def test_reading_leaves_nothing_behind(folder: Path) -> None:
    before = contents(folder)
    for path in before:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = contents(folder)
    read_run(folder)
    assert contents(folder) == before
    for path in before:
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_names_in_another_case(folder: Path) -> None:
    run = read_run(folder)
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rename(path.with_name(path.name.swapcase()))
    assert_same(read_run(folder), run)


def test_the_key_of_a_folder_is_that_of_what_is_read(folder: Path, tmp_path: Path) -> None:
    key = Cache.key(load(folder))
    (folder / "report.txt").write_text("fine")
    copy = shutil.copytree(folder, tmp_path / "copy")
    assert Cache.key(load(copy)) == key
    changed = max(
        (path for path in copy.rglob("*") if path.is_file()), key=lambda p: p.stat().st_size
    )
    changed.write_bytes(changed.read_bytes() + b"\0")
    assert Cache.key(load(copy)) != key


def test_what_is_loaded_can_go_to_another_process(folder: Path) -> None:
    loaded = pickle.loads(pickle.dumps(load(folder)))
    assert_same(parse_run(loaded, "x"), read_run(folder))


def test_a_campaign_of_folders(folder: Path, maker: str) -> None:
    shutil.copytree(folder, folder.parent / "deep" / "b")
    (folder.parent / "c.csv").write_bytes(csv(nominal_run()))
    campaign = Campaign.open(folder.parent)
    assert campaign.runs == ("a run", "c.csv", "deep/b")
    (folder.parent / "labels.csv").write_text("run,alcohol\na run,1\nb,0\nc,0\n")
    assert Campaign.open(folder.parent).runs == ("a run", "b", "c")


def test_other_detectors_are_noted(tmp_path: Path) -> None:
    more = {"FID1A.ch": b"\3", "DATASIM.MS": b"\1", "AcqData/MSPeak.bin": b"", "report.txt": b""}
    run = read_run(lay_out(tmp_path, {"data.ms": data_ms(nominal_run()), **more}))
    (note,) = run.notes
    assert note.endswith(": DATASIM.MS, FID1A.ch")
    more = {"_CHRO001.DAT": b"\3"}
    run = read_run(lay_out(tmp_path / "a.raw", {**masslynx(nominal_run()), **more}))
    (note,) = run.notes
    assert note.endswith(": _CHRO001.DAT")


def test_chemstation_goes_before_masshunter(tmp_path: Path) -> None:
    files = {**masshunter(nominal_run(seed=1)), "DATA.MS": data_ms(nominal_run())}
    assert_same(read_run(lay_out(tmp_path, files)), nominal_run())


AGILENT, WATERS, COPY = "Agilent .D folder", "Waters .raw folder", "copy the folder"


@pytest.mark.parametrize(
    ("files", "found", "remedy"),
    [
        (["a.D/AcqData/"], (AGILENT, "without mass spectra"), COPY),
        (["a.D/AcqData/MSScan.bin"], (AGILENT, "without AcqData/MSScan.xsd", "MSPeak"), COPY),
        (["a.D/FID1A.ch", "a.D/DAD1.UV"], (AGILENT, "without mass spectra"), COPY),
        (["a.D/acqmeth.txt", "a.D/RUNSTART.TXT"], (AGILENT, "without mass spectra"), COPY),
        (["a.D/AcqData-CumulativeAuditTrail.xml"], (AGILENT, "without mass spectra"), COPY),
        (["a.D/default.M/acq.txt"], (AGILENT, "without mass spectra"), COPY),
        (["a.D/AcqData/MSProfile.bin"], (AGILENT, "profile"), "msconvert"),
        (
            ["a.D/AcqData/MSScan.xsd", "a.D/AcqData/DefaultMassCal.xml"],
            (AGILENT, "time-of-flight"),
            "msconvert",
        ),
        (["a.d/analysis.baf"], "Bruker .d folder", "msconvert"),
        (["a.raw/_FUNC001.DAT"], (WATERS, "_FUNCTNS.INF", "_FUNC001.IDX"), COPY),
        (["a.raw/_functns.inf", "a.raw/_func002.idx"], (WATERS, "_FUNC002.DAT"), COPY),
        (["a.raw/_functns.inf"], (WATERS, "_FUNC001.DAT", "_FUNC001.IDX"), COPY),
    ],
)
def test_what_cannot_be_read_is_named(
    files: list[str], found: str | tuple[str, ...], remedy: str, tmp_path: Path
) -> None:
    for name in files:
        path = tmp_path / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.touch()
    folder = next(tmp_path.iterdir())
    expected = "whole folder" if remedy == COPY else "CSV"
    with refused(UnsupportedFormatError, folder, found=found, expected=expected, remedy=remedy):
        read_run(folder)
    assert is_run_folder(folder)
    assert not is_run_file(folder)
    assert Campaign.open(tmp_path).paths == (folder,)
    if files == ["a.D/AcqData/"]:
        return  # an archive has no empty folders
    zipped = shutil.make_archive(str(tmp_path / "b"), "zip", tmp_path, folder.name)
    with refused(UnsupportedFormatError, f"{zipped}/{folder.name}", found=found, remedy=remedy):
        read_run(zipped)


@pytest.mark.parametrize(
    ("data", "kind", "found"),
    [
        (b"", ReadError, "empty"),
        (data_ms(nominal_run(), kind=b"MSD Spectral File"), UnsupportedFormatError, "LC-MS"),
        (b"\0\1", UnsupportedFormatError, r"\x00\x01"),
        (b"time,mass,intensity\n1,43,5\n", UnsupportedFormatError, "begins with"),
    ],
)
def test_a_data_ms_of_something_else(
    data: bytes, kind: type[ReadError], found: str, tmp_path: Path
) -> None:
    folder = lay_out(tmp_path / "a.D", {"data.ms": data})
    with refused(kind, f"{folder}: data.ms", found=found):
        read_run(folder)


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    with refused(ReadError, tmp_path, found="folder"):
        read_run(tmp_path)


def test_a_zipped_folder_with_a_data_ms_is_a_run(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "a.D", {"DATA.MS": data_ms(nominal_run()), "acqmeth.txt": b"fine"})
    zipped = shutil.make_archive(str(tmp_path / "a"), "zip", tmp_path, folder.name)
    assert_same(read_run(zipped), nominal_run())


@pytest.mark.parametrize("within", [True, False])
def test_a_zipped_folder_is_the_run_that_the_folder_is(
    folder: Path, within: bool, tmp_path: Path
) -> None:
    """Of whatever maker, and with the tables that software leaves in it, packed alone or not."""
    (folder / "tic_front.csv").write_text("time,abundance\n3.0,100\n3.1,120\n")
    (folder / "RESULTS.CSV").write_text("time,mass,height\n3.0,43,100\n3.1,57,120\n")
    parts = (folder.parent, folder.name) if within else (folder, ".")
    zipped = Path(shutil.make_archive(str(tmp_path / folder.name), "zip", *parts))
    run, expected = read_run(zipped), read_run(folder)
    assert_same(run, expected)
    assert (run.format, run.notes, run.facts) == (expected.format, expected.notes, expected.facts)
    assert is_run_file(zipped)


def test_two_zipped_folders_are_two_runs(tmp_path: Path) -> None:
    for name in ("a.D", "b.D"):
        lay_out(tmp_path / "runs" / name, {"data.ms": data_ms(nominal_run())})
    zipped = shutil.make_archive(str(tmp_path / "two"), "zip", tmp_path / "runs")
    with refused(ReadError, zipped, found=("2 runs", "a.D", "b.D"), remedy="unzip"):
        read_run(zipped)


def test_a_zipped_folder_beside_a_run_is_not_chosen(tmp_path: Path) -> None:
    lay_out(tmp_path / "runs" / "a.D", {"data.ms": data_ms(nominal_run())})
    (tmp_path / "runs" / "b.csv").write_text("time,mass,intensity\n1,43,5\n2,57,6\n")
    (tmp_path / "runs" / "read me.txt").write_text("Dear lab")
    zipped = shutil.make_archive(str(tmp_path / "two"), "zip", tmp_path / "runs")
    with refused(ReadError, zipped, found=("2 runs", "a.D", "b.csv")):
        read_run(zipped)
    (tmp_path / "runs" / "b.csv").unlink()
    zipped = shutil.make_archive(str(tmp_path / "one"), "zip", tmp_path / "runs")
    assert_same(read_run(zipped), nominal_run())


@pytest.mark.parametrize("kind", [b"", b"\0" * 17, b" " * 17])
def test_a_data_ms_whose_kind_is_blank(kind: bytes, tmp_path: Path) -> None:
    """As software of 2004 wrote it; what the file says of every scan shows what it is."""
    data = data_ms(nominal_run(), kind=kind)
    assert_same(parse_run(data, "a"), nominal_run())
    folder = lay_out(tmp_path / "a.D", {"data.ms": data})
    assert_same(read_run(folder), nominal_run())
    with refused(ReadError, "a"):
        parse_run(data[:-8], "a")


def test_loose_files_in_a_folder_are_runs_of_their_own(tmp_path: Path) -> None:
    lay_out(tmp_path, {"a.ms": data_ms(nominal_run()), "b.ms": data_ms(nominal_run())})
    assert Campaign.open(tmp_path).runs == ("a.ms", "b.ms")


def test_a_folder_that_is_far_too_big(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = lay_out(tmp_path / "a.D", {"data.ms": data_ms(nominal_run())})
    monkeypatch.setattr(folders, "MAX_BYTES", 1000)
    with refused(ReadError, folder, found="0.0 GiB", expected="GiB", remedy="ANDI"):
        read_run(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes there")
@pytest.mark.parametrize("name", ["data.ms", "AcqData"])
def test_pipes_and_loops_are_not_waited_for(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "a.D"
    folder.mkdir()
    os.mkfifo(folder / name)
    (folder / "loop").symlink_to(folder)
    (folder / "FID1A.ch").symlink_to("FID1A.ch")
    with pytest.raises(ReadError):
        read_run(folder)
    assert Campaign.open(tmp_path).paths == (folder,)


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions there")
def test_a_folder_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = lay_out(tmp_path / "a.D", {"data.ms": data_ms(nominal_run())})

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with refused(ReadError, folder, found="(Permission denied)"):
            load(folder)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", refuse)
        assert not is_run_folder(folder)
        for read in (load, is_run_file):
            with refused(ReadError, folder, found="(Permission denied)"):
                read(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions there")
def test_acquired_data_that_may_not_be_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = lay_out(tmp_path / "a.D", masshunter(nominal_run()))
    list_folder = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:
        if path.name == "AcqData":
            raise PermissionError(13, "Permission denied")
        return list_folder(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert Campaign.open(tmp_path).paths == (folder,)
    with refused(ReadError, folder, found="(Permission denied)"):
        read_run(folder)


def test_folders_within_folders(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["f"] * 50)
    lay_out(deep / "a.D", {"data.ms": data_ms(nominal_run())})
    assert len(Campaign.open(tmp_path)) == 1
