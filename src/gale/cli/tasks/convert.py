"""Conversions of a chunk of runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gale.cli.kept import software
from gale.cli.wording import error_text
from gale.errors import GaleError
from gale.plumbing.batches import Chunk, Part, identity
from gale.plumbing.progress import Progress
from gale.plumbing.remote import STORAGE


@dataclass(frozen=True)
class ConvertTask:
    """Writes the runs of a chunk to their targets.

    Parameters
    ----------
    columns, centroid
        How runs are read.
    format : str
    force : bool
        Whether targets that exist are overwritten.
    """

    columns: Mapping[str, str] | None
    centroid: bool
    format: str
    force: bool

    def __call__(self, chunk: Chunk, progress: Progress) -> Part:
        """Write every run that can be read, and say which cannot."""
        import gale

        failed, written = [], []
        for item in chunk:
            try:
                run = gale.read_run(item.path, columns=self.columns, centroid=self.centroid)
                gale.write_run(run, item.target, format=self.format, force=self.force)
                written.append(identity(item.target))
            except GaleError as error:
                if getattr(error.__cause__, "errno", None) in STORAGE:
                    raise
                failed.append(error_text(error))
                written.append("")
            progress.step()
        return Part({"failed": failed, "written": written})

    def made_with(self) -> dict[str, str]:
        """Say what the result depends on besides the runs."""
        return {
            **software(),
            "column": json.dumps(self.columns and dict(self.columns)),
            "centroid": str(self.centroid),
            "format": self.format,
        }


def is_written(chunk: Chunk, facts: Mapping[str, Any]) -> bool:
    """Whether the targets of a finished chunk are there as they were written."""
    return all(
        not was or was == identity(item.target)
        for item, was in zip(chunk, facts["written"], strict=True)
    )
