"""C{edgegate check}: say what is wrong with files, without serving them."""

from __future__ import annotations

import sys

import click

from edgegate.cli import shared_options
from edgegate.config.report import report
from edgegate.istio.analysis import analyze
from edgegate.sources.loading import load
from edgegate.sources.named import source_named


@click.command(short_help="Say what is wrong with files, without serving them.")
@click.argument("config", metavar="DIR", callback=shared_options.named)
@shared_options.selector
@shared_options.map_port
@shared_options.ignore_kind
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
@click.option("--portable", is_flag=True, help="Warn of each place where Istio in a cluster would do otherwise.")
def check(
    config: str,
    selector: dict[str, str],
    map_port: dict[int, int],
    ignore_kind: frozenset[str],
    strict: bool,
    portable: bool,
) -> None:
    """
    Check the files in DIR as `twistd edgegate --config DIR` would; DIR may be one file, or - for standard input.

    Every problem is printed with its file, line and column. The exit status is 1 if there are errors.
    """
    source = source_named(config)
    loaded = load(source, selector or None, map_port, ignored_kinds=ignore_kind, portable=portable, analyze=analyze)
    report(loaded.problems, sys.stdout)
    if loaded.snapshot is None or (strict and loaded.problems.warnings):
        raise SystemExit(1)
