"""Everything that README and docs tell a reader to type works, page by page, in a fresh folder."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import gale
from gale.chemistry.families import default_family_table
from gale.simulation import Physics, simulate
from helpers.commands import succeed
from helpers.netcdf_files import classic
from helpers.shared import made_once

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHORT_RUNS = ROOT / "examples" / "short_runs.toml"
BESIDE_A_SERVER = "serve.md"
"""The page whose blocks tests/serve/test_serve_docs.py runs."""

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

COMPOUNDS = (
    ("benzene", "c1ccccc1", 654, "51 180; 77 260; 78 999"),
    ("decane", "CCCCCCCCCC", 1000, "43 999; 57 900; 71 300; 142 50"),
    ("hexanoic acid", "CCCCCC(=O)O", 980, "60 999; 73 450; 41 200"),
    ("hexylamine", "CCCCCCN", 850, "30 999; 44 60"),
    ("1-chlorohexane", "CCCCCCCl", 840, "91 999; 93 320; 55 600"),
    ("1-hexanethiol", "CCCCCCS", 920, "56 999; 43 800; 118 300"),
    ("1-hexanol", "CCCCCCO", 870, "56 999; 43 700; 31 500"),
    ("2-heptanone", "CCCCCC(C)=O", 890, "43 999; 58 600; 71 120"),
)
LIBRARY = "\n".join(
    f"Name: {name}\nSMILES: {smiles}\nRI: {index}\nNum Peaks: {peaks.count(';') + 1}\n{peaks}\n"
    for name, smiles, index, peaks in COMPOUNDS
)

PLAIN = re.compile(r"\s*(#.*|gale [^|;&$`*?<>\\]*( > [\w.]+)?)?\s*")
"""A line that needs no shell but for its output."""

SET_UP = {"make demo", "make test", "pip install '.[train]'"}
"""Commands that .ci/run executes, in an environment that they make themselves."""

SHARED = re.compile(
    r"gale (train (campaign|runs)|ablate campaign) -o \S+( --recipe (default|quick|logistic))?"
    r"( --no-report| --trainings \d --iterations \d)?"
)
"""Commands that several pages show, which take long: one page runs them, the others copy."""

READY = {
    "mine.onnx": "gale train runs -o mine.onnx",
    "model.onnx": "gale train campaign -o model.onnx",
}
"""Models that lie ready for pages that do not train them, and the commands that do."""


def briefly(line: str) -> str:
    """A command, briefly: few reports, a short ablation.

    Campaigns are simulated in this process: others take a second to start.
    """
    if line.startswith("gale ablate"):
        return f"{line} --recipe quick --trainings 2 --iterations 1"
    if line.startswith("gale train"):
        unwanted = not SHARED.fullmatch(line) and "--no-report" not in line
        return f"{line} --no-report" if unwanted else line
    if line.startswith("gale simulate") and "--dask" not in line and "--workers" not in line:
        line += " --workers 1"
    return line


def type_lines(lines: list[str], shared: Callable[[str], Path]) -> None:
    """Run lines as a reader types them: gale within this process if nothing needs a shell."""
    if not all(PLAIN.fullmatch(line) for line in lines):
        done = subprocess.run(["bash", "-e"], input="\n".join(lines), text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
        assert done.returncode == 0, f"{lines}\n{done.stdout}"
        return
    for line in lines:
        if SHARED.fullmatch(line):
            shutil.copytree(shared(line), ".", dirs_exist_ok=True)
            continue
        words, _, output = line.partition(" > ")
        if typed := shlex.split(words, comments=True):
            result = succeed(*typed[1:])
            if output:
                Path(output.strip()).write_text(result.stdout, "utf-8")


@pytest.fixture(scope="module")
def small_campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign in the competition's layout; every family is in train, and in test."""

    def make(folder: Path) -> None:
        simulate(
            folder / "campaign",
            design="different",
            runs={"train": 44, "val": 16, "test": 8},
            ions=1500,
            prevalence=dict.fromkeys(default_family_table(), 0.4),
            physics=Physics.load(SHORT_RUNS),
            seed=1,
        )

    return made_once(tmp_path_factory, "docs", make) / "campaign"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, small_campaign: Path) -> Callable[[str], Path]:
    """The folder of what a command makes that several pages show."""

    def inputs(folder: Path) -> None:
        own_runs(folder / "runs", small_campaign)
        shutil.copytree(small_campaign, folder / "campaign")

    given = made_once(tmp_path_factory, "inputs-of-docs", inputs)

    def made(line: str) -> Path:
        def make(folder: Path) -> None:
            there = [folder / each.name for each in given.iterdir()]
            for each in there:
                each.symlink_to(given / each.name)
            with contextlib.chdir(folder):
                succeed(*shlex.split(line)[1:])
            for each in there:
                each.unlink()

        name = line.replace(" --recipe default", "")  # which is what it takes without a word
        return made_once(tmp_path_factory, re.sub(r"\W+", "-", name), make)

    return made


def own_runs(folder: Path, small_campaign: Path) -> None:
    """Make a folder of a reader's own runs, with a table of labels."""
    folder.mkdir()
    labels = pl.read_csv(small_campaign / "train_labels.csv").head(30)
    table = ["run,hydrocarbon,mineral"]
    for number, (run, hydrocarbon, mineral) in enumerate(
        labels.select("sample_id", "hydrocarbon", "mineral").iter_rows(), start=1
    ):
        name = f"sample{number:02}.csv"
        shutil.copy(small_campaign / "train_features" / f"{run}.csv", folder / name)
        table.append(f"{name},{hydrocarbon},{mineral if number % 5 else ''}")
    (folder / "labels.csv").write_text("\n".join(table) + "\n")


@pytest.fixture
def desk(tmp_path: Path, small_campaign: Path) -> Path:
    """The folder in which a reader is: a campaign, runs of their own, and new ones."""
    shutil.copytree(small_campaign, tmp_path / "campaign")
    own_runs(tmp_path / "runs", small_campaign)
    labels = pl.read_csv(tmp_path / "runs/labels.csv")
    labels.write_csv(tmp_path / "corrected.csv")
    days = [f"day {number % 6}" for number in range(len(labels))]
    labels.with_columns(group=pl.Series(days)).write_csv(tmp_path / "grouped.csv")
    new = tmp_path / "new"
    new.mkdir()
    samples = pl.read_csv(small_campaign / "train_labels.csv")["sample_id"]
    for name, run in zip(("sample90", "sample91"), samples, strict=False):
        shutil.copy(small_campaign / "train_features" / f"{run}.csv", new / f"{name}.csv")
    (new / "labels.csv").write_text("run,hydrocarbon,mineral\nsample90.csv,1,0\nsample91.csv,0,1\n")
    pl.read_csv(new / "sample90.csv").select(
        (pl.col("time") * 60).alias("RT"),
        pl.col("mass").alias("m/z"),
        pl.col("intensity").alias("counts"),
    ).write_csv(tmp_path / "exported.csv")
    (tmp_path / "run.cdf").write_bytes(classic(gale.read_run(new / "sample90.csv"), 1))
    (tmp_path / "library.msp").write_text(LIBRARY)
    return tmp_path


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")
@pytest.mark.usefixtures("few_listed", "few_epochs")
@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != BESIDE_A_SERVER], ids=lambda page: page.name
)
def test_every_block_of_a_page_runs(
    page: Path,
    desk: Path,
    shared: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(desk)
    for name, line in READY.items():
        if f"-o {name}" not in page.read_text("utf-8"):
            shutil.copytree(shared(line), desk, dirs_exist_ok=True)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("GALE_LIBRARIES", str(desk / "libraries"))
    namespace: dict[str, object] = {}
    for language, text in BLOCK.findall(page.read_text("utf-8")):
        if language == "sh":
            lines = [line for line in text.splitlines() if line.strip() not in SET_UP]
            type_lines([briefly(line) for line in lines], shared)
        elif language == "python":
            exec(compile(text, page.name, "exec"), namespace)
        elif language == "toml":
            first = text.splitlines()[0]
            Path(first.removeprefix("# ").strip()).write_text(text, "utf-8")
        else:
            assert language in ("", "text"), f"{page}: a block of {language} is not executed"


def test_continuous_integration_runs_the_set_up_commands() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert "make demo" in script
    assert "make test" in script
    assert '".[train]"' in makefile


def test_the_page_of_commands_is_what_the_commands_print() -> None:
    done = subprocess.run([sys.executable, ROOT / "docs" / "commands.py"], text=True, check=True,
                          capture_output=True)  # fmt: skip
    assert done.stdout == (ROOT / "docs" / "commands.md").read_text("utf-8"), (
        "write it again: python docs/commands.py > docs/commands.md"
    )


def test_the_glossary_says_what_counts_for_every_family() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(default_family_table())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    prose = BLOCK.sub("", page.read_text("utf-8"))
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", prose):
        assert (page.parent / target).exists(), target
