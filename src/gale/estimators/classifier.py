"""A classifier of scikit-learn that trains gale's models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from gale.campaign import Campaign
from gale.errors import GaleError, ReadError, warn
from gale.estimators.inputs import cache_of, runs_of
from gale.estimators.labels import Labels, labels_of
from gale.evaluation.metrics import log_loss
from gale.features import PathOrRun
from gale.model.cutoffs import Wish
from gale.plumbing.arguments import check_whole
from gale.plumbing.cache import Cache
from gale.plumbing.kinds import check_against
from gale.plumbing.text import counted, listed
from gale.plumbing.work import Work
from gale.run import Floats, Run
from gale.training import MOST_SEED, Recipe, train
from gale.training.given import train_features

MIDDLE = 0.5
"""Threshold of a family without a cut-off."""


class FamilyClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Which families are in runs, as a classifier of scikit-learn; needs the extra ``sklearn``.

    A fit is :func:`gale.train`: an ensemble with folds, calibration and cut-offs of its own.

    Parameters
    ----------
    recipe : Recipe, str or Path
        As in :func:`gale.train`. With a table of features instead of runs, one whose networks see
        features, such as ``quick``, ``logistic`` or ``published``.
    seed : int
    at : str, Path, mapping or None
        Cut-offs by which :meth:`predict` decides, see :meth:`gale.Model.cutoffs`. A family that has
        none is present from 0.5 on, with a warning; None means 0.5 for all.
    families : sequence of str, length K, optional
        Names of the columns of an array of labels.
    columns : mapping, optional
        Names of columns in the files of runs, as in :func:`gale.read_run`.
    cache : Cache or bool
        True for the usual cache of features, which makes folds and searches read each run once.
    device : str, optional
        ``cpu`` or ``cuda``.

    Attributes
    ----------
    model_ : Model
        What was trained; :meth:`gale.Model.predict` gives a table with a row for each run.
    families_ : tuple of str, length K
    classes_ : array of shape (K, 2) or (2,)
        Absent and present of each family; the two values of labels with one axis.
    thresholds_ : array of shape (K,)
    n_features_in_, feature_names_in_
        Of a table of features.

    Examples
    --------
    >>> import gale, numpy as np
    >>> labels = np.tile([[1, 0], [0, 1], [1, np.nan]], (20, 1))
    >>> features = np.nan_to_num(labels) + np.random.default_rng(0).normal(0, 0.1, labels.shape)
    >>> classifier = gale.FamilyClassifier("logistic", families=["alcohol", "mineral"])
    >>> classifier.fit(features, labels).predict_proba(features).shape
    (60, 2)
    >>> classifier.predict(features)[:2].tolist()
    [[1, 0], [0, 1]]
    """

    def __init__(
        self,
        recipe: Recipe | str | Path = "default",
        *,
        seed: int = 0,
        at: str | Path | Mapping[str, Wish] | None = "f1",
        families: Sequence[str] | None = None,
        columns: Mapping[str, str] | None = None,
        cache: Cache | bool | None = None,
        device: str | None = None,
    ) -> None:
        self.recipe = recipe
        self.seed = seed
        self.at = at
        self.families = families
        self.columns = columns
        self.cache = cache
        self.device = device

    def fit(self, X: Any, y: Any, *, groups: Any = None) -> FamilyClassifier:
        """Train a model.

        Parameters
        ----------
        X : sequence of length R of paths and Runs, Campaign, or table of features of shape (R, D)
            Tables are arrays, or data frames of polars or pandas.
        y : array or table of shape (R, K), or array of shape (R,)
            1 where a family is present, 0 where it is absent, NaN where that is unknown. With one
            axis there is one family, by any two values, of which the larger one means present.
        groups : sequence of length R, optional
            What runs have in common: folds within the training part no group.

        Raises
        ------
        ValueError
            If the shapes do not fit, or `X` or `y` has other values: as scikit-learn says it.
        GaleError
            As :func:`gale.train`, such as for a family that all runs hold.
        """
        check_against(FamilyClassifier.__init__, self.get_params(deep=False))
        check_whole("seed", self.seed, most=MOST_SEED)
        labels = labels_of(y, self.families)
        runs = runs_of(X)
        of_groups = None if groups is None else list(groups)
        recipe = self.recipe if isinstance(self.recipe, Recipe) else Recipe.load(self.recipe)
        if runs is None:
            features = validate_data(self, X, dtype=np.float32, ensure_min_samples=2)
            _check_lengths(len(features), labels)
            self.model_ = train_features(
                features,
                labels.values,
                names=self._names_of(features.shape[1]),
                families=labels.families,
                recipe=recipe,
                groups=of_groups,
                seed=self.seed,
                work=self._work(),
            )
        else:
            self._forget_features()
            _check_lengths(len(runs), labels)
            campaign = Campaign.from_runs(
                runs,
                labels.values,
                families=labels.families,
                groups=of_groups,
                names=_names_of(runs),
                columns=self.columns,
            )
            self.model_ = train(campaign, recipe, seed=self.seed, work=self._work())
        self.families_, self.classes_ = labels.families, labels.classes
        self.thresholds_ = self._thresholds()
        return self

    def predict_proba(self, X: Any) -> Floats:
        """Predict how probable each family is.

        Parameters
        ----------
        X : as for :meth:`fit`

        Returns
        -------
        array of shape (R, K)
            Always, also for one family, unlike other classifiers of scikit-learn.

        Raises
        ------
        ReadError
            If a run cannot be read; `model_.predict` says so in its row instead.
        """
        check_is_fitted(self)
        runs = runs_of(X)
        if runs is not None and not hasattr(self, "n_features_in_"):
            table = self.model_.predict(runs, replace(self._work(), columns=self.columns))
            failed = table.filter(status="failed")
            if len(failed):
                raise ReadError(
                    "X",
                    f"has {counted(len(failed), 'run')} without a prediction; the first: "
                    f"{failed['message'][0]}",
                    "runs that can be read",
                    "leave it out, or call model_.predict, whose table says what failed",
                )
            return table.select(self.families_).to_numpy().astype(np.float64)
        if not hasattr(self, "n_features_in_"):
            raise GaleError("X", "has no runs", "runs, as in fit")
        features = validate_data(self, X, dtype=np.float32, reset=False)
        return self.model_.predict_features(features)[0].astype(np.float64)

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict which families are present: those at or above their cut-off.

        Returns
        -------
        array of shape (R, K), int
            1 for present, 0 for absent; for labels with one axis, one of their values each, (R,).
        """
        present = self.predict_proba(X) >= self.thresholds_
        if self.classes_.ndim == 2:
            return present.astype(np.int64)
        chosen: NDArray[Any] = self.classes_[present[:, 0].astype(np.int64)]
        return chosen

    def score(self, X: Any, y: Any) -> float:
        """Return the negative log loss: the mean over the known labels of a family, then over them.

        Higher is better, as searches want it. Unknown labels do not count.
        """
        probability = self.predict_proba(X)
        if self.classes_.ndim == 2:
            known = labels_of(y, self.families_).values
        else:
            column = np.asarray(y, dtype=self.classes_.dtype)
            known = (column == self.classes_[1]).astype(np.float32)[:, None]
        return -float(log_loss(known, probability))

    def _work(self) -> Work:
        return Work(cache=cache_of(self.cache), device=self.device)

    def _names_of(self, n_features: int) -> list[str]:
        default = [f"x{number}" for number in range(n_features)]
        return list(getattr(self, "feature_names_in_", default))

    def _forget_features(self) -> None:
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self, name):
                delattr(self, name)

    def _thresholds(self) -> Floats:
        """Find the threshold of each family, and warn of those without one."""
        thresholds = np.full(len(self.families_), MIDDLE)
        if self.at is None:
            return thresholds
        cutoffs = self.model_.cutoffs(self.at)
        for number, family in enumerate(self.families_):
            if (found := cutoffs.thresholds[family]) is not None:
                thresholds[number] = found
        if cutoffs.missing:
            why = next(iter(cutoffs.missing.values()))
            warn(f"predict takes {MIDDLE:g} for {listed(cutoffs.missing, 3)}: {why}")
        return thresholds

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = tags.target_tags.multi_output = True
        tags.classifier_tags.multi_class, tags.classifier_tags.multi_label = False, True
        tags.input_tags.string = True
        return tags


def _check_lengths(n_samples: int, labels: Labels) -> None:
    if n_samples != len(labels.values):
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: "
            f"{[n_samples, len(labels.values)]}"
        )


def _names_of(runs: Sequence[PathOrRun]) -> list[str]:
    """Name runs as predictions do; a repeated name gets its number, as for runs drawn again."""
    seen: dict[str, int] = {}
    names = []
    for run in runs:
        name = run.source if isinstance(run, Run) else str(run)
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names
