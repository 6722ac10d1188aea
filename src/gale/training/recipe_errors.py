"""What is wrong in a recipe, in words: one error for each key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from gale.errors import RecipeError
from gale.plumbing.toml import unknown_key
from gale.training.settings import KINDS

EXPECTED = {
    "bool_type": "true or false",
    "model_type": "a table",
    "string_type": "a text",
    "too_long": "a list of at most {max_length}",
    "too_short": "a list of at least {min_length}",
    "tuple_type": "a list",
}
"""What pydantic's types of errors expect, where TOML has another word for it."""


def misfit(place: str, found: str, remedy: str) -> PydanticCustomError:
    """Make an error of keys that do not go together, with the fields of a `RecipeError`."""
    return PydanticCustomError(
        "misfit", "{place} {found}; {remedy}", {"place": place, "found": found, "remedy": remedy}
    )


@dataclass(frozen=True)
class Reading:
    """Choices that were read as a recipe.

    Parameters
    ----------
    model : type of BaseModel
        The recipe.
    source : str
        Name of the file, for messages.
    choices : dict
    """

    model: type[BaseModel]
    source: str
    choices: dict[str, Any]

    def problems(self, error: ValidationError) -> list[RecipeError]:
        """Say what is wrong, one error for each key."""
        expected: dict[str, list[str]] = {}
        problems: dict[str, RecipeError] = {}
        for detail in error.errors():
            problem = self._problem(detail)
            expected.setdefault(problem.source, []).append(problem.expected)
            problems.setdefault(problem.source, problem)
        return [
            RecipeError(place, problem.found, " or ".join(expected[place]), problem.remedy)
            for place, problem in problems.items()
        ]

    def _problem(self, detail: ErrorDetails) -> RecipeError:
        """Say what is wrong with a key."""
        if detail["type"] == "misfit":
            context = detail["ctx"]
            place = f"{self.source}: {context['place']}"
            return RecipeError(place, context["found"], "", context["remedy"])
        if detail["type"] == "extra_forbidden":
            return self._unknown_key(detail["loc"])
        place = f"{self.source}: {self._place(detail['loc'])}"
        if detail["type"] == "missing":
            return RecipeError(place, "is missing")
        expected = detail["msg"].removeprefix("Input should be ")
        if detail["type"] in EXPECTED:
            expected = EXPECTED[detail["type"]].format(**detail.get("ctx", {}))
        return RecipeError(place, f"is {detail['input']!r}", expected)

    def _place(self, keys: tuple[int | str, ...]) -> str:
        """Name a place in the choices; a part by its name, or else by its number from 1."""
        names = []
        for at, key in enumerate(keys):
            if isinstance(key, str) and key.isidentifier():
                names.append(key)
            elif isinstance(key, int) and keys[at - 1] == "parts":
                parts = self.choices["parts"]
                part = parts[key] if isinstance(parts, list | tuple) else None
                name = part.get("name") if isinstance(part, dict) else getattr(part, "name", None)
                is_named = isinstance(name, str) and name.isidentifier()
                names.append(str(name if is_named else key + 1))
        return ".".join(names)

    def _unknown_key(self, keys: tuple[int | str, ...]) -> RecipeError:
        """Refuse an unknown key; offer the nearest known one, or else list them all.

        Parameters
        ----------
        keys : tuple of int or str
            The key after the sections that it is in; the features are followed by their kind.
        """
        *parents, key = (name for name in keys if isinstance(name, str))
        model, place = self.model, ".".join(filter(None, (self._place(keys[:-1]), key)))
        for parent in parents:
            if parent in KINDS:
                model, place = KINDS[parent], f"{place} (of {parent})"
            elif parent != "features":
                section = model.model_fields[parent].annotation
                model = (get_args(section) or (section,))[0]  # of several, or of one or none
        return RecipeError(f"{self.source}: {place}", *unknown_key(key, list(model.model_fields)))
