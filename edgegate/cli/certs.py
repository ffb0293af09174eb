"""C{edgegate certs}: make certificates to try TLS with."""

from __future__ import annotations

from pathlib import Path

import click

from edgegate.demo.certificates import Unusable, fill


@click.command()
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
