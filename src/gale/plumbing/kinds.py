"""Arguments against annotations: what a public function declares is what it accepts."""

from __future__ import annotations

import functools
import inspect
import numbers
import os
import sys
import types
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

import numpy as np
from numpy.typing import ArrayLike

from gale.errors import GaleError
from gale.plumbing.arguments import MADE_BY
from gale.plumbing.frames import ArrowTable

P = ParamSpec("P")
T = TypeVar("T")

_ARRAY_LIKE = {*get_args(ArrayLike)}
"""What numpy calls so, which a union with more takes apart."""

_WORDS = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "a text",
    bytes: "bytes",
    ArrowTable: "a table",
    type(None): "None",
    Mapping: "a mapping",
    Path: "a path",
    os.PathLike: "a path",
    np.ndarray: "an array",
}


def checked(function: Callable[P, T]) -> Callable[P, T]:
    """Check arguments against the annotations of a function, each time before it begins.

    See :func:`checked_but`.

    A list may take the place of a tuple, an array that of a list, and numbers of numpy those of
    Python. Annotations that mean nothing while a program runs are not checked.

    Raises
    ------
    GaleError
        If an argument is of another kind than its annotation.

    Examples
    --------
    >>> @checked
    ... def halve(number: float, times: int = 1) -> float:
    ...     return number / 2**times
    >>> halve(3)
    1.5
    >>> halve("three")
    Traceback (most recent call last):
        ...
    gale.errors.GaleError: number: is 'three'; expected a number
    """
    return checked_but()(function)


def checked_but(*names: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Check all arguments but those with these `names`, which the function checks by itself."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        return _checked(function, names)

    return decorate


def check_against(function: Callable[..., Any], values: Mapping[str, Any]) -> None:
    """Check values against the annotations of a function that takes them as arguments.

    Raises
    ------
    GaleError
        If one is of another kind than its annotation.

    Examples
    --------
    >>> def halve(number: float) -> float: ...
    >>> check_against(halve, {"number": "three"})
    Traceback (most recent call last):
        ...
    gale.errors.GaleError: number: is 'three'; expected a number
    """
    for name, hint in _hints_of(function, ()).items():
        if name in values and not _fits(values[name], hint):
            raise _misfit(name, values[name], hint)


def _hints_of(function: Callable[..., Any], others: Collection[str]) -> dict[str, Any]:
    """Return what the annotations of the arguments mean, but those of `others`."""
    scope = vars(sys.modules[function.__module__])
    return {
        name: hint
        for name, text in function.__annotations__.items()
        if (hint := _evaluated(text, scope)) is not None and name not in ("return", *others)
    }


def _checked(function: Callable[P, T], others: Collection[str]) -> Callable[P, T]:
    signature = inspect.signature(function)

    @functools.cache
    def hints() -> dict[str, Any]:
        return _hints_of(function, others)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            if name not in hints():
                continue
            several = signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
            for each in value if several else (value,):
                if not _fits(each, hints()[name]):
                    raise _misfit(name, each, hints()[name])
        return function(*args, **kwargs)

    return call


def _evaluated(text: Any, scope: dict[str, Any]) -> Any:
    """Return what an annotation means; None if it names what only type checkers import."""
    try:
        return eval(text, scope) if isinstance(text, str) else text  # noqa: S307  (our own code)
    except (NameError, AttributeError, TypeError):
        return None


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any or isinstance(hint, TypeVar) or hint is object:
        return True
    if hint == ArrayLike:
        return _is_numeric(value)
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if {*inside} >= _ARRAY_LIKE:
            others = [each for each in inside if each not in _ARRAY_LIKE]
            if isinstance(value, str):  # numpy takes a text for an array, but a path may be one
                return Path in others and "\0" not in value
            return _is_numeric(value) or any(_fits(value, each) for each in others)
        if isinstance(value, str) and "\0" in value and Path in _classes(inside):
            return False
        return any(_fits(value, each) for each in inside)
    if origin is Literal:
        return isinstance(value, str) and value in inside
    if origin is tuple and Ellipsis not in inside:
        pairs = _is_list(value) and len(value) == len(inside)
        return pairs and all(map(_fits, value, inside))
    if origin in (tuple, Sequence):
        return _is_list(value) and all(_fits(each, inside[0]) for each in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(
            _fits(key, inside[0]) and _fits(each, inside[1]) for key, each in value.items()
        )
    if isinstance(origin, type) and issubclass(origin, Iterable) and origin is not np.ndarray:
        listed = isinstance(value, Iterable) and not isinstance(value, str | bytes)
        again = isinstance(value, Collection)  # an iterator would be used up by looking
        return listed and (not again or all(_fits(each, inside[0]) for each in value))
    kind = origin or hint
    return _is(value, kind) if isinstance(kind, type) else True


def _is(value: Any, kind: type) -> bool:
    """Whether a value is of a class, by the rules of numbers and paths."""
    if kind is IO:
        return hasattr(value, "read") or hasattr(value, "write")
    if kind is float:
        return isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)
    if kind is int:
        return isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)
    if kind is bool:
        return isinstance(value, bool | np.bool_)
    return isinstance(value, os.PathLike if kind is Path else kind)


def _is_list(value: Any) -> bool:
    """Whether a value is a list, a tuple, an array, a series or the like, with items in order."""
    if isinstance(value, str | bytes | Mapping) or not hasattr(value, "__getitem__"):
        return False
    has_one_axis = len(getattr(value, "shape", (0,))) == 1
    return has_one_axis and hasattr(value, "__len__") and hasattr(value, "__iter__")


def _is_numeric(value: Any) -> bool:
    """Whether numpy makes an array of numbers of a value."""
    if isinstance(value, str | bytes | Mapping) or not hasattr(value, "__len__"):
        return False
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, OverflowError):
        return False
    return array.dtype.kind in "biuf" or array.size == 0


def _misfit(name: str, value: object, hint: Any) -> GaleError:
    kinds = _classes(get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,))
    makers = [MADE_BY[kind.__name__] for kind in kinds if kind.__name__ in MADE_BY]
    short = isinstance(value, str | Path | int | float) and len(str(value)) < 100
    return GaleError(
        name,
        f"is {str(value) if isinstance(value, Path) else value!r}"
        if short
        else f"is a value of type {type(value).__name__} that does not fit",
        _words_of(hint),
        " or ".join(f"pass {name}={maker}" for maker in makers),
    )


def _parts(hint: Any) -> list[Any]:
    """Return the alternatives of a hint, without None and without what ArrayLike consists of."""
    parts = list(get_args(hint)) if get_origin(hint) in (Union, types.UnionType) else [hint]
    if {*parts} >= _ARRAY_LIKE:
        parts = [ArrayLike, *(each for each in parts if each not in _ARRAY_LIKE)]
    return [each for each in parts if each is not type(None)]


def _words_of(hint: Any) -> str:
    """Say what is expected; a text that stands for a path is one."""
    words = list(dict.fromkeys(map(_in_words, _parts(hint))))
    return " or ".join(each for each in words if each != "a text" or "a path" not in words)


def _classes(hints: Iterable[Any]) -> list[type]:
    """Return the classes among hints, and those of which hints are special forms."""
    found = [get_origin(each) or each for each in hints]
    return [Path if each is os.PathLike else each for each in found if isinstance(each, type)]


def _in_words(hint: Any) -> str:
    if hint == ArrayLike:
        return "a list or array of numbers"
    origin, inside = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(map(repr, inside))
    if origin is tuple and Ellipsis not in inside:
        return f"{len(inside)} values, each {_in_words(inside[0])}"
    if origin in (tuple, Sequence) or (
        isinstance(origin, type) and issubclass(origin, Iterable) and origin in (set, list)
    ):
        return f"a list of which each is {_words_of(inside[0])}"
    kind = origin or hint
    if kind is IO:
        return "an open file"
    if kind in _WORDS:
        return _WORDS[kind]
    if isinstance(kind, type) and issubclass(kind, Mapping):
        return "a mapping"
    if isinstance(kind, type) and kind.__module__ == "collections.abc":
        return "a list"
    return str(getattr(kind, "__name__", kind))
