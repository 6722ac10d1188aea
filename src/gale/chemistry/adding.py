"""Adding a library: what its structures say is found out once, when it is converted."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np

from gale.errors import GaleError, MissingExtraError, OutputError, warn
from gale.library import InstalledLibrary, Library, read_library
from gale.library.choice import references
from gale.library.disagreement import note_disagreement
from gale.library.installed import check_name, install, installed_names
from gale.plumbing.files import OVERWRITE
from gale.plumbing.kinds import checked


@checked
def add_library(
    name: str, source: Library | str | os.PathLike[str], *, force: bool = False
) -> InstalledLibrary:
    r"""Add a library: convert it once, and use it from now on wherever gale looks for compounds.

    Evidence, simulation and pre-training use all added libraries beside what comes with gale unless
    libraries are named. With the extra ``chem``, families, derivatives and InChIKeys that the
    library does not state are taken from its structures.

    Parameters
    ----------
    name : str
        Up to 50 lower-case letters, digits, ``-`` and ``_``.
    source : str, path or Library
        A file of spectra or a folder of MassBank records, as :func:`gale.read_library` reads them.
    force : bool
        Whether a library of this name may be replaced.

    Returns
    -------
    InstalledLibrary

    Warns
    -----
    GaleWarning
        If records are left out, families cannot be found, or compounds are different in what comes
        with gale or was added before.

    Raises
    ------
    GaleError
        If the name cannot be one.
    ReadError
        If the library cannot be read, or has no usable spectrum.
    OutputError
        If there is one of this name and `force` is false, or it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import gale
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "mine.msp")
    ...     _ = path.write_text("Name: methane\nSMILES: C\nNum Peaks: 2\n15 888\n16 999\n")
    ...     added = gale.add_library("mine", path)
    >>> added.name, added.spectra, added.with_families
    ('mine', 1, 1)
    >>> gale.remove_library("mine")
    """
    check_name(name)
    others = [each for each in installed_names() if each != name]
    if not force and name in installed_names():
        raise OutputError(f"library {name!r}", "exists already", remedy=OVERWRITE)
    library = source if isinstance(source, Library) else read_library(source)
    if not len(library):
        raise GaleError(library.source, "has no spectrum", "a library of one or more")
    classified = _classified(library)
    for known in references(["gale", *others]):
        if note := note_disagreement(replace(classified, source=name), known):
            warn(note)
    return install(classified, name, force=force)


def _classified(library: Library) -> Library:
    """Add what the structures say of families, derivatives and InChIKeys, if RDKit is there."""
    structures = library.structure
    if not any(structures):
        if None in library.families:
            warn(
                f"{library.source}: has no structures, so families of its compounds stay unknown; "
                "evidence names them, simulation leaves them out"
            )
        return library
    try:
        from gale.chemistry.derivatives import guess_derivatives
        from gale.chemistry.families import default_family_table, families_of
        from gale.chemistry.structures import inchikey_of
    except MissingExtraError as error:
        warn(f"{library.source}: families are not found out from structures: {error}")
        return library
    names = np.array(list(default_family_table()))
    rows = families_of(structures)
    families = tuple(
        stated if stated is not None or np.isnan(row).any() else tuple(names[row == 1].tolist())
        for stated, row in zip(library.families, rows, strict=True)
    )
    keys = zip(library.inchikey, structures, strict=True)
    return replace(
        library,
        families=families,
        derivative=guess_derivatives(library),
        inchikey=tuple(key or inchikey_of(structure) for key, structure in keys),
    )
