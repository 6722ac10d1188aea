"""A page that predicts in the browser: a whole graph and ONNX Runtime Web in one HTML file.

The runtime is not part of gale. It comes from a folder that the user names: the package
onnxruntime-web of the npm registry, unpacked.

The page is in UTF-16, and its binary contents are in letters of 15 bits each: they take a fifteenth
more than they have bytes, where base64 takes a third. Its byte order mark takes precedence over
whatever encoding a web server states.
"""

from __future__ import annotations

import base64
import codecs
import gzip
import hashlib
import json
import re
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gale.errors import GaleError
from gale.model import Model
from gale.plotting.themes import THEMES
from gale.plumbing.reading import read_bytes
from gale.portable.whole import facts_of, whole_graph

CODE, BINARY = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
"""The files of onnxruntime-web that run on the processor."""

FOLDERS = (".", "dist", "onnxruntime-web/dist", "node_modules/onnxruntime-web/dist")
"""Where they are in a folder that has the package."""

GET_RUNTIME = "run `npm pack onnxruntime-web`, unpack what it gets, and pass runtime='package'"
"""How to get the runtime, once, where there is a network; after that everything works offline."""


LETTER_BITS, FIRST_LETTER = 15, 0x1000
"""Bits in a letter of a content, and the letter of 0. The 32,768 letters are all below surrogates;
none of them means anything in HTML."""


class Content(NamedTuple):
    """A binary content of the page: its letters, and of how many bytes they are."""

    letters: str
    size: int


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("gale.portable"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(model: Model, runtime: Path, *, int8: bool = False) -> bytes:
    """Make the page of a model.

    Parameters
    ----------
    model : Model
    runtime : Path
        Folder with the package onnxruntime-web, unpacked or installed.
    int8 : bool
        Store the weights of the networks in 8 bits.

    Raises
    ------
    GaleError
        If the folder has no such package, or not its files.
    ModelError
        As :func:`gale.portable.whole.whole_graph`.
    """
    code, binary = _runtime(runtime)
    facts = facts_of(model, int8=int8)
    scripts = "\n".join(_source(name) for name in ("readers.js", "page.js"))
    style = _style()
    contents = {"runtime": code, "wasm": binary, "graph": whole_graph(model, int8=int8)}
    found = re.search(rb"ONNX Runtime Web v([\w.-]+)", code)
    rendered = (
        _templates()
        .get_template("page.html")
        .render(
            facts=facts,
            facts_json=_inside(json.dumps(facts).replace("<", "\\u003c")),
            contents={name: _packed(data) for name, data in contents.items()},
            policy=_policy(scripts, style),
            runtime_version=found[1].decode() if found else "",
            script=_inside(scripts),
            style=_inside(style),
            version=version("gale-ms"),
        )
    )
    return codecs.BOM_UTF16_LE + f"{rendered}\n".encode("utf-16-le")


def _runtime(folder: Path) -> tuple[bytes, bytes]:
    """The code and the binary of ONNX Runtime Web."""
    for place in FOLDERS:
        if (folder / place / CODE).is_file():
            try:
                return read_bytes(folder / place / CODE), read_bytes(folder / place / BINARY)
            except OSError as error:
                raise GaleError(
                    folder / place / BINARY,
                    f"cannot be read ({error.strerror})",
                    "a file of onnxruntime-web",
                    GET_RUNTIME,
                ) from None
    raise GaleError(
        folder, f"has no file {CODE}", "a folder with the package onnxruntime-web", GET_RUNTIME
    )


def _source(name: str) -> str:
    loader = _templates().loader
    assert loader is not None
    return loader.get_source(_templates(), name)[0]


def _style() -> str:
    light, dark = (
        " ".join(f"--{name}: {colour};" for name, colour in THEMES[theme].names.items())
        for theme in ("light", "dark")
    )
    return (
        f":root {{ color-scheme: light dark; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n{_source('page.css')}"
    )


def _policy(script: str, style: str) -> str:
    """What the page may do: run its own script, its style and WebAssembly; load or send nothing."""

    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    return (
        f"default-src 'none'; script-src 'sha256-{digest(script)}' blob: 'wasm-unsafe-eval'; "
        f"style-src 'sha256-{digest(style)}'; base-uri 'none'; form-action 'none'"
    )


def _packed(data: bytes) -> Content:
    """Pack bytes as gzip in letters, the same for the same bytes."""
    packed = gzip.compress(data, mtime=0)
    bits = np.unpackbits(np.frombuffer(packed, np.uint8))
    padded = np.pad(bits, (0, -len(bits) % LETTER_BITS)).reshape(-1, LETTER_BITS)
    values = np.packbits(np.pad(padded, ((0, 0), (1, 0))), axis=1).view(">u2")
    return Content((values + FIRST_LETTER).astype("<u2").tobytes().decode("utf-16-le"), len(packed))


def _inside(text: str) -> Markup:
    """Put a text inside a script or style element as it is."""
    assert "</" not in text
    return Markup(text)  # noqa: S704 - nothing in it can end the element
