"""What `gale inspect` does with a chunk of paths, and how the results are printed or written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gale.cli.batch import Asked, partial_output, software
from gale.cli.printing import echo
from gale.cli.wording import error_text
from gale.errors import GaleError
from gale.plumbing.batches import Chunk, Finished, Part, chunks_of, work_through
from gale.plumbing.progress import Progress
from gale.plumbing.text import display_name

if TYPE_CHECKING:
    from gale.cli.sources import Listing
    from gale.plumbing.work import Work


@dataclass(frozen=True)
class InspectTask:
    """Describes the paths of a chunk.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of the columns of tables.
    as_json : bool
        Whether each description is a line of JSON.
    verify : bool
        Whether checksums of campaigns are compared.
    single : bool
        Whether a path that cannot be read ends the work, if it is not described in JSON.
    """

    columns: dict[str, str] | None
    as_json: bool
    verify: bool
    single: bool

    def __call__(self, chunk: Chunk, progress: Progress) -> Part:
        """Describe each path; of one that cannot be read, say why."""
        from gale.cli.shows.paths import as_object, description, kind_of

        texts, failed = list[str](), list[str]()
        for item in chunk:
            path = Path(item.path)
            try:
                kind = kind_of(path, self.columns)
                texts.append(description(path, kind, self.as_json, self.verify, self.columns))
            except GaleError as error:
                if self.single and not self.as_json:
                    raise
                failed.append(error_text(error))
                if self.as_json:
                    texts.append(as_object(path, "failed", {"message": str(error)}))
            progress.step()
        return Part({"texts": texts, "failed": failed})

    def made_with(self) -> Mapping[str, str]:
        """Say what the result depends on besides the paths."""
        return {
            **software(),
            "column": json.dumps(self.columns and dict(self.columns)),
            "verify": str(self.verify),
        }


def inspect_all(
    listing: Listing,
    task: InspectTask,
    output: Path | None,
    asked: Asked,
    work: Work,
    *,
    force: bool,
) -> int:
    """Describe all paths, as they come or in a file; return how many could not be read."""
    from gale.plumbing.files import writing

    n_failed = 0
    with partial_output(output, task.made_with(), "inspection", asked, force=force) as partial:
        if output is None:
            is_first = True
            for done in work_through(chunks_of(listing, 1), task, partial, work):
                for text in done.facts["texts"]:
                    echo(text if task.as_json or is_first else f"\n{text}")
                    is_first = False
                n_failed += len(done.facts["failed"])
                if not task.as_json:
                    _print_failed(done.facts["failed"])
            return n_failed
        work.progress.begin("inspecting", len(listing))
        finished = Finished.of(chunks_of(listing), task, partial, work)
        with (
            writing(output, force=force) as temporary,
            temporary.open("w", encoding="utf-8", newline="\n") as file,
        ):
            for facts in finished.facts():
                file.writelines(f"{text}\n" for text in facts["texts"])
                n_failed += len(facts["failed"])
        for facts in finished.facts():
            _print_failed(facts["failed"])
    echo(f"{display_name(output)}: {len(listing):,} inspected, {n_failed:,} failed")
    return n_failed


def _print_failed(failed: list[str]) -> None:
    echo("".join(f"failed: {each}\n" for each in failed), nl=False, err=True)
