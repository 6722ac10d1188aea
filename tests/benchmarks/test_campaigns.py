"""benchmarks.campaigns: which campaigns are made, with which words, and which are taken as is."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import campaigns
from benchmarks.campaigns import KINDS, campaign_folders, identity
from benchmarks.commands import Measured

SEEDS = dict(zip(KINDS, range(5, 9), strict=True))


@pytest.fixture
def simulations(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The words of gale simulate; its campaigns are empty folders."""
    run: list[list[str]] = []

    def within(*words: object) -> Measured:
        run.append([str(word) for word in words[3:]])
        Path(str(words[2])).mkdir(parents=True)
        return Measured(0.0, 0.0, "")

    monkeypatch.setattr(campaigns, "gale", within)
    monkeypatch.delenv("GALE_EXTRA_DATA", raising=False)
    return run


def test_kinds_that_lack_their_library_are_left_out(
    simulations: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = campaign_folders(tmp_path, None, None, SEEDS, 200)
    assert list(folders) == ["embedded", "embedded-new"]
    same = ["--design", "different", "--instruments", "3"]
    assert simulations[0] == ["--seed", "5", *same, "--runs", "200", "--quiet"]
    assert simulations[1][:2] == ["--seed", "6"]
    assert {"--new-compounds", "--new-instrument"} < set(simulations[1])
    told = capsys.readouterr().err
    assert "massbank-new" in told
    assert "--library" in told
    with pytest.raises(SystemExit, match="--library"):
        campaign_folders(tmp_path, ["massbank"], tmp_path / "absent.msp", SEEDS)


def test_the_library_is_found_among_the_extra_data(
    simulations: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "libraries" / "massbank_ei.msp.gz"
    library.parent.mkdir()
    library.touch()
    monkeypatch.setenv("GALE_EXTRA_DATA", str(tmp_path))
    campaign_folders(tmp_path / "out", ["massbank-new"], None, SEEDS)
    (words,) = simulations
    assert words[words.index("--library") + 1] == str(library.resolve())


def test_a_campaign_is_made_once_and_not_with_other_words(
    simulations: list[list[str]], tmp_path: Path
) -> None:
    for _ in range(2):
        campaign_folders(tmp_path, ["embedded"], None, SEEDS, 60)
    assert len(simulations) == 1
    with pytest.raises(SystemExit, match="--runs 80"):
        campaign_folders(tmp_path, ["embedded"], None, SEEDS, 80)
    assert len(simulations) == 1


def test_folders_are_taken_as_they_are(
    simulations: list[list[str]], tmp_path: Path, campaign_folder: Path
) -> None:
    assert campaign_folders(tmp_path, [str(campaign_folder)], None, SEEDS) == {
        campaign_folder.name: campaign_folder
    }
    with pytest.raises(SystemExit, match=campaign_folder.name):
        campaign_folders(tmp_path, [str(campaign_folder)] * 2, None, SEEDS)
    with pytest.raises(SystemExit, match="embeded"):
        campaign_folders(tmp_path, ["embeded"], None, SEEDS)
    assert simulations == []


def test_a_campaign_is_known_by_its_tables(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("run,alcohol\na,1\n", "utf-8")
    first = identity(tmp_path)
    (tmp_path / "notes.txt").write_text("no table", "utf-8")
    assert identity(tmp_path) == first
    table.write_text("run,alcohol\na,0\n", "utf-8")
    assert identity(tmp_path) != first
