"""C{edgegate certs revoke}: have the authority take back a certificate that a gateway has issued itself."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import Final

import click

from edgegate.cli.managed_certificates import (
    certificates_of_files,
    check_user,
    chosen,
    managed_certificates,
    once_free,
    told,
)
from edgegate.model.certificates import ManagedCertificate
from edgegate.tls.acme.care import Care
from edgegate.tls.acme.issuing import NotIssued
from edgegate.tls.secrets import load_key_pair

REASONS: Final = {
    "unspecified": 0,
    "keyCompromise": 1,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
}
"""Those of RFC 5280 section 5.3.1 that are for who has a certificate to give; an authority may take fewer."""


@click.command("revoke")
@click.argument("host", metavar="HOST")
@certificates_of_files
@click.option(
    "--reason",
    type=click.Choice([*REASONS]),
    default="unspecified",
    show_default=True,
    help="What the authority is told; keyCompromise where somebody else has the key, or may have.",
)
@click.option("--keep", is_flag=True, help="Don't have it replaced, as where the host is given up.")
@click.option("--yes", is_flag=True, help="Don't ask back.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def revoke(
    host: str,
    config: str,
    selector: dict[str, str],
    certificate_issuer: str | None,
    reason: str,
    keep: bool,
    yes: bool,
    output: str,
) -> None:
    """
    Revoke the certificate of a host, and have another one issued.

    The authority is asked by this command. A gateway with the same storage has
    another certificate with a new key issued within seconds, and serves the
    revoked one until then; with --keep until it would be renewed anyway.

    On a terminal you are asked first. It can't be undone.
    """
    certificates = managed_certificates(config, selector, certificate_issuer, "nothing is revoked", on_demand=True)
    found = chosen(certificates, [host])
    check_user(found)
    if not yes and sys.stdin.isatty():
        click.confirm(
            f"Revoke the certificate for {host} by {', '.join(each.issuer.name for each in found)}?", abort=True
        )
    rows = []
    for each in found:
        try:
            rows.append(_revoked(each, reason, keep))
        except click.ClickException as error:
            error.show()
    if output == "json":
        click.echo(json.dumps(rows, indent=2))
    else:
        then = "it is served on" if keep else "a gateway that runs has another one issued now"
        for row in rows:
            click.echo(f"{row['host']}: certificate {row['serial']} by {row['issuer']} is revoked; {then}")
    if len(rows) < len(found):
        raise SystemExit(1)


def _revoked(certificate: ManagedCertificate, reason: str, keep: bool) -> dict[str, str]:
    """
    Revoke one, and return what there is to say of it.

    @raise click.ClickException: It was not revoked.
    """
    place = f"{certificate.origin}: {certificate.host}"
    try:
        waits = partial(click.echo, f"{certificate.host}: waiting for another process that is at it", err=True)
        found = once_free(partial(Care(certificate).revoke, REASONS[reason], not keep), waits)
    except NotIssued as error:
        raise click.ClickException(f"{place}: not revoked by {certificate.issuer.name}: {error}") from error
    except OSError as error:
        raise click.ClickException(f"{place}: {told(error)}") from error
    if found is None:
        raise click.ClickException(f"{place}: another process is at it, and does not end")
    if found.pair is None:
        raise click.ClickException(f"{place}: there is no certificate by {certificate.issuer.name} to revoke")
    serial = load_key_pair(found.pair)[0][0].serial_number
    return {
        "host": certificate.host,
        "issuer": certificate.issuer.name,
        "serial": f"{serial:x}",
        "reason": reason,
        "replaced": "no" if keep else "yes",
    }
