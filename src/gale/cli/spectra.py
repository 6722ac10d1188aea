"""What verbs compare evidence with: libraries and a table of retention indices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from gale.cli.printing import echo

if TYPE_CHECKING:
    import gale
    from gale.evidence import IndexTable, Matcher


class Spectra(TypedDict):
    """What evidence is compared with."""

    matcher: Matcher | None
    index: IndexTable | None


def open_spectra(model: gale.Model, libraries: Sequence[Path], index_table: Path | None) -> Spectra:
    """Read the libraries to search and the table of retention indices, as far as they are given.

    Raises
    ------
    ModelError, ReadError, TableError
        If they are given and the model has no elution network, or if one cannot be used.
    """
    from gale.evidence import IndexTable, Matcher, check_spectra
    from gale.library import Library, read_library

    if libraries or index_table:
        check_spectra(model)
    joined = Library.join([read_library(each) for each in libraries]) if libraries else None
    if joined and joined.note:
        echo(f"note: {joined.note}", err=True)
    return {
        "matcher": Matcher(joined) if joined is not None else None,
        "index": IndexTable.read(index_table) if index_table else None,
    }
