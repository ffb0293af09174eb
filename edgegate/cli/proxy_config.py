"""C{edgegate proxy-config}: the tables of C{istioctl proxy-config}, of a gateway that runs or of files."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any

import click
from click.shell_completion import CompletionItem

from edgegate.admin import views
from edgegate.admin.tables import COLUMNS, table
from edgegate.admin.telemetry_view import telemetry
from edgegate.admin.views import Row
from edgegate.cli import shared_options
from edgegate.cli.admin_client import Admin, ask
from edgegate.config.report import report
from edgegate.config.writing import to_yaml
from edgegate.model.clusters import Endpoints
from edgegate.routing.snapshot import Snapshot
from edgegate.sources.loading import LoadOptions, load
from edgegate.sources.named import source_named
from edgegate.tls.acme.care import statuses
from edgegate.tls.secret_store import Secrets

Views = dict[str, list[Row]]

_SHORT = {"l": "listeners", "r": "routes", "c": "clusters", "ep": "endpoints", "s": "secrets"}


class ViewChoice(click.ParamType[str]):
    """The name of a view, also in the singular or as short as istioctl knows it."""

    name = "view"

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> str:
        """Return the full name."""
        for name in (*COLUMNS, "all"):
            if value in (name, name.removesuffix("s")) or _SHORT.get(value) == name:
                return name
        words = f"{value!r} is none of {', '.join((*COLUMNS, 'all'))}"
        raise click.BadParameter(words, context, parameter)

    def shell_complete(
        self, context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the full names that begin so."""
        return [CompletionItem(name) for name in (*COLUMNS, "all") if name.startswith(incomplete)]


@click.command("proxy-config", short_help="Show what a gateway serves, or what files say.")
@click.argument("view", type=ViewChoice(), metavar="|".join((*COLUMNS, "all")))
@click.option("-o", "--output", type=click.Choice(["table", "json", "yaml"]), default="table", show_default=True)
@click.option(
    "--config",
    metavar="DIR",
    callback=shared_options.named,
    help="Show what the files in DIR say; no gateway needs to run.",
)
@shared_options.admin
@shared_options.load_options
def proxy_config(
    view: str,
    output: str,
    config: str | None,
    admin: Admin,
    options: LoadOptions,
) -> None:
    """
    Show what a gateway serves: its listeners, routes, clusters, endpoints,
    secrets or telemetry, each with the file and line that say so.

    The gateway that runs is asked by its admin listener, unless --config names
    files.
    """
    found = _of_gateway(admin) if config is None else _of_files(config, options)
    wanted = {name: found[name] for name in COLUMNS if view in (name, "all")}
    click.echo(_FORMATS[output](wanted), nl=False)


def _of_gateway(admin: Admin) -> Views:
    answer = ask(admin, "GET", "/config_dump")
    if answer.status != 200:
        raise click.ClickException(f"the admin listener answers {answer.status}: {answer.text.strip()}")
    dump: Views = json.loads(answer.text)
    return dump


def _of_files(config: str, options: LoadOptions) -> Views:
    loaded = load(source_named(config), **options)
    if loaded.snapshot is None:
        report(loaded.problems, sys.stderr, "nothing to show")
        raise SystemExit(1)
    return views_of(loaded.snapshot, loaded.endpoints, loaded.secrets)


def views_of(snapshot: Snapshot, endpoints: Endpoints, secrets: Secrets) -> Views:
    """Return all views of a Snapshot that nobody serves."""
    return {
        "listeners": views.listeners(snapshot),
        "routes": views.routes(snapshot),
        "clusters": views.clusters(snapshot),
        "endpoints": views.endpoints(snapshot, said=endpoints),
        "secrets": views.secrets(snapshot, secrets, datetime.now(timezone.utc), statuses(snapshot.certificates)),
        "telemetry": telemetry(snapshot),
    }


def _tables(found: Views) -> str:
    return "\n".join(table(name, rows) for name, rows in found.items())


def _alone(found: Views) -> Views | Sequence[Row]:
    """Return the rows of the only view, or all of them by name."""
    return next(iter(found.values())) if len(found) == 1 else found


def _json(found: Views) -> str:
    return json.dumps(_alone(found), indent=2) + "\n"


def _yaml(found: Views) -> str:
    return to_yaml(_alone(found))


_FORMATS: dict[str, Callable[[Any], str]] = {"table": _tables, "json": _json, "yaml": _yaml}
