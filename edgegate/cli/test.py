"""C{edgegate test}: send made-up requests through files, and compare what comes of them with what is expected."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from edgegate.cli import shared_options
from edgegate.cli.test_writing import write_tests
from edgegate.cli.watching import again, look_at
from edgegate.config.report import report
from edgegate.explain.decision import Decider
from edgegate.explain.explanation import Explainer
from edgegate.model.notes import Notes
from edgegate.route_tests.coverage import Coverage, Group
from edgegate.route_tests.coverage_report import coverage_lines, coverage_report
from edgegate.route_tests.files import TestedFile, read_files
from edgegate.route_tests.json_report import json_report
from edgegate.route_tests.junit import junit
from edgegate.route_tests.report import miss_lines, summary
from edgegate.route_tests.running import Result, run
from edgegate.route_tests.story import Story, no_story, story_of
from edgegate.routing.snapshot import Snapshot
from edgegate.sources.loading import Loaded, LoadOptions, load
from edgegate.sources.named import source_named


@click.command(short_help="Compare where requests go with what is expected.")
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option(
    "--config",
    metavar="DIR",
    required=True,
    callback=shared_options.named,
    help="The files that are tested.",
)
@shared_options.load_options
@click.option("--junit", "junit_file", metavar="FILE", help="Write what came of it there, as JUnit's XML.")
@click.option("--coverage", is_flag=True, help="Tell what of the files no test asks for.")
@click.option("--fail-under", metavar="PERCENT", type=click.FloatRange(0, 100), help="How many routes are to be hit.")
@click.option(
    "--write",
    "log",
    metavar="LOG",
    type=click.Path(),
    help="Run none: print tests of the requests in an access log, - for standard input.",
)
@click.option("--watch", is_flag=True, help="Run again whenever a file changes, until Ctrl-C.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def test(
    files: tuple[str, ...],
    config: str,
    options: LoadOptions,
    junit_file: str | None,
    coverage: bool,
    fail_under: float | None,
    log: str | None,
    watch: bool,
    output: str,
) -> None:
    """
    Run the tests in FILEs on the files in DIR, which nobody has to serve.

    A FILE may be a folder: all files in it that hold tests are read. Without any those in DIR are. The exit status
    is 1 where something is otherwise than expected, or can't be read.
    """
    if log is not None and (files or watch):
        raise click.UsageError("--write makes tests, and runs no FILEs")
    if log is not None and (junit_file or coverage or fail_under is not None or output != "text"):
        raise click.UsageError(
            "--write runs no tests: there is nothing for --junit, --coverage, --fail-under or -o json"
        )
    if not files and log is None and not Path(config).is_dir():
        raise click.UsageError("name the FILEs of tests: only in a folder they are looked for")
    reports = _Reports(junit_file, coverage, fail_under, output == "json")

    def once() -> None:
        notes = Notes()
        loaded = load(source_named(config), notes=notes, **options)
        if loaded.snapshot is None:
            report(loaded.problems, sys.stderr, "nothing was tested")
            raise SystemExit(1)
        if log is not None:
            write_tests(log, loaded, options["port_map"])
        elif not _passed(files or (config,), loaded, loaded.snapshot, notes, reports):
            raise SystemExit(1)

    if watch:
        again(once, lambda: look_at((config, *files), but=junit_file))
    else:
        once()


@dataclass(frozen=True, slots=True)
class _Reports:
    """What is told, and where."""

    junit_file: str | None
    coverage: bool
    fail_under: float | None
    json: bool


def _passed(names: Sequence[str], loaded: Loaded, snapshot: Snapshot, notes: Notes, reports: _Reports) -> bool:
    """Run the tests in files, tell what came of it, and return whether all is as expected."""
    read = list(read_files(names))
    if not read:
        raise click.ClickException(f"no file in {' '.join(names)} holds tests")
    results = list(run((case for each in read for case in each.cases), snapshot, loaded.endpoints))
    counted = reports.coverage or reports.fail_under is not None
    covered = _covered(snapshot, notes, results) if counted else None
    under = reports.fail_under
    covers = covered is None or under is None or covered.percent(Group.ROUTES) >= under
    story = story_of(Explainer(Decider(snapshot), loaded.endpoints, notes, loaded.secrets))
    if reports.junit_file is not None:
        _write(reports.junit_file, junit(read, results, () if covered is None else _properties(covered), story))
    if reports.json:
        click.echo(json_report(read, results, None if covered is None else coverage_report(covered), covers))
    else:
        _tell(read, results, story)
        for line in coverage_lines(covered) if covered is not None and reports.coverage else ():
            click.echo(line)
    passed = (
        bool(results) and not any(each.problems.errors for each in read) and not any(each.misses for each in results)
    )
    if not covers and covered is not None:
        click.echo(f"tests hit {covered.percent(Group.ROUTES):.1f} % of the routes, not {under:g} %", err=True)
    return passed and covers


def _covered(snapshot: Snapshot, notes: Notes, results: list[Result]) -> Coverage:
    """Return what of a Snapshot cases have asked for."""
    coverage = Coverage(snapshot, notes)
    for result in results:
        coverage.take(result.outcome.decision, f"{result.case.file}:{result.case.line}")
    coverage.leave_out_unreached()
    return coverage


def _properties(coverage: Coverage) -> Iterator[tuple[str, str]]:
    for group in Group:
        yield f"coverage.{group.value}", f"{coverage.percent(group):.2f}"


STORIES = 5
"""Misses of which the way is told; of more it would hide them."""


def _tell(read: list[TestedFile], results: list[Result], story: Story) -> None:
    """Print what is wrong with files, and every miss, of the first with the way that the request took."""
    unreadable = [each for each in read if each.problems.errors]
    for each in unreadable:
        report(each.problems, sys.stderr, "not read")
    for number, result in enumerate(each for each in results if each.misses):
        for line in miss_lines(result, story if number < STORIES else no_story):
            click.echo(line)
    click.echo(summary(results, len(unreadable)))


def _write(file: str, content: bytes) -> None:
    try:
        Path(file).write_bytes(content)
    except OSError as error:
        raise click.ClickException(f"{file} can't be written: {error.strerror or error}") from None
