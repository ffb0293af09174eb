"""The certificates that a gateway issues itself, as commands find them by its files."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

import click

from edgegate.cli import shared_options
from edgegate.config.report import report
from edgegate.model.certificates import CertificateDirectory, ManagedCertificate
from edgegate.model.hosts import normalise
from edgegate.sources.loading import load
from edgegate.sources.named import source_named
from edgegate.tls.acme.care import LOOK
from edgegate.tls.acme.demand.ledger import Ledger

T = TypeVar("T")

LONGEST_WAIT = 900.0
"""Seconds for what another process does: more than one needs for a certificate."""

_config = click.option(
    "--config",
    metavar="DIR",
    required=True,
    type=click.Path(readable=False),
    callback=shared_options.named,
    help="The files of the gateway.",
)


def certificates_of_files(command: Callable[..., T]) -> Callable[..., T]:
    """Give a command the options C{--config}, C{--selector} and C{--certificate-issuer}."""
    return _config(shared_options.selector(shared_options.certificate_issuer(command)))


def managed_certificates(
    config: str, selector: dict[str, str], certificate_issuer: str | None, outcome: str, *, on_demand: bool = False
) -> list[ManagedCertificate]:
    """
    Return the certificates that are issued by the CertificateIssuers of files, in the order of their hosts.

    @param outcome: What follows where the files have errors, which are told, and end the command.
    @param on_demand: Whether also those that were issued on demand.
    @raise click.ClickException: A storage can't be read.
    """
    loaded = load(source_named(config), selector or None, certificate_issuer=certificate_issuer)
    if loaded.snapshot is None:
        report(loaded.problems, sys.stderr, outcome)
        raise SystemExit(1)
    found = set(loaded.snapshot.certificates)
    for each in loaded.snapshot.on_demand if on_demand else ():
        try:
            found.update(ManagedCertificate(host, each.issuer, each.origin) for host in Ledger(each).hosts())
        except OSError as error:
            raise click.ClickException(told(error)) from error
    return sorted(found, key=lambda each: (each.host, each.issuer.name))


def chosen(certificates: Collection[ManagedCertificate], hosts: Collection[str]) -> list[ManagedCertificate]:
    """
    Return the certificates of hosts.

    @raise click.ClickException: One has none.
    """
    wanted = {_normal(host): host for host in hosts}
    unknown = [host for name, host in wanted.items() if all(each.host != name for each in certificates)]
    if unknown:
        message = f"{', '.join(unknown)}: by these files no certificate is issued for it"
        raise click.ClickException(f"{message}; `edgegate certs list` with the same options shows for which")
    return [each for each in certificates if each.host in wanted]


def _normal(host: str) -> str:
    try:
        return normalise(host)
    except ValueError:
        return host


def check_user(certificates: Collection[ManagedCertificate], user: Callable[[], int] = os.geteuid) -> None:
    """
    See to it that the superuser writes nothing that the gateway's user can't read.

    @raise click.ClickException: A storage is another user's.
    """
    if user() != 0:
        return  # whoever else it is can't write, or may
    storages = {each.issuer.storage for each in certificates}
    for directory in sorted({each.path for each in storages if isinstance(each, CertificateDirectory)}):
        try:
            owner = Path(directory).stat().st_uid
        except OSError:
            continue
        if owner != 0:
            raise click.ClickException(f"{directory} is another user's: run this as that one, as by sudo -u '#{owner}'")


def once_free(
    do: Callable[[], T | None],
    waits: Callable[[], object],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> T | None:
    """
    Do something for a certificate once no other process is at it; L{None}: one is for too long.

    @param do: Returns L{None} where another one is at it.
    @param waits: Called once, where one is.
    """
    begin, told = clock(), False
    while (found := do()) is None and clock() - begin <= LONGEST_WAIT:
        if not told:
            waits()
        told = True
        sleep(LOOK)
    return found


def time_of(seconds: float) -> str:
    """Return seconds since the epoch for people."""
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M} UTC"


def told(error: OSError) -> str:
    """Return why a storage can't be used."""
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)
