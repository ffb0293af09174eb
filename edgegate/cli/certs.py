"""C{edgegate certs}: make certificates to try TLS with, and look after those that a gateway issues itself."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast

import click

from edgegate.demo.certificates import Unusable, fill

_COMMANDS: Final = {
    "list": ("edgegate.cli.certs_list", "list_certificates"),
    "issue": ("edgegate.cli.certs_issue", "issue"),
    "renew": ("edgegate.cli.certs_issue", "renew"),
    "revoke": ("edgegate.cli.certs_revoke", "revoke"),
    "trust": ("edgegate.cli.certs_trust", "trust"),
}
"""First words that are about certificates which a gateway has issued itself."""


class Certs(click.Command):
    """Makes certificates, unless its first word is one of L{_COMMANDS}."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Return the context of the command that is meant."""
        if not args or args[0] not in _COMMANDS:
            return super().make_context(info_name, args, parent, **extra)
        module, function = _COMMANDS[args[0]]
        command = cast(click.Command, getattr(import_module(module), function))
        return command.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Do what is meant."""
        return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)


def _first_words(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return what may come first and begins so."""
    return [] if context.params.get("names") else [word for word in _COMMANDS if word.startswith(incomplete)]


@click.command(cls=Certs)
@click.argument("names", metavar="NAME[,NAME...] ...", nargs=-1, shell_complete=_first_words)
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

    Those that a gateway issues itself, by the CertificateIssuers of its files:

    \b
    edgegate certs list --config DIR           what there is, and what comes next
    edgegate certs issue --config DIR          have issued what is missing
    edgegate certs renew --config DIR HOST     renew one before it is due
    edgegate certs revoke --config DIR HOST    take one back, and have another
    edgegate certs trust --config DIR          how to trust a local authority
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
