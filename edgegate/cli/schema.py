"""C{edgegate schema}: write JSON Schemas, by which editors complete and check files."""

from __future__ import annotations

import json
from pathlib import Path

import click

from edgegate.istio.kinds import KINDS
from edgegate.istio.schema.crd import definition_of, definitions_of
from edgegate.istio.schema.documents import folder_schema, kind_schema

_KINDS = {kind.name: kind for kind in KINDS}


@click.command(short_help="Write JSON Schemas, by which editors complete and check files.")
@click.argument("kind", metavar="[KIND]", required=False, type=click.Choice([*_KINDS]))
@click.option(
    "--into",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write all schemas into this folder, which is made if needed: edgegate.schema.json for files with documents "
    "of any kind, KIND.schema.json for those of one.",
)
@click.option(
    "--crd",
    is_flag=True,
    help="Print what tells a Kubernetes cluster of one of edgegate's own kinds, or of all of them.",
)
def schema(kind: str | None, folder: Path | None, crd: bool) -> None:
    """
    Print the JSON Schema (draft 2020-12) of the documents of a KIND; without one, of all that edgegate reads.

    Editors complete names by it, say what they mean, and mark what is no field or
    no value of one. What only several documents together can show, and rules such
    as that weights make 100, `edgegate check` looks at.

    With --crd it is the CustomResourceDefinition of one of edgegate's own kinds, as
    JSON; without a KIND, those of all of them.

    \b
    edgegate schema > edgegate.schema.json
    edgegate schema VirtualService
    edgegate schema --crd | kubectl apply -f -
    """
    if crd:
        if folder is not None:
            raise click.UsageError("--into writes schemas for editors: leave --crd out")
        click.echo(_written(_definition(kind)))
        return
    if folder is None:
        click.echo(_written(folder_schema() if kind is None else kind_schema(_KINDS[kind])))
        return
    if kind is not None:
        raise click.UsageError("--into writes the schemas of all kinds: leave KIND out")
    schemas = {"edgegate": folder_schema(), **{each.name: kind_schema(each) for each in KINDS}}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, made in schemas.items():
            path = folder / f"{name}.schema.json"
            path.write_text(f"{_written(made)}\n")
            click.echo(f"written {path}")
    except OSError as error:
        raise click.ClickException(str(error)) from error


def _definition(kind: str | None) -> object:
    if kind is None:
        return definitions_of(KINDS)
    try:
        return definition_of(_KINDS[kind])
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _written(made: object) -> str:
    return json.dumps(made, indent=2)
