"""What a verb or a call is going to write, checked as a whole before any work is done."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from gale.errors import OutputError
from gale.plumbing.files import check_free, check_here
from gale.plumbing.locks import claimed
from gale.plumbing.remote import address_of

Given = ParamSpec("Given")
Result = TypeVar("Result")


@contextmanager
def planned(
    outputs: Iterable[Path], inputs: Iterable[Path] = (), *, force: bool = False
) -> Iterator[None]:
    """Check files to be written, and claim them until the end of the block.

    Parameters
    ----------
    outputs : iterable of Path
        All files that will be written, those beside the one that was asked for included.
    inputs : iterable of Path
        Files and folders that are read.
    force : bool
        Whether existing files may be overwritten.

    Raises
    ------
    OutputError
        As :func:`plan_outputs`, or if another process writes one of them.
    """
    outputs = list(outputs)
    plan_outputs(outputs, inputs, force=force)
    with ExitStack() as stack:
        for each in outputs:
            stack.enter_context(claimed(each))
        yield


def claiming(
    *names: str, folder: str = ""
) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """Let a function claim the outputs that these keyword arguments name while it is at work.

    Parameters
    ----------
    *names : str
        Arguments that are the path of a file, or None.
    folder : str, optional
        An argument that is the path of a folder, or None; the folders above it are made.
    """

    def decorate(function: Callable[Given, Result]) -> Callable[Given, Result]:
        @wraps(function)
        def call(*arguments: Given.args, **named: Given.kwargs) -> Result:
            with ExitStack() as stack:
                for name in (*names, folder):
                    if (given := named.get(name)) is None:
                        continue
                    path = Path(str(given))
                    check_here(path)
                    if name == folder:
                        make_folder(path.parent)
                    if path.parent.is_dir():  # otherwise the function says so
                        stack.enter_context(claimed(path))
                return function(*arguments, **named)

        return call

    return decorate


def make_folder(folder: Path, *, parents: bool = True) -> None:
    """Make a folder, and with `parents` those above it, unless it exists.

    Raises
    ------
    OutputError
    """
    check_here(folder)
    try:
        folder.mkdir(parents=parents, exist_ok=True)
    except OSError as error:
        raise OutputError(
            folder,
            f"cannot be made as a folder ({error.strerror or error})",
            remedy="choose another place",
        ) from error


def plan_outputs(
    outputs: Iterable[Path], inputs: Iterable[Path] = (), *, force: bool = False
) -> None:
    """Check files to be written: each may be, none is written twice, and none is read.

    See :func:`planned` for the parameters.

    Raises
    ------
    OutputError
        If one exists and `force` is false, is a folder, or is in a folder that does not exist or
        may not be written to; if two are the same; or if one is read, under whatever name.

    Examples
    --------
    >>> plan_outputs([Path("run.csv")], [Path("other.csv")])
    >>> plan_outputs([Path("x.json"), Path("X.json")])
    Traceback (most recent call last):
        ...
    gale.errors.OutputError: X.json: would be written twice; expected ...
    """
    outputs = list(outputs)
    for output in outputs:
        check_free(output, force=force)
    check_different(outputs)
    check_no_input(outputs, inputs)


def check_different(outputs: Iterable[Path]) -> None:
    """Refuse to write a file twice; names that some file systems take for one are the same.

    Raises
    ------
    OutputError
    """
    taken: set[tuple[Path, str]] = set()
    for output in outputs:
        place = output.parent.resolve(), _folded(output.name)
        if place in taken:
            raise OutputError(
                output, "would be written twice", "a name for each output", "choose another name"
            )
        taken.add(place)


def check_no_input(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Refuse to overwrite what is read: a file, anything in a folder of a run, or a folder with it.

    Raises
    ------
    OutputError
        If one of `outputs` is one of `inputs`, under whatever name, is in one or holds one.
    """
    outputs = list(outputs)
    written = {identity: each for each in outputs if (identity := _identity(each)) is not None}
    addresses = {address for each in outputs if (address := address_of(each)) is not None}
    if not written and not addresses:
        return
    around = {
        identity: output
        for output in written.values()
        for place in output.resolve().parents
        if (identity := _identity(place)) is not None
    }
    seen: set[Path] = set()
    for each in inputs:
        if addresses and (address := address_of(each)) in addresses:
            raise _is_input(each, "is one of the input files")
        identity = _identity(each)
        if identity in around:
            raise _is_input(around[identity], f"is in {each}, which is read")
        if identity in written:
            raise _is_input(written[identity], "is one of the input files")
        for place in () if identity is None else each.resolve().parents:
            if place in seen:
                break
            seen.add(place)
            if (above := _identity(place)) in written:
                raise _is_input(written[above], f"holds {each}, an input")


def _is_input(output: Path, found: str) -> OutputError:
    return OutputError(output, found, "something that is not read", "choose another name")


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells files apart, under whatever names; None if there is no such file."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
