"""`gale inspect`: of a run, a model, a campaign."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import gale
from commands import error_of, invoke, succeed
from gale.errors import CampaignError, ModelError, ReadError, UnsupportedFormatError
from gale.recipe import recipe_names
from model_files import restated
from training import Trained

RUN = "time,mass,intensity\n1,18.1,5\n1,44,50\n2,18,7.5\n3.5,500.25,1\n"


def rows(output: str) -> dict[str, str]:
    """What stands behind each word at the beginning of a line."""
    return {
        line[2:16].strip(): line[16:]
        for line in output.splitlines()
        if line.startswith("  ") and not line.startswith(("  odd: ", "  nothing odd"))
    }


def test_a_run(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    path.write_text(RUN, "utf-8")
    result = succeed("inspect", path)
    assert result.output.startswith(f"{path}: a run\n")
    assert rows(result.output) == {
        "format": "csv",
        "scans": "3 (0 without ions)",
        "time": "1.000 to 3.500 min",
        "scan rate": "0.0133 scans a second (75 s from scan to scan, at most 90 s)",
        "ions": "4, 1 a scan (median)",
        "m/z": "18.000 to 500.250, 3 when rounded to the nearest whole number, halves to the even "
        "one",
        "spectra": "look like centroids",
        "intensity": "1 to 50, the highest in 1 ion of 1 scan",
        "highest TIC": "55 at 1.000 min",
        "stated TIC": "none, so nothing to compare the ions with",
    }


def test_what_is_odd_about_a_run(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    head, *lines = RUN.splitlines(keepends=True)
    path.write_text("".join([head, *reversed(lines)]) + "0.5,20,-3\n", "utf-8")
    output = succeed("inspect", path).output
    assert "  odd: rows were not in order of time; they were sorted\n" in output
    assert "  odd: 1 negative intensities were set to 0\n" in output


def test_a_run_with_other_columns(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    path.write_text(RUN.replace("time", "seconds"), "utf-8")
    assert isinstance(error_of("inspect", path), ReadError)
    output = succeed("inspect", path, "--column", "time_s=seconds").output
    assert rows(output)["time"] == "0.017 to 0.058 min"
    assert "  odd: the run lasts 0.0417 min, which is unusual" in output


def test_a_run_may_be_called_a_model(tmp_path: Path) -> None:
    path = tmp_path / "run.onnx"
    path.write_text(RUN, "utf-8")
    assert succeed("inspect", path).output.startswith(f"{path}: a run\n")


def test_a_model(trained: Trained) -> None:
    output = succeed("inspect", trained.path).output
    facts = trained.model.facts
    found = rows(output)
    assert found["recipe"] == "tiny, seed 0"
    assert found["trained"] == f"{facts['created']} on 84 runs of campaign"
    assert found["left out"] == "no run"
    assert found["ensemble"] == "4 members from 2 folds"
    assert found["features"] == "published, 126 from 18 m/z, 18 to 115"
    assert found["calibrated"] == "no: the outputs are scores"
    assert found["log loss"].startswith(f"{facts['scores']['log_loss']:.3f}, beside ")
    assert found["fingerprint"] == facts["training"]["fingerprint"]
    shares = trained.model.prevalence.items()
    for (family, share), positive in zip(shares, facts["training"]["positive"], strict=True):
        assert f"  {family:<32}{positive:>9}{84:>9}{share:>12.3f}\n" in output


def test_a_model_of_any_name(trained: Trained, tmp_path: Path) -> None:
    shutil.copy(trained.path, tmp_path / "t.model")
    output = succeed("inspect", tmp_path / "t.model").output
    assert output.startswith(f"{tmp_path / 't.model'}: a model (format 1, ")
    again = succeed("inspect", tmp_path / "t.model", "--recipe").output
    assert again == succeed("inspect", trained.path, "--recipe").output


def test_the_recipe_of_a_model_can_be_used_again(trained: Trained, tmp_path: Path) -> None:
    output = succeed("inspect", trained.path, "--recipe").output
    (tmp_path / "again.toml").write_text(output, "utf-8")
    assert gale.Recipe.load(tmp_path / "again.toml").to_dict() == trained.model.facts["recipe"]


@pytest.mark.parametrize("name", recipe_names())
def test_any_recipe_of_a_model_can_be_used_again(
    name: str, trained: Trained, tmp_path: Path
) -> None:
    recipe = gale.Recipe.load(name)
    facts = {**trained.model.facts, "recipe": recipe.to_dict()}
    (tmp_path / "model.onnx").write_bytes(restated(trained.path.read_bytes(), facts))
    output = succeed("inspect", tmp_path / "model.onnx", "--recipe").output
    assert gale.Recipe.parse(output, "printed") == recipe


def test_a_campaign(campaign_folder: Path, campaign: gale.Campaign) -> None:
    output = succeed("inspect", campaign_folder, "--verify").output
    assert output.startswith(f"{campaign!r}\n")
    table = campaign.family_table().filter(split="val", family="mineral")
    positive, negative = table["positive"].item(), table["negative"].item()
    block = output[output.index("\n  val\n") : output.index("\n  test\n")]
    assert f"  {'mineral':<32}{positive:>9}{negative:>9}{0:>9}{positive / 24:>12.3f}\n" in block
    assert output.endswith("\n  checksums: 108 of 108 files have one, all agree\n")


def test_what_is_no_run_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(RUN, "utf-8")
    (tmp_path / "notes.txt").write_text("sunny", "utf-8")
    output = succeed("inspect", tmp_path).output
    assert "  not runs, left out: notes.txt\n" in output
    assert "without labels" in output
    for at in range(12):
        (tmp_path / f"notes{at}.txt").write_text("sunny", "utf-8")
    output = succeed("inspect", tmp_path).output
    assert "notes.txt, notes0.txt, " in output
    assert "notes6.txt and 3 more\n" in output


def test_a_campaign_without_checksums(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(RUN, "utf-8")
    output = succeed("inspect", tmp_path, "--verify").output
    assert output.endswith("\n  checksums: 0 of 1 files have one, so nothing could be compared\n")


def test_a_file_changed_since(campaign_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "campaign"
    shutil.copytree(campaign_folder, folder)
    with (folder / "test_features" / "S0090.csv").open("a", encoding="utf-8") as file:
        file.write("99,44,1\n")
    succeed("inspect", folder)
    error = error_of("inspect", folder, "--verify")
    assert isinstance(error, CampaignError)
    assert "S0090.csv: found MD5 " in str(error)


def test_the_folder_of_an_instrument(tmp_path: Path) -> None:
    folder = tmp_path / "blank.D"
    (folder / "AcqData").mkdir(parents=True)
    error = error_of("inspect", folder)
    assert isinstance(error, UnsupportedFormatError)
    assert str(error).startswith(f"{folder}: is an Agilent .D folder; expected CSV")


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("absent.csv", None, ReadError, "does not exist; expected a file; check the path"),
        ("absent.onnx", None, ModelError, "cannot be read (No such file or directory); expected a"),
        ("empty.csv", b"", ReadError, "is empty"),
        ("empty.onnx", b"", ModelError, "is not an ONNX file, or a damaged one (0 bytes)"),
        ("text.onnx", b"hello", ModelError, "is not an ONNX file, or a damaged one (5 bytes)"),
        ("short.model", b"\x08\x07\x12", ModelError, "is not an ONNX file, or a damaged one (3"),
        ("bytes.bin", b"\x07\x07\x12", ReadError, "which is not a format gale knows"),
        ("one.csv", b"time,mass,intensity\n1,2,3\n", ReadError, "1 scan was found"),
    ],
)
def test_errors(
    tmp_path: Path, name: str, content: bytes | None, error: type[Exception], message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    found = error_of("inspect", path)
    assert isinstance(found, error)
    assert str(found).startswith(f"{path}: ")
    assert message in str(found)


def test_options_that_do_not_apply_are_refused(
    trained: Trained, campaign_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "run.csv").write_text(RUN, "utf-8")
    for arguments, message in (
        ((tmp_path / "run.csv", "--recipe"), "--recipe needs a model"),
        ((campaign_folder, "--recipe"), "--recipe needs a model"),
        ((tmp_path / "run.csv", "--verify"), "--verify needs a campaign"),
        ((trained.path, "--verify"), "--verify needs a campaign"),
        ((), "Missing argument 'PATHS...'"),
    ):
        result = invoke("inspect", *arguments)
        assert result.exit_code == 2
        assert message in result.stderr
        assert result.stdout == ""
