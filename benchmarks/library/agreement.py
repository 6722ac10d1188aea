"""Compare the substances that come with gale with measured spectra of the same compounds.

Main ions and retention indices of substances (`gale.library.substances`) are written down, not
measured. For each with a counterpart in the libraries that are given, or in the one that comes with
gale (`gale.embedded_library`), this takes the cosine of
square roots of intensities, by nominal m/z, from the lowest m/z of the measured spectrum on. Where
there are several measured spectra, the closest counts, and how much these are like each other is
the most that can be hoped for. Measured and written spectra are of the same compound if the
structures before derivatization have the same first block of the InChIKey and as many groups were
added; where a record has no structure, if the names are the same. Where it is not known how many
groups a record has, its retention index has to be that of the substance.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from rdkit import Chem, rdBase

from benchmarks import options
from benchmarks.tables import Table, show
from gale.chemistry.derivatives import drawn_derivative, guess_derivatives
from gale.chemistry.structures import parent_molecule, read_structure
from gale.library import Library, embedded_library, read_library, substances
from gale.run import Floats

N_MZ = 601
LEAST = 0.8
"""A spectrum below is mended or left out."""

KINDS = ("further", "volatile", "solvent", "reagent", "contaminant")
WORST = 10

SAME_INDEX = 30.0
"""Largest difference in index of a measured derivative, whose number of groups is unknown."""

_FATTY = re.compile(r"^(\w+?)ano?ic acid \(c\d+:0\) (me|tms)$")
_SPELLINGS = {"heneicos": "henicos", "eicos": "icos", "tricontan": "triacontan", "dodecyl": "dodec"}

Key = tuple[str, str]
"""The compound, and what derivatization added to it."""


@dataclass(frozen=True)
class Compared:
    """A substance beside its measured counterparts.

    Parameters
    ----------
    kind, name : str
    cosines : tuple of float
        With each measured spectrum.
    among : float
        Median cosine of the measured spectra with each other; NaN if there is one.
    index : float
        Retention index less the median of the measured ones; NaN if there is none.
    """

    kind: str
    name: str
    cosines: tuple[float, ...]
    among: float
    index: float

    @property
    def closest(self) -> float:
        """Cosine with the measured spectrum that is most alike."""
        return max(self.cosines)

    @property
    def middle(self) -> float:
        """Median cosine with the measured spectra."""
        return float(np.median(self.cosines))


def keys_of(library: Library, derivatives: Sequence[str]) -> list[Key]:
    """Say which compound each record is of."""
    keys = []
    for structure, name, derivative in zip(
        library.structure, library.name, derivatives, strict=True
    ):
        molecule = read_structure(structure)
        if molecule is None:
            keys.append(_key_of_name(name))
            continue
        with rdBase.BlockLogs():
            key = Chem.MolToInchiKey(parent_molecule(molecule))  # type: ignore[no-untyped-call]
        keys.append((key.split("-")[0], derivative))
    return keys


def _key_of_name(name: str) -> Key:
    plain = name.lower().removeprefix("n-").strip()
    for spelling, usual in _SPELLINGS.items():
        plain = plain.replace(spelling, usual) if usual not in plain else plain
    if fatty := _FATTY.match(plain):
        acid = fatty[1]
        return (f"methyl {acid}anoate", "") if fatty[2] == "me" else (f"{acid}anoic acid", "1 TMS")
    return plain, ""


def spectra_of(library: Library) -> Floats:
    """Square roots of intensities by nominal m/z, shape (C, N_MZ)."""
    spectra: Floats = np.sqrt(library.nominal_spectra(N_MZ))
    return spectra


def cosine(one: Floats, other: Floats, first: int) -> float:
    """Cosine of two spectra from an m/z on."""
    left, right = one[first:], other[first:]
    return float(left @ right / max(float(np.linalg.norm(left) * np.linalg.norm(right)), 1e-12))


def compare(measured: Library, kinds: Sequence[str] = KINDS) -> Iterator[Compared]:
    """Compare all substances that have a counterpart."""
    places: Mapping[Key, list[int]] = defaultdict(list)
    for place, key in enumerate(keys_of(measured, guess_derivatives(measured))):
        places[key].append(place)
    spectra = spectra_of(measured)
    first = [int(np.rint(measured.spectrum(place)[0].min())) for place in range(len(measured))]
    for kind in kinds:
        library = substances(kind)
        drawn = map(drawn_derivative, library.smiles)
        added = [stated or each for stated, each in zip(library.derivative, drawn, strict=True)]
        by_structure = keys_of(library, added)
        for record, own in enumerate(spectra_of(library)):
            name = library.name[record]
            named = (name.split(", ")[0].lower(), added[record])
            found = [*places.get(by_structure[record], ()), *places.get(named, ())]
            found += _of_unknown_number(places, by_structure[record], measured,
                                        library.retention_index[record])  # fmt: skip
            if not found:
                continue
            among = [
                cosine(spectra[one], spectra[other], max(first[one], first[other]))
                for one, other in combinations(found, 2)
            ]
            index = measured.retention_index[found]
            known = index[np.isfinite(index)]
            yield Compared(
                kind,
                name,
                tuple(cosine(own, spectra[place], first[place]) for place in found),
                float(np.median(among)) if among else np.nan,
                library.retention_index[record] - float(np.median(known)) if len(known) else np.nan,
            )


def _of_unknown_number(
    places: Mapping[Key, Sequence[int]], key: Key, measured: Library, index: float
) -> Iterator[int]:
    """Give the measured derivatives of a compound that may have as many groups as the key says."""
    compound, added = key
    number, _, groups = added.partition(" ")
    if number.isdigit():
        for place in places.get((compound, f"n {groups}"), ()):
            if abs(measured.retention_index[place] - index) <= SAME_INDEX:
                yield place


def summary(compared: Sequence[Compared]) -> Table:
    """Make a table with a row for each kind."""
    rows = [["substances", "spectra", "with a counterpart", "median cosine", "9 of 10 above",
             f"below {LEAST}", "median, all counterparts", "measured among each other",
             "indices compared", "median error", "9 of 10 within"]]  # fmt: skip
    for kind in KINDS:
        here = [each for each in compared if each.kind == kind]
        if not here:
            continue
        closest = np.array([each.closest for each in here])
        among = np.array([each.among for each in here])
        errors = np.abs([each.index for each in here if np.isfinite(each.index)])
        rows.append(
            [
                kind,
                f"{len(substances(kind)):,}",
                f"{len(here):,}",
                f"{np.median(closest):.2f}",
                f"{np.quantile(closest, 0.1):.2f}",
                f"{(closest < LEAST).sum()}",
                f"{np.median([each.middle for each in here]):.2f}",
                f"{np.nanmedian(among):.2f}" if np.isfinite(among).any() else "-",
                f"{len(errors)}",
                f"{np.median(errors):.0f}" if len(errors) else "-",
                f"{np.quantile(errors, 0.9):.0f}" if len(errors) else "-",
            ]
        )
    return rows


def worst(compared: Sequence[Compared], number: int) -> Table:
    """Make a table of the substances that agree least."""
    rows = [["substance", "kind", "closest", "measured spectra", "among each other"]]
    for each in sorted(compared, key=lambda each: each.closest)[:number]:
        among = "-" if np.isnan(each.among) else f"{each.among:.2f}"
        rows.append([each.name, each.kind, f"{each.closest:.2f}", f"{len(each.cosines)}", among])
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare and print."""
    parser = options.parser("benchmarks.library.agreement", __doc__)
    parser.add_argument("libraries", nargs="+", type=Path, metavar="LIBRARY")
    parser.add_argument(
        "--worst", type=int, default=WORST, help="how many to list (default: %(default)s)"
    )
    asked = parser.parse_args(arguments)
    measured = Library.join([embedded_library(), *map(read_library, asked.libraries)])
    compared = list(compare(measured))
    show("Agreement with measured spectra", summary(compared), markdown=asked.markdown)
    further = [each for each in compared if each.kind == "further"]
    show("The least alike of the kind further", worst(further, asked.worst),
         markdown=asked.markdown)  # fmt: skip
    show("The least alike of the others", worst([e for e in compared if e.kind != "further"],
                                                asked.worst), markdown=asked.markdown)  # fmt: skip


if __name__ == "__main__":
    main()
