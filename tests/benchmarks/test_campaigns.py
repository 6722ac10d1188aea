"""benchmarks.campaigns: which campaigns are made, with which words, and which are taken as is."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import gale
from benchmarks import campaigns
from benchmarks.campaigns import KINDS, campaign_folders, draw_labelled, identity, with_few_labels
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


def test_some_labelled_runs_and_all_test_runs(campaign_folder: Path, tmp_path: Path) -> None:
    whole = tmp_path / "campaign"
    shutil.copytree(campaign_folder, whole)
    few = with_few_labels(whole, 40)
    assert few == tmp_path / "campaign-40-labels"
    campaign, all_runs = gale.Campaign.open(few), gale.Campaign.open(whole)
    known = campaign.of_split("train", "val")
    assert len(known) == 40
    assert campaign.of_split("test").runs == all_runs.of_split("test").runs
    at = [all_runs.runs.index(run) for run in campaign.runs]
    np.testing.assert_array_equal(campaign.labels, all_runs.labels[at])
    assert campaign.split == tuple(all_runs.split[each] for each in at)
    assert (known.labels.max(axis=0) == 1).all()
    assert gale.read_run(known.paths[0]).n_scans == gale.read_run(all_runs.paths[at[0]]).n_scans
    made = identity(few)
    with_few_labels(whole, 40)
    assert identity(few) == made != identity(whole)


def test_draws_have_each_family_in_some_runs_and_not_in_others() -> None:
    labels = np.zeros((30, 2), np.float32)
    labels[:3, 0] = labels[1:, 1] = 1
    for draw in range(5):
        drawn = labels[draw_labelled(labels, 10, draw)]
        assert drawn.shape == (10, 2)
        assert ((drawn.sum(axis=0) > 0) & (drawn.sum(axis=0) < 10)).all()
    assert draw_labelled(labels, 10, 0).tolist() != draw_labelled(labels, 10, 1).tolist()
    with pytest.raises(SystemExit, match="too few for every family"):
        draw_labelled(labels, 1, 0)
    with pytest.raises(SystemExit, match="a campaign has 30; ask for fewer"):
        draw_labelled(labels, 31, 0)
