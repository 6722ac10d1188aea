"""The folder of an ablation: tables, figures, a page, and facts."""

from __future__ import annotations

import json
from pathlib import Path

from gale.ablation.figures import plot_curves, plot_steps
from gale.ablation.results import Ablation
from gale.ablation.text import report_text
from gale.plotting import save_figure
from gale.plumbing.files import check_folder_free, check_here, write_csv, writing_folder
from gale.plumbing.kinds import checked

FILES = (
    "ablation.json",
    "ablation.md",
    "curves.csv",
    "curves.png",
    "curves.svg",
    "table.csv",
    "table.png",
    "table.svg",
    "trainings.csv",
)
"""The files in the folder of an ablation."""


@checked
def save_ablation(ablation: Ablation, folder: Path | str, *, force: bool = False) -> None:
    r"""Write the tables, figures and facts of an ablation into a new folder: all `FILES` or none.

    Parameters
    ----------
    ablation : Ablation
    folder : Path or str
    force : bool
        Whether the folder of another ablation may be overwritten.

    Raises
    ------
    OutputError
        If something else is there, or the folder cannot be written.

    Examples
    --------
    In a folder with a campaign:

    >>> from pathlib import Path
    >>> import gale
    >>> text = "features.mz = [57, 91]\nnetwork.hidden = [4]\nfitting.epochs = 2\nsoup.size = 2"
    >>> recipe = gale.Recipe.parse(text, "small.toml", default_name="small")
    >>> campaign = gale.Campaign.open("campaign")
    >>> ablation = gale.ablate(campaign, recipe, trainings=1, iterations=1)
    >>> gale.save_ablation(ablation, "ablation")
    >>> sorted(file.name for file in Path("ablation").glob("*.csv"))
    ['curves.csv', 'table.csv', 'trainings.csv']
    """
    folder = Path(folder)
    check_here(folder)
    check_folder_free(folder, force=force, files=FILES)
    figures = {"table": plot_steps(ablation), "curves": plot_curves(ablation)}
    with writing_folder(folder, replaces=FILES if force else None) as unfinished:
        write_csv(ablation.table(), unfinished / "table.csv")
        write_csv(ablation.trainings, unfinished / "trainings.csv")
        write_csv(ablation.curves, unfinished / "curves.csv")
        (unfinished / "ablation.md").write_text(report_text(ablation), "utf-8")
        facts = json.dumps({**ablation.facts, "prior": ablation.prior}, indent=1, allow_nan=False)
        (unfinished / "ablation.json").write_text(facts, "utf-8")
        for name, figure in figures.items():
            for form in ("png", "svg"):
                save_figure(figure, unfinished / f"{name}.{form}", form)
