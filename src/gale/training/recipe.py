"""Recipes: every choice that makes a model, in one TOML file."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, LiteralString, cast

from pydantic import (
    BaseModel,
    Field,
    PositiveFloat,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from gale.errors import RecipeError
from gale.plumbing.toml import parse_toml, read_toml_text, unknown_key
from gale.training.settings import (
    KINDS,
    AugmentSettings,
    EventSettings,
    FeatureSettings,
    FittingSettings,
    FoldSettings,
    LogisticSettings,
    LossSettings,
    NetworkSettings,
    PositiveShare,
    PretrainSettings,
    Section,
    SoupSettings,
    SummarySettings,
)


class Part(Section):
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
            named = resources.files("gale") / "training" / "recipes" / f"{name_or_path}.toml"
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
    folder = resources.files("gale") / "training" / "recipes"
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
        where = ".".join(name for name in names if name not in KINDS)
        for parent in parents:
            if parent in KINDS:
                model, where = KINDS[parent], f"{where} (of {parent})"
            elif parent == "parts":
                model = Part
            elif parent == "pretrain":
                model = FittingSettings
            elif parent != "features":
                model = cast(type[BaseModel], model.model_fields[parent].annotation)
        found, expected, remedy = unknown_key(key, list(model.model_fields))
        return f"{where} {found}; " + (remedy or f"expected {expected}")
    where = ".".join(name for name in names if name.isidentifier())  # without kinds of a union
    if detail["type"] == "missing":
        return f"{where} is missing"
    message: str = detail["msg"][0].lower() + detail["msg"][1:]
    if not where:  # of the recipe as a whole
        return message
    return f"{where} = {detail['input']!r}: {message}"
