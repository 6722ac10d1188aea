"""The files of runs that a table in the folder of their campaign names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gale.campaign import Campaign
from gale.errors import CampaignError
from gale.plumbing.files import exists
from gale.plumbing.progress import Progress
from gale.plumbing.reading import is_within
from gale.plumbing.text import composed
from gale.readers.instrument_folders import is_run_folder


def files_beside(
    root: Path, names: Mapping[str, Sequence[str]], progress: Progress
) -> dict[str, Path]:
    """Find the files of runs in the folder of a table that names them, without searching it.

    Parameters
    ----------
    root : Path
        The folder.
    names : mapping of str to sequence of str
        The runs, as the table names them, and how else they are called. Where the folder has a
        ``metadata.csv``, that says where the file of a run is; otherwise a name is a path in it,
        or one from elsewhere that ends with a path in it.
    progress : Progress
        Receives a note if ``metadata.csv`` is that of no campaign.

    Returns
    -------
    dict of str to Path
        The runs of which there is a file.
    """
    if exists(root / "metadata.csv"):
        try:
            campaign = Campaign.open(root, with_labels=False)
        except CampaignError as error:
            what = f"{len(error.problems):,} problems" if error.problems else str(error)
            progress.note(f"{root / 'metadata.csv'} does not say where the runs are: {what}")
            return {}
        places = dict(zip(map(composed, campaign.runs), campaign.paths, strict=True))
        found = {
            run: [places[name] for name in map(composed, (run, *others)) if name in places]
            for run, others in names.items()
        }
    else:
        found = {
            run: [path for name in (run, *others) for path in _places(root, name)]
            for run, others in names.items()
        }
    there = {run: next(filter(_is_run, paths), None) for run, paths in found.items()}
    return {run: path for run, path in there.items() if path is not None}


def _places(root: Path, name: str) -> Iterator[Path]:
    """Paths in a folder that a path, perhaps of another computer, ends with; longer ones first."""
    parts = re.split(r"[/\\]", name)
    for start in range(len(parts)):
        path = root.joinpath(*parts[start:])
        if is_within(path, root):
            yield path


def _is_run(path: Path) -> bool:
    try:
        return path.is_file() or is_run_folder(path)
    except (OSError, ValueError):
        return False
