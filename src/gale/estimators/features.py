"""Transformers of scikit-learn from runs to features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from gale.errors import GaleError, ReadError
from gale.estimators.inputs import cache_of, need_runs
from gale.features import compute_features, runs_moments
from gale.features.apexes import ApexSpec
from gale.features.elution import ElutionSpec
from gale.features.events import EventSpec
from gale.features.profile import ProfileSpec
from gale.features.spec import FeatureSpec
from gale.features.summary import PUBLISHED_MZ, SummarySpec, learn_mz
from gale.plumbing.arguments import check_whole
from gale.plumbing.cache import Cache
from gale.plumbing.kinds import check_against
from gale.plumbing.text import counted
from gale.plumbing.work import Work
from gale.run import Floats32

MOST = 10_000
"""Largest m/z, and number of bins, losses and spectra."""


class _RunFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What the transformers share: from R runs to an array of shape (R, D)."""

    columns: Mapping[str, str] | None
    cache: Cache | bool | None

    def fit(self, X: Any, y: object = None) -> _RunFeatures:  # noqa: ARG002
        """Settle which features are computed.

        Parameters
        ----------
        X : Campaign, or sequence of length R of paths and Runs
        y : ignored

        Raises
        ------
        GaleError
            If there are no runs, or a parameter does not fit.
        """
        check_against(type(self).__init__, self.get_params(deep=False))
        self.spec_ = self._spec(X)
        self.n_features_out_ = self.spec_.n_features
        return self

    def transform(self, X: Any) -> Floats32:
        """Compute the features of runs.

        Parameters
        ----------
        X : Campaign, or sequence of length R of paths and Runs

        Returns
        -------
        array of shape (R, D), float32
            Always finite.

        Raises
        ------
        ReadError
            If runs cannot be read: leave them out, since an array has no room for what is wrong.
        """
        check_is_fitted(self)
        runs = need_runs(X)
        table = compute_features(runs, self.spec_, self._work())
        if failed := [error for error in table.errors if error is not None]:
            raise ReadError(
                "X",
                f"has {counted(len(failed), 'run')} that cannot be read; the first: {failed[0]}",
                "runs that can be read",
                "leave it out",
            )
        return table.values

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Name the D features: the block that they are of, and their m/z or number in it."""
        check_is_fitted(self)
        spec, names = self.spec_, list[str]()
        for block, place in spec.blocks.items():
            size = place.stop - place.start
            of_mz = spec.mz if len(spec.mz) == size else range(1, size + 1)
            names += [f"{block}_{each}" for each in of_mz]
        if isinstance(spec, EventSpec):
            spectra = range(1, spec.shape[0] + 1)
            names += [f"spectrum{number}_{mz}" for number in spectra for mz in spec.mz]
        return np.array(names, dtype=object)

    def _work(self) -> Work:
        return Work(cache=cache_of(self.cache), columns=self.columns)

    def _spec(self, X: Any) -> FeatureSpec:
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = tags.input_tags.string = True
        return tags


class SummaryFeatures(_RunFeatures):
    """Summary features of runs: seven numbers for each m/z, as published (:doc:`published`).

    Needs the extra ``sklearn``.

    Parameters
    ----------
    mz : str or sequence of int
        ``"published"``, a fixed list; ``"learned"``, all but the `dropped` m/z of smallest variance
        over the runs of :meth:`fit`; or a list of whole numbers.
    dropped : int
    mz_min, mz_max : int, optional
        Ions outside are ignored, as if the instrument had not recorded them.
    columns : mapping, optional
        As in :func:`gale.read_run`.
    cache : Cache or bool
        True for the usual cache, in which features are found again whatever a search tries next.

    Examples
    --------
    Here ``run_file`` is the path of a run.

    >>> import gale
    >>> features = gale.SummaryFeatures(mz=[31, 91]).fit([run_file])
    >>> features.transform([run_file]).shape, features.get_feature_names_out()[:3].tolist()
    ((1, 14), ['mean_31', 'mean_91', 'd1_31'])
    """

    def __init__(
        self,
        mz: Literal["published", "learned"] | Sequence[int] = "published",
        *,
        dropped: int = 10,
        mz_min: int | None = None,
        mz_max: int | None = None,
        columns: Mapping[str, str] | None = None,
        cache: Cache | bool | None = None,
    ) -> None:
        self.mz = mz
        self.dropped = dropped
        self.mz_min = mz_min
        self.mz_max = mz_max
        self.columns = columns
        self.cache = cache

    def _spec(self, X: Any) -> FeatureSpec:
        check_whole("dropped", self.dropped)
        runs, low, high = need_runs(X), self.mz_min, self.mz_max
        if isinstance(self.mz, str) and self.mz not in ("published", "learned"):
            raise GaleError("mz", f"is {self.mz!r}", "published, learned, or a list of m/z")
        if self.mz == "learned":
            moments = list(runs_moments(runs, low, high, self._work()))
            chosen = learn_mz(moments, self.dropped) if moments else ()
        elif self.mz == "published":
            chosen = PUBLISHED_MZ
        else:
            chosen = tuple(sorted({int(each) for each in self.mz}))
        kept = tuple(mz for mz in chosen if (low or 1) <= mz <= (high or mz))
        if not kept:
            raise GaleError("mz", "has no m/z in the range", "one at least", "change mz or mz_min")
        return SummarySpec(kept, low, high)


class ProfileFeatures(_RunFeatures):
    """Profile features of runs: heights and shares of each m/z, and neutral losses.

    They are independent of a run's length; see `gale.features.profile`. Needs the extra
    ``sklearn``.

    Parameters
    ----------
    bins : int
        Time bins of the run.
    mz_first, mz_last : int
        Range of m/z.
    baseline : float
        Quantile over time that counts as background.
    losses : int
        Largest neutral loss.
    columns, cache
        As in :class:`gale.SummaryFeatures`.

    Examples
    --------
    Here ``run_file`` is the path of a run.

    >>> import gale
    >>> features = gale.ProfileFeatures(mz_first=50, mz_last=99, losses=10).fit([run_file])
    >>> features.transform([run_file]).shape
    (1, 110)
    """

    def __init__(
        self,
        *,
        bins: int = 256,
        mz_first: int = 12,
        mz_last: int = 350,
        baseline: float = 0.5,
        losses: int = 60,
        columns: Mapping[str, str] | None = None,
        cache: Cache | bool | None = None,
    ) -> None:
        self.bins = bins
        self.mz_first = mz_first
        self.mz_last = mz_last
        self.baseline = baseline
        self.losses = losses
        self.columns = columns
        self.cache = cache

    def _spec(self, X: Any) -> FeatureSpec:
        need_runs(X)
        return self._profile()

    def _profile(self) -> ProfileSpec:
        for name in ("bins", "losses", "mz_first"):
            check_whole(name, getattr(self, name), 1, MOST)
        check_whole("mz_last", self.mz_last, self.mz_first, MOST)
        if not 0 < self.baseline <= 1:
            raise GaleError("baseline", f"is {self.baseline}", "a share above 0, at most 1")
        image = ElutionSpec(self.bins, self.mz_first, self.mz_last, self.baseline)
        return ProfileSpec(image, self.losses)


class EventFeatures(ProfileFeatures):
    """Event features of runs: their profile, then the spectra of their busiest time bins.

    Needs the extra ``sklearn``.

    Parameters
    ----------
    events : int
        Number of spectra.
    bins, mz_first, mz_last, baseline, losses, columns, cache
        As in :class:`gale.ProfileFeatures`.

    Examples
    --------
    Here ``run_file`` is the path of a run.

    >>> import gale
    >>> features = gale.EventFeatures(events=4, mz_first=50, mz_last=99, losses=10).fit([run_file])
    >>> features.transform([run_file]).shape, features.get_feature_names_out()[-1]
    ((1, 310), 'spectrum4_99')
    """

    _kind: ClassVar[type[EventSpec]] = EventSpec

    def __init__(
        self,
        *,
        events: int = 96,
        bins: int = 256,
        mz_first: int = 12,
        mz_last: int = 350,
        baseline: float = 0.5,
        losses: int = 60,
        columns: Mapping[str, str] | None = None,
        cache: Cache | bool | None = None,
    ) -> None:
        super().__init__(
            bins=bins,
            mz_first=mz_first,
            mz_last=mz_last,
            baseline=baseline,
            losses=losses,
            columns=columns,
            cache=cache,
        )
        self.events = events

    def _spec(self, X: Any) -> FeatureSpec:
        need_runs(X)
        check_whole("events", self.events, 1, MOST)
        return self._kind(self._profile(), self.events)


class ApexFeatures(EventFeatures):
    """Apex features of runs, those of the recipe default: their profile, then spectra at apexes.

    Needs the extra ``sklearn``.

    Parameters
    ----------
    events : int
        Number of spectra, of the places where ions rise and fall together.
    bins, mz_first, mz_last, baseline, losses, columns, cache
        As in :class:`gale.ProfileFeatures`.

    Examples
    --------
    Here ``run_file`` is the path of a run.

    >>> import gale
    >>> features = gale.ApexFeatures(events=4, mz_first=50, mz_last=99, losses=10).fit([run_file])
    >>> features.transform([run_file]).shape, features.get_feature_names_out()[-1]
    ((1, 310), 'spectrum4_99')
    """

    _kind = ApexSpec

    def __init__(
        self,
        *,
        events: int = 64,
        bins: int = 256,
        mz_first: int = 12,
        mz_last: int = 350,
        baseline: float = 0.5,
        losses: int = 60,
        columns: Mapping[str, str] | None = None,
        cache: Cache | bool | None = None,
    ) -> None:
        super().__init__(
            events=events,
            bins=bins,
            mz_first=mz_first,
            mz_last=mz_last,
            baseline=baseline,
            losses=losses,
            columns=columns,
            cache=cache,
        )
