"""What the service log says of listeners and certificates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from edgegate.model.addresses import Address
from edgegate.model.tls import Credential
from edgegate.routing.snapshot import Listener, Snapshot
from edgegate.tls.acme.keys import is_placeholder
from edgegate.tls.secret_store import Secrets
from edgegate.tls.secrets import EXPIRES_SOON, expiry

_SHOWN = 4


def served(
    snapshot: Snapshot, secrets: Secrets, bound: Mapping[Address, Address], now: datetime
) -> Iterator[tuple[str, str]]:
    """
    Yield what is served, line by line, each with the name of its level.

    @param bound: The addresses that are bound, by what the listeners bind.
    @param now: Aware.
    """
    if not snapshot.listeners:
        yield "info", "no listener is open: no Gateway says so"
    for listener in snapshot.listeners:
        address = bound.get(listener.bind)
        what = f"{kinds(listener)} on {address}{mapped(listener)} for {hosts(listener)}"
        yield "info", f"serving {what} ({listener.origin})"
    issued = {each.credential for each in snapshot.certificates}
    for credential, ends in certificates(snapshot, secrets):
        if credential in issued and is_placeholder(secrets.pair(credential)):
            until = (
                "its clients are refused" if secrets.pair(credential).withheld else "clients are shown a placeholder"
            )
            yield "info", f"certificate {credential.name} is to be issued: until then {until}"
            continue
        days = (ends - now).days
        level = "warn" if days < EXPIRES_SOON.days and credential not in issued else "info"
        yield level, f"certificate {credential.name} is valid for {days} more days"


def kinds(listener: Listener) -> str:
    """Return what a listener serves: C{HTTP and TLS passthrough}."""
    chains = [listener.plain] if listener.plain is not None else []
    chains.extend(chain for _, chain in listener.secure.items())
    names = []
    for chain in chains:
        secure = chain is not listener.plain
        if chain.http is not None:
            name = "HTTPS" if secure else "HTTP"
        else:
            name = "TCP" if not secure else "TLS" if chain.tls is not None else "TLS passthrough"
        if name not in names:
            names.append(name)
    return " and ".join(names)


def hosts(listener: Listener) -> str:
    """Return the host patterns of a listener, the first of them where there are many."""
    names = [] if listener.plain is None else list(listener.plain.hosts)
    names.extend(name for name, _ in listener.secure.items() if name not in names)
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def mapped(listener: Listener) -> str:
    """Return a remark where another port is bound than the files say, else nothing."""
    bound = getattr(listener.bind, "port", listener.port)
    return "" if bound == listener.port else f" (port {listener.port} of the files)"


def certificates(snapshot: Snapshot, secrets: Secrets) -> Iterator[tuple[Credential, datetime]]:
    """
    Yield each certificate that is shown to clients or backends once, with when it or the first of its chain ends.

    @param secrets: What the Snapshot names.
    """
    seen = set()
    for credential in _credentials(snapshot):
        if credential not in seen:
            seen.add(credential)
            yield credential, expiry(secrets.pair(credential).chain)


def shown_by(listener: Listener) -> Iterator[Credential]:
    """Yield what a port shows to its clients, for each name that it has."""
    for _, chain in listener.secure.items():
        if chain.tls is not None:
            yield from chain.tls.credentials


def _credentials(snapshot: Snapshot) -> Iterator[Credential]:
    for listener in snapshot.listeners:
        yield from shown_by(listener)
    for cluster in snapshot.clusters.values():
        if cluster.tls is not None and cluster.tls.credential is not None:
            yield cluster.tls.credential
