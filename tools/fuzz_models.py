"""Damage the facts and the graph of model files, and use each as the command line would.

    python tools/fuzz_models.py --cases 2000 --seed 1

A damaged model may be refused (a GaleError) or work; anything else is a fault, and is printed with
the number of its case. The exit status is 1 if there is one.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests")]

import gale  # noqa: E402
from gale.cli.shows import model as shown  # noqa: E402
from gale.plumbing.toml import toml_lines  # noqa: E402
from helpers.model_files import facts_of, resealed, restated  # noqa: E402

MODELS = [path.read_bytes() for path in sorted((ROOT / "tests/model/models").glob("*.onnx"))]

VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 10**6, 10**400, 0.5, -0.5, 1e300, float("nan"), float("inf"),
    "", "x", "status", "a\nb", "\ud800", "é", "2026", [], {}, [1], [0.5, 0.5], ["a", "b"], [None],
    {"a": 1}, {"name": "a"}, [[]], [[1, 2], [3]],
]  # fmt: skip
"""What a damaged file may have in place of any fact."""

RUN = gale.Run.from_rows(
    np.repeat(np.linspace(0, 10, 61), 5),
    np.tile([18, 57, 65, 91, 95], 61),
    np.arange(305) % 97 + 1.0,
)

MATCHER = gale.Matcher(gale.embedded_library().take(range(20)))

PAGES = 0.1
"""Share of the models with which a page is made, which takes as long as all the rest."""


def run_case(random: np.random.Generator) -> None:
    """Damage a model, and use it.

    Raises
    ------
    GaleError
        If the model is refused, as it should be. Any other error is a fault.
    """
    use(damaged(random), pages=random.random() < PAGES)


def damaged(random: np.random.Generator) -> bytes:
    """A model file with one or two facts, or a few values of its graph, changed."""
    data = MODELS[random.integers(len(MODELS))]
    if random.random() < 0.25:
        return with_other_graph(data, random)
    facts = facts_of(data)
    for _ in range(random.integers(1, 3)):
        facts = with_other_fact(facts, random)
    return restated(data, facts)


def with_other_fact(facts: dict[str, Any], random: np.random.Generator) -> dict[str, Any]:
    """Facts with a value at a random place changed, taken out or doubled."""
    facts = copy.deepcopy(facts)
    places = [*_places(facts)]
    holder, key = places[random.integers(len(places))]
    match random.integers(4):
        case 0:
            del holder[key]
        case 1 if isinstance(holder[key], list):
            holder[key] += holder[key][:1]
        case 2:
            other, at = places[random.integers(len(places))]
            if at in (other if isinstance(other, dict) else range(len(other))):
                holder[key] = copy.deepcopy(other[at])
        case _:
            holder[key] = copy.deepcopy(VALUES[random.integers(len(VALUES))])
    return facts


def _places(value: Any) -> Any:
    """Every place in nested values, as the list or table that has it, and its key."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def with_other_graph(data: bytes, random: np.random.Generator) -> bytes:
    """A file with a graph whose names, operators, constants or outputs are changed."""
    proto = onnx.load_from_string(data)
    graph = proto.graph
    node = graph.node[random.integers(len(graph.node))]
    constant = graph.initializer[random.integers(len(graph.initializer))]
    match random.integers(6):
        case 0:
            node.op_type = graph.node[random.integers(len(graph.node))].op_type
        case 1:
            graph.node.remove(node)
        case 2:
            constant.raw_data = random.bytes(len(constant.raw_data))
        case 3:
            del constant.dims[:]
        case 4:
            graph.output.remove(graph.output[random.integers(len(graph.output))])
        case _:
            node.input[:] = list(reversed(node.input))
    return resealed(proto)


def use(data: bytes, *, pages: bool) -> None:
    """Do with a model what the verbs of the command line do."""
    model = gale.Model(data)
    "\n".join([repr(model), *shown.lines(model)]).encode()
    json.dumps(shown.values(model), allow_nan=False)
    "\n".join(toml_lines(model.facts["recipe"])).encode()
    gale.model_card(model).encode()
    table = model.predict(RUN)
    table.write_csv()
    if table["status"][0] == "ok":
        matcher = MATCHER if model.has_elution_network else None
        gale.explain(model, RUN, matcher=matcher)
        if pages:
            gale.run_report(model, RUN, matcher=matcher).encode()


def main() -> int:
    """Run cases, and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore", gale.GaleWarning)
    outcomes, places = Counter[str](), set[str]()
    for case in range(options.cases):
        try:
            run_case(np.random.default_rng([options.seed, case]))
            outcomes["used"] += 1
        except gale.GaleError as error:
            outcomes[f"refused: {type(error).__name__}"] += 1
            if len(str(error).splitlines()) > 1:
                print(f"case {case}: more than one line: {error}")
                places.add("lines")
        except Exception:  # noqa: BLE001 - whatever it is, it is a finding
            outcomes["fault"] += 1
            text = traceback.format_exc()
            place = "\n".join(text.splitlines()[-4:])
            if place not in places:
                places.add(place)
                print(f"case {case}:\n{text}")
    print(f"seed {options.seed}, {options.cases:,} cases: {dict(outcomes)}")
    return 1 if places else 0


if __name__ == "__main__":
    sys.exit(main())
