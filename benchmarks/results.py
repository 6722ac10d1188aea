"""Results that are kept between steps, each with what it was made of."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from gale.plumbing.files import writing


def keep(path: Path, made_of: Any, result: Any) -> None:
    """Write a result, and all that it depends on, as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path, force=True) as temporary:
        temporary.write_text(json.dumps({"made_of": made_of, "result": result}, indent=1), "utf-8")


def find(path: Path, made_of: Any) -> Any:
    """Read a result; None if there is none, or it was made of something else."""
    if not path.exists():
        return None
    kept = json.loads(path.read_text("utf-8"))
    return kept["result"] if kept["made_of"] == plain(made_of) else None


def plain(made_of: Any) -> Any:
    """Give values as JSON would give them back."""
    return json.loads(json.dumps(made_of))


def fingerprint(made_of: Any) -> str:
    """Hash all that a result depends on."""
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
