"""Fit the terms of the sum that estimates retention indices, and say how large its errors are.

    python tools/fit_retention_index.py LIBRARY...

LIBRARY is a library with retention indices on the scale of n-alkanes. The embedded library, the
substances that come with gale and the n-alkanes are fitted too. Writes the indices into
src/gale/data/retention_terms.csv and prints the errors of a ten-fold cross-validation.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

import gale
from gale.chemistry.derivatives import guess_derivatives
from gale.chemistry.families import parent_of
from gale.chemistry.retention_index import FILE, count_terms, term_table
from gale.library import Library, embedded_library, read_library, substances
from gale.library.derivative_names import UNKNOWN
from gale.library.substances import KINDS
from gale.plumbing.files import writing
from gale.run import Floats

RIDGE = 0.1
RESIDUAL = 30.0
"""Larger errors count by their size, not by its square: some records are wrong."""

FOLDS = 10
ERRORS = (
    pl.len(),
    pl.col("error").median().round().alias("median"),
    pl.col("error").quantile(0.9).round().alias("90 %"),
)
SILYL_MZ = 73
DATA = Path(gale.__file__).parent / "data"
TERMS = DATA / FILE


def gather(library: Library, kind: str) -> pl.DataFrame:
    """Give the compounds of a library that have a known derivative.

    A spectrum that starts above m/z 73 and names no derivative says nothing about it.
    """
    starts = library.mz[library.spectrum_start[:-1]]
    table = pl.DataFrame(
        {
            "structure": library.structure,
            "derivative": guess_derivatives(library, silylated=kind == "embedded"),
            "index": library.retention_index,
            "kind": kind,
        }
    )
    known = (starts < SILYL_MZ) | (np.array(library.derivative) != "")
    return table.filter(pl.Series(known) & ~table["derivative"].str.contains(UNKNOWN))


def gather_known() -> pl.DataFrame:
    """Give the substances that gale knows, and the n-alkanes, which define the scale."""
    known = [substances(kind) for kind in KINDS if kind != "further"]  # rougher than the others
    alkanes = pl.DataFrame({"structure": ["C" * n for n in range(5, 41)]}).select(
        "structure",
        derivative=pl.lit(""),
        index=pl.col("structure").str.len_chars() * 100.0,
        kind=pl.lit("known"),
    )
    return pl.concat([gather(Library.join(known), "known"), alkanes])


def fit(counts: Floats, index: Floats) -> Floats:
    """Fit the terms: robust ridge regression of what carbon atoms of 100 each leave."""
    start = np.zeros(counts.shape[1])
    start[0] = 100
    left = index - counts @ start
    weight: Floats = np.ones(len(index))
    for _ in range(30):
        weighted = weight[:, None] * counts
        ridge = RIDGE * np.eye(len(start))
        solved = np.linalg.solve(counts.T @ weighted + ridge, weighted.T @ left)
        terms = solved.astype(np.float64)
        weight = RESIDUAL / np.maximum(np.abs(left - counts @ terms), RESIDUAL)
    return start + terms


def cross_validate(table: pl.DataFrame, counts: Floats) -> Floats:
    """Estimate every compound from a fit to others, shape (C,)."""
    parents = [parent_of(structure) for structure in table["structure"]]
    compounds, compound = np.unique(parents, return_inverse=True)
    fold = (np.random.default_rng(0).permutation(len(compounds)) % FOLDS)[compound]
    index = table["index"].to_numpy()
    estimate = np.empty(len(index))
    for k in range(FOLDS):
        out = fold == k
        estimate[out] = counts[out] @ fit(counts[~out], index[~out])
    return estimate


def main(*paths: str) -> None:
    """Fit, write the terms, print the errors."""
    libraries = [gather(read_library(path), "library") for path in paths]
    table = pl.concat([gather(embedded_library(), "embedded"), *libraries, gather_known()])
    counts = count_terms(table["structure"].to_list(), table["derivative"].to_list())
    known = np.isfinite(counts).all(axis=1) & table["index"].is_finite().to_numpy()
    table, counts = table.filter(known), counts[known]

    table = table.with_columns(
        error=(table["index"] - cross_validate(table, counts)).abs(),
        silylated=table["derivative"].str.contains("TMS|TBDMS"),
    )
    for groups in (["kind", "silylated"], ["silylated"], []):
        sys.stdout.write(f"{table.group_by(*groups, pl.lit('all')).agg(ERRORS)}\n")

    index = fit(counts, table["index"].to_numpy()).round(1)
    with writing(TERMS, force=True) as temporary:
        term_table().with_columns(index=pl.Series(index)).write_csv(temporary)


if __name__ == "__main__":
    main(*sys.argv[1:])
