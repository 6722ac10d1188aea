"""`gale evaluate`: the numbers it prints and writes, and where its baseline comes from."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from gale.cli import group
from gale.errors import GaleError, OutputError, TableError
from gale.evaluation.metrics import expected_calibration_error, log_loss

FAMILIES = ("alcohol", "mineral")
Evaluate = Callable[..., Result]


@pytest.fixture
def evaluate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Evaluate:
    """Run the command in a folder of labels and predictions of 40 runs, 2 of which fail."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, (40, 2))
    probability = (0.3 + 0.4 * labels + random.uniform(-0.25, 0.25, (40, 2))).round(3)
    header = ",".join(FAMILIES)
    Path("labels.csv").write_text(
        f"sample_id,{header}\n" + "".join(f"S{i:02},{y[0]},{y[1]}\n" for i, y in enumerate(labels)),
        encoding="utf-8",
    )
    rows = [f"runs/S{i:02}.csv,ok,,{p[0]},{p[1]}\n" for i, p in enumerate(probability)]
    rows[3:5] = [f"runs/S{i:02}.csv,failed,no scans,,\n" for i in (3, 4)]
    Path("network.csv").write_text(f"run,status,message,{header}\n" + "".join(rows), "utf-8")
    Path("regression.csv").write_text(
        f"sample_id,{header}\n"
        + "".join(f"S{i:02},{p[0] / 2 + 0.25},{p[1]}\n" for i, p in enumerate(probability)),
        encoding="utf-8",
    )
    Path("train.csv").write_text(f"run,{header}\nT1,1,0\nT2,0,\nT3,0,1\nT4,0,0\n", "utf-8")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(group, ["evaluate", *arguments])

    return run


def cells(output: str, row: str) -> list[str]:
    """Return the cells of the first line that starts with `row`, which are two blanks apart."""
    (line, *_) = [line for line in output.splitlines() if line.startswith(f"{row}  ")]
    return re.split(r"  +", line)[1:]


def test_one_file(evaluate: Evaluate) -> None:
    result = evaluate("network.csv", "--labels", "labels.csv", "--train-labels", "train.csv")
    assert result.exit_code == 0, result.output
    first = result.output.splitlines()[0]
    assert all(fact in first for fact in ("network.csv", "38 of 40", "labels.csv"))
    assert "(S03, S04)" in result.output
    interval = r"\d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\]"
    mean = cells(result.output, "network.csv")
    assert re.fullmatch(interval, mean[0])
    assert all(re.fullmatch(r"\d\.\d{3}", cell) for cell in mean[1:])
    assert len(mean) == 5
    assert cells(result.output, "training prevalence")[2] == "0.500"
    family = cells(result.output, "alcohol")
    assert len(family) == 6
    assert family[0].endswith("/38")
    assert all(re.fullmatch(interval, family[at]) for at in (1, 3, 4, 5))
    (difference,) = re.findall(r"^network\.csv - \w+ +(\S+ \[.*\]) ", result.output, re.MULTILINE)
    assert re.fullmatch(r"-\d\.\d{3} \[.*", difference)
    assert "1,000 resamples, seed 0" in result.output
    assert "flatters" not in result.output


def test_numbers_are_those_of_the_metrics(evaluate: Evaluate) -> None:
    result = evaluate("regression.csv", "--labels", "labels.csv", "--json", "scores.json")
    assert result.exit_code == 0, result.output
    read = [np.loadtxt(f, delimiter=",", skiprows=1, usecols=(1, 2)) for f in
            ("labels.csv", "regression.csv")]  # fmt: skip
    expected = log_loss(read[0], read[1])
    row = cells(result.output, "regression.csv")
    assert row[0].startswith(f"{expected:.3f} [")
    assert row[4] == f"{expected_calibration_error(read[0], read[1]):.3f}"
    scores = json.loads(Path("scores.json").read_text("utf-8"))
    assert scores["labels"] == ["labels.csv"]
    assert scores["evaluations"][0]["scores"]["mean"]["log_loss"]["value"] == expected
    assert scores["comparisons"] == []


def test_two_files_side_by_side(evaluate: Evaluate) -> None:
    arguments = ("network.csv", "regression.csv", "--labels", "labels.csv", "--resamples", "50")
    result = evaluate(*arguments, "--train-labels", "train.csv", "--json", "scores.json")
    assert result.exit_code == 0, result.output
    output = result.output
    assert output.index("network.csv  ") < output.index("regression.csv  ")
    assert "\nregression.csv\nfamily" in output
    assert cells(output, "network.csv - regression.csv")[1] == "38"
    assert cells(output, "training prevalence (network.csv)")
    assert cells(output, "training prevalence (regression.csv)")
    scores = json.loads(Path("scores.json").read_text("utf-8"))
    assert [each["scores"]["runs"] for each in scores["evaluations"]] == [38, 40]
    assert scores["evaluations"][0]["prior"]["prevalence"] == pytest.approx([1 / 4, 1 / 3])
    assert scores["comparisons"][0]["runs"] == 38
    assert scores["evaluations"][0]["failed"] == {"S03": "no scans", "S04": "no scans"}


def test_one_prior_serves_files_of_the_same_runs(evaluate: Evaluate) -> None:
    Path("copy.csv").write_bytes(Path("regression.csv").read_bytes())
    arguments = ("regression.csv", "copy.csv", "--labels", "labels.csv")
    result = evaluate(*arguments, "--train-labels", "train.csv")
    assert result.output.count("training prevalence") == 1
    assert cells(result.output, "regression.csv - copy.csv")[0] == "+0.000 [+0.000, +0.000]"


def test_the_sidecar_is_the_prior(evaluate: Evaluate) -> None:
    facts = {"families": ["mineral", "alcohol"], "prevalence": [0.5, 0.125]}
    Path("network.json").write_text(json.dumps(facts), "utf-8")
    arguments = ("network.csv", "--labels", "labels.csv", "--train-labels", "train.csv")
    result = evaluate(*arguments, "--json", "scores.json")
    scores = json.loads(Path("scores.json").read_text("utf-8"))
    assert scores["evaluations"][0]["prior"]["prevalence"] == [0.125, 0.5]
    assert "--train-labels" in result.output, "it was not used"
    Path("network.json").write_text('{"families": ["alcohol"], "prevalence": [0.5]}', "utf-8")
    error = evaluate(*arguments).exception
    assert isinstance(error, TableError)
    assert "network.json" in str(error)
    assert "'mineral'" in str(error)


def test_without_training_labels_the_prior_is_flattered_and_that_is_said(
    evaluate: Evaluate,
) -> None:
    result = evaluate("network.csv", "--labels", "labels.csv")
    assert cells(result.output, "these labels' prevalence")
    assert "flatters" in result.output
    assert "--train-labels" in result.output


def test_what_is_undefined_is_said(evaluate: Evaluate) -> None:
    Path("labels.csv").write_text("run,alcohol,mineral\nS00,0,1\nS01,0,0\nS99,0,0\n", "utf-8")
    result = evaluate("network.csv", "--labels", "labels.csv", "--json", "scores.json")
    assert cells(result.output, "alcohol")[-2:] == ["-", "-"]
    assert "(alcohol)" in result.output
    assert "(S99)" in result.output
    assert "runs/S09.csv, runs/S10.csv, runs/S11.csv and 28 more)" in result.output
    scores = json.loads(Path("scores.json").read_text("utf-8"))
    assert len(scores["evaluations"][0]["unlabelled"]) == 38


def test_several_label_tables(evaluate: Evaluate) -> None:
    lines = Path("labels.csv").read_text("utf-8").splitlines(keepends=True)
    Path("first.csv").write_text("".join(lines[:20]), "utf-8")
    Path("second.csv").write_text("".join([lines[0], *lines[20:]]), "utf-8")
    whole = evaluate("network.csv", "--labels", "labels.csv").output
    parts = evaluate("network.csv", "--labels", "first.csv", "--labels", "second.csv").output
    assert parts == whole.replace("of labels.csv on", "of first.csv, second.csv on")


def test_the_same_seed_gives_the_same_output(evaluate: Evaluate) -> None:
    arguments = ("network.csv", "--labels", "labels.csv", "--resamples", "100", "--seed")
    assert evaluate(*arguments, "5").output == evaluate(*arguments, "5").output
    assert evaluate(*arguments, "5").output != evaluate(*arguments, "6").output


@pytest.mark.parametrize(
    ("arguments", "error", "facts"),
    [
        (["nowhere.csv", "--labels", "labels.csv"], TableError, ["nowhere.csv: "]),
        (["network.csv", "--labels", "nowhere.csv"], TableError, ["nowhere.csv: "]),
        (["labels.csv", "--labels", "network.csv"], TableError, ["network.csv: "]),
        (
            ["network.csv", "--labels", "labels.csv", "--labels", "labels.csv"],
            TableError,
            ["labels.csv: ", "'S00'"],
        ),
        (
            ["network.csv", "--labels", "labels.csv", "--train-labels", "narrow.csv"],
            TableError,
            ["training labels", "mineral"],
        ),
        (["narrow.csv", "--labels", "labels.csv"], TableError, ["narrow.csv: ", "mineral"]),
        (
            ["network.csv", "--labels", "labels.csv", "--json", "train.csv"],
            OutputError,
            ["train.csv: ", "exists"],
        ),
        (
            ["network.csv", "--labels", "labels.csv", "--json", "network.json"],
            OutputError,
            ["network.json: ", "sidecar"],
        ),
    ],
)
def test_errors(
    evaluate: Evaluate, arguments: list[str], error: type[GaleError], facts: list[str]
) -> None:
    Path("narrow.csv").write_text("sample_id,alcohol\nS00,1\n", "utf-8")
    result = evaluate(*arguments)
    assert isinstance(result.exception, error)
    assert [fact for fact in facts if fact not in str(result.exception)] == []
    assert result.output == ""
    assert not Path("network.json").exists()


def test_json_is_overwritten_by_force_only(evaluate: Evaluate) -> None:
    Path("scores.json").write_text("old", "utf-8")
    arguments = ("network.csv", "--labels", "labels.csv", "--json", "scores.json")
    assert isinstance(evaluate(*arguments).exception, OutputError)
    assert Path("scores.json").read_text("utf-8") == "old"
    assert evaluate(*arguments, "--force").exit_code == 0
    assert json.loads(Path("scores.json").read_text("utf-8"))["evaluations"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--labels", "labels.csv"],
        ["network.csv"],
        ["network.csv", "--labels", "labels.csv", "--resamples", "0"],
        ["network.csv", "--labels", "labels.csv", "--seed", "-1"],
    ],
)
def test_usage_errors(evaluate: Evaluate, arguments: list[str]) -> None:
    result = evaluate(*arguments)
    assert result.exit_code == 2
    assert "Usage:" in result.output


def test_the_help_has_an_example_that_runs(evaluate: Evaluate) -> None:
    result = evaluate("--help")
    assert evaluate("-h").output == result.output
    (example,) = re.findall(r"^ +gale evaluate (.+)$", result.output, flags=re.MULTILINE)
    Path("predictions.csv").write_bytes(Path("network.csv").read_bytes())
    Path("val_labels.csv").write_bytes(Path("labels.csv").read_bytes())
    assert evaluate(*example.split()).exit_code == 0


def test_the_module_is_light_to_import() -> None:
    code = (
        "import sys, gale.cli.evaluate; "
        "print(sorted({'numpy', 'polars', 'scipy', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
