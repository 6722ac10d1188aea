"""Search measured spectra in what comes with gale, without and with its further substances.

A spectrum counts as named rightly if the first match, or one of the five, is of the same compound
(first block of the InChIKey). Derivatives are left out. No retention index is used, so that isomers
and homologues compete with each other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from benchmarks import options
from benchmarks.library.agreement import keys_of
from benchmarks.tables import Table, percent, show
from gale.chemistry.derivatives import guess_derivatives
from gale.library import Library, embedded_library, read_library, substances
from gale.library.substances import KINDS
from gale.matching import Matcher
from gale.matching.matcher import LAST_MZ

ABOVE = 3.0
"""m/z above the heaviest ion of a spectrum that count as recorded without ions."""


def hits(matcher: Matcher, measured: Library, rows: Sequence[int], keys: Sequence[str],
         wanted: Sequence[str]) -> list[list[bool]]:  # fmt: skip
    """Say for each match of each of some spectra whether it is of the same compound."""
    spectra = measured.nominal_spectra(LAST_MZ + 1)
    found = []
    for row in rows:
        mz, _ = measured.spectrum(row)
        recorded = (float(mz.min()), min(float(mz.max()) + ABOVE, float(LAST_MZ)))
        matches = matcher.matches(spectra[row], 0, recorded, "")
        found.append([keys[match.row] == wanted[row] for match in matches])
    return found


def naming(measured: Library) -> Table:
    """Make the table: spectra of compounds that came with gale before, and of further ones."""
    kinds = [kind for kind in KINDS if kind != "further"]
    before = Library.join([embedded_library(), *map(substances, kinds)])
    after = Library.join([before, substances("further")])
    wanted = [key for key, _ in keys_of(measured, guess_derivatives(measured))]
    derivatives = guess_derivatives(measured)
    pairs = [keys_of(each, guess_derivatives(each)) for each in (before, after)]
    libraries = [(each, [key for key, _ in found])
                 for each, found in zip((before, after), pairs, strict=True)]  # fmt: skip
    known = [{key for key, derivative in found if not derivative} for found in pairs]
    rows: Table = [["spectra of", "spectra", "first without", "in five without", "first with",
                    "in five with"]]  # fmt: skip

    def chosen(keys: Collection[str]) -> list[int]:
        return [at for at, key in enumerate(wanted) if key in keys and not derivatives[at]]

    for name, which in (("the others", known[0]), ("further substances", known[1] - known[0])):
        asked = chosen(which)
        cells = []
        for library, keys in libraries:
            found = hits(Matcher(library), measured, asked, keys, wanted)
            cells += [percent([each[:1] == [True] for each in found]), percent([*map(any, found)])]
        rows.append([name, f"{len(asked):,}", *cells])
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Search and print."""
    parser = options.parser("benchmarks.library.naming", __doc__)
    parser.add_argument("libraries", nargs="+", type=Path, metavar="LIBRARY")
    asked = parser.parse_args(arguments)
    measured = Library.join([read_library(path) for path in asked.libraries])
    ions = np.diff(measured.spectrum_start)
    show("Measured spectra named rightly", naming(measured.take(ions > 1)), markdown=asked.markdown)


if __name__ == "__main__":
    main()
