"""Recipes: every choice that makes a model, in one TOML file."""

from __future__ import annotations

from importlib import resources
from math import ceil
from pathlib import Path
from typing import Annotated, Any, Literal, LiteralString, cast

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
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from gale.errors import RecipeError
from gale.toml import parse_toml, read_toml_text, unknown_key

Share = Annotated[float, Field(ge=0, lt=1)]
PositiveShare = Annotated[float, Field(gt=0, le=1)]
Integers = Annotated[tuple[PositiveInt, ...], Field(strict=False)]  # TOML has lists


class _Section(BaseModel):
    """A table of a recipe: a missing key has its default, an unknown one is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class SummarySettings(_Section):
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


class ProfileSettings(_Section):
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


_KINDS: dict[str, type[_Section]] = {
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


class NetworkSettings(_Section):
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


class LossSettings(_Section):
    """Weights of what is added to the binary cross-entropy, and the noise of the grid."""

    hinge: NonNegativeFloat = 0.1
    label_correlation: NonNegativeFloat = 0.1
    label_correlation_noise: NonNegativeFloat = 0.5


class FittingSettings(_Section):
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


class SoupSettings(_Section):
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


class FoldSettings(_Section):
    """How runs are held out: in ``count`` folds of train and val, or, if it is 1, the val split.

    Folds keep the prevalence of the family ``stratify_by`` (``"rarest"``: the family with the
    fewest positive runs; ``"all"``: of every family and of derivatized samples, as nearly as can
    be). These two words win over families of that name. ``seed`` shuffles the folds; without it,
    the seed of the training does.
    """

    count: PositiveInt = 10
    stratify_by: str = "rarest"
    seed: NonNegativeInt | None = None


class LogisticSettings(_Section):
    """Logistic regression: inverse strength of the L2 penalty, on features as they are ("centre"),
    or divided by their standard deviations ("full")."""  # noqa: D205, D209

    standardise: Literal["centre", "full"] = "full"
    c: PositiveFloat = 0.003
    max_iterations: PositiveInt = 1000


class AugmentSettings(_Section):
    """How the spectra of a training run differ each time that an elution network sees them.

    ``abundance`` is the standard deviation of the logarithm of a factor on all signals of a run;
    ``mz_cut`` the share of the runs of which only a random range of m/z is left.
    """

    abundance: NonNegativeFloat = 0.0
    mz_cut: Share = 0.0


class PretrainSettings(_Section):
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


class Part(_Section):
    """Members of one kind: what they are and how they are made.

    ``kind`` is ``network`` (folds of soups of networks) or ``logistic`` (a logistic regression for
    each fold and family; network, loss, fitting and soup are then ignored). ``pretrain`` is how a
    network is fitted to simulated runs first, if it is. ``share`` is the part's weight in the mean
    logit, beside those of the other parts; without it, weights are fitted to the runs that were
    held out.
    """

    name: str
    share: PositiveFloat | None = None
    kind: Literal["network", "logistic"] = "network"
    network: NetworkSettings = NetworkSettings()
    loss: LossSettings = LossSettings()
    augment: AugmentSettings = AugmentSettings()
    pretrain: FittingSettings | None = None
    fitting: FittingSettings = FittingSettings()
    soup: SoupSettings = SoupSettings()
    logistic: LogisticSettings = LogisticSettings()


OF_PARTS = {"share", "network", "loss", "augment", "pretrain", "fitting", "soup", "logistic"}
"""What only parts of a stack have."""


class Recipe(Part):
    """Every choice that makes a model.

    A recipe of kind ``stack`` has several ``parts`` in place of what a part is made of. If
    ``calibrate`` is true, or there are parts, probabilities are calibrated on the runs that were
    held out: ``calibration_way`` is how much of the way from none to the fitted calibration is
    gone. ``pretraining`` is what parts with ``pretrain`` are pre-trained on.
    """

    kind: Literal["network", "logistic", "stack"] = "network"  # type: ignore[assignment]
    features: FeatureSettings = SummarySettings()
    folds: FoldSettings = FoldSettings()
    calibrate: bool = False
    calibration_way: PositiveShare = 1.0
    pretraining: PretrainSettings = PretrainSettings()
    parts: Annotated[tuple[Part, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Recipe:
        if (self.kind == "stack") != bool(self.parts):
            raise PydanticCustomError("parts", "A recipe of kind 'stack', and no other, has parts")
        if self.parts and self.model_fields_set & OF_PARTS:
            raise PydanticCustomError(
                "parts",
                "What members are made of belongs into the parts of a stack",
            )
        names = [part.name.casefold() for part in self.parts]
        if len(set(names)) < len(names) or not all(map(str.isidentifier, names)):
            raise PydanticCustomError("parts", "Each part should have a plain name of its own")
        if not self.parts and self.share is not None:
            raise PydanticCustomError("parts", "Only parts of a stack have a share")
        if len({part.share is None for part in self.parts}) > 1:
            raise PydanticCustomError("parts", "Either all parts of a stack or none have a share")
        on_events = isinstance(self.features, EventSettings)
        for part in self.members_of:
            if misfit := _misfit(part, on_events):
                raise PydanticCustomError("parts", misfit)
        return self

    @property
    def members_of(self) -> tuple[Part, ...]:
        """The parts that members are made of: the recipe itself, unless it is a stack."""
        return self.parts or (self,)

    @classmethod
    def load(cls, name_or_path: str | Path) -> Recipe:
        """Read a recipe that gale brings along, by name, or any TOML file.

        Raises
        ------
        RecipeError
            If there is no such recipe, or something in it is unknown or of the wrong kind.
        """
        path = Path(name_or_path)
        if path.suffix != ".toml":
            if str(name_or_path) not in recipe_names():
                raise RecipeError(
                    f"{name_or_path}: no recipe of this name; expected one of "
                    f"{', '.join(recipe_names())}, or a file ending in .toml"
                )
            named = resources.files("gale") / "recipes" / f"{name_or_path}.toml"
            return cls.parse(named.read_text("utf-8"), f"recipe {name_or_path}")
        text = read_toml_text(path, "a recipe", RecipeError)
        return cls.parse(text, str(path), default_name=path.stem)

    @classmethod
    def parse(cls, text: str, source: str, default_name: str | None = None) -> Recipe:
        """Read a recipe from TOML text; `source` is named in messages.

        Raises
        ------
        RecipeError
        """
        data = parse_toml(text, source, "a recipe", RecipeError)
        if default_name is not None:
            data.setdefault("name", default_name)
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            wrong = "; ".join(dict.fromkeys(_explain(cls, detail) for detail in error.errors()))
            raise RecipeError(f"{source}: {wrong}") from None

    def to_dict(self) -> dict[str, Any]:
        """Return all choices that count as plain values, defaults included."""
        ignored = OF_PARTS if self.parts else {"parts"}
        if all(part.pretrain is None for part in self.members_of):
            ignored = ignored | {"pretraining"}
        if not (self.calibrate or self.parts):
            ignored = ignored | {"calibration_way"}
        return self.model_dump(mode="json", exclude=ignored, exclude_none=True)


def recipe_names() -> list[str]:
    """Names of the recipes that gale brings along."""
    folder = resources.files("gale") / "recipes"
    return sorted(file.name[:-5] for file in folder.iterdir() if file.name.endswith(".toml"))


def _misfit(part: Part, on_events: bool) -> LiteralString | None:
    """Say what of a part does not go with the features, or with itself."""
    if part.kind == "logistic":
        return None if part.pretrain is None else "Only networks can be pre-trained"
    if part.network.kind == "elution" and not on_events:
        return "An elution network needs features of kind 'events'"
    if part.network.kind == "elution" and part.network.standardise != "none":
        return "An elution network looks at spectra as they are: standardise = 'none'"
    if not part.soup.interpolate:
        return "soup.interpolate should name at least one share"
    if part.pretrain is None and part.soup.interpolate != (1.0,):
        return "Only what is pre-trained can be interpolated: soup.interpolate needs pretrain"
    if part.pretrain is not None and not on_events:
        return "Pre-training needs features of kind 'events'"
    return None


def _explain(model: type[BaseModel], detail: Any) -> str:
    """Say in one clause what is wrong with a key, and offer the nearest known one."""
    names = [part for part in detail["loc"] if isinstance(part, str)]
    if detail["type"] == "extra_forbidden":
        *parents, key = names
        where = ".".join(name for name in names if name not in _KINDS)
        for parent in parents:
            if parent in _KINDS:
                model, where = _KINDS[parent], f"{where} (of {parent})"
            elif parent == "parts":
                model = Part
            elif parent == "pretrain":
                model = FittingSettings
            elif parent != "features":
                model = cast(type[BaseModel], model.model_fields[parent].annotation)
        known = list(model.model_fields)
        return unknown_key(where, key, known)
    where = ".".join(name for name in names if name.isidentifier())  # without kinds of a union
    if detail["type"] == "missing":
        return f"{where} is missing"
    message: str = detail["msg"][0].lower() + detail["msg"][1:]
    if not where:  # of the recipe as a whole
        return message
    return f"{where} = {detail['input']!r}: {message}"
