"""Damage small inputs of every kind and use them, as many as you like.

    python tools/fuzz.py --kind all --cases 100000 --seed 1 --output found

Bytes of files of every format are damaged (kind "bytes"; tests/helpers/hostile.py), and the
structure of run files, folders, archives, libraries, tables, recipes and models (every other kind;
tests/helpers/structures.py). What gives neither a result nor a GaleError, takes too long, needs too
much memory or ends the process is saved in the output folder, once for each place in the code, with
what happened beside it. The exit status is 1 if there is one.
"""

from __future__ import annotations

import argparse
import collections
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

CHUNK = 4_000
"""Cases that one process takes: one that ends loses its chunk alone."""

CHUNK_SECONDS = 300
SLOW_SECONDS = 5.0
"""Time of the processors, so that a busy machine makes no case slow."""

MEMORY_MB = 100
"""Memory that a case may take; each has less than 100 kB."""

BYTES = "bytes"

Case = tuple[str, bytes, Callable[[], str]]
"""The name of a case, its content (the files of several in a ZIP archive), and what to do."""


def main() -> int:
    """Run chunks until there are enough cases or the time is over, and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--kind", default=BYTES, choices=["all", BYTES, *_structures()], help="what is damaged"
    )
    parser.add_argument("--cases", type=int, help="number of cases, whatever time they take")
    parser.add_argument("--minutes", type=float, default=1.0, help="time, if no --cases are given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("fuzz"))
    parser.add_argument("--only", default="", help="formats of bytes whose names have this in them")
    parser.add_argument("--chunk", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, default=CHUNK, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.output = options.output.resolve()
    options.output.mkdir(parents=True, exist_ok=True)
    if options.chunk is not None:
        run_cases(options)
        return 0
    outcomes: collections.Counter[str] = collections.Counter()
    places: set[str] = set()
    end = time.monotonic() + 60 * options.minutes
    chunk = 0
    while _goes_on(options, chunk, end):
        if options.cases is not None:
            options.size = min(CHUNK, options.cases - CHUNK * chunk)
        for what in run_chunk(options, chunk, outcomes):
            if what["place"] not in places:
                places.add(what["place"])
                save(options.output, len(places), what)
        chunk += 1
    print(f"seed {options.seed}, {chunk:,} chunks, {outcomes.total():,} cases:")
    for outcome, count in outcomes.most_common():
        print(f"  {outcome:<24}{count:>10,}")
    print(f"{len(places)} faults; see {options.output}" if places else "no faults")
    return 1 if places else 0


def _structures() -> list[str]:
    from helpers import structures

    return list(structures.KINDS)


def _goes_on(options: argparse.Namespace, chunk: int, end: float) -> bool:
    return time.monotonic() < end if options.cases is None else CHUNK * chunk < options.cases


def run_chunk(
    options: argparse.Namespace, chunk: int, outcomes: collections.Counter[str]
) -> list[dict[str, str]]:
    """Run a chunk of cases in a process of its own; give what it found wrong."""
    command = [sys.executable, __file__, "--seed", options.seed, "--chunk", chunk]
    command += ["--output", options.output, "--only", options.only]
    command += ["--kind", options.kind, "--size", options.size]
    done = None
    try:
        done = subprocess.run(
            list(map(str, command)),
            capture_output=True,
            text=True,
            timeout=CHUNK_SECONDS,
            check=False,
        )
        ended = f"ended with status {done.returncode}: {done.stderr[-500:]}"
    except subprocess.TimeoutExpired:
        ended = f"took more than {CHUNK_SECONDS} s"
    lines = done.stdout.splitlines() if done else []
    found = [json.loads(line) for line in lines if line.startswith("{")]
    if done is None or done.returncode:
        found.append({"place": ended[:60], "what": ended, "file": "current"})
    for what in found:
        if "outcomes" in what:
            outcomes.update(what["outcomes"])
    return [what for what in found if "place" in what]


def run_cases(options: argparse.Namespace) -> None:
    """Run the cases of a chunk, printing faults and, at the end, how many came to what."""
    from gale import GaleWarning

    warnings.simplefilter("error")
    warnings.simplefilter("ignore", GaleWarning)
    seed, chunk = options.seed, options.chunk
    rng = random.Random(f"{seed} {chunk}")
    kinds = [BYTES, *_structures()] if options.kind == "all" else [options.kind]
    damaged = damaged_bytes(options.only) if BYTES in kinds else None
    outcomes: collections.Counter[str] = collections.Counter()
    met: set[str] = set()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as place:
        os.chdir(place)
        for number in range(options.size):
            kind = rng.choice(kinds)
            name, content, use = (
                damaged(rng) if kind == BYTES and damaged else changed_structure(kind, rng, place)
            )
            (options.output / "current").write_bytes(content)
            fault = judge(name, use, outcomes, new=name not in met)
            met.add(name)
            if fault is not None:
                kept = options.output / f"{seed}-{chunk}-{number}"
                kept.write_bytes(content)
                print(json.dumps({**fault, "file": kept.name}), flush=True)
    print(json.dumps({"outcomes": outcomes}))


def damaged_bytes(only: str) -> Callable[[random.Random], Case]:
    """Return what makes a case of damaged bytes, of the formats whose names have `only` in them."""
    from helpers import hostile

    samples = {name: sample for name, sample in hostile.samples().items() if only in name}

    def make(rng: random.Random) -> Case:
        name = rng.choice(list(samples))
        data = samples[name].data
        for _ in range(rng.choice([1, 1, 2, 3, 5])):
            kind = rng.choice(list(hostile.KINDS))
            data = hostile.damage(data, hostile.Change(kind, rng.random(), rng.getrandbits(16)))
        return name, data, lambda: hostile.check(samples[name], data)

    return make


def changed_structure(name: str, rng: random.Random, place: str) -> Case:
    """Make a case of changed structure, in a new folder within `place`."""
    from helpers import structures

    kind = structures.KINDS[name]
    files = kind.make(rng)
    folder = Path(tempfile.mkdtemp(dir=place))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file, data in files.items():
            archive.writestr(file, data)
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def use() -> str:
        try:
            return structures.check(kind, folder)
        finally:
            shutil.rmtree(folder)

    return name, buffer.getvalue(), use


def judge(
    name: str, use: Callable[[], str], outcomes: collections.Counter[str], *, new: bool = False
) -> dict[str, str] | None:
    """Run one case and count its outcome; return what is wrong with it, if anything is.

    The first case of a kind may import what it needs: its time and memory are not judged.
    """
    began, before = time.process_time(), peak_mb()
    place, what = "", ""
    try:
        outcome = use()
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is a finding
        frames = traceback.extract_tb(error.__traceback__)
        frame = next((each for each in reversed(frames) if "/gale/" in each.filename), frames[-1])
        place = f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}"
        what = "".join(traceback.format_exception(error))
    if not (place or new) and (seconds := time.process_time() - began) > SLOW_SECONDS:
        place, what = f"slow {name}", f"took {seconds:.1f} s"
    if not (place or new) and (grown := peak_mb() - before) > MEMORY_MB:
        place, what = f"memory {name}", f"took {grown:.0f} MB"
    if not place:
        outcomes[outcome] += 1
        return None
    outcomes["fault"] += 1
    return {"place": place, "what": f"{name}\n{what}"}


def peak_mb() -> float:
    """The most memory that this process has had; 0 where it is not known."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def save(output: Path, number: int, what: dict[str, str]) -> None:
    """Keep the case and what happened under a number of their own."""
    (output / what["file"]).rename(output / f"fault{number}.bin")
    (output / f"fault{number}.txt").write_text(f"{what['place']}\n{what['what']}\n", "utf-8")
    print(f"fault {number}: {what['place']}", flush=True)


if __name__ == "__main__":
    root = Path(__file__).parents[1]
    sys.path[:0] = [str(root / "tests"), str(root)]
    sys.exit(main())
