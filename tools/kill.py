"""Kill verbs that write, at random moments, and look at what they leave.

    python tools/kill.py --kills 100 --seed 1
    python tools/kill.py --kills 20 --seed 1 --verb simulate

Each kill is SIGKILL or SIGTERM to one process, at a moment between its claim of the output and its
end (from its start, if it claims none); half of the time over an older output, which --force
replaces. Then nothing that was finished may be lost, nothing half-written may lie under its final
name, and after the same command once more nothing else may be left. Findings are printed, and the
exit status is 1 if there is one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import onnxruntime
import polars as pl

import gale
from gale.library.installed import FOLDER_VARIABLE, SUFFIX
from gale.plumbing.checksums import checked_content
from gale.plumbing.eviction import SUFFIX as CACHE_SUFFIX
from gale.plumbing.locks import LOCK

TINY = """
name = "tiny"
features.mz = [18, 28, 41, 43, 55, 57, 91]
network.hidden = [8]
fitting.epochs = 3
soup.size = 2
folds.count = 2
"""
"""A recipe that trains in moments."""

LIBRARY = "".join(
    f"Name: compound {number}\nNum Peaks: 3\n41 999; 55 500; {60 + number % 400} {number}\n\n"
    for number in range(1, 3000)
)
"""A library that takes some time to convert."""

RARE = (
    "chlorine_bearing_compound",
    "sulfur_bearing_compound",
    "alcohol",
    "other_oxygen_bearing_compound",
)
"""Families that a small campaign has none of, unless it is told to."""

VERBS = {
    "ablate": "ablate campaign --recipe tiny.toml --trainings 1 --iterations 1 -o here/out",
    "cache": "predict campaign --split val --model model.onnx -o here/out.csv",
    "convert": "convert run.csv -o here/out.mzML",
    "convert folder": "convert campaign/train_features/S0000.csv run.csv --to parquet -o here/out",
    "evaluate": "evaluate scored.csv --labels campaign/test_labels.csv --json here/out.json",
    "export": "export model.onnx --whole -o here/out.graph",
    "features": "features campaign --recipe tiny.toml -o here/out --no-cache",
    "inspect": "inspect campaign/train_features/*.csv -o here/out.jsonl",
    "labels": "labels campaign/test_features -o here/out.csv",
    "library": "library add mine mine.msp",
    "peaks": "peaks campaign --split test -o here/out.csv --msp here/out.msp --matches here/"
    "matches.parquet",
    "plot": "plot run.csv -o here/out.html",
    "predict": "predict campaign --model model.onnx -o here/out.csv --evidence here/evidence.csv",
    "predict dataset": "predict campaign --model model.onnx -o here/out/ --workers 2 --no-cache",
    "recalibrate": "recalibrate campaign -o here/out.onnx",
    "report run": "report run campaign --split test --model model.onnx -o here/out",
    "report training": "report training campaign --model model.onnx -o here/out.html",
    "simulate": "simulate -o here/out --runs 24,8,8 --ions 1500 --workers 2",
    "train": "train campaign --recipe tiny.toml --no-report -o here/out.onnx",
    "watch": "watch campaign/test_features --model model.onnx -o here/out --once --settle 0.2s",
}
"""Commands, in a folder with what they read; they write into the folder ``here``."""

CACHED = ("cache",)
"""Verbs whose cache is in that folder, too, and looked at like results."""

RESUMABLE = (
    "ablate", "convert folder", "inspect", "peaks", "predict", "predict dataset", "report run",
    "simulate", "train",
)  # fmt: skip
EXACT = ("inspect", "peaks", "predict", "predict dataset", "simulate")
"""Verbs whose tables are the same byte for byte after an interruption."""

TABLES = (".csv", ".jsonl", ".msp", ".parquet")
NEVER_REPLACES = ("simulate", "watch")
LONGEST_S = 1800
ENDS = {".html": b"</html>", ".mzML": b"mzML>", ".svg": b"</svg>"}
LINES = (".csv", ".md", ".msp")
"""What whole files of some kinds end with."""


@dataclass(frozen=True)
class Whole:
    """A command that was not killed: what it wrote, and the seconds from claim to end.

    Without a claim, the seconds are from its start. Hidden names are those that it keeps.
    """

    folder: Path
    names: frozenset[str]
    hidden: frozenset[str]
    claims: bool
    seconds: float


def main(words: Sequence[str] | None = None) -> int:
    """Prepare what the verbs read, kill them, and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verb", action="append", choices=sorted(VERBS))
    options = parser.parse_args(words)
    chance = random.Random(options.seed)
    verbs = options.verb or sorted(VERBS)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        prepare(root, verbs)
        whole = {verb: run_whole(root, verb) for verb in verbs}
        n_wrong = 0
        for number in range(options.kills):
            verb = verbs[number % len(verbs)]
            wrong = kill(root, verb, whole, chance)
            n_wrong += len(wrong)
            print(f"kill {number}, {verb}: {'; '.join(wrong) or 'well'}", flush=True)
    print(f"seed {options.seed}: {options.kills} kills of {len(verbs)} verbs, {n_wrong} findings")
    return bool(n_wrong)


def prepare(root: Path, verbs: Sequence[str]) -> None:
    """Make what the verbs read."""
    (root / "tiny.toml").write_text(TINY, "utf-8")
    rare = "".join(f" --prevalence {family}=0.1" for family in RARE)
    runs = "60,24,8" if any("campaign" in VERBS[verb] for verb in verbs) else "0,0,1"
    make(
        root, f"simulate -o campaign --design different --runs {runs} --ions 800 --seed 3 -q{rare}"
    )
    first, *_ = sorted((root / "campaign/test_features").iterdir())
    (root / "run.csv").write_bytes(first.read_bytes())
    (root / "mine.msp").write_text(LIBRARY, "utf-8")
    if any("model.onnx" in VERBS[verb] or "scored.csv" in VERBS[verb] for verb in verbs):
        make(root, "train campaign --recipe tiny.toml --no-report -o model.onnx -q")
        make(root, "predict campaign --split test --model model.onnx -o scored.csv -q")


def make(root: Path, command: str) -> None:
    """Run a command that has to succeed."""
    process = start(root, command)
    _, said = process.communicate(timeout=LONGEST_S)
    if process.returncode:
        raise SystemExit(f"gale {command}: {said}")


def start(root: Path, command: str, *more: str) -> subprocess.Popen[str]:
    """Start a command in the folder."""
    words = [sys.executable, "-m", "gale", *command.split(), *more]
    caches = {"XDG_CACHE_HOME": str(root / "here/cache")}
    cached = command in [VERBS[verb] for verb in CACHED]
    return subprocess.Popen(
        words,
        cwd=root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, FOLDER_VARIABLE: str(root / "here/out"), **(caches if cached else {})},
    )


def fresh(root: Path) -> Path:
    """Make an empty folder to write into."""
    here = root / "here"
    if here.exists():
        here.rename(root / f"done{time.monotonic_ns()}")
    here.mkdir()
    return here


def run_whole(root: Path, verb: str) -> Whole:
    """Run a command once without a kill."""
    here = fresh(root)
    begin = time.monotonic()
    process = start(root, VERBS[verb])
    if claims := sees_claim(process, here):
        begin = time.monotonic()
    _, said = process.communicate(timeout=LONGEST_S)
    if process.returncode:
        raise SystemExit(f"{verb} fails without a kill: {said}")
    seconds = time.monotonic() - begin
    folder = here.rename(root / f"whole {verb}")
    return Whole(folder, names_in(folder), hidden_in(folder), claims, seconds)


def sees_claim(process: subprocess.Popen[str], here: Path) -> bool:
    """Wait until an output is claimed, or the process has ended without."""
    while process.poll() is None:
        if any(here.rglob(f".*.{LOCK}")):
            return True
        time.sleep(0.001)
    return False


def kill(root: Path, verb: str, whole: dict[str, Whole], chance: random.Random) -> list[str]:
    """Kill a command once, run it again, and say what is wrong."""
    here, known = fresh(root), whole[verb]
    replaces = verb not in NEVER_REPLACES and chance.random() < 0.5
    if replaces:
        shutil.copytree(known.folder, here, dirs_exist_ok=True)
    force = ("--force",) if replaces else ()
    process = start(root, VERBS[verb], *force)
    if known.claims:
        sees_claim(process, here)
    time.sleep(chance.random() * known.seconds)
    number = chance.choice((signal.SIGKILL, signal.SIGTERM))
    process.send_signal(number)
    _, said = process.communicate(timeout=LONGEST_S)
    wrong = [f"after {number.name}: {each}" for each in damage(here)]
    if number == signal.SIGTERM and process.returncode not in (143, 0, -15):
        wrong.append(f"ended with status {process.returncode}: {said[-300:]}")
    if number == signal.SIGTERM and process.returncode == 143:
        wrong += [f"SIGTERM left {name}" for name in hidden_in(here) - known.hidden]
    if replaces and not any("out" in name for name in names_in(here, all_names=True)):
        wrong.append("what was finished is lost")
    more = [] if verb == "watch" else ["--force"]
    if verb in RESUMABLE and chance.random() < 0.5:
        more.append("--resume")
    again = start(root, VERBS[verb], *more)
    _, said = again.communicate(timeout=LONGEST_S)
    is_done = verb in NEVER_REPLACES and "exists already" in said
    if again.returncode and not is_done:
        wrong.append(f"the next call fails: {said[-300:]}")
    wrong += [f"after the next call: {each}" for each in damage(here)]
    if verb in EXACT and tables_in(here) != tables_in(known.folder):
        wrong.append(f"other tables than without a kill: {' '.join(more)}")
    wrong += [f"left {each.name}" for each in here.glob("*.partial")]
    left = (hidden_in(here) ^ known.hidden) | (names_in(here) ^ known.names)
    if left:
        wrong.append(f"left or missing: {sorted(left)}")
    return wrong


def tables_in(here: Path) -> dict[str, bytes]:
    """Read the tables."""
    return {
        name: (here / name).read_bytes() for name in names_in(here) if Path(name).suffix in TABLES
    }


def names_in(here: Path, *, all_names: bool = False) -> frozenset[str]:
    """Name the files, without hidden ones and those that are kept of an interrupted work."""
    names = (file.relative_to(here).as_posix() for file in here.rglob("*") if file.is_file())
    return frozenset(
        name
        for name in names
        if all_names or not (name.startswith(".") or "/." in name or ".partial/" in name)
    )


def hidden_in(here: Path) -> frozenset[str]:
    """Name what is hidden."""
    return frozenset(file.name for file in here.rglob(".*"))


def damage(here: Path) -> list[str]:
    """Name the files that are not whole, of those with a final name."""
    return [f"{name} is not whole" for name in sorted(names_in(here)) if not is_whole(here / name)]


def is_whole(file: Path) -> bool:
    """Whether a file can be read to its end."""
    content = file.read_bytes()
    try:
        match file.suffix:
            case ".onnx":
                gale.Model.load(file)
            case ".graph":
                onnxruntime.InferenceSession(content)
            case ".json":
                json.loads(content)
            case ".parquet":
                pl.read_parquet(file)
            case ".png":
                return b"IEND" in content[-12:]
            case suffix if suffix in (SUFFIX, CACHE_SUFFIX):
                return checked_content(content) is not None
            case suffix if suffix in LINES:
                return content.endswith(b"\n")
            case suffix if suffix in ENDS:
                return content.rstrip().endswith(ENDS[suffix])
    except Exception:  # noqa: BLE001  (whatever a reader says of a broken file)
        return False
    return len(content) > 0


if __name__ == "__main__":
    sys.exit(main())
