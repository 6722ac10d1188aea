"""What each ingredient of earlier_default.toml contributes: each of them on and off.

Columns are test log losses, means over training seeds; the mean over campaigns; the difference to
the first row of the table, paired by campaign and seed; and the calibration error. ± is the
standard deviation over seeds; for the difference in percent it is that over campaigns.

The rows of the first table are made of the same fits; for those of the second, one member per fold
is fitted again, to be compared with one member per fold of the recipe. Without pre-training, fits
are longer (30 and 60 epochs). Fits that matter most come first, on all campaigns before the next
row. --out keeps campaigns and fits: the same command goes on where it was interrupted, and --kept
fits nothing and shows what is there, "-" where that is not enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks import tables
from benchmarks.ablation.fits import Fits, Runs
from benchmarks.ablation.rows import (
    ANEW,
    COMBINED,
    DEFAULT,
    MIXTURES,
    REFITTED,
    Row,
    one_member,
    score_row,
)
from benchmarks.ablation.scores import Scores, prior_score, table
from benchmarks.ablation.study import Study, study_parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit what is missing, and print the tables."""
    parser = study_parser("benchmarks.ablation.ingredients", __doc__, seeds=[0])
    names = [row.name for row in (*COMBINED, *ANEW)]
    parser.add_argument(
        "--rows",
        nargs="*",
        choices=names,
        metavar="ROW",
        help=f"only these and the first of each table: {', '.join(names)}",
    )
    asked = parser.parse_args(arguments)
    study = Study.begin(asked)
    same, anew = chosen(COMBINED, asked.rows), chosen(ANEW, asked.rows)
    scores = scored([*same, *anew], study, asked.seeds)
    first = {row.name: scores[row.name] for row in same} | baselines(study, asked.seeds)
    second = {row.name: scores[row.name] for row in anew}
    tables.show("Made of the same fits", table(first), markdown=asked.markdown)
    tables.show("Fitted again", table(second), markdown=asked.markdown)


def chosen(rows: Sequence[Row], names: Sequence[str] | None) -> list[Row]:
    """Give the rows of these names, or all, and the first one in any case."""
    return [row for row in rows if names is None or row is rows[0] or row.name in names]


def scored(rows: Iterable[Row], study: Study, seeds: Sequence[int]) -> Scores:
    """Score rows on all campaigns; the fits of one are in memory at a time."""
    of_fits: dict[str, list[Row]] = {}
    for row in rows:
        of_fits.setdefault(row.fits, []).append(row)
    scores: Scores = {}
    for what, several in of_fits.items():
        for seed in seeds:
            for name, runs in study.campaigns.items():
                fits = fits_of(what, name, runs, seed, study)
                for row in several:
                    of_row = scores.setdefault(row.name, {}).setdefault(name, [])
                    of_row.append(score_row(row, fits))
    return scores


def fits_of(what: str, name: str, runs: Runs, seed: int, study: Study) -> Fits | None:
    """Give the fits of a row on a campaign, if they are there or may be fitted."""
    change = None if what == DEFAULT else one_member(REFITTED[what])
    folder = f"fits/{name}/{what.replace(' ', '-')}-{seed}"
    return study.fits(folder, runs, seed, change, mixtures=what == MIXTURES)


def baselines(study: Study, seeds: Sequence[int]) -> Scores:
    """Score what to compare with."""
    runs = study.campaigns.items()
    return {
        "prior": {name: [prior_score(each)] for name, each in runs},
        "logistic": {
            name: [study.logistic(f"fits/{name}/logistic-{seed}", each, seed) for seed in seeds]
            for name, each in runs
        },
    }


if __name__ == "__main__":
    main()
