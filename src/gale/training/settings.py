"""The sections of a recipe: what can be chosen, with defaults and limits."""

from __future__ import annotations

from math import ceil
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Tag,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

Share = Annotated[float, Field(ge=0, lt=1)]
PositiveShare = Annotated[float, Field(gt=0, le=1)]
Integers = Annotated[tuple[PositiveInt, ...], Field(strict=False)]  # TOML has lists


class Section(BaseModel):
    """A table of a recipe: a missing key has its default, an unknown one is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class SummarySettings(Section):
    """Summary features, and which m/z they are made of.

    ``mz`` is ``"published"`` (the fixed list), ``"learned"`` (all but the `dropped` m/z of smallest
    variance over the training runs), or a list. Ions outside ``mz_min`` to ``mz_max`` (rounded)
    are ignored from the start.
    """

    kind: Literal["summary"] = "summary"
    mz: Literal["published", "learned"] | Integers = "published"
    dropped: NonNegativeInt = 10
    mz_min: PositiveInt | None = None
    mz_max: PositiveInt | None = None


class ProfileSettings(Section):
    """Profile features: of which time and m/z bins, and how many losses.

    See `gale.features.elution.ElutionSpec` and `gale.features.profile.ProfileSpec`, whose defaults
    these are.
    """

    kind: Literal["profile"]
    bins: PositiveInt = 256
    mz_first: PositiveInt = 12
    mz_last: Annotated[PositiveInt, Field(validate_default=True)] = 350
    baseline: Annotated[float, Field(gt=0, le=1)] = 0.5
    losses: PositiveInt = 60

    @field_validator("mz_last")
    @classmethod
    def _is_not_below_the_first(cls, mz_last: int, info: ValidationInfo) -> int:
        if mz_last < (mz_first := info.data.get("mz_first", 1)):
            raise PydanticCustomError("range", f"Input should be at least mz_first, {mz_first}")
        return mz_last


class EventSettings(ProfileSettings):
    """Event features: a profile, and the spectra of so many of the busiest time bins.

    See `gale.features.events.EventSpec`, whose defaults these are.
    """

    kind: Literal["events"]  # type: ignore[assignment]
    events: PositiveInt = 96


KINDS: dict[str, type[Section]] = {
    "summary features": SummarySettings,
    "profile features": ProfileSettings,
    "events features": EventSettings,
}
"""Sections of features by how messages call them."""


def _kind_of_features(section: Any) -> str:
    """Name the kind of a section that is there, or is to be made; a missing kind is summary."""
    kind = (
        section.get("kind", "summary")
        if isinstance(section, dict)
        else getattr(section, "kind", None)
    )
    return f"{kind} features"


FeatureSettings = Annotated[
    Annotated[SummarySettings, Tag("summary features")]
    | Annotated[ProfileSettings, Tag("profile features")]
    | Annotated[EventSettings, Tag("events features")],
    Discriminator(
        _kind_of_features,
        custom_error_type="kind",
        custom_error_message="Input should be a table of kind 'summary', 'profile' or 'events'",
    ),
]


class NetworkSettings(Section):
    """The network: widths of its hidden layers, and which of its parts are there.

    ``kind`` is ``"summary"`` (dense layers on the features of a run; of event features, on the
    profile) or ``"elution"`` (dense layers on each spectrum of event features). ``standardise``
    says what is done to each feature first: ``"centre"`` subtracts its mean over
    the training runs, ``"full"`` divides by its standard deviation as well. ``dropout`` is the
    share of the outputs of each hidden layer that are left out of every step.
    """

    kind: Literal["summary", "elution"] = "summary"
    hidden: Integers = (1024, 512)
    batch_norm: bool = True
    layer_norm: bool = True
    prior_bias: bool = True
    standardise: Literal["none", "centre", "full"] = "none"
    dropout: Share = 0.0


class LossSettings(Section):
    """Weights of what is added to the binary cross-entropy, and the noise of the grid."""

    hinge: NonNegativeFloat = 0.1
    label_correlation: NonNegativeFloat = 0.1
    label_correlation_noise: NonNegativeFloat = 0.5


class FittingSettings(Section):
    """How one member is trained.

    ``weight_decay``, times the learning rate, is the share that weights lose at each step (AdamW).
    With the ``schedule`` ``"cosine"`` the learning rate rises over the first tenth of the steps and
    then falls along half a cosine, to 0 at the end of the last of the ``epochs``.
    Where there are few runs, ``epochs`` (and ``patience`` with them) are raised until they make
    ``least_steps`` steps. ``products`` is the precision of the factors of matrix products in
    training; weights and evaluation have single precision whatever it is.
    """

    learning_rate: PositiveFloat = 1e-5
    adam_epsilon: PositiveFloat = 1e-7
    batch_size: PositiveInt = 128
    epochs: PositiveInt = 2000
    patience: PositiveInt = 30
    least_steps: NonNegativeInt = 0
    weight_decay: NonNegativeFloat = 0.0
    schedule: Literal["constant", "cosine"] = "constant"
    products: Literal["float32", "bfloat16"] = "float32"

    def lasting(self, n_runs: int) -> tuple[int, int]:
        """Give epochs and patience for so many training runs."""
        steps = ceil(n_runs / self.batch_size)
        epochs = max(self.epochs, ceil(self.least_steps / steps))
        return epochs, ceil(self.patience * epochs / self.epochs)


class SoupSettings(Section):
    """How the members of a fold become one: ``none`` keeps them all in the ensemble.

    ``size`` is the number of members in the soup (of members in all, but for ``fixed``, which
    trains one more in each of its ``iterations``). ``interpolate`` is how far the weights of a
    pre-trained network may go from where they began (0) to where they were fitted to (1); of
    several shares, that one is taken with which the runs that were held out have the least log
    loss.
    """

    kind: Literal["fixed", "greedy", "uniform", "none"] = "fixed"
    size: PositiveInt = 5
    iterations: PositiveInt = 40
    interpolate: Annotated[tuple[PositiveShare, ...], Field(strict=False)] = (1.0,)


class FoldSettings(Section):
    """How runs are held out: in ``count`` folds of train and val, or, if it is 1, the val split.

    Folds keep the prevalence of the family ``stratify_by`` (``"rarest"``: the family with the
    fewest positive runs; ``"all"``: of every family and of derivatized samples, as nearly as can
    be). These two words win over families of that name. ``seed`` shuffles the folds; without it,
    the seed of the training does.
    """

    count: PositiveInt = 10
    stratify_by: str = "rarest"
    seed: NonNegativeInt | None = None


class LogisticSettings(Section):
    """Logistic regression: inverse strength of the L2 penalty, on features as they are ("centre"),
    or divided by their standard deviations ("full")."""  # noqa: D205, D209

    standardise: Literal["centre", "full"] = "full"
    c: PositiveFloat = 0.003
    max_iterations: PositiveInt = 1000


class AugmentSettings(Section):
    """How the spectra of a training run differ each time that an elution network sees them.

    ``abundance`` is the standard deviation of the logarithm of a factor on all signals of a run;
    ``mz_cut`` the share of the runs of which only a random range of m/z is left.
    """

    abundance: NonNegativeFloat = 0.0
    mz_cut: Share = 0.0


class PretrainSettings(Section):
    """Simulated runs that networks are trained on before they see any labelled run.

    The substances are those of the ``libraries`` (files, see `gale.library.read_library`); without
    any, those that gale brings along, which ``"gale"`` stands for beside others. ``families`` is a
    table of families (a file) in place of the published nine. Each ``runs_per_laboratory`` of the
    ``runs`` come from a simulated laboratory of its own, with so many ``instruments``, and have
    ``ions`` ions, about. As many of the last ones validate, but at most half.
    """

    runs: Annotated[int, Field(ge=2)] = 3840
    runs_per_laboratory: PositiveInt = 320
    instruments: PositiveInt = 3
    ions: PositiveInt = 60_000
    libraries: Annotated[tuple[str, ...], Field(strict=False)] = ()
    families: str | None = None
