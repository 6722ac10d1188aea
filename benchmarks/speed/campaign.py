"""A whole campaign through the real commands: wall time and peak memory of each.

    python benchmarks/campaign.py [--work FOLDER] [--recipe quick] [--ions 80000]

The campaign has the competition's size and layout (809 / 312 / 463 runs) and is made by `gale
simulate`: scores on it say nothing about real samples. Features are computed anew in training and
in prediction (no cache).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

GALE = Path(sys.executable).parent / "gale"

AROUND = """
import resource, subprocess, sys, time
start = time.monotonic()
status = subprocess.call(sys.argv[2:])
seconds = time.monotonic() - start
peak_kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
with open(sys.argv[1], "w") as file:
    file.write(f"{seconds} {peak_kb}")
sys.exit(status)
"""
"""A small process around a command, since Linux counts the memory of whoever starts a process as
its peak, from before it became the command."""


def measured(*command: str | Path) -> tuple[float, float, str]:
    """Run a command; its seconds, the peak memory of its largest process in MB, and its output."""
    words = list(map(str, command))
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures"
        around = [sys.executable, "-S", "-c", AROUND, str(figures)]
        process = subprocess.run(around + words, stdout=subprocess.PIPE, text=True, check=False)
        if process.returncode:
            sys.exit(f"{' '.join(words)}: exit status {process.returncode}")
        seconds, peak_kb = map(float, figures.read_text().split())
    return seconds, peak_kb / 1024, process.stdout


def main() -> None:
    """Run the steps, then print a table and what the commands said."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("campaign-benchmark"))
    parser.add_argument("--recipe", action="append")
    parser.add_argument("--ions", default="80000")
    options = parser.parse_args()
    work: Path = options.work
    work.mkdir(exist_ok=True)
    campaign = work / "campaign"
    rows, said, tables = [], [], []
    if not (campaign / "metadata.csv").exists():
        *figures, text = measured(
            GALE, "simulate", "-o", campaign, "--ions", options.ions, "--seed", "1", "--quiet"
        )
        rows.append(("simulate 1,584 runs", *figures))
        said.append(text)
    for recipe in options.recipe or ["quick", "logistic"]:
        model, table = work / f"{recipe}.onnx", work / f"{recipe}.csv"
        tables.append(table)
        for step, command in {
            f"train {recipe}": (
                "train", campaign, "-o", model, "--recipe", recipe, "--no-report"
            ),
            f"predict 463 runs, {recipe}": (
                "predict", campaign, "--split", "test", "--model", model, "-o", table
            ),
        }.items():  # fmt: skip
            *figures, text = measured(GALE, *command, "--force", "--quiet", "--no-cache")
            rows.append((step, *figures))
            said.append(text)
    *figures, text = measured(GALE, "evaluate", *tables, "--labels", campaign / "test_labels.csv")
    rows.append(("evaluate", *figures))
    said.append(text)

    print("\n".join(said))
    print(f"{'step':<28}{'seconds':>9}{'peak MB':>9}")
    for name, seconds, peak_mb in rows:
        print(f"{name:<28}{seconds:>9.1f}{peak_mb:>9.0f}")


if __name__ == "__main__":
    main()
