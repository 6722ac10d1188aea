"""What a verb is going to write: checked before it works, claimed until it ends."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click


def plan(outputs: Iterable[Path], inputs: Iterable[Path] = (), *, force: bool) -> None:
    """Check the files that the verb will write, and claim them until it ends.

    Parameters
    ----------
    outputs, inputs, force
        See :func:`gale.plumbing.outputs.planned`.
    """
    from gale.plumbing.outputs import planned

    click.get_current_context().with_resource(planned(outputs, inputs, force=force))


def claim(output: Path) -> None:
    """Claim an output that has been checked, such as a folder, until the verb ends."""
    from gale.plumbing.locks import claimed

    click.get_current_context().with_resource(claimed(output))


class Written(click.Path):
    """A path that is written to; ``-`` is refused, since results do not go to standard output."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse ``-``."""
        if str(value) == "-":
            self.fail("gale does not write results to standard output; name a file", param, ctx)
        return super().convert(value, param, ctx)


WRITTEN = Written()
"""The type of an option that names a file or folder to write."""
