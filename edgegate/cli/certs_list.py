"""C{edgegate certs list}: the certificates that a gateway has issued itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from random import Random

import click

from edgegate.cli.managed_certificates import certificates_of_files, managed_certificates, time_of, told
from edgegate.model.certificates import ManagedCertificate
from edgegate.tls.acme.care import Care
from edgegate.tls.acme.status import CertificateStatus

Row = Mapping[str, str | int | None]

COLUMNS = ("host", "issuer", "state", "until", "days", "next", "error")


@click.command("list")
@certificates_of_files
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def list_certificates(config: str, selector: dict[str, str], certificate_issuer: str | None, output: str) -> None:
    """
    List the certificates that are issued by the CertificateIssuers of files.

    Each is for one host. What its issuer's storage has of it is read, as the
    gateway's user may: its state, how long it is valid, when something is
    done next, and why the last try failed.
    """
    certificates = managed_certificates(config, selector, certificate_issuer, "nothing to list", on_demand=True)
    try:
        rows = [row(each, time.time) for each in certificates]
    except OSError as error:
        raise click.ClickException(told(error)) from error
    if output == "json":
        click.echo(json.dumps(rows, indent=2))
    elif rows:
        click.echo("\n".join(table(rows)))
    else:
        click.echo("no certificate is issued: no server has a credentialName that no Secret provides, and an issuer")


def row(certificate: ManagedCertificate, clock: Callable[[], float]) -> Row:
    """
    Return what there is to say of a certificate.

    @raise OSError: Its store can't be read.
    """
    care = Care(certificate, clock, Random(0))
    kept, _ = care.look()
    found, now, record = care.status(kept), clock(), kept.record
    return {
        "host": certificate.host,
        "issuer": certificate.issuer.name,
        "state": found.state(now).value,
        "until": time_of(record.end) if record.issued else None,
        "days": int((record.end - now) // 86400) if record.issued else None,
        "next": _next(found),
        "error": record.error or None,
    }


def table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of a table."""
    cells = [[name.upper() for name in COLUMNS]]
    cells += [["-" if each[name] is None else str(each[name]) for name in COLUMNS] for each in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(COLUMNS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]


def _next(found: CertificateStatus) -> str:
    what = "renew" if found.there else "issue"
    return f"{what} {time_of(found.next)}" if found.next else f"{what} now"
