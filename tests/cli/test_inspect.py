"""`gale inspect`: the description of a run, a model and a campaign."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import gale
from gale.errors import CampaignError, ModelError, ReadError, UnsupportedFormatError
from gale.training.recipe import recipe_names
from helpers.commands import error_of, invoke, printed_failures, succeed
from helpers.errors import check_error
from helpers.model_files import restated
from helpers.training import Trained
from helpers.vendor_files import FOLDERS, lay_out, nominal_run

RUN = "time,mass,intensity\n1,18.1,5\n1,44,50\n2,18,7.5\n3.5,500.25,1\n"


def rows(output: str) -> dict[str, str]:
    """What stands behind each word at the beginning of a line."""
    return {
        line[2:16].strip(): line[16:]
        for line in output.splitlines()
        if line.startswith("  ") and not line.startswith(("  odd: ", "  nothing odd"))
    }


def odd_lines(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith("  odd: ")]


def test_a_run(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    path.write_text(RUN, "utf-8")
    result = succeed("inspect", path)
    assert result.output.startswith(f"{path}: a run\n")
    assert rows(result.output) == {
        "format": "csv",
        "columns": "'time' in minutes, as its name gives no unit; 'mass'; 'intensity'",
        "scans": "3 (0 without ions)",
        "time": "1.000 to 3.500 min",
        "scan rate": "0.0133 scans per second (median interval 75 s, longest 90 s)",
        "ions": "4, median 1 per scan",
        "m/z": "18.000 to 500.250, 3 different when rounded to whole numbers",
        "spectra": "look like centroids",
        "intensity": "1 to 50; the highest occurs in 1 ion of 1 scan",
        "highest TIC": "55 at 1.000 min",
        "stated TIC": "none to compare with the sum of the ions",
    }


def test_what_is_odd_about_a_run(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    head, *lines = RUN.splitlines(keepends=True)
    path.write_text("".join([head, *reversed(lines)]) + "0.5,20,-3\n", "utf-8")
    odd = odd_lines(succeed("inspect", path).output)
    assert len(odd) == len(gale.oddities(gale.read_run(path)))
    assert "sorted" in "\n".join(odd)
    assert "negative" in "\n".join(odd)


def test_a_run_with_other_columns(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    path.write_text(RUN.replace("time", "seconds"), "utf-8")
    assert isinstance(error_of("inspect", path), ReadError)
    output = succeed("inspect", path, "--column", "time_s=seconds").output
    assert rows(output)["time"] == "0.017 to 0.058 min"
    assert any("0.0417 min" in line for line in odd_lines(output))


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
    assert found["left out"] == "none"
    assert found["ensemble"] == "4 members from 2 folds"
    assert found["features"].endswith(": 126 from 18 m/z (18 to 115)")
    assert found["calibrated"].startswith("no")
    for name in ("log_loss", "prior_log_loss"):
        assert f"{facts['scores'][name]:.3f}" in found["log loss"]
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
    assert output.startswith(f"{repr(campaign)[10:-1]}\n")
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
    assert "checksums: 0 of 1 files" in output.splitlines()[-1]


def test_a_file_changed_since(campaign_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "campaign"
    shutil.copytree(campaign_folder, folder)
    with (folder / "test_features" / "S0090.csv").open("a", encoding="utf-8") as file:
        file.write("99,44,1\n")
    succeed("inspect", folder)
    error = error_of("inspect", folder, "--verify")
    assert isinstance(error, CampaignError)
    assert "S0090.csv: " in str(error)
    assert "MD5" in str(error)


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_the_folder_of_a_run(name: str, tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "a run", FOLDERS[name](nominal_run()))
    lines = succeed("inspect", folder).output.splitlines()
    assert lines[0] == f"{folder}: a run"
    assert lines[1].split() == ["format", name]


def test_the_folder_of_an_instrument(tmp_path: Path) -> None:
    folder = tmp_path / "blank.D"
    (folder / "AcqData").mkdir(parents=True)
    error = error_of("inspect", folder)
    check_error(error, folder, found="Agilent", kind=UnsupportedFormatError)


@pytest.mark.parametrize(
    ("name", "content", "error", "fact"),
    [
        ("absent.csv", None, ReadError, "not exist"),
        ("absent.onnx", None, ModelError, "No such file or directory"),
        ("empty.csv", b"", ReadError, "empty"),
        ("empty.onnx", b"", ModelError, "0 bytes"),
        ("text.onnx", b"hello", ModelError, "5 bytes"),
        ("short.model", b"\x08\x07\x12", ModelError, "3 bytes"),
        ("bytes.bin", b"\x07\x07\x12", ReadError, "format"),
        ("one.csv", b"time,mass,intensity\n1,2,3\n", ReadError, "1 scan"),
    ],
)
def test_errors(
    tmp_path: Path, name: str, content: bytes | None, error: type[Exception], fact: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    found = error_of("inspect", path)
    assert isinstance(found, error)
    assert str(found).startswith(f"{path}: ")
    assert fact in str(found)


def test_options_that_do_not_apply_are_refused(
    trained: Trained, campaign_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "run.csv").write_text(RUN, "utf-8")
    for arguments, fact in (
        ((tmp_path / "run.csv", "--recipe"), "one model"),
        ((campaign_folder, "--recipe"), "one model"),
        ((trained.path, trained.path, "--card"), "one model"),
        ((trained.path, "--scores", "scores.json"), "--card"),
        ((tmp_path / "run.csv", "--verify"), "campaign"),
        ((trained.path, "--verify"), "campaign"),
        ((), "'PATHS...'"),
    ):
        result = invoke("inspect", *arguments)
        assert result.exit_code == 2
        assert fact in result.stderr
        assert result.stdout == ""


def test_a_card_with_scores(
    trained: Trained, campaign_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert succeed("inspect", trained.path, "--card").output == gale.model_card(trained.model)
    labels = campaign_folder / "test_labels.csv"
    model = ("--model", trained.path)
    succeed("predict", campaign_folder, "--split", "test", *model, "-o", "p.csv", "-q")
    succeed("evaluate", "p.csv", "--labels", labels, "--json", "scores.json", "--resamples", 50)
    card = succeed("inspect", trained.path, "--card", "--scores", "scores.json").output
    assert card == gale.model_card(trained.model, "scores.json")
    assert f"Predictions p.csv on 24 runs of {labels}: " in card


def test_several_paths(trained: Trained, campaign_folder: Path, tmp_path: Path) -> None:
    run, missing = tmp_path / "run.csv", tmp_path / "missing.csv"
    run.write_text(RUN, "utf-8")
    result = invoke("inspect", run, missing, trained.path, campaign_folder)
    assert result.exit_code == 1
    assert list(printed_failures(result.stderr)) == [str(missing)]
    assert result.stderr.count("\n") == 1
    heads = [block.splitlines()[0] for block in result.stdout.split("\n\n")]
    assert heads[0] == f"{run}: a run"
    assert heads[1].startswith(f"{trained.path}: a model")
    assert not heads[2].startswith("<")
    assert succeed("inspect", run, run).output.count(": a run\n") == 2


def json_lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_json(trained: Trained, campaign_folder: Path, tmp_path: Path) -> None:
    run, missing = tmp_path / "run.csv", tmp_path / "missing.csv"
    run.write_text(RUN.replace("1,18.1,5", "1,18.1,-5"), "utf-8")
    result = invoke("inspect", "--json", run, missing, trained.path, campaign_folder)
    assert result.exit_code == 1
    assert result.stderr == ""
    found = json_lines(result.stdout)
    assert [each["path"] for each in found] == [
        str(path) for path in (run, missing, trained.path, campaign_folder)
    ]
    assert [each["status"] for each in found] == ["ok", "failed", "ok", "ok"]
    assert found[1].keys() == {"path", "status", "message"}
    assert found[1]["message"].startswith(f"{missing}: ")
    assert (found[0]["kind"], found[2]["kind"], found[3]["kind"]) == ("run", "model", "campaign")
    assert found[2]["seed"] == 0
    assert found[3]["runs"] == 108
    assert (found[0]["scans"], found[0]["ions"], found[0]["last_time_min"]) == (3, 4, 3.5)
    assert found[0]["stated_tic"] is None
    assert found[0]["oddities"][0]["rule"] == "reading"
    assert "negative" in found[0]["oddities"][0]["text"]


def test_json_of_one_path_that_cannot_be_read(tmp_path: Path) -> None:
    result = invoke("inspect", "--json", tmp_path / "missing.csv")
    assert result.exit_code == 1
    assert json_lines(result.stdout)[0]["status"] == "failed"


def test_json_of_checksums(campaign_folder: Path) -> None:
    found = json_lines(succeed("inspect", "--json", "--verify", campaign_folder).output)
    assert found[0]["checksums_compared"] == 108


@pytest.mark.parametrize(
    ("stated", "shown", "values"),
    [
        (None, "none to compare with the sum of the ions", None),
        ([30, 70], "agrees with the sum of the ions in all 2 scans", (0, 1.0, 1.0, 1.0)),
        (
            [60, 70],
            "differs from the sum of the ions in 1 of 2 scans; sum / stated 0.5 to 1, median 0.75",
            (1, 0.5, 0.75, 1.0),
        ),
    ],
)
def test_the_total_that_a_file_states(
    stated: list[int] | None, shown: str, values: tuple[float, ...] | None, tmp_path: Path
) -> None:
    scans = (("##TIC= {}\n", "60", [(50, 10), (51, 20)]), ("##TIC= {}\n", "180", [(50, 70)]))
    text = "##TITLE= a run\n##ORIGIN= a maker\n##SPECTROMETER/DATA SYSTEM= an instrument\n"
    for at, (tic, seconds, ions) in enumerate(scans):
        text += f"##SCAN_NUMBER= {at + 1}\n##PAGE= T={seconds}\n"
        text += tic.format(stated[at]) if stated else ""
        text += f"##NPOINTS= {len(ions)}\n##XYDATA= (XY..XY)\n"
        text += "".join(f"{mz}, {intensity}\n" for mz, intensity in ions)
    path = tmp_path / "run.jdx"
    path.write_text(f"{text}##END=\n", "utf-8")
    lines = rows(succeed("inspect", path).output)
    assert lines["stated TIC"] == shown
    assert list(lines)[:3] == ["format", "maker", "instrument"]
    found = json_lines(succeed("inspect", "--json", path).output)[0]["stated_tic"]
    if values is None:
        assert found is None
    else:
        assert tuple(found.values()) == (2, *values)


def test_selected_ions_and_saturation_are_shown(tmp_path: Path) -> None:
    lines = ["time,mass,intensity"]
    for scan in range(80):
        lines += [
            f"{scan / 60:.4f},{mz},{max(min(1e7 / 2 ** abs(40 - scan), 1e6), 9):g}"
            for mz in (57, 73)
        ]
    path = tmp_path / "run.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    output = succeed("inspect", path).output
    found = rows(output)
    assert found["spectra"] == "selected ions, m/z 57, 73"
    assert found["m/z"] == "57.000 to 73.000, all whole numbers, 2 different"
    odd = "\n".join(odd_lines(output))
    assert "57, 73" in odd
    assert "saturated" in odd


def test_nothing_odd(campaign: gale.Campaign) -> None:
    outputs = [succeed("inspect", path).output for path in campaign.paths[:3]]
    assert all(("  nothing odd was found\n" in text) is ("  odd: " not in text) for text in outputs)
    assert any("  nothing odd was found\n" in text for text in outputs)


def test_many_in_a_file_interrupted_and_resumed(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gale.plumbing.batches.chunks_of.__defaults__", (4,))
    names = [f"run{number}.csv" for number in range(20)]
    for name in names:
        Path(name).write_text(RUN, "utf-8")
    Path("run7.csv").write_text("")
    Path("list.txt").write_text("\n".join([*names, str(trained.path)]))
    words = ["inspect", "--files-from", "list.txt"]
    printed = invoke(*words, "--json")
    assert printed.exit_code == 1
    lines = printed.stdout.splitlines()
    assert [json.loads(line)["path"] for line in lines] == [*names, str(trained.path)]
    read_run, calls = gale.read_run, []

    def interrupted(path: Path, **how: Any) -> gale.Run:
        calls.append(path)
        if len(calls) == 15:
            raise KeyboardInterrupt
        return read_run(path, **how)

    with monkeypatch.context() as patch:
        patch.setattr(gale, "read_run", interrupted)
        assert invoke(*words, "-o", "all.jsonl").exit_code == 130
    assert not Path("all.jsonl").exists()
    result = invoke(*words, "-o", "all.jsonl", "--resume", "--allow-failed")
    assert result.exit_code == 0
    assert Path("all.jsonl").read_text("utf-8") == printed.stdout
    assert list(printed_failures(result.stderr)) == ["run7.csv"]
    assert result.stdout == "all.jsonl: 21 inspected, 1 failed\n"
