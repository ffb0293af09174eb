"""C{edgegate check}: say what is wrong with files, without serving them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from edgegate.loading import load
from edgegate.options import parse_label, parse_port_map
from edgegate.report import report

T = TypeVar("T")


def _each(parse: Callable[[str], tuple[T, Any]]) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], Any]:
    """Return a callback that makes a dictionary of a repeatable option."""

    def callback(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[T, Any]:
        try:
            return dict(parse(value) for value in values)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback


@click.command()
@click.argument("config", metavar="DIR")
@click.option(
    "--selector",
    metavar="KEY=VALUE",
    multiple=True,
    callback=_each(parse_label),
    help="A label of the gateway; repeatable. Only Gateways whose selector they satisfy are looked at. [default: all]",
)
@click.option(
    "--map-port",
    metavar="FILE:BOUND",
    multiple=True,
    callback=_each(parse_port_map),
    help="The gateway will bind BOUND where the files say FILE; repeatable.",
)
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
def check(config: str, selector: dict[str, str], map_port: dict[int, int], strict: bool) -> None:
    """
    Check the files in DIR as `twistd edgegate --config DIR` would; DIR may be one file, or - for standard input.

    Every problem is printed with its file, line and column. The exit status is 1 if there are errors.
    """
    loaded = load(config, selector or None, map_port)
    report(loaded.problems, sys.stdout)
    if loaded.snapshot is None or (strict and loaded.problems.warnings):
        raise SystemExit(1)
