"""The command of a page is one that a reader can type again."""

from __future__ import annotations

import shlex

import click

from gale.cli.typed import typed_command


@click.command("report")
@click.argument("runs", nargs=-1)
@click.option("-m", "--model", default="a model")
@click.option("--seed", default=0)
@click.option("--mz", multiple=True, type=int)
@click.option("--force", is_flag=True)
def _report(**_: object) -> None:
    click.echo(typed_command())


def test_what_is_typed_is_what_was_given() -> None:
    group = click.Group("python -m gale", commands=[_report])
    typed = ["report", "x y.csv", "z\x1b.csv", "--seed", "0", "--mz", "44", "--mz", "57", "--force"]
    with click.Context(group, info_name="python -m gale") as parent:
        context = _report.make_context("report", typed[1:], parent=parent)
        with context.scope():
            found = shlex.split(typed_command())
    assert found[:4] == ["gale", "report", "x y.csv", r"z\x1b.csv"]
    assert sorted(found[4:]) == sorted(typed[3:])
    assert "--model" not in found
