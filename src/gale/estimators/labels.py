"""What scikit-learn calls ``y``: labels of R samples for K families."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from gale.errors import TableError
from gale.plumbing.frames import ArrowTable, frame_of
from gale.plumbing.text import shown
from gale.run import Floats32

BINARY = np.array([0, 1])
"""The classes of a family: absent and present."""


@dataclass(frozen=True)
class Labels:
    """Labels as a model is trained on them.

    Parameters
    ----------
    values : array of shape (R, K), float32
        0 or 1; NaN where unknown.
    families : tuple of str, length K
    classes : array of shape (2,) or (K, 2)
        Two values for ``y`` of one axis; for two axes, those of each family.
    """

    values: Floats32
    families: tuple[str, ...]
    classes: NDArray[Any]


def labels_of(y: Any, families: Sequence[str] | None) -> Labels:
    """Take labels of R samples.

    Parameters
    ----------
    y : array or table of shape (R, K), or array of shape (R,)
        With two axes, 0, 1 or NaN; null is NaN in a table, whose columns name the families. With
        one axis, one family, by any two values, of which the larger one means present.
    families : sequence of str, length K, optional
        Names; by default those of a table's columns, or ``family_1`` and so on.

    Raises
    ------
    ValueError
        If it is missing, has another shape, or other values: as scikit-learn says it.
    """
    if y is None:
        raise ValueError(
            "This FamilyClassifier estimator requires y to be passed, but the target y is None."
        )
    names: Sequence[str] | None = None
    if isinstance(y, ArrowTable) and getattr(y, "ndim", 2) == 2 and hasattr(y, "columns"):
        frame = frame_of(y, "y")
        names = frame.columns
        try:
            y = frame.cast(pl.Float64).fill_null(np.nan).to_numpy()
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            raise ValueError("Unknown label type: y has values that are no numbers") from None
    values = np.asarray(y)
    if values.ndim == 1:
        return _of_one(values, families)
    if values.ndim != 2:
        raise ValueError(f"y should be an array of shape (R, K), got {values.shape}")
    with np.errstate(invalid="ignore"):
        try:
            found = values.astype(np.float32)
        except (TypeError, ValueError):
            raise ValueError("Unknown label type: y has values that are no numbers") from None
    wrong = ~(np.isnan(found) | (found == 0) | (found == 1))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise ValueError(
            f"Unknown label type: y has {values[row, column]} at row {row}, column {column}; "
            "expected 0, 1, or NaN where unknown"
        )
    named = _named(families or names, values.shape[1])
    return Labels(found, named, np.tile(BINARY, (len(named), 1)))


def _of_one(y: NDArray[Any], families: Sequence[str] | None) -> Labels:
    """Take labels of one family, by any two values."""
    column = column_or_1d(y)
    if column.dtype.kind == "f" and np.isnan(column).any():
        return Labels(_checked(column), _named(families, 1), BINARY)
    check_classification_targets(column)
    classes = np.unique(column)
    if len(classes) < 2:
        raise ValueError(f"y has {len(classes)} class: present and absent are needed")
    if len(classes) > 2:
        raise ValueError(
            "Only binary classification is supported. The type of the target is multiclass."
        )
    return Labels((column == classes[1]).astype(np.float32)[:, None], _named(families, 1), classes)


def _checked(column: NDArray[Any]) -> Floats32:
    known = column[~np.isnan(column)]
    if not len(known) or not np.isin(known, BINARY).all():
        raise ValueError("Input y contains NaN, and not just 0 and 1 besides")
    return column.astype(np.float32)[:, None]


def _named(names: Sequence[str] | None, count: int) -> tuple[str, ...]:
    if names is None:
        return tuple(f"family_{number}" for number in range(1, count + 1))
    if len(names) != count or len(set(names)) < count:
        raise TableError(
            "families", f"is {shown(str(list(names)))}", f"{count:,} names, one for each column"
        )
    return tuple(names)
