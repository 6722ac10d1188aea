"""The options that benchmarks share; each has the same meaning wherever it is offered."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

EARLIER = Path(__file__).with_name("earlier_default.toml")
"""What the recipe `default` was, until it fitted its shares to the campaign at hand."""

SHARED: dict[str, dict[str, Any]] = {
    "--out": {"type": Path, "help": "folder for everything that is made"},
    "--campaigns": {
        "nargs": "+",
        "metavar": "CAMPAIGN",
        "help": "kinds of simulated campaigns, or folders of campaigns",
    },
    "--library": {"type": Path, "help": "MSP file that massbank campaigns are made of"},
    "--recipes": {"nargs": "+", "metavar": "RECIPE", "help": "names of recipes, or TOML files"},
    "--seeds": {"type": int, "nargs": "+", "help": "seeds of training"},
    "--repeats": {"type": int, "default": 5, "help": "how often everything is timed"},
}
"""What argparse needs to know of each."""


CAMPAIGNS = """
Kinds of campaigns, each made by gale simulate --design different and divided as 809 to 312 to 463
runs:
  embedded        of the libraries that come with gale
  embedded-new    the same; compounds and instrument of the test runs are in no other split, but
                  recipes that are pre-trained have seen the compounds
  massbank        of --library, by default $GALE_EXTRA_DATA/libraries/massbank_ei.msp.gz
  massbank-new    the same; compounds and instrument of the test runs are in no other split
"""


def parser(module: str, description: str | None, /, **defaults: Any) -> argparse.ArgumentParser:
    """Make the parser of a benchmark.

    Parameters
    ----------
    module : str
        The dotted name of the benchmark.
    description : str or None
        Its docstring.
    **defaults
        The shared options that it offers, with their defaults; every benchmark has --markdown.
    """
    made = argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=description,
        epilog=CAMPAIGNS if "campaigns" in defaults else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, default in defaults.items():
        words = SHARED[f"--{name}"] | {"default": default}
        shown = [default] if isinstance(default, str | int | Path) else default or ()
        if shown:
            words["help"] += f" (default: {' '.join(map(str, shown))})"
        made.add_argument(f"--{name}", **words)
    made.add_argument("--markdown", action="store_true", help="print tables for documents")
    return made


def tell(text: str) -> None:
    """Say on standard error how far the work is."""
    print(text, file=sys.stderr, flush=True)
