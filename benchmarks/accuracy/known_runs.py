"""What a model says of real runs of known content, of makers and laboratories that it never saw.

The runs, and the families that each holds, are in known_runs.toml; the files are in FOLDER, by
default real/ among the files of $GALE_EXTRA_DATA. For each run: the probability of the families
that are in, and the families that surely are not but have 0.5 or more. A model is right if all of
the former and none of the latter have. Runs that judge have a table of their own: what makes a
model is developed on the others. --others lists what has 0.5 or more in all other runs of FOLDER
too, whose content is not known. Lists of components (.ELU, of AMDIS) become runs without noise or
background: each component elutes as its profile says, with the ions that AMDIS is sure of.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import tomllib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import gale
from benchmarks import options, tables
from benchmarks.tables import Table
from gale.errors import GaleError, GaleWarning
from gale.evaluation import metrics
from gale.readers.instrument_folders import is_run_folder

CONTENT = Path(__file__).with_suffix(".toml")

PROBABLE = 0.5
"""From which probability on a family counts as said."""

LEAST_INTENSITY = 50.0
"""Lowest intensity of an ion of a component; AMDIS leaves out lower ones of small components."""

FIELD = r"\|{}([\d.]+)"
"""A number in the name of a component, after its letters."""


@dataclass(frozen=True)
class Known:
    """A run of known content, and what a model says of it.

    Parameters
    ----------
    name, content : str
    holds : frozenset of str
        Families that are in.
    status : str
        As in predictions.
    probability : dict of str to float
        Of each family of the model that is surely in, or surely not.
    judging : bool
        Whether the run chooses nothing.
    """

    name: str
    content: str
    holds: frozenset[str]
    status: str
    probability: dict[str, float]
    judging: bool = False

    @property
    def found(self) -> list[str]:
        """Families that are in, and said to be."""
        return [each for each in sorted(self.holds) if self.probability[each] >= PROBABLE]

    @property
    def false(self) -> list[str]:
        """Families that are not in, but said to be, the most probable first."""
        said = [name for name, value in self.probability.items() if value >= PROBABLE]
        return sorted(set(said) - self.holds, key=lambda name: -self.probability[name])


def main(arguments: Sequence[str] | None = None) -> None:
    """Predict the runs, and print the tables."""
    parser = options.parser("benchmarks.accuracy.known_runs", __doc__)
    extra = os.environ.get("GALE_EXTRA_DATA", "")
    parser.add_argument(
        "folder", type=Path, nargs="?", metavar="FOLDER", default=Path(extra, "real")
    )
    parser.add_argument("--model", type=Path, help="by default, the model that comes with gale")
    parser.add_argument("--others", action="store_true", help="runs of unknown content, too")
    asked = parser.parse_args(arguments)
    if not (asked.folder / "known").is_dir():
        sys.exit(f"{asked.folder} has no folder known/; set $GALE_EXTRA_DATA")
    warnings.simplefilter("ignore", GaleWarning)
    model = gale.Model.load(asked.model) if asked.model else gale.bundled_model()
    known = list(look(model, asked.folder))
    for title, judging in (("developed on", False), ("judging", True)):
        some = [each for each in known if each.judging is judging]
        tables.show(f"Real runs of known content: {title}", table(some), markdown=asked.markdown)
        print(f"\n{summary(some)}")
    if asked.others:
        title = f"Other real runs: families with {PROBABLE:g} or more"
        tables.show(title, others(model, asked.folder), markdown=asked.markdown)


def look(model: gale.Model, folder: Path) -> Iterator[Known]:
    """Predict each run of known content."""
    for each in content():
        run = read_known(folder / each["file"])
        row = model.predict(run).row(0, named=True)
        sure = [family for family in model.families if family not in each.get("open", ())]
        yield Known(
            name=Path(each["file"]).name,
            content=each["content"],
            holds=frozenset(each["holds"]),
            status=row["status"],
            probability={family: row[family] for family in sure},
            judging=each.get("judging", False),
        )


def content() -> list[dict[str, Any]]:
    """Read the runs of known content: file, content, holds, and some also open and judging."""
    runs: list[dict[str, Any]] = tomllib.loads(CONTENT.read_text("utf-8"))["run"]
    return runs


def read_known(path: Path) -> gale.Run:
    """Read a run; a list of components becomes one, and a lone file goes into its folder."""
    if path.suffix == ".ELU":
        return run_of_components(path.read_text("latin-1"), path.name)
    if path.suffix != ".MS":
        return gale.read_run(path)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, f"{path.stem}.D")
        folder.mkdir()
        shutil.copy(path, folder / "data.ms")
        return gale.read_run(folder)


def run_of_components(text: str, source: str) -> gale.Run:
    """Make a run of the components that AMDIS found in one.

    The name of a component has its scan (SC), its time (RT) and its first and last scan (FR); RE
    is its total at each of these, and its peaks are (m/z, share of 999). Those that have a mark
    behind the share are doubtful, and left out: of MIX1.ELU two in five, such as m/z 428 in a
    ketone of four carbon atoms.
    """
    scans, ions, heights, known = [], [], [], []
    for component in filter(str.strip, text.split("NAME: ")):
        name, rest = component.split("\n", 1)
        course, peaks = rest.removeprefix("RE").split("NUM PEAKS:")
        total = np.array(course.split(), dtype=np.float64)
        first = int(_field("FR", name))
        pairs = re.findall(r"\((\d+),(\d+) *\)", peaks.split("\n", 1)[1])
        mz, share = np.array(pairs, dtype=np.float64).T
        height = np.outer(total, share / share.sum())
        row, column = np.nonzero(height >= LEAST_INTENSITY)
        scans.append(first + row)
        ions.append(mz[column])
        heights.append(height[row, column])
        known.append((_field("SC", name), _field("RT", name)))
    scan, time_min = np.unique(np.array(known), axis=0).T
    slope, start = np.polyfit(scan, time_min, 1)  # scans are equally far apart
    times = start + slope * np.concatenate(scans)
    return gale.Run.from_rows(times, np.concatenate(ions), np.concatenate(heights), source=source)


def _field(letters: str, name: str) -> float:
    found = re.search(FIELD.format(letters), name)
    assert found is not None, name
    return float(found[1])


def table(known: Sequence[Known]) -> Table:
    """Make a row for each run."""
    rows = [["run", "content", "status", "in", "not in, but 0.5 or more", "log loss"]]
    for each in known:
        labels = np.array([[name in each.holds for name in each.probability]], dtype=float)
        given = np.array([list(each.probability.values())])
        inside = [f"{name} {each.probability[name]:.2f}" for name in sorted(each.holds)]
        false = [f"{name} {each.probability[name]:.2f}" for name in each.false]
        loss = f"{metrics.log_loss(labels, given):.2f}"
        said = [", ".join(inside), ", ".join(false) or "none"]
        rows.append([each.name, each.content, each.status, *said, loss])
    return rows


def summary(known: Sequence[Known]) -> str:
    """Say how many families were found, and how many falsely."""
    n_in = sum(len(each.holds) for each in known)
    n_out = sum(len(each.probability) for each in known) - n_in
    n_found = sum(len(each.found) for each in known)
    n_false = sum(len(each.false) for each in known)
    return (
        f"Of {n_in} families that are in, {n_found} have {PROBABLE:g} or more; of {n_out} that are "
        f"not, {n_false} have."
    )


def others(model: gale.Model, folder: Path) -> Table:
    """Make a row for each readable run of a folder that is not of known content."""
    rows = [["run", "status", f"{PROBABLE:g} or more"]]
    known = {folder / each["file"] for each in content()}
    for path in _runs_below(folder):
        if path in known:
            continue
        try:
            row: dict[str, Any] = model.predict(gale.read_run(path)).row(0, named=True)
        except GaleError:
            continue
        said = sorted(model.families, key=lambda name: -(row[name] or 0))
        told = [f"{name} {row[name]:.2f}" for name in said if (row[name] or 0) >= PROBABLE]
        rows.append([str(path.relative_to(folder)), row["status"], ", ".join(told) or "none"])
    return rows


def _runs_below(folder: Path) -> Iterator[Path]:
    """Name the files and instrument folders that may be runs, but for those of known content."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not is_run_folder(path):
            yield from _runs_below(path)
        elif path.suffix not in (".md", ".csv", ".tsv", ".ELU", ".MS"):
            yield path


if __name__ == "__main__":
    main()
