"""A whole campaign through the real commands: wall time and peak memory of each.

The campaign has the competition's size and layout (809 / 312 / 463 runs) and is made by `gale
simulate`: scores on it say nothing about real samples. Features are computed anew in training and
in prediction (no cache).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks import options, tables
from benchmarks.campaigns import RUNS, simulated
from benchmarks.commands import Measured, gale


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the steps, then print what the commands said and a table."""
    parser = options.parser(
        "benchmarks.speed.campaign",
        __doc__,
        out="campaign-benchmark",
        recipes=("quick", "logistic"),
    )
    parser.add_argument("--ions", type=int, default=80_000, help="ions of a run, about")
    parser.add_argument("--runs", type=int, default=RUNS, help="runs of the campaign")
    asked = parser.parse_args(arguments)
    out: Path = asked.out
    out.mkdir(parents=True, exist_ok=True)
    campaign = out / "campaign"
    words = ["--runs", str(asked.runs), "--ions", str(asked.ions), "--seed", "1"]
    steps = {}
    if (made := simulated(campaign, words)) is not None:
        steps[f"simulate {asked.runs:,} runs"] = made
    scored = []
    for recipe in asked.recipes:
        name = Path(recipe).stem
        model, table = out / f"{name}.onnx", out / f"{name}.csv"
        scored.append(table)
        anew = ("--force", "--quiet", "--no-cache")
        steps[f"train {name}"] = gale(
            "train", campaign, "-o", model, "--recipe", recipe, "--no-report", *anew
        )
        steps[f"predict the test runs, {name}"] = gale(
            "predict", campaign, "--split", "test", "--model", model, "-o", table, *anew
        )
    steps["evaluate"] = gale("evaluate", *scored, "--labels", campaign / "test_labels.csv")
    print("\n".join(step.printed for step in steps.values()))
    tables.show("Commands", table_of(steps), markdown=asked.markdown)


def table_of(steps: dict[str, Measured]) -> tables.Table:
    """Make the table of what the commands took."""
    rows = [[name, f"{step.seconds:.1f}", f"{step.peak_mb:.0f}"] for name, step in steps.items()]
    return [["step", "seconds", "peak MB"], *rows]


if __name__ == "__main__":
    main()
