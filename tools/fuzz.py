"""Damage small files of every format and read them, for as long as you like.

    python tools/fuzz.py --minutes 20 --seed 1 --output found

A file that gives neither a run nor a GaleError, takes too long, needs too much memory or ends the
process is saved in the output folder, once for each place in the code, with what happened beside
it. The exit status is 1 if there is one. Formats and ways of damaging are those of
tests/helpers/hostile.py.
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import subprocess
import sys
import time
import traceback
import warnings
from pathlib import Path

CHUNK = 4_000
"""Files that one process reads: one that ends loses its chunk alone."""

CHUNK_SECONDS = 300
SLOW_SECONDS = 5.0
"""Time of the processors, so that a busy machine makes no file slow."""

MEMORY_MB = 100
"""Memory that reading a file may take; each is under 20 kB."""


def main() -> int:
    """Run chunks until the time is over, and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("fuzz"))
    parser.add_argument("--only", default="", help="formats whose names have this in them")
    parser.add_argument("--chunk", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    if options.chunk is not None:
        read_chunk(options.seed, options.chunk, options.output, options.only)
        return 0
    outcomes: collections.Counter[str] = collections.Counter()
    places: set[str] = set()
    end = time.monotonic() + 60 * options.minutes
    chunk = 0
    while time.monotonic() < end:
        for what in run_chunk(options, chunk, outcomes):
            if what["place"] not in places:
                places.add(what["place"])
                save(options.output, len(places), what)
        chunk += 1
    print(f"seed {options.seed}, {chunk:,} chunks, {outcomes.total():,} files:")
    for outcome, count in outcomes.most_common():
        print(f"  {outcome:<24}{count:>10,}")
    print(f"{len(places)} faults; see {options.output}" if places else "no faults")
    return 1 if places else 0


def run_chunk(
    options: argparse.Namespace, chunk: int, outcomes: collections.Counter[str]
) -> list[dict[str, str]]:
    """Read a chunk of files in a process of its own; give what it found wrong."""
    command = [sys.executable, __file__, "--seed", options.seed, "--chunk", chunk]
    command += ["--output", options.output, "--only", options.only]
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
    found = [json.loads(line) for line in lines]
    if done is None or done.returncode:
        found.append({"place": ended[:60], "what": ended, "file": "current"})
    for what in found:
        if "outcomes" in what:
            outcomes.update(what["outcomes"])
    return [what for what in found if "place" in what]


def read_chunk(seed: int, chunk: int, output: Path, only: str) -> None:
    """Read the files of a chunk, printing faults and, at the end, how many came to what."""
    from helpers import hostile

    warnings.simplefilter("error")
    samples = {name: sample for name, sample in hostile.samples().items() if only in name}
    rng = random.Random(f"{seed} {chunk}")
    outcomes: collections.Counter[str] = collections.Counter()
    current = output / "current"
    for number in range(CHUNK):
        name = rng.choice(list(samples))
        data = samples[name].data
        for _ in range(rng.choice([1, 1, 2, 3, 5])):
            kind = rng.choice(list(hostile.KINDS))
            data = hostile.damage(data, hostile.Change(kind, rng.random(), rng.getrandbits(16)))
        current.write_bytes(data)
        began, before = time.process_time(), peak_mb()
        fault = ""
        try:
            outcomes[hostile.check(samples[name], data)] += 1
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is a finding
            frames = traceback.extract_tb(error.__traceback__)
            frame = next(
                (each for each in reversed(frames) if "/gale/" in each.filename), frames[-1]
            )
            fault = f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}"
            what = "".join(traceback.format_exception(error))
        if not fault and (seconds := time.process_time() - began) > SLOW_SECONDS:
            fault, what = f"slow {name}", f"took {seconds:.1f} s"
        if not fault and (grown := peak_mb() - before) > MEMORY_MB:
            fault, what = f"memory {name}", f"took {grown:.0f} MB"
        if fault:
            outcomes["fault"] += 1
            kept = output / f"{seed}-{chunk}-{number}"
            kept.write_bytes(data)
            what = f"{name}\n{what}"
            print(json.dumps({"place": fault, "what": what, "file": kept.name}))
    print(json.dumps({"outcomes": outcomes}))


def peak_mb() -> float:
    """The most memory that this process has had; 0 where it is not known."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def save(output: Path, number: int, what: dict[str, str]) -> None:
    """Keep the file and what happened under a number of their own."""
    (output / what["file"]).rename(output / f"fault{number}.bin")
    (output / f"fault{number}.txt").write_text(f"{what['place']}\n{what['what']}\n", "utf-8")
    print(f"fault {number}: {what['place']}", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    sys.exit(main())
