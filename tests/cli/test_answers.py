"""Answers in the terminal and as JSON; which model gives them; tables in other formats."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

import gale
from gale.errors import ModelError, OutputError
from gale.plumbing.text import in_words, probability
from helpers.commands import error_of, invoke, succeed
from helpers.errors import check_error
from helpers.training import Trained

COLUMNS = ["family", "probability", "prevalence", "call", "apex (min)", "ions (m/z)"]


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: list[Path]) -> Path:
    """A folder with three runs, one of which cannot be read; no model is named elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GALE_MODEL", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    for name, run in zip(("a.csv", "b.csv"), runs, strict=False):
        shutil.copy(run, name)
    Path("bad.csv").write_text("no run", "utf-8")
    return tmp_path


def lines_of(output: str) -> dict[str, list[str]]:
    """Lines of each run in the terminal, below its name."""
    blocks = [block.splitlines() for block in output.split("\n\n")]
    return {block[0].split(":")[0]: block[1:] for block in blocks}


@pytest.mark.slow
def test_each_run_has_a_table(stack: gale.Model, stack_file: Path) -> None:
    result = invoke("predict", "a.csv", "bad.csv", "b.csv", "--model", stack_file, "-q")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("failed: bad.csv: ")
    said = lines_of(result.stdout)
    assert list(said)[:2] == ["a.csv", "b.csv"]
    predicted = stack.predict(["a.csv", "b.csv"])
    assert not [path for path in Path().iterdir() if path.suffix != ".csv"], "nothing is written"
    for row in predicted.iter_rows(named=True):
        lines = said[row["run"]]
        head = next(at for at, line in enumerate(lines) if line.startswith("family"))
        assert all(column in lines[head] for column in COLUMNS)
        assert "InChIKey" in lines[head]
        table = lines[head + 1 : head + 1 + len(stack.families)]
        by_probability = sorted(stack.families, key=lambda family: -row[family])
        for line, family in zip(table, by_probability, strict=True):
            assert line.startswith(in_words(family))
            rest = line.removeprefix(in_words(family)).split()
            assert rest[:2] == [probability(row[family]), probability(stack.prevalence[family])]
            if row["status"] == "ok":
                assert rest[2] == ("yes" if row[family] >= 0.5 else "no")
        assert lines[head + 1 + len(stack.families)].startswith("largest peak")


def test_doubtful_numbers_are_marked_where_they_stand(stack: gale.Model, stack_file: Path) -> None:
    table = pl.read_csv("a.csv")
    table.filter(pl.col("time") < table["time"].unique().sort()[21]).write_csv("short.csv")
    words = ["predict", "short.csv", "a.csv", "--model", stack_file, "-q"]
    short, usual = map(json.loads, succeed(*words, "--json").stdout.splitlines())
    assert (short["status"], short["unlike"]) == ("doubtful", None)  # it is like no run
    assert usual["unlike"] is not None
    said = lines_of(succeed(*words).stdout)
    for line in said["short.csv"][1 : 1 + len(stack.families)]:
        family = next(name for name in stack.families if line.startswith(in_words(name)))
        assert line.removeprefix(in_words(family)).split()[1] == "?"
    assert said["short.csv"][-1].startswith("?: doubtful")
    assert "?" not in "".join(said["a.csv"])


def test_scores_are_not_called_probabilities(trained: Trained) -> None:
    words = ["predict", "a.csv", "--model", trained.path, "-q"]
    head = succeed(*words).stdout.split("InChIKey")[0]
    assert "score" in head
    assert "probab" not in head
    answer = json.loads(succeed(*words, "--json").stdout)
    assert {*answer["families"][0]} >= {"score", "prevalence"}
    assert "probability" not in answer["families"][0]


def test_keys_stand_below_the_table_in_a_narrow_terminal(
    stack_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["predict", "a.csv", "--model", stack_file, "-q"]
    wide = succeed(*words).stdout
    monkeypatch.setenv("COLUMNS", "100")
    narrow = succeed(*words).stdout
    assert ("InChIKey" in wide, "InChIKey" in narrow, "cosine" in narrow) == (True, False, True)
    keys = re.compile(r"[A-Z]{14}-[A-Z]{10}-[A-Z]")
    below = [line for line in narrow.splitlines() if keys.match(line)]
    assert {line.split()[0] for line in below} == set(keys.findall(wide)) != set()
    assert all(line.split("  ")[1] in wide for line in below)


def test_one_line_of_json_for_each_run(stack: gale.Model, stack_file: Path) -> None:
    result = invoke("predict", "a.csv", "bad.csv", "--model", stack_file, "--json", "-q")
    assert result.exit_code == 1
    first, bad = map(json.loads, result.stdout.splitlines())
    row = stack.predict("a.csv").row(0, named=True)
    assert (first["run"], first["status"]) == ("a.csv", row["status"])
    assert {each["family"] for each in first["families"]} == set(stack.families)
    for each in first["families"]:
        assert each["probability"] == pytest.approx(row[each["family"]], rel=1e-5)
    assert first["largest_peaks"]
    assert first["model"]["sha256"] == stack.sha256
    assert (bad["status"], bad["families"]) == ("failed", [])
    assert bad["message"].startswith("bad.csv: ")


def test_standard_output_is_the_table_alone(trained: Trained) -> None:
    words = ["predict", "a.csv", "b.csv", "--model", trained.path]
    result = succeed(*words, "-o", "-")
    succeed(*words, "-o", "p.csv")
    assert result.stdout.encode() == Path("p.csv").read_bytes()
    assert "2 runs predicted" in result.stderr
    assert not Path("-").exists()


def test_formats_hold_the_same(trained: Trained) -> None:
    words = ["predict", "a.csv", "bad.csv", "--model", trained.path, "-o"]
    for name in ("p.csv", "p.parquet", "p.xlsx"):
        assert invoke(*words, name, "--evidence", f"why-{name}").exit_code == 1
        assert json.loads(gale_sidecar(name).read_text("utf-8"))["runs"] == 2
    table, plain = pl.read_parquet("p.parquet"), pl.read_csv("p.csv")
    assert table.columns == plain.columns
    assert table["run"].to_list() == ["a.csv", "bad.csv"]
    assert table["alcohol"].to_list() == pytest.approx(plain["alcohol"].to_list(), nan_ok=True)
    assert Path("p.xlsx").read_bytes()[:2] == b"PK"
    assert pl.read_parquet("why-p.parquet").columns == pl.read_csv("why-p.csv").columns


def gale_sidecar(name: str) -> Path:
    return Path(name.removesuffix(".csv") + ".json")


def test_which_model_predicts(
    trained: Trained, stack_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def recipe(*words: object) -> str:
        line = succeed("predict", "a.csv", "--json", "-q", *words).stdout
        return str(json.loads(line)["model"]["recipe"])

    assert recipe() == "bundled"
    monkeypatch.setenv("GALE_MODEL", str(trained.path))
    assert recipe() == "tiny"
    assert recipe("--model", stack_file) == gale.Model.load(stack_file).facts["recipe"]["name"]
    monkeypatch.setenv("GALE_MODEL", "gone.onnx")
    check_error(error_of("predict", "a.csv"), "gone.onnx", found="No such file", kind=ModelError)
    monkeypatch.setenv("GALE_MODEL", "")
    assert recipe() == "bundled"


def test_the_model_that_comes_with_gale_says_what_it_is() -> None:
    caution = "learned from simulated runs alone"
    assert caution in succeed("predict", "a.csv", "-q").stdout.splitlines()[-1]
    line = json.loads(succeed("predict", "a.csv", "-q", "--json").stdout)
    assert caution in line["model"]["notes"][0]
    assert "gale train" in line["model"]["notes"][0]
    assert caution in succeed("predict", "a.csv", "-q", "-o", "p.parquet").stdout
    assert caution in json.loads(Path("p.parquet.json").read_text("utf-8"))["notes"][0]
    assert caution in succeed("predict", "a.csv", "-q", "-o", "-").stderr
    with pytest.warns(gale.GaleWarning, match=caution):
        gale.bundled_model().predict("a.csv")


@pytest.mark.slow
def test_pages_of_the_model_that_comes_with_gale() -> None:
    succeed("report", "run", "a.csv", "-o", "pages", "-q")
    for page in Path("pages").glob("*.html"):
        assert "learned from simulated runs alone" in page.read_text("utf-8"), page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--json", "-o", "p.csv"], "leave out -o"),
        (["--submission"], "name its file"),
        (["-o", "p.csv", "--evidence", "-"], "name a file for --evidence"),
    ],
)
def test_what_does_not_go_together(words: list[str], said: str, trained: Trained) -> None:
    result = invoke("predict", "a.csv", "--model", trained.path, *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_name_is_refused_before_anything_is_read(trained: Trained) -> None:
    error = error_of("predict", "absent.csv", "--model", trained.path, "-o", "p.txt")
    check_error(error, "p.txt", found="ends in .txt", expected=".parquet", kind=OutputError)
