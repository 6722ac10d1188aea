"""Kind, version and fingerprint of features, whatever their kind."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from gale.errors import ModelError
from gale.plumbing.schema import Table, check_schema

TRAIN_AGAIN = "train again, or use another copy of the file"
"""What to do with a model file that is damaged."""


def check_version(
    values: Mapping[str, Any], kind: str, version: int, schema: Table, source: str
) -> None:
    """Refuse features of another version, or not described as `schema` says.

    Parameters
    ----------
    values : mapping
        What the model states of its features.
    kind : str
    version : int
    schema : Table
    source : str
        The model that needs them.

    Raises
    ------
    ModelError
        If this version of gale does not compute them, or the description is damaged.
    """
    if (found := values.get("version")) != version:
        raise ModelError(
            source,
            f"needs {kind} features of version {found}",
            f"version {version}, which this gale computes",
            "install the gale version that the model names",
        )
    place = f"{kind} features"
    check_schema(values, schema, source, ModelError, place=place, remedy=TRAIN_AGAIN)


def fingerprint_of(values: Mapping[str, Any]) -> str:
    """Hash everything that features depend on besides the run, as 16 hexadecimal digits."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
