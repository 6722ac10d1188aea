"""How often the ions that attribution names are ions of compounds that carry the family.

CAMPAIGN was made by gale simulate, and MODEL was not trained on its test runs. For each family that
a test run holds and whose predicted probability exceeds its training prevalence, by how far its
most abundant compound is over the detection limit: how many of the ions named, and of those named
first, reach a tenth of the base peak in the spectrum of a compound of the family that is in the
run. By chance: how many of all m/z that attribution could have named do. Without --library, the
libraries are those that come with gale.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import gale
from benchmarks import tables
from benchmarks.tables import Table, percent
from benchmarks.trust.truth import by_abundance, carriers, evidence_parser, libraries, runs_of_test
from gale.evidence import find_attributions
from gale.evidence.attribution import without_ions
from gale.library import Library, default_libraries, substances

LEAST_HEIGHT = 0.1
"""Of the base peak, that an ion of a compound has to reach."""


@dataclass(frozen=True)
class Named:
    """What came of a family that a run holds, and that is shown."""

    abundance: float
    right: list[bool]
    by_chance: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Look at the attribution of the test runs, and print a table."""
    asked = evidence_parser("benchmarks.trust.attribution", __doc__).parse_args(arguments)
    given = libraries(asked.library) or default_libraries()
    ions = ions_of(Library.join([*given, substances("gas")]))
    named = list(look(asked.campaign, gale.Model.load(asked.model), ions, asked.runs))
    title = f"{asked.campaign.name}, {asked.model.name}: at most {asked.runs} test runs"
    tables.show(title, table(named), markdown=asked.markdown)


def ions_of(library: Library) -> dict[str, set[int]]:
    """The m/z of the high ions of each compound, by its name."""
    ions: dict[str, set[int]] = {}
    for at, name in enumerate(library.name):
        mz, intensity = library.spectrum(at)
        high = intensity >= LEAST_HEIGHT * intensity.max()
        ions.setdefault(name, set()).update(np.rint(mz[high]).astype(int).tolist())
    return ions


def look(
    folder: Path, model: gale.Model, ions: Mapping[str, set[int]], n_runs: int
) -> Iterator[Named]:
    """Give what came of each family that is held and shown of each of the first test runs."""
    for run, compounds in runs_of_test(folder, n_runs):
        possible = without_ions(model.spec, model.spec.features_of(run))[0].tolist()
        for each in find_attributions(model, run):
            theirs = carriers(compounds, each.family)
            if len(theirs):
                right = set[int]().union(*(ions[compound] for compound in theirs["compound"]))
                yield Named(
                    abundance=max(theirs["abundance"].to_list()),
                    right=[ion in right for ion in each.ions],
                    by_chance=float(np.mean([mz in right for mz in possible])),
                )


def table(named: Sequence[Named]) -> Table:
    """Make the table."""
    rows = [["times over the limit", "families", "ions", "right", "first right", "one right",
             "by chance"]]  # fmt: skip
    for name, here in by_abundance(named):
        all_ions = [right for each in here for right in each.right]
        rows.append(
            [
                name,
                f"{len(here):,}",
                f"{len(all_ions):,}",
                percent(all_ions),
                percent([each.right[0] for each in here if each.right]),
                percent([any(each.right) for each in here]),
                percent([each.by_chance for each in here]),
            ]
        )
    return rows


if __name__ == "__main__":
    main()
