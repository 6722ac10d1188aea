"""The sections of a recipe: the choices, with defaults and limits."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    Tag,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

Share = Annotated[float, Field(ge=0, lt=1)]
Portion = Annotated[float, Field(ge=0, le=1)]
PositiveShare = Annotated[float, Field(gt=0, le=1)]
Width = Annotated[int, Field(gt=0, le=65_536)]
"""Sizes of layers and numbers of bins; more than anybody trains, and a bound on memory."""

Mz = Annotated[int, Field(gt=0, le=10_000)]
Count = Annotated[int, Field(gt=0, le=1_000_000)]
"""Epochs, steps, runs and members; more would not end."""

# not strict, for TOML has lists
MostMz = Annotated[tuple[Mz, ...], Field(strict=False, min_length=1, max_length=10_000)]
Widths = Annotated[tuple[Width, ...], Field(strict=False, max_length=64)]


class Section(BaseModel):
    """A table of a recipe: a missing key has its default, an unknown one is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _not_below(first: str, last: int, info: ValidationInfo) -> int:
    """Refuse the end of a range that is below its beginning, the key `first`."""
    if last < (least := info.data.get(first) or 1):
        raise PydanticCustomError("range", f"Input should be at least {first}, {least}")
    return last


class SummarySettings(Section):
    """Summary features, and the m/z they are made of.

    ``mz`` is ``"published"`` (a fixed list), ``"learned"`` (all but the ``dropped`` m/z with the
    smallest variance over the training runs), or a list. Ions whose rounded m/z is outside
    ``mz_min`` to ``mz_max`` are ignored from the start.
    """

    kind: Literal["summary"] = "summary"
    mz: Literal["published", "learned"] | MostMz = "published"
    dropped: NonNegativeInt = 10
    mz_min: Mz | None = None
    mz_max: Mz | None = None

    @field_validator("mz_max")
    @classmethod
    def _is_not_below_the_least(cls, mz_max: int | None, info: ValidationInfo) -> int | None:
        return None if mz_max is None else _not_below("mz_min", mz_max, info)


class ProfileSettings(Section):
    """Profile features: time bins, m/z bins, and number of losses.

    See `gale.features.elution.ElutionSpec` and `gale.features.profile.ProfileSpec`, which have the
    same defaults.
    """

    kind: Literal["profile"]
    bins: Width = 256
    mz_first: Mz = 12
    mz_last: Annotated[Mz, Field(validate_default=True)] = 350
    baseline: Annotated[float, Field(gt=0, le=1)] = 0.5
    losses: Mz = 60

    @field_validator("mz_last")
    @classmethod
    def _is_not_below_the_first(cls, mz_last: int, info: ValidationInfo) -> int:
        return _not_below("mz_first", mz_last, info)


class EventSettings(ProfileSettings):
    """Event features: a profile, and the spectra of the ``events`` busiest time bins.

    See `gale.features.events.EventSpec`, which has the same default.
    """

    kind: Literal["events"]  # type: ignore[assignment]
    events: Width = 96


class ApexSettings(EventSettings):
    """Apex features: a profile, and the spectra at ``events`` apexes.

    See `gale.features.apexes.ApexSpec`, which has the same default.
    """

    kind: Literal["apexes"]  # type: ignore[assignment]
    events: Width = 64


KINDS: dict[str, type[Section]] = {
    "summary features": SummarySettings,
    "profile features": ProfileSettings,
    "events features": EventSettings,
    "apexes features": ApexSettings,
}
"""Sections of features, by their names in messages."""


def _kind_of_features(section: Any) -> str:
    """Name the kind of a section, given as a table or as settings; it is summary by default."""
    kind = (
        section.get("kind", "summary")
        if isinstance(section, dict)
        else getattr(section, "kind", None)
    )
    return f"{kind} features"


FeatureSettings = Annotated[
    Annotated[SummarySettings, Tag("summary features")]
    | Annotated[ProfileSettings, Tag("profile features")]
    | Annotated[EventSettings, Tag("events features")]
    | Annotated[ApexSettings, Tag("apexes features")],
    Discriminator(
        _kind_of_features,
        custom_error_type="kind",
        custom_error_message=(
            "Input should be a table of kind 'summary', 'profile', 'events' or 'apexes'"
        ),
    ),
]


class NetworkSettings(Section):
    """The network: widths of its hidden layers, and switches for its ingredients.

    ``kind`` is ``"summary"`` (dense layers on the features of a run; for event features, on the
    profile) or ``"elution"`` (dense layers on each spectrum of event features). ``standardise``
    applies to each feature first: ``"centre"`` subtracts its mean over the training runs,
    ``"full"`` also divides by its standard deviation. ``dropout`` is the share of each hidden
    layer's outputs that a step leaves out.
    """

    kind: Literal["summary", "elution"] = "summary"
    hidden: Widths = (1024, 512)
    batch_norm: bool = True
    layer_norm: bool = True
    prior_bias: bool = True
    standardise: Literal["none", "centre", "full"] = "none"
    dropout: Share = 0.0


class LossSettings(Section):
    """Weights of the terms beside the binary cross-entropy, and the noise of the grid."""

    hinge: NonNegativeFloat = 0.1
    label_correlation: NonNegativeFloat = 0.1
    label_correlation_noise: NonNegativeFloat = 0.5


class FittingSettings(Section):
    """How one member is trained.

    ``weight_decay``, times the learning rate, is the share that weights lose at each step (AdamW).
    With the ``schedule`` ``"cosine"`` the learning rate rises over the first tenth of the steps and
    then falls along half a cosine, to 0 at the end of the last of the ``epochs``.
    For few runs, ``epochs`` and ``patience`` are raised until the epochs make ``least_steps``
    steps. ``products`` is the precision of the factors of matrix products in training; weights and
    evaluation always have single precision. ``"fastest"`` measures which is faster and takes it.
    """

    learning_rate: PositiveFloat = 1e-5
    adam_epsilon: PositiveFloat = 1e-7
    batch_size: Count = 128
    epochs: Count = 2000
    patience: Count = 30
    least_steps: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    weight_decay: NonNegativeFloat = 0.0
    schedule: Literal["constant", "cosine"] = "constant"
    products: Literal["float32", "bfloat16", "fastest"] = "float32"

    def epochs_and_patience(self, n_runs: int) -> tuple[int, int]:
        """Return the epochs and the patience for `n_runs` training runs."""
        steps = math.ceil(n_runs / self.batch_size)
        epochs = max(self.epochs, math.ceil(self.least_steps / steps))
        return epochs, math.ceil(self.patience * epochs / self.epochs)


class SoupSettings(Section):
    """How the members of a fold become one; ``none`` keeps them all in the ensemble.

    ``size`` is the number of members in the soup. It is also the number of members per fold,
    except for ``fixed``, which trains one more in each of its ``iterations``. ``interpolate`` is
    how far the weights of a pre-trained network go from the pre-trained (0) to the fitted ones (1);
    if several shares are given, the one with the lowest held-out log loss is used. With
    ``across_folds``, the members of all folds of a pre-trained network become one in the end.
    """

    kind: Literal["fixed", "greedy", "uniform", "none"] = "fixed"
    size: Count = 5
    iterations: Count = 40
    interpolate: Annotated[tuple[PositiveShare, ...], Field(strict=False)] = (1.0,)
    across_folds: bool = False


class FoldSettings(Section):
    """How runs are held out: in ``count`` folds of train and val; with 1, the val split.

    Every fold has the prevalence of the family ``stratify_by`` (``"rarest"``: the family with the
    fewest positive runs; ``"all"``: as nearly as possible of every family and of derivatized
    samples). These two words take precedence over families with such names. ``seed`` shuffles the
    folds; it defaults to the seed of the training. Runs of one group are never in two folds.

    A val split often differs from train as later runs will: in samples, or in the state of the
    instruments. With ``val`` ``"apart"`` it is one of several folds by itself, and the figures of
    the training are those on it, by members that trained on train alone; it is divided among all
    folds, as with ``"mixed"``, where it is small or shares groups with train.

    In ``elsewhere`` further folds, whole groups of runs that were acquired alike are held out, from
    which runs of other instruments get their calibration (see `gale.training.elsewhere`).
    """

    count: Count = 10
    val: Literal["mixed", "apart"] = "mixed"
    stratify_by: str = "rarest"
    elsewhere: Annotated[int, Field(ge=0)] = 0
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None


class LogisticSettings(Section):
    """Logistic regression, on centred features.

    ``standardise`` ``"full"`` also divides the features by their standard deviations. ``c`` is the
    inverse strength of the L2 penalty, ``max_iterations`` the limit of the solver.
    """

    standardise: Literal["centre", "full"] = "full"
    c: PositiveFloat = 0.003
    max_iterations: Count = 1000


class AugmentSettings(Section):
    """How a training run varies each time a network sees it.

    ``abundance`` is the standard deviation of the logarithm of a factor on all signals of a run,
    ``mz_cut`` the share of runs that keep only a random range of m/z, and ``mixture`` the share of
    runs to which another is added, with its families (see `gale.training.mixtures`). All need
    profile or event features.
    """

    abundance: NonNegativeFloat = 0.0
    mz_cut: Share = 0.0
    mixture: Portion = 0.0


class PretrainSettings(Section):
    """Simulated runs that networks are trained on before they see a labelled run.

    Their compounds come from the ``libraries``: files (see `gale.library.read_library`) or names of
    libraries that were added (see `gale.add_library`); ``"gale"`` stands for the metabolites and
    volatile compounds that come with it, and ``"further"`` for its further substances. By default
    ``"gale"`` and all that were added. ``families`` is a file
    with a table of families that replaces the published nine. Every ``runs_per_laboratory`` of the
    ``runs`` come from one simulated laboratory with ``instruments`` instruments. A run has about
    ``ions`` ions. The last ``runs_per_laboratory`` runs (at most half) are held out for validation.
    With ``shipped``, nothing is simulated: the weights come with gale.
    """

    shipped: bool = False
    runs: Annotated[int, Field(ge=2, le=1_000_000)] = 3840
    runs_per_laboratory: Count = 320
    instruments: Count = 3
    ions: Count = 60_000
    libraries: Annotated[tuple[str, ...], Field(strict=False)] = ()
    families: str | None = None
