"""An ablation as text for people: tables in Markdown, and what the numbers mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gale.ablation.results import ENSEMBLE, METHODS, SPLITS, Ablation
from gale.ablation.steps import BASE, SOUP
from gale.plumbing.text import counted, in_markdown

UNKNOWN = "-"


def report_text(ablation: Ablation) -> str:
    """Write the page of an ablation: all but the rows of single trainings."""
    facts = ablation.facts
    return "\n\n".join(
        [
            f"# Ablation of the recipe {in_markdown(facts['recipe']['name'])}",
            _scope(ablation),
            step_table(ablation),
            caution_text(ablation),
            author_text(ablation),
            "![Log loss of each step](table.png)",
            "## Soups over iterations",
            "\n\n".join(_curves(ablation)),
            _methods_text(ablation),
            "![Log loss over iterations](curves.png)\n",
        ]
    )


def step_table(ablation: Ablation) -> str:
    """Write the steps as a table in Markdown, with the training prevalence below."""
    splits = _splits(ablation)
    rows = [["log loss", *splits, "val, author's data"]]
    for row in ablation.table().iter_rows(named=True):
        plus = "" if row["step"] == BASE else "+ "
        cells = [mean_text(row[f"{split}_log_loss"], row[f"{split}_sd"]) for split in splits]
        reported = mean_text(row["author_val_log_loss"], row["author_val_sd"])
        rows.append([f"{plus}{row['step']}", *cells, reported])
    prior = [mean_text(ablation.prior[split], None) for split in splits]
    return aligned([*rows, ["training prevalence", *prior, ""]])


def caution_text(ablation: Ablation) -> str:
    """Say how far the columns can be trusted."""
    chose = "The val split decided when each network stopped and what soups keep"
    if ablation.has_test:
        return (
            f"{chose}, so its figures are optimistic; the test split was not used for any choice."
        )
    return f"{chose}, so these figures are optimistic; no label of the test split is known."


def author_text(ablation: Ablation) -> str:
    """Explain the author's column."""
    author, iterations = ablation.facts["author"], ablation.facts["iterations"]
    return (
        "The last column is what the author of the published system reported for other data, from "
        f"{author['trainings']} trainings per step and a FixedSoup of {author['iterations']} "
        f"iterations (here {iterations}): compare how steps differ, not the values."
    )


def mean_text(mean: float | None, deviation: float | None) -> str:
    """Write a mean, and the standard deviation if there is one."""
    if mean is None:
        return UNKNOWN
    return f"{mean:.4f}" if deviation is None else f"{mean:.4f} ± {deviation:.4f}"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Write a table in Markdown, header first, with columns as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
             for row in rows]  # fmt: skip
    return "\n".join([lines[0], _line("-" * width for width in widths), *lines[1:]])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _splits(ablation: Ablation) -> list[str]:
    return [split for split in SPLITS if ablation.prior[split] is not None]


def _scope(ablation: Ablation) -> str:
    campaign, trainings = ablation.facts["campaign"], ablation.facts["trainings"]
    name = in_markdown(campaign["name"])
    counts = ", ".join(f"{n:,} of {split}" for split, n in campaign["runs"].items() if n)
    return (
        f"Runs of {name}: {counts}. Each step has one more ingredient than the one "
        f"above; mean ± standard deviation over {counted(trainings, 'training')}. {SOUP}: "
        f"{counted(ablation.steps[-1].recipe.soup.size, 'network')} in a soup, "
        f"{counted(ablation.facts['iterations'], 'iteration')}."
    )


def _curves(ablation: Ablation) -> Iterable[str]:
    """Write one table per split: iterations by methods."""
    table = ablation.curve_table()
    cells = {(row["method"], row["iteration"]): row for row in table.iter_rows(named=True)}
    for split in _splits(ablation):
        rows = [[f"iterations, {split}", *METHODS.values()]]
        for iteration in range(ablation.facts["iterations"] + 1):
            chosen = [cells.get((method, iteration), {}) for method in METHODS]
            means = [mean_text(row.get(f"{split}_log_loss"), row.get(f"{split}_sd"))
                     for row in chosen]  # fmt: skip
            rows.append([f"{iteration}", *means])
        yield aligned(rows)


def _methods_text(ablation: Ablation) -> str:
    size = ablation.steps[-1].recipe.soup.size
    return (
        f"After i iterations, {size} + i networks have been fitted, and i more that train on from "
        f"the average of a soup. {METHODS['fixed_soup']}: the best network that trained on. "
        f"{METHODS['greedy_soup']}: networks are averaged, best first, wherever the average gets "
        f"no worse. Ensemble: the probabilities of the {ENSEMBLE} best networks, or of all if "
        f"there are fewer, are averaged. {METHODS['soup_average']}: the average of the soup "
        "itself, which the published code returned. The val split decides what is best."
    )
