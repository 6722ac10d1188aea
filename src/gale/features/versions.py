"""What features of all kinds say of themselves: kind, version, fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from gale.errors import ModelError


def check_version(values: Mapping[str, Any], kind: str, version: int, source: str) -> None:
    """Refuse features of another kind or version; `source` is named in the message.

    Raises
    ------
    ModelError
        If this version of gale does not compute them.
    """
    found = (values.get("kind"), values.get("version"))
    if found != (kind, version):
        raise ModelError(
            f"{source}: needs features {found[0]}, version {found[1]}; this version of gale "
            f"computes {kind}, version {version}; install the version that the model names"
        )


def fingerprint_of(values: Mapping[str, Any]) -> str:
    """Hash everything that features depend on besides the run."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
