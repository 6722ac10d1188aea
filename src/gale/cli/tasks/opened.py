"""Models and libraries, opened once in every process."""

from __future__ import annotations

from multiprocessing import parent_process
from pathlib import Path
from typing import TYPE_CHECKING

from gale.cli.spectra import Spectra

if TYPE_CHECKING:
    import gale

_MODELS: dict[str, gale.Model] = {}
_SPECTRA: dict[tuple[tuple[str, ...], Path | None], Spectra] = {}


def model_of(path: Path | None, sha256: str) -> gale.Model:
    """Open a model once in every process.

    Raises
    ------
    ModelError
        If it cannot be opened, or is another one than that of this checksum.
    """
    from gale.cli.models import open_model
    from gale.errors import ModelError
    from gale.model.file import use_threads

    if sha256 not in _MODELS:
        if parent_process() is not None:  # the other cores are for the other processes
            use_threads(1)
        model = open_model(path)
        if model.sha256 != sha256:
            raise ModelError(model.source, "has changed", "the same model until all is done")
        _MODELS[sha256] = model
    return _MODELS[sha256]


def spectra_of(model: gale.Model, libraries: tuple[str, ...], index_table: Path | None) -> Spectra:
    """Open what evidence is compared with, without saying what is to be known of it."""
    from gale.cli.spectra import open_spectra

    key = libraries, index_table
    if key not in _SPECTRA:
        _SPECTRA[key] = open_spectra(model, *key, quiet=True)
    return _SPECTRA[key]


def remember(
    model: gale.Model, libraries: tuple[str, ...], index_table: Path | None, spectra: Spectra
) -> None:
    """Do not open again what this process has opened."""
    _MODELS[model.sha256] = model
    _SPECTRA[libraries, index_table] = spectra
