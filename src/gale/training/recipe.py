"""Recipes: every choice that makes a model, in one TOML file."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, ValidationError, model_validator

from gale.errors import RecipeError, warn
from gale.features.joined import MOST
from gale.plumbing.kinds import checked
from gale.plumbing.toml import parse_toml, read_toml_text
from gale.training.recipe_errors import Reading, misfit
from gale.training.settings import (
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

RECIPES = resources.files("gale") / "training" / "recipes"
"""The recipes that come with gale."""


class Part(Section):
    """One kind of member: what its members are and how they are made.

    ``kind`` is ``network`` (folds of soups of networks), ``logistic`` (one logistic regression per
    fold and family) or ``matching`` (the matching network that comes with gale, which is not
    fitted); the last two ignore network, loss, fitting and soup. ``pretrain`` says how a network is
    first fitted to simulated runs; without it, none is. ``share`` is the weight of the part's
    logits in the mean over parts; those of parts without it are fitted to held-out runs.
    A part of a stack may see ``features`` of its own; without any, it sees those of the recipe.
    """

    name: str
    share: PositiveFloat | None = None
    kind: Literal["network", "logistic", "matching"] = "network"
    network: NetworkSettings = NetworkSettings()
    loss: LossSettings = LossSettings()
    augment: AugmentSettings = AugmentSettings()
    pretrain: FittingSettings | None = None
    fitting: FittingSettings = FittingSettings()
    soup: SoupSettings = SoupSettings()
    logistic: LogisticSettings = LogisticSettings()
    features: FeatureSettings | None = None  # last: the order of keys is part of fingerprints

    @property
    def sees_events(self) -> bool:
        """Whether its members look at the single spectra of event features."""
        if self.kind == "network":
            return self.network.kind == "elution"
        return self.kind == "matching"


OF_PARTS = {"share", "network", "loss", "augment", "pretrain", "fitting", "soup", "logistic"}
"""Keys that a stack has in its parts only."""

RENAMED = {"calibration_way": "calibration_strength"}
"""Keys of older recipes and model files, and what they are called now."""


class Recipe(Part):
    """Every choice that makes a model.

    A recipe of kind ``stack`` has several ``parts`` instead of the keys of a part. If ``calibrate``
    is true, or there are parts, probabilities are calibrated on held-out runs;
    ``calibration_strength`` is the share of the fitted calibration that is applied. ``weights`` is
    the precision in which the model file stores the weights of the networks.
    ``pretraining`` describes the simulated runs for parts with ``pretrain``.

    Examples
    --------
    >>> from gale import Recipe
    >>> Recipe.load("quick").network.hidden
    (256, 128)
    >>> mine = Recipe.parse('''
    ... name = "mine"
    ... [fitting]
    ... epochs = 50
    ... ''', "mine.toml")
    >>> mine.fitting.epochs, mine.fitting.batch_size
    (50, 128)
    """

    kind: Literal["network", "logistic", "stack"] = "network"  # type: ignore[assignment]
    features: FeatureSettings = SummarySettings()
    folds: FoldSettings = FoldSettings()
    calibrate: bool = False
    calibration_strength: PositiveShare = 1.0
    weights: Literal["float32", "float16", "int8"] = "float32"
    pretraining: PretrainSettings = PretrainSettings()
    parts: Annotated[tuple[Part, ...], Field(strict=False)] = ()

    @model_validator(mode="before")
    @classmethod
    def _rename_old_keys(cls, choices: Any) -> Any:
        """Accept the keys of older recipes and model files."""
        if not isinstance(choices, dict):
            return choices
        for old, new in RENAMED.items():
            if old in choices and new in choices:
                raise misfit(old, f"is the old name of {new}, which is there, too", f"remove {old}")
        return {RENAMED.get(key, key): value for key, value in choices.items()}

    @model_validator(mode="after")
    def _fits_together(self) -> Recipe:
        if self.kind == "stack" and not self.parts:
            raise misfit("kind", "is 'stack', but there are no parts", "add [[parts]]")
        if self.kind != "stack" and self.parts:
            raise misfit("parts", "are there, but this is no stack", "set kind = 'stack'")
        if self.folds.elsewhere == 1:
            raise misfit("folds.elsewhere", "is 1", "set it to 0 or to 2 or more")
        if self.folds.elsewhere and not (self.calibrate or self.parts):
            raise misfit("folds.elsewhere", "is set, but nothing is calibrated",
                          "set calibrate = true, or remove it")  # fmt: skip
        if self.parts and (misplaced := sorted(self.model_fields_set & OF_PARTS)):
            raise misfit(misplaced[0], "is outside the parts of the stack", "move it into a part")
        if "features" in self.model_fields_set and self.features not in self.all_features:
            raise misfit("features", "are there, but all parts have features of their own",
                          "remove one of them")  # fmt: skip
        if (number := len(self.all_features)) > MOST:
            raise misfit("parts.features", f"are {number} different ones", f"have at most {MOST}")
        names = [part.name.casefold() for part in self.parts]
        for at, name in enumerate(names):
            if not name.isidentifier() or name in names[:at]:
                raise misfit(
                    "parts.name",
                    f"is {self.parts[at].name!r}",
                    "give each part a name of its own, made of letters, digits and _",
                )
        if not self.parts and self.share is not None:
            raise misfit("share", "is there, but this is no stack", "remove it")
        shares = [part.share for part in self.parts if part.share is not None]
        if len(shares) < len(self.parts) and sum(shares) > 1 - 1e-9:
            raise misfit(
                "parts.share",
                f"adds up to {sum(shares):g}, which leaves nothing to the parts without it",
                "let it add up to less than 1, or set it in all parts",
            )
        simulated = self.pretraining.model_fields_set - {"shipped"}
        if self.pretraining.shipped and simulated:
            raise misfit(
                f"pretraining.{min(simulated)}",
                "is there, but with pretraining.shipped nothing is simulated",
                "remove one of them",
            )
        for part in self.members_of:
            _check_part(part, f"parts.{part.name}." if self.parts else "", self.features_of(part))
        return self

    def __init__(self, **choices: Any) -> None:
        """Make a recipe of choices by name.

        Raises
        ------
        RecipeError
            If there is an unknown name or a wrong value.
        """
        try:
            self.__pydantic_validator__.validate_python(choices, self_instance=self)
        except ValidationError as error:
            raise RecipeError.of_several(
                Reading(type(self), "Recipe", choices).problems(error)
            ) from None

    # so that model_validate, whose errors name a file, goes its own way
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @property
    def members_of(self) -> tuple[Part, ...]:
        """The parts that the members belong to: those of a stack, or the recipe itself."""
        return self.parts or (self,)

    def features_of(self, part: Part) -> FeatureSettings:
        """The features that the members of a part see."""
        return part.features or self.features

    @property
    def all_features(self) -> tuple[FeatureSettings, ...]:
        """The distinct features of all parts; those of the first elution network are first."""
        parts = sorted(
            self.members_of, key=lambda part: part.kind == "matching" or not part.sees_events
        )
        return tuple(dict.fromkeys(map(self.features_of, parts)))

    @classmethod
    @checked
    def load(cls, name_or_path: str | Path) -> Recipe:
        """Read a recipe that comes with gale, by name, or any TOML file.

        A key with an old name is read, and a `GaleWarning` says the new one.

        Raises
        ------
        RecipeError
            If there is no such recipe, or it has an unknown key or a wrong value.
        """
        path = Path(name_or_path)
        if path.suffix != ".toml":
            if str(name_or_path) not in recipe_names():
                raise RecipeError(
                    str(name_or_path) or "recipe",
                    "is not the name of a recipe",
                    f"one of {', '.join(recipe_names())}, or a file ending in .toml",
                )
            named = RECIPES / f"{name_or_path}.toml"
            return cls.parse(named.read_text("utf-8"), f"recipe {name_or_path}")
        text = read_toml_text(path, "a recipe", RecipeError)
        return cls.parse(text, str(path), default_name=path.stem)

    @classmethod
    @checked
    def parse(cls, text: str, source: str, default_name: str | None = None) -> Recipe:
        """Read a recipe from TOML text; messages name `source`.

        Raises
        ------
        RecipeError
            If it is not TOML, or has an unknown key or a wrong value.
        """
        choices = parse_toml(text, source, "a recipe", RecipeError)
        if default_name is not None:
            choices.setdefault("name", default_name)
        recipe = cls.of(choices, source)
        for old, new in RENAMED.items():
            if old in choices:
                warn(f"{source}: {old} is now called {new}; rename it")
        return recipe

    @classmethod
    def of(cls, choices: dict[str, Any], source: str) -> Recipe:
        """Make a recipe of choices as :meth:`to_dict` gives them; messages name `source`.

        Raises
        ------
        RecipeError
            If it has an unknown key or a wrong value.
        """
        try:
            return cls.model_validate(choices)
        except ValidationError as error:
            raise RecipeError.of_several(Reading(cls, source, choices).problems(error)) from None

    def to_dict(self) -> dict[str, Any]:
        """Return all choices that count as plain values, defaults included."""
        ignored = OF_PARTS if self.parts else {"parts"}
        if self.features not in self.all_features:
            ignored = ignored | {"features"}
        if all(part.pretrain is None for part in self.members_of):
            ignored = ignored | {"pretraining"}
        if not (self.calibrate or self.parts):
            ignored = ignored | {"calibration_strength"}
        choices = self.model_dump(mode="json", exclude=ignored, exclude_none=True)
        if self.pretraining.shipped and "pretraining" in choices:
            choices["pretraining"] = {"shipped": True}
        return choices


def recipe_names() -> list[str]:
    """Name the recipes that come with gale."""
    return sorted(file.name[:-5] for file in RECIPES.iterdir() if file.name.endswith(".toml"))


def _check_part(part: Part, where: str, features: FeatureSettings) -> None:
    """Refuse a part that contradicts itself, or the features that it sees."""
    on_events = isinstance(features, EventSettings)
    kind = f"{where if part.features else ''}features.kind"
    needs_events = f"set {kind} = 'apexes'"
    if part.kind != "network":
        why = "is not fitted" if part.kind == "matching" else "has no network"
        for name in ("pretrain", "augment"):
            if getattr(part, name) != Part.model_fields[name].default:
                raise misfit(f"{where}{name}", f"is there, but a {part.kind} part {why}",
                              "remove it")  # fmt: skip
        if part.kind == "matching" and not on_events:
            raise misfit(f"{where}kind", "is 'matching', but the features have no events",
                          needs_events)  # fmt: skip
        if part.kind == "matching" and part.share is None:
            raise misfit(f"{where}share", "is missing, but held-out runs cannot tell what matches "
                          "with references are worth where compounds are new",
                          "set it, to 0.2 as in default")  # fmt: skip
        return
    if part.network.kind == "elution" and not on_events:
        raise misfit(f"{where}network.kind", "is 'elution', but the features have no events",
                      needs_events)  # fmt: skip
    if part.network.kind == "elution" and part.network.standardise != "none":
        raise misfit(
            f"{where}network.standardise",
            f"is {part.network.standardise!r} for an elution network, which takes spectra as "
            "they are",
            "set it to 'none'",
        )
    if part.augment != AugmentSettings() and isinstance(features, SummarySettings):
        raise misfit(f"{where}augment", "is there, but summary features cannot be varied",
                      f"set {kind} = 'apexes' or 'profile'")  # fmt: skip
    if not part.soup.interpolate:
        raise misfit(f"{where}soup.interpolate", "is empty", "give at least one share")
    if part.pretrain is None and part.soup.interpolate != (1.0,):
        raise misfit(f"{where}soup.interpolate", "is set for a network that is not pre-trained",
                      "add pretrain, or remove it")  # fmt: skip
    if part.pretrain is None and part.soup.across_folds:
        raise misfit(f"{where}soup.across_folds", "is set for a network that is not pre-trained",
                      "add pretrain, or remove it")  # fmt: skip
    if part.pretrain is not None and not on_events:
        raise misfit(f"{where}pretrain", "is there, but the features have no events",
                      needs_events)  # fmt: skip
