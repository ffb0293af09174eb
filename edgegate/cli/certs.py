"""C{edgegate certs}: make certificates to try TLS with."""

from __future__ import annotations

from pathlib import Path

import click

from edgegate.demo.certificates import DEFAULT_HOSTS, Unusable, fill


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--host",
    "hosts",
    metavar="NAME",
    multiple=True,
    help="Make a server certificate for this host name, wildcard or IP address. Repeatable. "
    f"[default: {', '.join(DEFAULT_HOSTS)}]",
)
@click.option("--force", is_flag=True, help="Replace what is there, the authority included.")
def certs(directory: Path, hosts: tuple[str, ...], force: bool) -> None:
    """
    Make certificates to try TLS with, in DIRECTORY.

    \b
    ca.crt, ca.key                the authority that issues them
    HOST.crt, HOST.key            a server's, for each host
    client.crt, client.key        a client's, for mutual TLS
    stranger.crt, stranger.key    a client's that mutual TLS refuses, because
    stranger-ca.crt               another authority issued it

    Certificates that are there and valid are kept; those of the folder's own
    authority are renewed when they have expired. They are made for trials:
    anyone who can read ca.key can make more of them.
    """
    try:
        entries = fill(directory, hosts or DEFAULT_HOSTS, force=force)
    except (Unusable, OSError) as error:
        raise click.ClickException(str(error)) from error
    for entry in entries:
        verb = "made" if entry.made else "kept"
        click.echo(f"{verb} {entry.path}: {entry.purpose}, valid until {entry.expiry:%Y-%m-%d}")
