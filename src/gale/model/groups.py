"""What a model states of the groups of its training runs, in words that say what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gale.plumbing.text import counted, in_words, listed

FLATTERS = 1.1
"""Factor from which random folds are said to flatter; less may be chance of how folds are drawn."""

RARELY = 0.1
"""Share of groups with different labels below which groups are like repeats of one sample."""

RELATED = 0.1
"""Share of the log loss of groups that labels explain, from which both are said to be related."""


def sentences_on_groups(facts: Mapping[str, Any]) -> list[str]:
    """Say what the facts of a model tell of groups, and of runs of other instruments."""
    said = group_sentences(facts["groups"]) if "groups" in facts else []
    return said + ([_elsewhere(facts["elsewhere"])] if "elsewhere" in facts else [])


def group_sentences(groups: Mapping[str, Any]) -> list[str]:
    """Say what the groups of a training do to its figures, and what follows for the laboratory.

    Parameters
    ----------
    groups : mapping
        The fact ``groups`` of a model.

    Returns
    -------
    list of str
        Sentences, the most general first.
    """
    said = [
        f"The training runs are of {counted(groups['count'], 'group')}, the largest of "
        f"{counted(groups['largest'], 'run')}; "
        + (
            "held-out figures are by members that saw no run of the same group."
            if groups["apart"]
            else "members saw other runs of the groups that they are scored on, so the held-out "
            "figures flatter."
        )
    ]
    if baseline := groups.get("baseline"):
        said.append(_flattery(baseline))
        if told := groups.get("told"):
            said.append(_batch_effect(told, baseline))
    if groups["mixed"] < RARELY:
        said.append(
            "The runs of a group have the same labels, as have repeats of a sample: for what can "
            f"be learned, these are {groups['count']:,} samples. Measure more samples rather than "
            "more repeats; if the groups are batches, measure every family in several of them."
        )
    if single := groups["single"]:
        said.append(
            f"All positive runs of {listed(map(in_words, single))} are of one group, so no figure "
            "says whether the model finds that in another. Measure it in a second group."
        )
    return said


def _elsewhere(elsewhere: Mapping[str, Any]) -> str:
    """Say how members do on instruments that they saw no run of, and what is made of it."""
    known, other = elsewhere["as_here_log_loss"], elsewhere["log_loss"]
    said = (
        f"On {counted(elsewhere['runs'], 'run')} of instruments or methods held out in "
        f"{elsewhere['folds']} parts, members that saw none of their runs have a log loss of "
        f"{known:.3f} (training prevalence: {elsewhere['prior_log_loss']:.3f})"
    )
    if "calibration" not in elsewhere:  # as for Model.far
        return f"{said}; the calibration of known instruments is used for others, too."
    return (
        f"{said}, and of {other:.3f} with a calibration of their own, which runs get the more, the "
        "further they are from the training runs (alone from a distance of "
        f"{elsewhere['far']:.2f})."
    )


def _flattery(baseline: Mapping[str, Any]) -> str:
    """Put the log losses of the baseline by group and in random folds beside each other."""
    factor = baseline["factor"]
    return (
        "Side by side, a logistic regression has a held-out log loss of "
        f"{baseline['by_group']:.3f} if whole groups are held out and of {baseline['random']:.3f} "
        f"if random runs are (training prevalence: {baseline['prior']:.3f}): "
        + (
            "random folds would look better than new groups will, by a factor of "
            if factor["value"] >= FLATTERS
            else "here, random folds would hardly flatter, factor "
        )
        + f"{factor['value']:.2f} (95 % interval over groups: {factor['low']:.2f} to "
        f"{factor['high']:.2f})."
    )


def _batch_effect(told: Mapping[str, Any], baseline: Mapping[str, Any]) -> str:
    """Compare how well groups and families can be told, as shares of the prior's log loss."""
    families, features = 1 - baseline["by_group"] / baseline["prior"], told["explained"]
    is_better = features > max(families, 0)
    said = (
        f"The {told['groups']} largest groups can be told from the features "
        f"{'better' if is_better else 'less well'} than the families can: "
        f"{_percent(features)} of the prior's log loss is explained against {_percent(families)}, "
        f"and {_percent(told['right'])} of the runs are given to their group, "
        f"{_percent(told['largest'])} if all were given to the largest. "
    )
    if told["by_labels"] >= max(features / 2, RELATED):
        return said + (
            f"But the labels alone explain {_percent(told['by_labels'])}: families and groups go "
            "together, so a model may learn one for the other. Measure samples of every family in "
            "every group."
        )
    if not is_better:
        return f"{said}That is little sign of a batch effect."
    return said + (
        f"The labels alone explain {_percent(told['by_labels'])}, so this is a batch effect, which "
        "a model may learn instead of the compounds. Measure samples of every family in several "
        "groups, in random order and with blanks, and more groups rather than more runs of each."
    )


def _percent(share: float) -> str:
    return f"{max(share, 0):.0%}".replace("%", " %")
