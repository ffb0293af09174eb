"""C{edgegate certs list}: the certificates that a gateway has issued itself."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from random import Random

import click

from edgegate.cli import shared_options
from edgegate.config.report import report
from edgegate.model.certificates import ManagedCertificate
from edgegate.routing.snapshot import Snapshot
from edgegate.sources.loading import load
from edgegate.sources.named import source_named
from edgegate.tls.acme.care import Care
from edgegate.tls.acme.demand.ledger import Ledger
from edgegate.tls.acme.status import CertificateStatus

Row = Mapping[str, str | int | None]

COLUMNS = ("host", "issuer", "state", "until", "days", "next", "error")


@click.command("list")
@click.option("--config", metavar="DIR", required=True, callback=shared_options.named, help="The files of the gateway.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@shared_options.selector
@shared_options.certificate_issuer
def list_certificates(config: str, output: str, selector: dict[str, str], certificate_issuer: str | None) -> None:
    """
    List the certificates that are issued by the CertificateIssuers of files.

    Each is for one host. What its issuer's storage has of it is read, as the
    gateway's user may: its state, how long it is valid, when something is
    done next, and why the last try failed.
    """
    loaded = load(source_named(config), selector or None, certificate_issuer=certificate_issuer)
    if loaded.snapshot is None:
        report(loaded.problems, sys.stderr, "nothing to list")
        raise SystemExit(1)
    try:
        certificates = sorted(_all(loaded.snapshot), key=lambda each: (each.host, each.issuer.name))
        rows = [row(each, time.time) for each in certificates]
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}" if error.filename else str(error)) from error
    if output == "json":
        click.echo(json.dumps(rows, indent=2))
    elif rows:
        click.echo("\n".join(table(rows)))
    else:
        click.echo("no certificate is issued: no server has a credentialName that no Secret provides, and an issuer")


def _all(snapshot: Snapshot) -> set[ManagedCertificate]:
    """
    Return what the files name, and what was issued on demand.

    @raise OSError: A store can't be read.
    """
    found = set(snapshot.certificates)
    for each in snapshot.on_demand:
        found.update(ManagedCertificate(host, each.issuer, each.origin) for host in Ledger(each).hosts())
    return found


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
        "until": _time(record.end) if record.issued else None,
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
    return f"{what} {_time(found.next)}" if found.next else f"{what} now"


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M} UTC"
