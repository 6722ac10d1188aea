"""Runs of the same content: within a training, in its test runs, and when they are predicted."""

from __future__ import annotations

import gzip
import shutil
import zipfile
from pathlib import Path

import polars as pl
import pytest

import gale
from gale.errors import CampaignError, GaleWarning
from gale.evaluation import evaluate
from gale.plumbing.cache import Cache
from gale.plumbing.tables import TRAINED_ON
from gale.plumbing.work import Work
from gale.readers import checksum_of, load
from gale.training.copies import check_not_tested, contents_of
from gale.training.runs import read_training_runs
from helpers.errors import refused
from helpers.training import Recorder, Trained, tiny_recipe
from helpers.vendor_files import FOLDERS, lay_out, nominal_run

FEATURES = tiny_recipe().all_features


@pytest.fixture
def folder(campaign_folder: Path, tmp_path: Path) -> Path:
    """A campaign of one's own, whose files may be changed."""
    shutil.copytree(campaign_folder, tmp_path / "campaign")
    metadata = tmp_path / "campaign" / "metadata.csv"
    table = pl.read_csv(metadata.read_bytes())
    metadata.write_bytes(table.with_columns(features_md5_hash=None).write_csv().encode())
    return tmp_path / "campaign"


def copy_over(folder: Path, split: str, source: Path, *, labels_of: str | None = None) -> str:
    """Give the first run of a split the content of another, and perhaps its labels."""
    target = sorted(path for path in (folder / f"{split}_features").iterdir() if path != source)[0]
    shutil.copy(source, target)
    if labels_of is not None:
        file = folder / f"{split}_labels.csv"
        table = pl.read_csv(file.read_bytes())
        row = pl.read_csv((folder / "train_labels.csv").read_bytes()).filter(sample_id=labels_of)
        rest = table.filter(pl.col("sample_id") != target.stem)
        copied = row.with_columns(sample_id=pl.lit(target.stem))
        file.write_bytes(pl.concat([rest, copied]).write_csv().encode())
    return target.stem


def source_of(folder: Path) -> Path:
    return sorted((folder / "train_features").iterdir())[-1]


@pytest.mark.slow
@pytest.mark.parametrize("split", ["train", "val"])
def test_a_copy_with_equal_labels_is_left_out(folder: Path, split: str) -> None:
    source = source_of(folder)
    copy = copy_over(folder, split, source, labels_of=source.stem)
    progress = Recorder()
    work = Work(progress=progress)
    runs = read_training_runs(gale.Campaign.open(folder), FEATURES, work)
    assert len(runs.copies) == 1
    assert {*runs.copies} < {copy, source.stem}
    assert len(runs.campaign) == len(runs.features) == len(runs.checksums) == 83
    assert len(set(runs.checksums)) == 83
    (note,) = [note for note in progress.notes if "same content" in note]
    assert copy in note
    assert source.stem in note


def test_copies_with_contradicting_labels_are_refused(folder: Path) -> None:
    file = folder / "train_labels.csv"
    table = pl.read_csv(file.read_bytes())
    one, other = table.filter(alcohol=1)["sample_id"][0], table.filter(alcohol=0)["sample_id"][0]
    shutil.copy(
        folder / "train_features" / f"{one}.csv", folder / "train_features" / f"{other}.csv"
    )
    with refused(CampaignError, folder, found=[one, other, "same content"]):
        read_training_runs(gale.Campaign.open(folder), FEATURES, Work())


@pytest.mark.slow
def test_the_copy_with_the_most_labels_stays(folder: Path) -> None:
    """A blank contradicts nothing; labels that no single copy has are refused."""
    file = folder / "train_labels.csv"
    source = source_of(folder)
    copy_over(folder, "train", source, labels_of=source.stem)
    table = pl.read_csv(file.read_bytes())
    copies = sorted((folder / "train_features").iterdir())
    blank, full = copies[0].stem, source.stem
    of_blank = pl.col("sample_id") == blank

    def blanked(of: pl.Expr, family: str) -> pl.Expr:
        return pl.when(of).then(None).otherwise(pl.col(family)).alias(family)

    file.write_bytes(table.with_columns(blanked(of_blank, "alcohol")).write_csv().encode())
    runs = read_training_runs(gale.Campaign.open(folder), FEATURES, Work(progress=Recorder()))
    assert runs.copies == [blank]
    changed = table.with_columns(blanked(of_blank, "alcohol"), blanked(~of_blank, "mineral"))
    file.write_bytes(changed.write_csv().encode())
    with refused(CampaignError, folder, found=[blank, full, "same content"]):
        read_training_runs(gale.Campaign.open(folder), FEATURES, Work(progress=Recorder()))


@pytest.mark.slow
def test_a_test_run_among_those_to_train_on_is_refused(folder: Path) -> None:
    source = source_of(folder)
    copy = copy_over(folder, "test", source)
    with refused(CampaignError, folder, found=[copy, source.stem, "same content"]):
        read_training_runs(gale.Campaign.open(folder), FEATURES, Work())


@pytest.mark.slow
@pytest.mark.parametrize("packed", ["training", "test", "both"])
def test_a_test_run_packed_otherwise_is_refused(folder: Path, packed: str) -> None:
    """Not even two archives of the same run are of the same bytes."""
    source = source_of(folder)
    copy = copy_over(folder, "test", source)
    data = source.read_bytes()
    if packed in ("training", "both"):
        source.write_bytes(gzip.compress(data, mtime=1))
    if packed in ("test", "both"):
        with zipfile.ZipFile(folder / "test_features" / f"{copy}.csv", "w") as archive:
            archive.writestr("run.csv", data)
    with refused(CampaignError, folder, found=[copy, source.stem, "same content"]):
        read_training_runs(gale.Campaign.open(folder), FEATURES, Work())


def test_a_packed_copy_is_left_out(folder: Path) -> None:
    source = source_of(folder)
    copy = copy_over(folder, "val", source, labels_of=source.stem)
    file = folder / "val_features" / f"{copy}.csv"
    file.write_bytes(gzip.compress(file.read_bytes()))
    runs = read_training_runs(gale.Campaign.open(folder), FEATURES, Work(progress=Recorder()))
    assert len(runs.copies) == 1
    assert {*runs.copies} < {copy, source.stem}


@pytest.mark.parametrize("zipped", [False, True])
def test_a_folder_of_an_instrument_that_is_tested_and_trained_on(
    tmp_path: Path, zipped: bool
) -> None:
    root = tmp_path / "campaign"
    for name in ("one", "other"):
        lay_out(root / f"{name}.D", FOLDERS["chemstation"](nominal_run()))
    test = "other.D"
    if zipped:
        test = "other.zip"
        shutil.make_archive(str(root / "other"), "zip", root, "other.D")
        shutil.rmtree(root / "other.D")
    (root / "metadata.csv").write_text(
        "sample_id,split,derivatized,features_path,features_md5_hash\n"
        f"S1,train,,one.D,\nS2,test,,{test},\n",
        "utf-8",
    )
    campaign = gale.Campaign.open(root)
    training = campaign.of_split("train")
    contents = contents_of(training, [checksum_of(load(training.paths[0]))])
    with refused(CampaignError, root, found=["S1", "S2", "same content"]):
        check_not_tested(campaign, training, contents)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*doubtful:gale.errors.GaleWarning")
def test_a_model_knows_its_training_runs_again(
    trained: Trained, campaign: gale.Campaign, tmp_path: Path
) -> None:
    learned, unseen = campaign.of_split("train").paths[0], campaign.of_split("test").paths[0]
    renamed = tmp_path / "renamed.csv"
    shutil.copy(learned, renamed)
    table = trained.model.predict([renamed, unseen])
    assert TRAINED_ON in table["message"][0]
    assert TRAINED_ON not in (table["message"][1] or "")
    packed = tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress(learned.read_bytes()))
    cache = Cache(tmp_path / "cache")
    for work in (Work(), Work(cache=cache), Work(cache=cache)):
        assert TRAINED_ON in trained.model.predict(packed, work)["message"][0]
    known = campaign.of_split("train")
    predictions = trained.model.predict(known)
    prevalence = trained.model.prevalence
    with pytest.warns(GaleWarning, match="trained on 60 of the 60 scored runs"):
        evaluation = evaluate(predictions, known, prevalence=prevalence, resamples=10)
    assert len(evaluation.trained_on) == 60
