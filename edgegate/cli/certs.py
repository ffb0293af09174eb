"""C{edgegate certs}: make certificates to try TLS with, and look after those that a gateway has issued itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from edgegate.cli.certs_list import list_certificates
from edgegate.cli.certs_trust import trust
from edgegate.demo.certificates import Unusable, fill

_OTHERS: Mapping[str, click.Command] = {"list": list_certificates, "trust": trust}


class Certs(click.Command):
    """Makes certificates, unless its first word is that of another command."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Return the context of the command that is meant."""
        other = _OTHERS.get(args[0]) if args else None
        if other is not None:
            return other.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Do what is meant."""
        return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)


@click.command(cls=Certs)
@click.argument("names", metavar="NAME[,NAME...] ...", nargs=-1)
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default="certs",
    show_default=True,
    help="The folder they are put in, which is made if needed.",
)
@click.option(
    "--client",
    "clients",
    metavar="NAME",
    multiple=True,
    help="Make a client's certificate for mutual TLS, NAME.crt and NAME.key. Repeatable.",
)
@click.option("--demo", is_flag=True, help="Make what the files in etc/ need, and a stranger's that they refuse.")
@click.option("--force", is_flag=True, help="Replace what is there, the authority included.")
def certs(names: tuple[str, ...], directory: Path, clients: tuple[str, ...], demo: bool, force: bool) -> None:
    """
    Make certificates to try TLS with.

    Each argument is one server's certificate, for one host name, wildcard or
    IP address, or for several with commas between them. Its files are called
    by the first: `edgegate certs shop.example.com,*.shop.example.com` makes

    \b
    certs/shop.example.com.crt, certs/shop.example.com.key
    certs/ca.crt, certs/ca.key       the authority that issues them

    Whoever is to trust them is told of ca.crt: curl --cacert certs/ca.crt.

    Certificates that are there and valid are kept; those of the folder's own
    authority are renewed when they have expired or are to have other names.
    They are made for trials: anyone who can read ca.key can make more of them.

    `edgegate certs list --config DIR` lists those that a gateway has issued by
    the CertificateIssuers of its files, with what comes next for each.
    `edgegate certs trust --config DIR` tells how to trust its local authority.
    """
    if not (names or clients or demo):
        raise click.UsageError("name the hosts to make certificates for, or say --demo for those of etc/")
    try:
        entries = fill(directory, names, clients, demo=demo, force=force)
    except (Unusable, OSError) as error:
        raise click.ClickException(str(error)) from error
    for entry in entries:
        verb = "made" if entry.made else "kept"
        click.echo(f"{verb} {entry.path}: {entry.purpose}, valid until {entry.expiry:%Y-%m-%d}")
