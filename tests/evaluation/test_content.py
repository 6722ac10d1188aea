"""Predictions and labels of runs with the same names: whether they are the same runs."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from gale.campaign import Campaign
from gale.errors import GaleWarning, TableError
from gale.evaluation import (
    compare,
    evaluate,
    read_label_tables,
    read_labelled_contents,
    read_predictions,
)
from gale.evaluation.content import (
    UNLIKE_FILES,
    UNSAID,
    UNSEEN,
    Content,
    check_contents,
    read_contents,
)
from gale.evaluation.predictions import Predictions
from gale.plumbing.work import Work
from helpers.errors import refused
from helpers.training import Recorder

NAMES = ("S1", "S2", "S3")
FEW: dict[str, Any] = {"resamples": 10, "prevalence": {"alcohol": 0.5}}


def make(root: Path, content: str, *, metadata: bool = True) -> Path:
    """A campaign of three runs, whose names are those of any other."""
    (root / "runs").mkdir(parents=True)
    for at, name in enumerate(NAMES):
        text = f"time,mass,intensity\n0.1,18.0,{at}\n0.2,18.0,{content}\n"
        (root / "runs" / f"{name}.csv").write_text(text, "utf-8")
    if metadata:
        rows = "".join(f"{name},test,,runs/{name}.csv,\n" for name in NAMES)
        header = "sample_id,split,derivatized,features_path,features_md5_hash\n"
        (root / "metadata.csv").write_text(header + rows, "utf-8")
    labels = "".join(f"{name},{at % 2}\n" for at, name in enumerate(NAMES))
    table = "test_labels.csv" if metadata else "labels.csv"
    (root / table).write_text(f"run,alcohol\n{labels}", "utf-8")
    return root


def predicted(path: Path, root: Path, name: str = "{}") -> Predictions:
    """Predictions of a campaign as they are read from a file with its sidecar."""
    runs = {name.format(each): root / "runs" / f"{each}.csv" for each in NAMES}
    table = pl.DataFrame({"sample_id": list(runs), "alcohol": [0.25, 0.5, 0.75]})
    table.write_csv(path)
    content = [
        {"run": run, "file": file.name, "sha256": sha256(file)} for run, file in runs.items()
    ]
    facts = {"families": ["alcohol"], "prevalence": [0.5], "content": content}
    path.with_suffix(".json").write_text(json.dumps(facts), "utf-8")
    return read_predictions(path)


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def contents(predictions: Predictions, *tables: Path) -> dict[str, Content]:
    return read_labelled_contents(read_label_tables(tables), tables, [predictions])


def test_labels_of_other_runs_of_the_same_names_are_refused(tmp_path: Path) -> None:
    one, other = make(tmp_path / "one", "7"), make(tmp_path / "other", "8")
    predictions = predicted(tmp_path / "p.csv", one)
    campaign = Campaign.open(one)
    evaluation = evaluate(predictions, campaign, **FEW)
    assert evaluation.by_name_alone == {}
    assert evaluation.content["S1"] == Content("S1.csv", sha256(one / "runs" / "S1.csv"))
    with refused(TableError, predictions.source, found=["S1", "content", "2 more"]):
        evaluate(predictions, Campaign.open(other), **FEW)
    table = other / "test_labels.csv"
    labels, found = read_label_tables([table]), contents(predictions, table)
    with refused(TableError, predictions.source, found=["S1", "2 more"], remedy="predict"):
        evaluate(predictions, labels, content=found, **FEW)
    shutil.copy(one / "runs" / "S2.csv", other / "runs" / "S2.csv")
    with refused(TableError, predictions.source, found=["S1", "1 more"]):
        evaluate(predictions, Campaign.open(other), **FEW)


def test_without_anything_to_compare_it_says_so(tmp_path: Path) -> None:
    one, other = make(tmp_path / "one", "7"), make(tmp_path / "other", "8")
    predictions = predicted(tmp_path / "p.csv", one)
    labels = read_label_tables([one / "test_labels.csv"])
    with pytest.warns(GaleWarning, match="3 runs .*names were compared.*folder of the labels"):
        evaluation = evaluate(predictions, labels, **FEW)
    assert evaluation.by_name_alone == {UNSEEN: NAMES}
    assert evaluation.to_dict()["by_name_alone"] == {UNSEEN: list(NAMES)}
    shutil.rmtree(other / "runs")
    assert contents(predictions, other / "test_labels.csv") == {}
    (tmp_path / "p.json").unlink()
    silent = read_predictions(tmp_path / "p.csv")
    recorder = Recorder()
    with pytest.warns(GaleWarning, match="3 runs .*no JSON file"):
        evaluation = evaluate(silent, Campaign.open(one), work=Work(progress=recorder), **FEW)
    assert evaluation.by_name_alone == {UNSAID: NAMES}
    assert recorder.totals == {}, "a file that is compared with nothing need not be read"


def test_predictions_in_memory_are_matched_by_name_without_a_warning(tmp_path: Path) -> None:
    frame = pl.DataFrame({"run": NAMES, "status": "ok", "message": None, "alcohol": 0.5})
    evaluation = evaluate(frame, Campaign.open(make(tmp_path / "one", "7")), **FEW)
    assert evaluation.by_name_alone == {UNSAID: NAMES}


def pack(file: Path) -> Path:
    packed = file.with_name(f"{file.name}.gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    return packed


@pytest.mark.parametrize("predicted_packed", [False, True])
@pytest.mark.parametrize("labelled_packed", [False, True])
@pytest.mark.parametrize("same", [False, True])
def test_packings_are_compared_by_what_is_in_them(
    tmp_path: Path, predicted_packed: bool, labelled_packed: bool, same: bool
) -> None:
    one, other = (make(tmp_path / name, "7", metadata=False) for name in ("one", "other"))
    if not same:
        make(tmp_path / "another", "8", metadata=False)
        shutil.copy(tmp_path / "another" / "runs" / "S1.csv", other / "runs" / "S1.csv")
    was, found = one / "runs" / "S1.csv", other / "runs" / "S1.csv"
    was = pack(was) if predicted_packed else was
    found = pack(found) if labelled_packed else found
    said, read = Content.read(was), Content.read(found)
    assert said.is_same(read) is same
    if same:
        assert check_contents({"S1": said}, {"S1": read}, {"S1": "S1"}, "p.csv") == {}
    else:
        with refused(TableError, "p.csv", found="other content"):
            check_contents({"S1": said}, {"S1": read}, {"S1": "S1"}, "p.csv")
    assert Content(**dict(zip(Content._fields, said.to_dict().values(), strict=False))) == said


def test_other_formats_are_not_compared(tmp_path: Path) -> None:
    """Not even those that contain another run: the same one has other bytes, too."""
    root = make(tmp_path / "one", "7", metadata=False)
    predictions = predicted(tmp_path / "p.csv", root, "runs/{}.csv")
    plain = root / "runs" / "S1.csv"
    other = plain.rename(plain.with_suffix(".mzML"))
    other.write_bytes(b"changed")
    found = read_contents({"S1": other, "S2": root / "runs" / "S2.csv"}, Recorder())
    with pytest.warns(GaleWarning, match="cannot tell"):
        evaluation = evaluate(
            predictions, read_label_tables([root / "labels.csv"]), content=found, **FEW
        )
    assert evaluation.by_name_alone == {UNLIKE_FILES: ("S1",), UNSEEN: ("S3",)}
    older = {"S1": Content("S1.csv.gz", "0123")}
    assert [*check_contents(older, {"S1": found["S2"]}, {"S1": "S1"}, "p.csv")] == [UNLIKE_FILES]


def test_only_runs_that_are_scored_are_read(tmp_path: Path) -> None:
    root = make(tmp_path / "one", "7")
    predictions = predicted(tmp_path / "p.csv", root)
    (root / "test_labels.csv").write_text("run,alcohol\nS1,0\nS2,1\nS3,\n", "utf-8")
    recorder = Recorder()
    with pytest.warns(GaleWarning, match="without a label"):
        evaluate(predictions, Campaign.open(root), work=Work(progress=recorder), **FEW)
    assert [*recorder.totals.values()] == [2]
    table = root / "test_labels.csv"
    assert [*contents(predictions, table)] == ["S1", "S2"]


@pytest.mark.parametrize("name", ["runs/{}.csv", "/elsewhere/one/runs/{}.csv", "runs\\{}.csv"])
def test_files_of_a_folder_of_runs_are_found_by_what_was_predicted(
    tmp_path: Path, name: str
) -> None:
    one = make(tmp_path / "one", "7", metadata=False)
    other = make(tmp_path / "other", "8", metadata=False)
    predictions = predicted(tmp_path / "p.csv", one, name)
    for root, table in ((one, one / "labels.csv"), (other, other / "labels.csv")):
        found = contents(predictions, table)
        assert found["S3"] == Content("S3.csv", sha256(root / "runs" / "S3.csv"))
    with refused(TableError, predictions.source, found=name.format("S1")):
        evaluate(predictions, read_label_tables([table]), content=found, **FEW)


def test_predictions_of_other_runs_are_not_compared_with_each_other(tmp_path: Path) -> None:
    one, other = make(tmp_path / "one", "7"), make(tmp_path / "other", "8")
    labels = read_label_tables([one / "test_labels.csv"])
    with pytest.warns(GaleWarning, match="cannot tell"):
        first, second, again = (
            evaluate(predicted(tmp_path / f"{root.name}{n}.csv", root), labels, **FEW)
            for n, root in enumerate((one, other, one))
        )
    assert np.isclose(compare(first, again).difference.value, 0)
    with refused(TableError, second.source, found=["S1", first.source, "2 more"]):
        compare(first, second)
