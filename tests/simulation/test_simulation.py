"""Whole campaigns: on disk as the options say, or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import gale
from gale.errors import OutputError, SimulationError
from gale.library import default_libraries, read_library
from gale.plumbing.progress import Progress
from gale.simulation import simulate
from gale.simulation.compounds import join, read_compounds
from gale.simulation.run import simulate_run
from helpers.errors import refused
from helpers.laboratories import MEMBERS, default_but, library
from helpers.work import with_work

RUNS = {"train": 20, "val": 8, "test": 12}
SEVERAL = {"train": 6, "val": 2, "test": 4}
FEW = {"train": 3, "test": 2}
PHYSICS = default_but().without("calibration")
DECANE = library([("decane", "", 1000, {43: 1.0}, ("hydrocarbon",))])
SCAN_MIN = 1 / 30
OPTIONS = {"design": "different", "ions": 8_000, "physics": PHYSICS, "seed": 1}


def make(folder: Path, **changes: Any) -> Path:
    simulate(folder, **with_work(**{"runs": FEW, **OPTIONS, **changes}))
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def labels(folder: Path, split: str) -> np.ndarray:
    return pl.read_csv(folder / f"{split}_labels.csv").drop("sample_id").to_numpy()


def truth(folder: Path, *roles: str) -> pl.DataFrame:
    """What was in the runs, with the split of each."""
    split = pl.read_csv(folder / "metadata.csv").select(run="sample_id", split="split")
    table = pl.read_parquet(folder / "truth.parquet").join(split, on="run", how="left")
    return table.filter(pl.col("role").is_in(roles)) if roles else table


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("simulated") / "campaign", runs=RUNS)


@pytest.mark.slow
def test_it_is_a_campaign(folder: Path) -> None:
    campaign = gale.Campaign.open(folder)
    assert {split: campaign.split.count(split) for split in RUNS} == RUNS
    assert campaign.verify_checksums() == sum(RUNS.values())
    assert campaign.labelled.all()
    assert campaign.submission is not None
    assert len(campaign.submission) == RUNS["val"] + RUNS["test"]
    assert np.nanmax(campaign.derivatized) == 1
    assert np.isnan(campaign.derivatized).any()


@pytest.mark.slow
def test_more_runs_have_more_instruments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def numbers(name: str, **changes: Any) -> int:
        facts = json.loads((make(tmp_path / name, **changes) / "simulation.json").read_text())
        return len(facts["instruments"])

    assert numbers("few") == 3
    monkeypatch.setattr("gale.simulation.campaign.RUNS_OF_EACH", 1)
    assert numbers("more") == 5
    assert numbers("told", instruments=2) == 2
    with refused(gale.GaleError, "instruments"):
        make(tmp_path / "none", instruments=0)


def test_its_files_are_runs(folder: Path) -> None:
    campaign = gale.Campaign.open(folder)
    table = pl.read_csv(folder / "runs.csv")
    for path, scans, ions in zip(campaign.paths, table["scans"], table["ions"], strict=True):
        run = gale.read_run(path)
        assert len(run.mz) == ions > 500
        assert 0.9 * scans <= len(run.time_min) <= scans
        assert np.all(run.intensity > 0)


def test_labels_are_what_the_samples_hold(folder: Path) -> None:
    names = pl.read_csv(folder / "test_labels.csv").columns[1:]
    held = truth(folder, "compound", "evolved gas").explode("families")
    for split in RUNS:
        table = pl.read_csv(folder / f"{split}_labels.csv")
        for row in table.iter_rows(named=True):
            found = set(held.filter(run=row["sample_id"])["families"].drop_nulls())
            assert {name for name in names if row[name]} == found


def test_roles_that_make_no_labels_are_there_too(folder: Path) -> None:
    roles = set(truth(folder)["role"])
    assert roles == {
        "compound", "evolved gas", "carry-over", "contaminant", "reagent", "solvent",
    }  # fmt: skip
    derivatized = pl.read_csv(folder / "metadata.csv").filter(derivatized=1)["sample_id"]
    assert set(truth(folder, "reagent")["run"]) == set(derivatized)


def test_what_is_abundant_is_in_the_file(folder: Path) -> None:
    """At its time there is its highest ion, and more of it than beside."""
    compounds = join([read_compounds(each) for each in default_libraries()])
    campaign = gale.Campaign.open(folder)
    paths = dict(zip(campaign.runs, campaign.paths, strict=True))
    abundant = truth(folder, "compound").filter(pl.col("abundance") > 300)
    seen = 0
    for row in abundant.iter_rows(named=True):
        record = next(
            c for c, names in enumerate(zip(compounds.name, compounds.derivative, strict=True))
            if names == (row["compound"], row["derivative"])
        )  # fmt: skip
        table = pl.read_csv(paths[row["run"]])
        ion = int(np.argmax(compounds.spectrum[record, :351]))
        if ion < table["mass"].to_numpy().min():
            continue
        course = table.filter((pl.col("mass") - ion * 1.0004).abs() < 0.1)
        times, heights = course["time"].to_numpy(), course["intensity"].to_numpy()
        at_peak = abs(times - row["retention_time_min"]) < 2.5 * SCAN_MIN
        assert at_peak.any(), row
        assert heights[at_peak].max() > np.median(heights)
        seen += 1
    assert seen >= 10


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Files of enough runs for each of two processes to have some."""
    return files(make(tmp_path_factory.mktemp("several") / "campaign", runs=SEVERAL))


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_seed_gives_the_same_bytes(
    several: dict[str, bytes], tmp_path: Path, workers: int
) -> None:
    assert files(make(tmp_path / "again", runs=SEVERAL, workers=workers)) == several


@pytest.mark.slow
def test_another_seed_gives_others(several: dict[str, bytes], tmp_path: Path) -> None:
    first, other = several, files(make(tmp_path / "other", runs=SEVERAL, seed=2))
    assert first.keys() == other.keys()
    for name in first:
        if name != "submission_format.csv":
            assert first[name] != other[name], name


def test_the_facts(folder: Path) -> None:
    facts = json.loads((folder / "simulation.json").read_text())
    assert facts["seed"] == 1
    assert facts["runs"] == RUNS
    assert facts["ions"] == 8_000
    assert len(facts["instruments"]) == 3
    assert {each["calibration_offset"] for each in facts["instruments"]} == {0}
    assert all(each["threshold"] > 0 for each in facts["instruments"])


def test_a_number_of_runs_is_divided_as_published(tmp_path: Path) -> None:
    make(tmp_path / "campaign", runs=16, ions=500)
    split = pl.read_csv(tmp_path / "campaign" / "metadata.csv")["split"].to_list()
    assert [split.count(name) for name in ("train", "val", "test")] == [8, 3, 5]


@pytest.mark.slow
def test_new_compounds(tmp_path: Path) -> None:
    three_each = [(f"{name} {n}", *rest) for name, *rest in MEMBERS for n in range(3)]
    options = {
        "runs": {"train": 12, "val": 6, "test": 12},
        "library": library(three_each),
        "compounds": None,
    }
    make(tmp_path / "campaign", new_compounds=["test"], **options)
    held = truth(tmp_path / "campaign", "compound")
    of = {split: set(held.filter(split=split)["compound"]) for split in RUNS}
    assert of["test"]
    assert not of["test"] & (of["train"] | of["val"])
    make(tmp_path / "shared", **options)
    held = truth(tmp_path / "shared", "compound")
    assert set(held.filter(split="test")["compound"]) & set(held.filter(split="train")["compound"])


def test_a_new_instrument(tmp_path: Path) -> None:
    made = make(tmp_path / "campaign", runs={"train": 6, "test": 4}, new_instrument=["test"])
    split = pl.read_csv(made / "metadata.csv")["split"]
    instrument = pl.read_csv(made / "runs.csv")["instrument"]
    assert set(instrument.filter(split == "test")) == {3}
    assert set(instrument.filter(split == "train")) <= {0, 1, 2}
    assert len(json.loads((made / "simulation.json").read_text())["instruments"]) == 4


@pytest.mark.slow
def test_a_number_of_compounds(tmp_path: Path) -> None:
    wanted = {"hydrocarbon": 0.5} | dict.fromkeys(
        ("sulfur_bearing_compound", "chlorine_bearing_compound", "alcohol",
         "other_oxygen_bearing_compound", "carboxylic_acid", "nitrogen_bearing_compound",
         "aromatic"), 0.0,
    )  # fmt: skip
    made = make(tmp_path / "campaign", runs=30, compounds=300, prevalence=wanted)
    keys = truth(made, "compound")["inchikey"].str.split("-").list.first()
    assert 1 < keys.n_unique() <= 300
    assert labels(made, "train")[:, 1].mean() == pytest.approx(0.5, abs=0.1)
    assert labels(made, "train")[:, [0, 2, 3, 4, 5, 6, 7]].sum() == 0


@pytest.mark.slow
def test_label_noise_is_of_train_and_val(folder: Path, tmp_path: Path) -> None:
    noisy = make(tmp_path / "noisy", runs=RUNS, label_noise=0.3)
    assert (noisy / "test_labels.csv").read_bytes() == (folder / "test_labels.csv").read_bytes()
    wrong = np.concatenate([labels(noisy, "train"), labels(noisy, "val")])
    right = np.concatenate([labels(folder, "train"), labels(folder, "val")])
    np.testing.assert_array_equal(wrong.sum(axis=0), right.sum(axis=0))
    np.testing.assert_array_equal(
        (right > wrong).sum(axis=0), [round(0.3 * n) for n in right.sum(axis=0)]
    )
    assert (noisy / "truth.parquet").read_bytes() == (folder / "truth.parquet").read_bytes()


@pytest.mark.parametrize(
    ("changes", "source", "facts"),
    [
        ({"runs": 0}, "runs", {"found": ("0 train", "0 val", "0 test"), "remedy": "pass runs="}),
        ({"runs": {"train": -1, "test": 3}}, "runs", {"found": ("-1 train", "3 test")}),
        ({"runs": {"training": 3}}, "runs: split 'training'", {"remedy": "train"}),
        ({"runs": {"later": 3}}, "runs: split 'later'", {"expected": "train, val, test"}),
        ({"new_compounds": ["val"]}, "new_compounds: split 'val'", {"expected": "train, test"}),
        ({"new_instrument": ["later"]}, "new_instrument: split 'later'", {"expected": "train"}),
        ({"ions": 0}, "ions", {"found": "0", "remedy": "pass ions=1"}),
        ({"instruments": 0}, "instruments", {"found": "0", "remedy": "pass instruments=1"}),
        ({"compounds": 0}, "compounds", {"found": "0", "remedy": "pass compounds=1"}),
        ({"workers": 0}, "workers", {"found": "0", "remedy": "pass workers=1"}),
        ({"label_noise": 1.0}, "label_noise", {"found": "1.0", "remedy": "pass label_noise="}),
        ({"prevalence": {"alcohol": -0.1}}, "prevalence: family 'alcohol'",
         {"found": "-0.1", "remedy": "pass prevalence={'alcohol': "}),
        ({"prevalence": {"alcohol": float("nan")}}, "prevalence: family 'alcohol'",
         {"found": "nan"}),
        ({"prevalence": {"alcool": 0.1}}, "prevalence: family 'alcool'", {"remedy": "alcohol"}),
        ({"compounds": 5_000}, "compounds", {"found": "5,000", "remedy": "pass compounds="}),
        ({"library": DECANE, "compounds": None}, "small library",
         {"found": ("aromatic", "carboxylic_acid", "train"),
          "remedy": "pass prevalence={'aromatic': 0, 'carboxylic_acid': 0,"}),
        ({"library": library(families=(None,) * 15)}, "small library", {"found": "15 of 15"}),
    ],
)  # fmt: skip
def test_what_cannot_be_simulated(
    tmp_path: Path, changes: Mapping[str, Any], source: str, facts: Mapping[str, Any]
) -> None:
    with refused(SimulationError, source, **facts):
        make(tmp_path / "campaign", **changes)
    assert list(tmp_path.iterdir()) == []


def test_a_library_file_without_structures(tmp_path: Path) -> None:
    path = tmp_path / "bare.msp"
    path.write_text("Name: thing\nRI: 900\nNum Peaks: 2\n41 10\n43 100\n")
    with refused(SimulationError, path, found="1 of 1", expected="SMILES"):
        make(tmp_path / "campaign", library=read_library(path))
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_exists(tmp_path: Path) -> None:
    precious = tmp_path / "campaign" / "precious"
    precious.parent.mkdir()
    precious.write_text("data")
    with refused(OutputError, tmp_path / "campaign"):
        make(tmp_path / "campaign")
    assert files(tmp_path) == {"campaign/precious": b"data"}


class Pressed(Progress):
    """Presses Ctrl-C after two runs."""

    done = 0

    def step(self, text: str = "") -> None:
        self.done += 1
        if self.done == 2:
            raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_simulation_leaves_nothing(tmp_path: Path, workers: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "campaign", progress=Pressed(), workers=workers)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "raised"),
    [(OSError(28, "No space left on device"), OutputError), (ValueError(), ValueError)],
)
def test_a_failing_simulation_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    raised: type[Exception],
) -> None:
    done = []

    def fail(*arguments: Any) -> Any:
        done.append(arguments)
        if len(done) == 2:
            raise error
        return simulate_run(*arguments)

    monkeypatch.setattr("gale.simulation.writing.simulate_run", fail)
    with pytest.raises(raised):
        make(tmp_path / "campaign")
    assert len(done) == 2
    assert list(tmp_path.iterdir()) == []


def test_what_the_user_should_know_is_a_warning(tmp_path: Path) -> None:
    """Records that are left out, and a prevalence that cannot be reached."""
    members = library(families=(None, *library().families[1:]))
    members = replace(members, skipped={"no name": 3})
    wanted = {"hydrocarbon": 0.0, "aromatic": 0.9}
    with pytest.warns(gale.GaleWarning) as given:
        make(tmp_path / "campaign", library=members, runs={"train": 3}, prevalence=wanted)
    left_out, *shortfalls = [str(each.message) for each in given]
    assert left_out.startswith("small library: ")
    assert "3 (no name), 1 (" in left_out
    assert any(text.startswith("train: aromatic ") and "0.900" in text for text in shortfalls)
