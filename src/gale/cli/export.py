"""`gale export`: a model for software that has no Python."""

from __future__ import annotations

from pathlib import Path

import click

from gale.cli.models import VARIABLE, files_of_model, open_model
from gale.cli.options import PATH, force_option, output_option
from gale.cli.outputs import plan
from gale.cli.printing import echo

EXAMPLE = """
\b
Examples:
  gale export --whole -o whole.onnx
  gale export model.onnx --whole --int8 -o small.onnx
  gale export model.onnx --page --runtime package -o gale.html
"""


@click.command(short_help="Export a model for use without Python.", epilog=EXAMPLE)
@click.argument("model_path", metavar="[MODEL]", required=False, type=PATH, envvar=VARIABLE)
@click.option(
    "--whole",
    is_flag=True,
    help="Write one ONNX graph that goes from the ions of a run to the probabilities.",
)
@click.option(
    "--page",
    is_flag=True,
    help="Write an HTML page that predicts runs in a browser; needs --runtime.",
)
@click.option(
    "--runtime",
    metavar="FOLDER",
    type=PATH,
    help="Folder with ONNX Runtime Web, which becomes part of the page: the npm package "
    "onnxruntime-web, unpacked or installed.",
)
@click.option(
    "--int8",
    is_flag=True,
    help="Store the weights of the networks in 8 bits: a smaller file, slightly different "
    "probabilities.",
)
@output_option("File to write.")
@force_option()
def command(
    model_path: Path | None,
    whole: bool,
    page: bool,
    runtime: Path | None,
    int8: bool,
    output: Path,
    force: bool,
) -> None:
    """Export MODEL for use without Python: as a graph for other software, or as a page.

    By default MODEL is the one that $GALE_MODEL names, or else the model that comes with gale.

    A model file takes features that gale computes. A whole graph has these features in front of the
    model, in standard operators of ONNX: any software with ONNX Runtime, in C++, JavaScript or
    another language, gives it the ions of a run and gets the same probabilities. gale itself reads
    model files only.

    A page takes CSV, ANDI and mzML runs by drop and shows their probabilities, chromatogram and
    evidence over time. It is one file, works offline, and cannot send anything. ONNX Runtime Web
    becomes part of it and does not come with gale: `npm pack onnxruntime-web` gets it once; unpack
    it, and name the folder "package" as --runtime.

    Neither judges whether a run is doubtful, as gale predict does, except by its distance from the
    training runs.
    """
    if whole == page:
        raise click.UsageError("say what to export: --whole or --page")
    if page != (runtime is not None):
        raise click.UsageError("--page and --runtime need each other")
    import gale
    from gale.plumbing.reading import size_of
    from gale.plumbing.text import counted, display_name

    plan([output], files_of_model(model_path), force=force)
    model = open_model(model_path)
    if runtime is None:
        gale.export_whole(model, output, int8=int8, force=force)
    else:
        gale.export_page(model, output, runtime=runtime, int8=int8, force=force)
    size = size_of(output)
    families = counted(len(model.families), "family", "families")
    echo(f"{display_name(output)}: {families}, {size / 1e6:,.2f} MB")
