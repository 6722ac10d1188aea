"""What verbs compare evidence with: libraries and a table of retention indices."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from gale.cli.printing import echo
from gale.cli.sources import select

if TYPE_CHECKING:
    import polars as pl

    import gale
    from gale.evidence import IndexTable, Matcher
    from gale.plumbing.work import Work


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
    model: gale.Model, libraries: Sequence[str], index_table: Path | None, *, wanted: bool = True
) -> Spectra:
    """Read the libraries to search and the table of retention indices.

    Without names, the libraries are those that are searched by default, if they are `wanted` and
    the model has an elution network.

    Raises
    ------
    ModelError, ReadError, TableError
        If they are given and the model has no elution network, or if one cannot be used.
    """
    from gale.evidence import IndexTable, Matcher, check_spectra

    if libraries or index_table:
        check_spectra(model)
    matcher = None
    if libraries:
        matcher = Matcher.of(*libraries)
    elif wanted and model.has_elution_network:
        matcher = Matcher.default()
    if matcher and matcher.library.note:
        echo(f"note: {matcher.library.note}", err=True)
    return {
        "matcher": matcher,
        "index": IndexTable.read(index_table) if index_table else None,
    }


def write_evidence_of(
    model: gale.Model,
    sources: gale.Campaign | tuple[Path, ...],
    table: pl.DataFrame,
    checksums: Sequence[str],
    spectra: Spectra,
    work: Work,
    path: Path,
    *,
    force: bool,
) -> None:
    """Write the evidence in the runs that could be predicted, of the bytes that were."""
    import gale
    from gale.evidence.table import write_evidence

    read = (table["status"] != "failed").to_list()
    known = list(compress(checksums, read))
    chosen = select(sources, read)
    evidence = gale.evidence_table(model, chosen, **spectra, checksums=known, work=work)
    write_evidence(evidence, path, force=force)
    if not model.has_elution_network:
        source = model.source
        echo(f"{source} has no elution network: its evidence is features, without times", err=True)
