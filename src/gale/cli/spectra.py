"""What verbs compare evidence with: libraries and a table of retention indices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from gale.cli.printing import echo

if TYPE_CHECKING:
    import gale
    from gale.matching import IndexTable, Matcher


SIMULATED_LIBRARY = (
    "Library to use: a file (MSP, MSL, ELU, JCAMP-DX), a folder of MassBank records, the name of "
    "an added library, gale for its metabolites and volatile compounds, or further for its further "
    "substances. By default gale and all added ones."
)


class Spectra(TypedDict):
    """What evidence is compared with."""

    matcher: Matcher | None
    index: IndexTable | None


def open_spectra(
    model: gale.Model,
    libraries: Sequence[str],
    index_table: Path | None,
    *,
    wanted: bool = True,
    quiet: bool = False,
) -> Spectra:
    """Read the libraries to search and the table of retention indices.

    Without names, the libraries are those that are searched by default, if they are `wanted` and
    the model has an elution network. What they are noted for is printed, unless `quiet`.

    Raises
    ------
    ModelError, ReadError, TableError
        If they are given and the model has no elution network, or if one cannot be used.
    """
    if not (libraries or index_table or wanted):
        return {"matcher": None, "index": None}
    from gale.evidence import check_spectra
    from gale.matching import IndexTable, Matcher

    if libraries or index_table:
        check_spectra(model)
    matcher = None
    if libraries:
        matcher = Matcher.of(*libraries)
    elif model.has_elution_network:
        matcher = Matcher.default()
    if matcher and matcher.library.note and not quiet:
        echo(f"note: {matcher.library.note}", err=True)
    return {
        "matcher": matcher,
        "index": IndexTable.read(index_table) if index_table else None,
    }
