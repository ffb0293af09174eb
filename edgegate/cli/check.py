"""C{edgegate check}: say what is wrong with files, without serving them."""

from __future__ import annotations

import sys

import click

from edgegate.cli import options
from edgegate.loading import load
from edgegate.report import report


@click.command(short_help="Say what is wrong with files, without serving them.")
@click.argument("config", metavar="DIR")
@options.selector
@options.map_port
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
