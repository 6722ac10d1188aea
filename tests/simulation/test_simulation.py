"""Whole campaigns: what is asked for is what is on disk, or else nothing is."""

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
from gale.library import Library, default_libraries, read_library
from gale.plumbing.progress import Progress
from gale.simulation import simulate
from gale.simulation.compounds import join, read_compounds
from gale.simulation.run import simulate_run
from helpers.laboratories import MEMBERS, default_but, library
from helpers.work import with_work

RUNS = {"train": 30, "val": 12, "test": 18}
FEW = {"train": 3, "test": 2}
PHYSICS = default_but().without("calibration")
DECANE = library([("decane", "", 1000, {43: 1.0}, ("hydrocarbon",))])
SCAN_MIN = 1 / 30
ASKED = {"ions": 8_000, "physics": PHYSICS, "seed": 1}


def ask(folder: Path, **changes: Any) -> Path:
    simulate(folder, **with_work(**{"runs": FEW, **ASKED, **changes}))
    return folder


def complaint(folder: Path, **changes: Any) -> str:
    """The one line of an error, which leaves nothing behind."""
    folder.mkdir(exist_ok=True)
    with pytest.raises(SimulationError) as caught:
        ask(folder / "campaign", **changes)
    assert list(folder.iterdir()) == []
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


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
    return ask(tmp_path_factory.mktemp("simulated") / "campaign", runs=RUNS)


def test_it_is_a_campaign(folder: Path) -> None:
    campaign = gale.Campaign.open(folder)
    assert {split: campaign.split.count(split) for split in RUNS} == RUNS
    assert campaign.verify_checksums() == sum(RUNS.values())
    assert campaign.labelled.all()
    assert campaign.submission is not None
    assert len(campaign.submission) == RUNS["val"] + RUNS["test"]
    assert np.nanmax(campaign.derivatized) == 1
    assert np.isnan(campaign.derivatized).any()


def test_its_files_are_runs(folder: Path) -> None:
    campaign = gale.Campaign.open(folder)
    told = pl.read_csv(folder / "runs.csv")
    for path, scans, ions in zip(campaign.paths, told["scans"], told["ions"], strict=True):
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


@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path, workers: int) -> None:
    assert files(ask(tmp_path / "again", runs=RUNS, workers=workers)) == files(folder)


def test_another_seed_gives_others(tmp_path: Path) -> None:
    first, other = files(ask(tmp_path / "1")), files(ask(tmp_path / "2", seed=2))
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
    ask(tmp_path / "campaign", runs=16, ions=500)
    split = pl.read_csv(tmp_path / "campaign" / "metadata.csv")["split"].to_list()
    assert [split.count(name) for name in ("train", "val", "test")] == [8, 3, 5]


def test_new_compounds(tmp_path: Path) -> None:
    three_each = [(f"{name} {n}", *rest) for name, *rest in MEMBERS for n in range(3)]
    options = {
        "runs": {"train": 20, "val": 10, "test": 20},
        "library": library(three_each),
        "compounds": None,
    }
    ask(tmp_path / "campaign", new_compounds=["test"], **options)
    held = truth(tmp_path / "campaign", "compound")
    of = {split: set(held.filter(split=split)["compound"]) for split in RUNS}
    assert of["test"]
    assert not of["test"] & (of["train"] | of["val"])
    ask(tmp_path / "shared", **options)
    held = truth(tmp_path / "shared", "compound")
    assert set(held.filter(split="test")["compound"]) & set(held.filter(split="train")["compound"])


def test_a_new_instrument(tmp_path: Path) -> None:
    made = ask(tmp_path / "campaign", runs={"train": 6, "test": 4}, new_instrument=["test"])
    split = pl.read_csv(made / "metadata.csv")["split"]
    instrument = pl.read_csv(made / "runs.csv")["instrument"]
    assert set(instrument.filter(split == "test")) == {3}
    assert set(instrument.filter(split == "train")) <= {0, 1, 2}
    assert len(json.loads((made / "simulation.json").read_text())["instruments"]) == 4


def test_so_many_compounds(tmp_path: Path) -> None:
    wanted = {"hydrocarbon": 0.5} | dict.fromkeys(
        ("sulfur_bearing_compound", "chlorine_bearing_compound", "alcohol",
         "other_oxygen_bearing_compound", "carboxylic_acid", "nitrogen_bearing_compound",
         "aromatic"), 0.0,
    )  # fmt: skip
    made = ask(tmp_path / "campaign", runs=30, compounds=300, prevalence=wanted)
    keys = truth(made, "compound")["inchikey"].str.split("-").list.first()
    assert 1 < keys.n_unique() <= 300
    assert labels(made, "train")[:, 1].mean() == pytest.approx(0.5, abs=0.1)
    assert labels(made, "train")[:, [0, 2, 3, 4, 5, 6, 7]].sum() == 0


def test_label_noise_is_of_train_and_val(folder: Path, tmp_path: Path) -> None:
    noisy = ask(tmp_path / "noisy", runs=RUNS, label_noise=0.3)
    assert (noisy / "test_labels.csv").read_bytes() == (folder / "test_labels.csv").read_bytes()
    told = np.concatenate([labels(noisy, "train"), labels(noisy, "val")])
    right = np.concatenate([labels(folder, "train"), labels(folder, "val")])
    np.testing.assert_array_equal(told.sum(axis=0), right.sum(axis=0))
    np.testing.assert_array_equal(
        (right > told).sum(axis=0), [round(0.3 * n) for n in right.sum(axis=0)]
    )
    assert (noisy / "truth.parquet").read_bytes() == (folder / "truth.parquet").read_bytes()


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"runs": 0}, "expected 1 or more"),
        ({"runs": {"train": -1, "test": 3}}, "expected 1 or more"),
        ({"runs": {"training": 3}}, "'training' is no split; expected train, val, test"),
        ({"new_compounds": ["val"]}, "'val' is no split that has runs"),
        ({"new_instrument": ["later"]}, "'later' is no split that has runs"),
        ({"ions": 0}, "ions = 0: expected 1 or more"),
        ({"instruments": 0}, "instruments = 0: expected 1 or more"),
        ({"compounds": 0}, "compounds = 0: expected 1 or more"),
        ({"workers": 0}, "workers = 0: expected 1 or more"),
        ({"label_noise": 1.0}, "label_noise = 1.0: expected a share"),
        ({"prevalence": {"alcohol": -0.1}}, "alcohol = -0.1: expected a share"),
        ({"prevalence": {"alcohol": float("nan")}}, "alcohol = nan: expected a share"),
        ({"prevalence": {"alcool": 0.1}}, "did you mean alcohol?"),
        ({"compounds": 5_000}, "5,000 compounds were asked for, and the library has"),
        ({"library": DECANE, "compounds": None}, "small library: no compound of aromatic"),
        ({"library": library(families=(None,) * 15)}, "none of 15 records can be simulated"),
    ],
)  # fmt: skip
def test_what_cannot_be_simulated(tmp_path: Path, changes: Mapping[str, Any], found: str) -> None:
    assert found in complaint(tmp_path / "empty", **changes)


def test_a_library_file_without_structures(tmp_path: Path) -> None:
    path = tmp_path / "bare.msp"
    path.write_text("Name: thing\nRI: 900\nNum Peaks: 2\n41 10\n43 100\n")
    made: Library = read_library(path)
    assert str(path) in complaint(tmp_path / "empty", library=made)


def test_a_folder_that_exists(tmp_path: Path) -> None:
    kept = tmp_path / "campaign" / "precious"
    kept.parent.mkdir()
    kept.write_text("data")
    with pytest.raises(OutputError, match="campaign: exists already"):
        ask(tmp_path / "campaign")
    assert files(tmp_path) == {"campaign/precious": b"data"}


class Notes(Progress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


class Pressed(Progress):
    """Presses Ctrl-C after two runs."""

    done = 0

    def step(self, text: str = "") -> None:
        self.done += 1
        if self.done == 2:
            raise KeyboardInterrupt


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_simulation_leaves_nothing(tmp_path: Path, workers: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        ask(tmp_path / "campaign", progress=Pressed(), workers=workers)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "told"), [(OSError(28, "No space left on device"), OutputError), (ValueError(), None)]
)
def test_a_failing_simulation_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    told: type[Exception] | None,
) -> None:
    done = []

    def fail(*arguments: Any) -> Any:
        done.append(arguments)
        if len(done) == 2:
            raise error
        return simulate_run(*arguments)

    monkeypatch.setattr("gale.simulation.writing.simulate_run", fail)
    with pytest.raises(told or type(error)):
        ask(tmp_path / "campaign")
    assert len(done) == 2
    assert list(tmp_path.iterdir()) == []


def test_records_that_are_left_out_are_told(tmp_path: Path) -> None:
    progress = Notes()
    members = library()
    empty = replace(members, families=(None, *members.families[1:]))
    ask(tmp_path / "campaign", library=empty, runs=3, progress=progress)
    assert any(note.startswith("small library: records that are left out: 1 with: ")
               for note in progress.notes)  # fmt: skip
