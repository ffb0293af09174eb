"""C{edgegate check}: say what is wrong with files, without serving them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from edgegate.cli import shared_options
from edgegate.cli.check_formats import FORMATS
from edgegate.cli.code_explanation import explained
from edgegate.config.problems import Problem, Problems, Severity
from edgegate.config.report import report
from edgegate.explain.redirect_loops import redirect_loops
from edgegate.istio.analysis import analyze
from edgegate.istio.analysis.suppression import Suppression, annotated, suppress
from edgegate.istio.resources import Resources
from edgegate.istio.translate import CompileOptions
from edgegate.istio.translate.reporting import Reporter
from edgegate.model import codes
from edgegate.sources.loading import LoadOptions, load
from edgegate.sources.named import source_named
from edgegate.sources.proofs import warn_of_unreached


def _explain(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is None or context.resilient_parsing:
        return
    try:
        click.echo(explained(value), nl=False)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    context.exit()


def _suppressions(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> Any:
    try:
        return [Suppression.parse(value) for value in values]
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(short_help="Say what is wrong with files, without serving them.")
@click.argument("config", metavar="DIR", callback=shared_options.named)
@shared_options.load_options
@click.option("--portable", is_flag=True, help="Warn of each place where Istio in a cluster would do otherwise.")
@click.option(
    "--suppress",
    "suppressions",
    multiple=True,
    callback=_suppressions,
    metavar="CODE[=KIND NAMESPACE/NAME]",
    help="Do not tell of this code, or not of resources with this name, in which * is anything. May be repeated.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", *FORMATS]),
    default="text",
    show_default=True,
    help="sarif is for code scanning, github for the log of a GitHub workflow.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info"]),
    default="error",
    show_default=True,
    help="The lowest level with which the exit status is 1.",
)
@click.option("--strict", is_flag=True, help="The same as --fail-on warning.")
@click.option(
    "--explain-code",
    metavar="CODE",
    is_eager=True,
    expose_value=False,
    callback=_explain,
    help="Print what a code means, with an example and its mend, and end; all: list them.",
)
def check(
    config: str,
    options: LoadOptions,
    portable: bool,
    suppressions: list[Suppression],
    output: str,
    fail_on: str,
    strict: bool,
) -> None:
    """
    Check the files in DIR as `twistd edgegate --config DIR` would; DIR may be one file, or - for standard input.

    Every problem is printed with its file, line and column, and a code: `--explain-code CODE` says what it means. What
    is told is more than a gateway has to know: only errors keep files from being served. The exit status is 1 if there
    are errors, or what --fail-on says.
    """
    suppressions = list(suppressions)
    reporters: list[Reporter] = []

    def examine(resources: Resources, translation: CompileOptions, problems: Problems) -> None:
        reporters.append(Reporter(resources.virtual_services, problems))
        analyze(resources, translation, problems, portable)
        suppressions.extend(annotated(resources))
        _check_ports(resources, options["port_map"], source.name, problems)

    source = source_named(config)
    loaded = load(
        source,
        **options,
        portable=portable,
        analyze=examine,
        prove=warn_of_unreached,
    )
    problems = loaded.problems
    if loaded.snapshot is not None:
        for diagnostic in redirect_loops(loaded.snapshot):
            reporters[0].report(diagnostic)
    suppress(problems, suppressions, source.name, portable)
    if output == "text":
        report(problems, sys.stdout)
    else:
        click.echo(FORMATS[output](problems, config), nl=False)
    level = Severity.WARNING if strict and fail_on == "error" else Severity[fail_on.upper()]
    if loaded.snapshot is None or any(problem.severity >= level for problem in problems):
        raise SystemExit(1)


def _check_ports(resources: Resources, map_port: Mapping[int, int], source: str, problems: Problems) -> None:
    """Warn of ports to map that no server has."""
    declared = {server.port.number for gateway in resources.gateways for server in gateway.spec.servers}
    for port in sorted(map_port.keys() - declared):
        message = f"--map-port {port}:{map_port[port]}: no server of a Gateway has port {port}"
        problems.add(Problem(source, 1, 1, Severity.WARNING, "", message, code=codes.UNUSED_PORT_MAP))
