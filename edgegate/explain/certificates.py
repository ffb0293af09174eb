"""Which certificate a server shows for an SNI name, and whether it is for that name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from OpenSSL import crypto

from edgegate.model.hosts import covers
from edgegate.model.tls import ClientVerification
from edgegate.routing.snapshot import FilterChain
from edgegate.tls.choice import choice, names_of
from edgegate.tls.secret_store import Secrets
from edgegate.tls.secrets import load_certificates
from edgegate.tls.verification import objection


@dataclass(frozen=True, slots=True)
class Shown:
    """
    A certificate that a client is shown.

    @ivar name: What messages call it: its file or Secret.
    @ivar names: The names that it is for.
    @ivar fits: Whether the name that was asked for is among them.
    @ivar ended: When it has ended, if it has.
    @ivar issued: Whether it is there: until then clients are refused.
    """

    name: str
    names: tuple[str, ...]
    fits: bool
    ended: datetime | None
    issued: bool = True


def shown(chain: FilterChain, secrets: Secrets, server_name: str, now: datetime) -> tuple[Shown, ...]:
    """
    Return the certificates that a server shows to a client that asks for a name, one for each kind of key.

    @param now: An aware time.
    """
    if chain.tls is None or (chain.tls.on_demand and server_name not in chain.hosts):
        # one on demand is known to who serves it
        return ()
    chosen = choice(secrets.resolve(chain.tls))
    wildcard = "*." + server_name.partition(".")[2]
    tls = chosen.named.get(server_name) or chosen.named.get(wildcard) or chosen.usual
    found = []
    for pair in tls.certificates:
        names = tuple(names_of(pair))
        end = load_certificates(pair.chain, pair.name)[0].not_valid_after_utc
        found.append(Shown(pair.name, names, _fits(names, server_name), end if end < now else None, not pair.withheld))
    return tuple(found)


def _fits(names: tuple[str, ...], server_name: str) -> bool:
    """Whether a certificate is for a name: a wildcard stands for one label (RFC 9525 section 6.3)."""
    if not server_name:
        return True
    return any(
        covers(name, server_name) and (name == server_name or name[2:] == server_name.partition(".")[2])
        for name in names
    )


def client_refusal(pem: bytes, name: str, verification: ClientVerification) -> str:
    """
    Return why a server refuses a client's certificate; empty if it does not.

    @param pem: The certificate, and behind it those between it and an authority.
    """
    certificate, *between = load_certificates(pem, name)
    store = crypto.X509Store()
    for authority in load_certificates(verification.authorities, "authorities"):
        store.add_cert(crypto.X509.from_cryptography(authority))
    chain = [crypto.X509.from_cryptography(each) for each in between]
    try:
        crypto.X509StoreContext(store, crypto.X509.from_cryptography(certificate), chain).verify_certificate()
    except crypto.X509StoreContextError as error:
        return str(error)
    return objection(certificate, verification)
