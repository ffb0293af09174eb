"""C{edgegate test}: send made-up requests through files, and compare what comes of them with what is expected."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from edgegate.cli import shared_options
from edgegate.config.report import report
from edgegate.route_tests.files import read_files
from edgegate.route_tests.report import miss_lines, summary
from edgegate.route_tests.running import Result, run
from edgegate.sources.loading import load
from edgegate.sources.named import source_named


@click.command(short_help="Compare where requests go with what is expected.")
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option(
    "--config", metavar="DIR", required=True, callback=shared_options.named, help="The files that are tested."
)
@shared_options.selector
@shared_options.map_port
@shared_options.ignore_kind
def test(
    files: tuple[str, ...],
    config: str,
    selector: dict[str, str],
    map_port: dict[int, int],
    ignore_kind: frozenset[str],
) -> None:
    """
    Run the tests in FILEs on the files in DIR, which nobody has to serve.

    A FILE may be a folder: all files in it that hold tests are read. Without any those in DIR are. The exit status
    is 1 where something is otherwise than expected, or can't be read.
    """
    if not files and not Path(config).is_dir():
        raise click.UsageError("name the FILEs of tests: only in a folder they are looked for")
    loaded = load(source_named(config), selector or None, map_port, ignored_kinds=ignore_kind)
    if loaded.snapshot is None:
        report(loaded.problems, sys.stderr, "nothing was tested")
        raise SystemExit(1)
    read = list(read_files(files or (config,)))
    if not read:
        raise click.ClickException(f"no file in {' '.join(files or (config,))} holds tests")
    for each in read:
        if each.problems.errors:
            report(each.problems, sys.stderr, "not read")
    results: list[Result] = []
    for result in run((case for each in read for case in each.cases), loaded.snapshot):
        results.append(result)
        for line in miss_lines(result):
            click.echo(line)
    unreadable = sum(bool(each.problems.errors) for each in read)
    click.echo(summary(results, unreadable))
    if unreadable or not results or any(each.misses for each in results):
        raise SystemExit(1)
