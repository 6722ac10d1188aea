"""The plain campaign generator of `examples/`."""

import hashlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import make_campaign as made

NONE = np.zeros(len(made.FAMILIES), dtype=bool)


def contents(folder: Path) -> dict[str, bytes]:
    """Bytes of every file of a folder, by name."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def holding(family: str) -> made.Flags:
    return np.array([name == family for name in made.FAMILIES])


def columns(run: pl.DataFrame) -> tuple[made.Floats, made.Floats, made.Floats]:
    time, mass, intensity = (column.to_numpy() for column in run)
    return time, mass, intensity


def share(run: pl.DataFrame, mz: int) -> float:
    """Share of the intensity of a run that an m/z has."""
    _, mass, intensity = columns(run)
    return float(intensity[mass.round() == mz].sum() / intensity.sum())


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "campaign"
    made.make_campaign(out, train=6, val=3, test=4, ions=400, seed=5, workers=1)
    return out


def test_metadata_lists_every_run_with_its_checksum(campaign: Path) -> None:
    metadata = pl.read_csv(campaign / "metadata.csv")
    assert metadata.columns == [
        "sample_id",
        "split",
        "derivatized",
        "features_path",
        "features_md5_hash",
    ]
    assert metadata["split"].to_list() == ["train"] * 6 + ["val"] * 3 + ["test"] * 4
    assert metadata["sample_id"].to_list() == [f"S{i:04d}" for i in range(13)]
    assert set(metadata["derivatized"]) == {1, None}
    runs = {name: text for name, text in contents(campaign).items() if "_features/" in name}
    assert metadata["features_path"].to_list() == sorted(
        runs, key=lambda name: name.partition("/")[2]
    )
    assert metadata["features_path"][6] == "val_features/S0006.csv"
    for path, checksum in metadata.select("features_path", "features_md5_hash").iter_rows():
        assert hashlib.md5(runs[path]).hexdigest() == checksum
        assert runs[path].startswith(b"time,mass,intensity\n")


def test_labels_and_submission_have_the_runs_of_their_split(campaign: Path) -> None:
    ids = {}
    for split in ("train", "val", "test"):
        labels = pl.read_csv(campaign / f"{split}_labels.csv")
        assert labels.columns == ["sample_id", *made.FAMILIES]
        assert set(labels.drop("sample_id").to_numpy().ravel()) <= {0, 1}
        ids[split] = labels["sample_id"].to_list()
    assert [len(of_split) for of_split in ids.values()] == [6, 3, 4]
    submission = pl.read_csv(campaign / "submission_format.csv")
    assert submission.columns == ["sample_id", *made.FAMILIES]
    assert submission["sample_id"].to_list() == ids["val"] + ids["test"]
    assert not submission.drop("sample_id").to_numpy().any()


def test_seed_alone_decides_the_bytes(campaign: Path, tmp_path: Path) -> None:
    sizes = {"train": 6, "val": 3, "test": 4, "ions": 400}
    made.make_campaign(tmp_path / "again", **sizes, seed=5, workers=2)
    made.make_campaign(tmp_path / "other", **sizes, seed=6, workers=1)
    first, again, other = map(contents, (campaign, tmp_path / "again", tmp_path / "other"))
    assert again == first
    assert other.keys() == first.keys()
    assert not any(other[name] == first[name] for name in first if "_features/" in name)


def test_existing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        made.make_campaign(tmp_path, ions=400, workers=1)
    assert not contents(tmp_path)


def test_families_are_about_as_frequent_as_published() -> None:
    rng = np.random.default_rng(0)
    drawn = np.array([made.draw_families(rng) for _ in range(3000)])
    np.testing.assert_allclose(drawn.mean(axis=0), made.PREVALENCE, atol=0.05)
    held = drawn.sum(axis=1)
    assert np.mean(held == 0) == pytest.approx(0.37, abs=0.03)
    assert np.mean(held == 1) == pytest.approx(0.47, abs=0.03)
    assert 0 < np.mean(held == 8) < 0.03


def test_compounds_can_make_every_combination_of_families() -> None:
    compounds = made.make_compounds()
    n_families = compounds.families.sum(axis=1)
    assert n_families[: made.N_COMPOUNDS].min() == 1
    assert n_families.max() == 3
    assert not n_families[made.N_COMPOUNDS :].any()
    assert compounds.families[n_families == 1].sum(axis=0).min() >= 2
    np.testing.assert_allclose(compounds.spectrum.max(axis=1), 1)
    assert compounds.spectrum.min() == 0
    assert ((compounds.retention > 0) & (compounds.retention < 1)).all()


@given(families=st.lists(st.booleans(), min_size=9, max_size=9), seed=st.integers(0, 2**32))
def test_compounds_chosen_are_of_the_families_held_and_no_others(
    families: list[bool], seed: int
) -> None:
    chosen = made.choose_compounds(np.random.default_rng(seed), np.array(families))
    assert chosen.families.any(axis=0).tolist() == families
    assert len(chosen.retention) <= 3 * sum(families) + 3


def test_silyl_changes_acids_and_alcohols_alone() -> None:
    before = made.make_compounds()
    after = made.silylate(before)
    reacts = (before.families & (holding("carboxylic_acid") | holding("alcohol"))).any(axis=1)
    np.testing.assert_array_equal((after.spectrum != before.spectrum).any(axis=1), reacts)
    np.testing.assert_array_equal(after.retention > before.retention, reacts)
    assert after.spectrum[reacts, 75].min() >= 0.5


@settings(max_examples=40, deadline=None)
@given(
    families=st.lists(st.booleans(), min_size=9, max_size=9),
    derivatized=st.booleans(),
    ions=st.integers(1, 3000),
    seed=st.integers(0, 2**32),
)
def test_run_is_sane(families: list[bool], derivatized: bool, ions: int, seed: int) -> None:
    run = made.make_run(np.array(families), derivatized=derivatized, ions=ions, seed=seed)
    assert run.columns == ["time", "mass", "intensity"]
    assert ions // 2 <= len(run) <= 2 * ions
    time, mass, intensity = columns(run)
    assert (intensity > 0).all()
    assert mass.min() > 3.5
    assert mass.max() < 550.5
    assert time.min() >= 0
    assert time.max() <= 40
    # in order of time, and each nominal m/z at most once in a scan
    step = np.diff(time)
    assert (step >= 0).all()
    assert (np.diff(mass.round())[step == 0] > 0).all()


def test_rows_are_as_many_as_asked_on_average() -> None:
    rows = [len(made.make_run(NONE, ions=1000, seed=seed)) for seed in range(200)]
    assert np.mean(rows) == pytest.approx(1000, rel=0.1)
    assert np.std(rows) > 100


def test_there_are_three_set_ups() -> None:
    kinds, lengths = set(), []
    for seed in range(20):
        time, mass, intensity = columns(made.make_run(NONE, ions=20_000, seed=seed))
        has_helium, wide, delayed = mass[0] < 4.5, mass.max() > 350.5, time[0] > 0
        kinds.add((bool(has_helium), bool(wide), bool(delayed), intensity.dtype.kind))
        lengths.append(time[-1])
    assert kinds == {
        (True, False, True, "f"),
        (False, True, False, "f"),
        (False, True, True, "i"),
    }
    assert min(lengths) < 15
    assert max(lengths) > 30


def test_a_family_shows_in_its_ions_though_not_in_every_run() -> None:
    def shares(families: made.Flags) -> list[float]:
        return [share(made.make_run(families, seed=seed), 91) for seed in range(50)]

    without, held = shares(NONE), shares(holding("aromatic"))
    assert np.mean(held > np.quantile(without, 0.9)) > 0.3
    assert np.mean(held <= np.quantile(without, 0.9)) > 0.1


def test_derivatized_runs_have_a_background_of_silyl() -> None:
    plain, derivatized = (
        [share(made.make_run(NONE, derivatized=flag, seed=seed), 75) for seed in range(10)]
        for flag in (False, True)
    )
    assert np.median(derivatized) > 2 * np.median(plain)


def test_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def call(*words: str) -> None:
        monkeypatch.setattr("sys.argv", ["make_campaign.py", str(tmp_path / "made"), *words])
        made.main()

    few = ["--train", "2", "--val", "1", "--test", "1", "--ions", "100", "--workers", "1"]
    with pytest.raises(SystemExit, match="2"):
        call(*few, "--seed", "-1")
    assert "--seed: -1 was found; expected 0 or more" in capsys.readouterr().err
    call(*few)
    assert len(pl.read_csv(tmp_path / "made" / "metadata.csv")) == 4
    with pytest.raises(SystemExit, match="2"):
        call(*few)
    assert "exists already" in capsys.readouterr().err
