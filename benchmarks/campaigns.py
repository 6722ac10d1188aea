"""The campaigns that benchmarks measure on: simulated ones of four kinds, or those of a folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks import results
from benchmarks.commands import Measured, gale
from benchmarks.options import tell
from gale.campaign import Campaign
from gale.run import Floats32, Integers

NEW = ("--new-compounds", "test", "--new-instrument", "test")
LIBRARY = "LIBRARY"
"""Stands for the library in the words for gale simulate."""

KINDS: dict[str, tuple[str, ...]] = {
    "embedded": (),
    "embedded-new": NEW,
    "massbank": ("--library", LIBRARY),
    "massbank-new": ("--library", LIBRARY, *NEW),
}
"""Words for gale simulate; options.py describes each kind."""

INSTRUMENTS = "3"
"""Of every campaign, as in the competition."""

RUNS = 1584
"""Runs of a simulated campaign, divided as 809 to 312 to 463."""

DRAWS_TRIED = 10_000
"""Random choices of runs that may lack a family before the benchmark says there are too few."""


def campaign_folders(
    out: Path,
    campaigns: list[str] | None,
    library: Path | None,
    seeds: Mapping[str, int],
    runs: int = RUNS,
) -> dict[str, Path]:
    """Give the folders of campaigns by name, and simulate those that are missing.

    Parameters
    ----------
    out : Path
        Simulated campaigns are kept in its folder ``campaigns``.
    campaigns : list of str or None
        Kinds, or folders of campaigns; by default all kinds.
    library : Path or None
        By default MassBank's among the files of ``$GALE_EXTRA_DATA``, if they are there. Kinds
        that lack their library are left out.
    seeds : mapping of a kind to the seed of gale simulate
    runs : int
        Runs of each simulated campaign.
    """
    if library is None and (extra := os.environ.get("GALE_EXTRA_DATA")):
        library = Path(extra, "libraries", "massbank_ei.msp.gz")
    folders: dict[str, Path] = {}
    for campaign in campaigns or seeds:
        folder = Path(campaign)
        if campaign in KINDS:
            if LIBRARY in KINDS[campaign] and (library is None or not library.exists()):
                why = f"{library} does not exist" if library else "it needs --library FILE"
                tell(f"{campaign} is left out: {why}")
                continue
            words = words_of(campaign, seeds[campaign], library, runs)
            folder = out / "campaigns" / campaign
            simulated(folder, words)
        elif not folder.is_dir():
            sys.exit(f"{campaign}: not a folder, nor one of {', '.join(KINDS)}")
        if folder.name in folders:
            sys.exit(f"two campaigns have the name {folder.name}; rename a folder")
        folders[folder.name] = folder
    if not folders:
        sys.exit("no campaign is left; give --library FILE, or other --campaigns")
    return folders


def words_of(kind: str, seed: int, library: Path | None, runs: int) -> list[str]:
    """Give the words for gale simulate that make a campaign of a kind."""
    path = str(library.resolve()) if library is not None else ""
    words = [path if word == LIBRARY else word for word in KINDS[kind]]
    made = ["--seed", str(seed), "--design", "different", "--instruments", INSTRUMENTS]
    return [*made, *words, "--runs", str(runs)]


def simulated(folder: Path, words: list[str]) -> Measured | None:
    """Make a campaign with these words for gale simulate; None if it is there already.

    Ends the benchmark if the one that is there was made with other words.
    """
    note = folder.parent / f"{folder.name}.json"
    if not folder.exists():  # it appears when it is complete
        results.keep(note, words, str(folder))
        return gale("simulate", "-o", folder, *words, "--quiet")
    if results.find(note, words) is None:
        sys.exit(
            f"{folder}: was not made with {' '.join(words)}; name another folder, or delete it"
        )
    return None


def draw_labelled(
    labels: Floats32, n_runs: int, draw: int, train: NDArray[np.bool_] | None = None
) -> Integers:
    """Draw rows of labels (R, K), sorted, so that no family is in all of them or in none.

    With `train` (R,), the same holds for those of the train split. Ends the benchmark if that
    cannot be.
    """
    needed = np.ones(len(labels), dtype=bool) if train is None else train
    if n_runs > len(labels):
        sys.exit(f"{n_runs} labelled runs: a campaign has {len(labels)}; ask for fewer")
    rng = np.random.default_rng((n_runs, draw))
    for _ in range(DRAWS_TRIED):
        rows = np.sort(rng.permutation(len(labels))[:n_runs])
        drawn = labels[rows[needed[rows]]]
        if np.all((drawn == 1).any(axis=0) & (drawn == 0).any(axis=0)):
            return rows
    sys.exit(f"{n_runs} labelled runs: too few for every family to be in one; ask for more")


def with_few_labels(folder: Path, n_runs: int) -> Path:
    """Make a campaign beside another one: its test runs, and some of its labelled runs.

    The files of its runs are those of the other, not copies. The draw is always the same.
    """
    few = folder.with_name(f"{folder.name}-{n_runs}-labels")
    shutil.rmtree(few, ignore_errors=True)
    few.mkdir()
    campaign = Campaign.open(folder)
    known, test = campaign.of_split("train", "val"), campaign.of_split("test")
    train = np.isin(known.runs, campaign.of_split("train").runs)
    rows = draw_labelled(known.labels, n_runs, 0, train)
    kept = [*(known.runs[row] for row in rows), *test.runs]
    for path in folder.glob("*.csv"):
        table = pl.read_csv(path, infer_schema=False).filter(pl.col("sample_id").is_in(kept))
        table.write_csv(few / path.name)
    for run in pl.read_csv(few / "metadata.csv")["features_path"]:
        (few / run).parent.mkdir(exist_ok=True)
        (few / run).hardlink_to(folder / run)
    return few


def identity(folder: Path) -> str:
    """Hash the tables of a campaign; those of a simulated one have the checksum of every run."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.csv")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
