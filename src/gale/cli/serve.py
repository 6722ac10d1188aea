"""`gale serve`: predictions for a laboratory's network."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gale.cli.options import PATH, columns_option
from gale.cli.outputs import WRITTEN_HERE
from gale.cli.printing import echo
from gale.cli.times import DURATION
from gale.cli.wording import in_options

EXAMPLE = """
\b
Examples:
  gale serve --model model.onnx
  gale serve --model new.onnx --model old.onnx --data jobs
  gale serve --model model.onnx --host 0.0.0.0 --token-file token.txt --allow-host gcms.lab
"""

DAY_S = 86_400


@click.command(short_help="Serve a page and an API that predict runs.", epilog=EXAMPLE)
@click.option(
    "--model",
    "models",
    type=PATH,
    multiple=True,
    help="Model file, or its address; by default the model that comes with gale. Repeatable: each "
    "predicts all runs.",
)
@click.option("--host", default="127.0.0.1", show_default=True,
              help="Address to listen on; 0.0.0.0 for all of this computer.")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True,
              help="Port to listen on; 0 for a free one.")  # fmt: skip
@click.option("--data", type=WRITTEN_HERE,
              help="Folder for jobs, files and results; by default one of this user.")  # fmt: skip
@click.option("--token-file", type=PATH,
              help="File with the token that requests must give. Without it, a server that other "
              "computers can reach makes one and prints it.")  # fmt: skip
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME",
              help="Another name by which the server may be called. Repeatable.")  # fmt: skip
@click.option("--keep", type=DURATION, default="30d", show_default=True,
              help="Delete jobs after this time.")  # fmt: skip
@click.option("--max-mb", type=click.FloatRange(min=0.001), default=512, show_default=True,
              help="Largest request in MiB.")  # fmt: skip
@click.option("--workers", type=click.IntRange(1),
              help="Processes that read runs; by default one per core.")  # fmt: skip
@click.option("--seconds", type=click.FloatRange(min=0.1), default=60, show_default=True,
              help="Longest time that reading a run may take.")  # fmt: skip
@click.option("--memory-mb", type=click.FloatRange(min=64), default=2048, show_default=True,
              help="Most memory that reading a run may take, in MiB (not on Windows).")  # fmt: skip
@click.option("--queue", type=click.IntRange(1), default=20_000, show_default=True,
              help="Runs that may wait; further ones are to be sent later.")  # fmt: skip
@click.option("--per-client", type=click.IntRange(1), default=64, show_default=True,
              help="Requests that one address may have at a time.")  # fmt: skip
@columns_option
def command(
    models: tuple[Path, ...],
    host: str,
    port: int,
    data: Path | None,
    token_file: Path | None,
    hosts: tuple[str, ...],
    columns: Mapping[str, str] | None,
    keep: float,
    **limits: Any,
) -> None:
    """Serve a page on which files are dropped, and an API under /api/v1.

    By default only this computer can reach the server. On any other address every request needs a
    token; put a server with TLS before it where the network is not trusted. Jobs and results are
    kept in a folder, so that a server that is stopped or killed goes on where it was. docs/serve.md
    shows the API.
    """
    import gale

    make = gale.web_service  # which says what to install where something is missing
    from gale.serve.running import is_local, listening, new_token, read_token, run

    token = read_token(token_file) if token_file is not None else ""
    if not token and not is_local(host):
        token = new_token()
    folder = data or _default_folder()
    app = make(
        models or {"gale": gale.bundled_model()},
        folder,
        token=token,
        hosts=_names(host, hosts),
        any_address=not is_local(host),
        columns=columns,
        wording=in_options,
        keep_days=keep / DAY_S,
        **limits,
    )
    with listening(host, port) as listener:
        name = socket.gethostname() if host in ("0.0.0.0", "::") else host  # noqa: S104  (compared)
        address = f"http://{f'[{name}]' if ':' in name else name}:{listener.getsockname()[1]}/"
        secret = f"#token={token}" if token and token_file is None else ""
        echo(f"gale serves on {address}{secret} (jobs in {folder}); Ctrl-C ends it")
        run(app, listener)


def _default_folder() -> Path:
    import platformdirs

    return platformdirs.user_data_path("gale", appauthor=False) / "serve"


def _names(host: str, hosts: tuple[str, ...]) -> set[str]:
    """By which names the server may be called."""
    from gale.serve.running import is_local

    return {host, *hosts} | (set() if is_local(host) else {socket.gethostname(), socket.getfqdn()})
