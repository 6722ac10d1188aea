"""Kind, version and fingerprint of features, whatever their kind."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from gale.errors import ModelError


def check_version(values: Mapping[str, Any], kind: str, version: int, source: str) -> None:
    """Refuse features of another version; `source` is the model that needs them.

    Raises
    ------
    ModelError
        If this version of gale does not compute them.
    """
    if (found := values.get("version")) != version:
        raise ModelError(
            source,
            f"needs {kind} features of version {found}",
            f"version {version}, which this gale computes",
            "install the gale version that the model names",
        )


def fingerprint_of(values: Mapping[str, Any]) -> str:
    """Hash everything that features depend on besides the run, as 16 hexadecimal digits."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
