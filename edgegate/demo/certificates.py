"""The folder of certificates that C{edgegate certs} makes: what is in it, and how it is kept."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from edgegate.model.hosts import normalise
from edgegate.model.tls import KeyPair
from edgegate.tls.authority import Authority, Issued, alternative_name
from edgegate.tls.secrets import BadKeyMaterial, load_certificates, load_key_pair

DEMO_SERVERS = (
    "apiserver.istioinaction.io",
    "catalog.istioinaction.io",
    "webapp.istioinaction.io",
    "simple-sni-1.istioinaction.io",
    "simple-sni-2.istioinaction.io",
)
CLIENT = "client.istioinaction.io"
CLIENT_URI = "spiffe://istioinaction.io/ns/default/sa/client"
STRANGER = "stranger.example.com"

_MARGIN = timedelta(days=1)
_TAKEN = frozenset({"ca", "stranger", "stranger-ca"})
_HOST = re.compile(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|[0-9a-f:.]*:[0-9a-f:.]*")


class Unusable(Exception):
    """The folder can't be filled; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One certificate of the folder.

    @ivar expiry: In UTC.
    @ivar made: Whether it was made now; else it was there and is good.
    """

    path: Path
    purpose: str
    expiry: datetime
    made: bool


def fill(
    folder: Path,
    servers: Iterable[str] = (),
    clients: Iterable[str] = (),
    *,
    demo: bool = False,
    force: bool = False,
    now: datetime | None = None,
) -> list[Entry]:
    """
    Put an authority and certificates that it has issued into a folder, which is made if needed.

    What is there and good for another day is left as it is. What has expired or
    is to have other names, and was issued by the folder's own authority, is made
    anew. Files are written whole or not at all; private keys can be read by
    their owner only.

    @param servers: A server's names each: one, or several with commas between them. The files are called by the first.
    @param clients: A client's name each.
    @param demo: Make what the files of the demo need besides: its servers, a client, and a stranger whom another
        authority has issued.
    @param force: Replace all of them, the authority too.

    @raise Unusable: A name is none, or what is there is of no use. Files made before that was found stay.

    @raise OSError: The folder can't be read or written.
    """
    instant = now or datetime.now(timezone.utc)
    orders = _orders([*servers, *(DEMO_SERVERS if demo else ())], clients)
    if demo:
        _add(orders, "client", _Order(CLIENT, (CLIENT, CLIENT_URI), server=False))
    folder.mkdir(parents=True, exist_ok=True)
    shelf = _Shelf(folder, force, instant)
    authority = shelf.authority()
    for file, order in orders.items():
        shelf.order(file, order, authority)
    if demo:
        shelf.stranger()
    return shelf.entries


@dataclass(frozen=True, slots=True)
class _Order:
    """
    A certificate that there is to be.

    @ivar names: Its subject alternative names.
    """

    name: str
    names: tuple[str, ...]
    server: bool

    @property
    def purpose(self) -> str:
        """For whom it is."""
        return f"server {', '.join(self.names)}" if self.server else f"client {self.name}"

    def issue(self, authority: Authority, now: datetime) -> Issued:
        """Have it issued."""
        return authority.server(self.names, now) if self.server else authority.client(self.name, self.names, now)

    def is_met_by(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate has these names, and is for a server or a client as this one is to be."""
        wanted = ExtendedKeyUsageOID.SERVER_AUTH if self.server else ExtendedKeyUsageOID.CLIENT_AUTH
        try:
            found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except x509.ExtensionNotFound:
            return False
        return set(found) == {alternative_name(name) for name in self.names} and wanted in usage


def _orders(servers: Iterable[str], clients: Iterable[str]) -> dict[str, _Order]:
    """Return what is to be made by the names of the files."""
    found: dict[str, _Order] = {}
    for listed in servers:
        names = tuple(dict.fromkeys(_normal(name) for name in listed.split(",")))
        _add(found, file_name(names[0]), _Order(names[0], names, server=True))
    for name in clients:
        _add(found, file_name(name), _Order(_normal(name), (_normal(name),), server=False))
    return found


def _add(orders: dict[str, _Order], file: str, order: _Order) -> None:
    if orders.setdefault(file, order) != order:
        raise Unusable(
            f"two certificates would be called {file}.crt: name one server in one argument, and a client otherwise"
        )


def _normal(name: str) -> str:
    """
    Return a name as certificates say it.

    @raise Unusable: It can be nobody's name.
    """
    hint = "; a folder is named by --dir" if "/" in name else ""
    try:
        normal = normalise(name).strip("[]")  # of an IPv6 address
    except ValueError as error:
        raise Unusable(f"{error}{hint}") from error
    if not _HOST.fullmatch(normal):
        raise Unusable(f"{name!r} can't be the name of a server or a client{hint}")
    return normal


def file_name(host: str) -> str:
    """
    Return under what name the files of a host are kept: its own, or C{_wildcard.foo.com} for C{*.foo.com}.

    @raise Unusable: It can be nobody's name, or is that of another file.
    """
    name = _normal(host)
    if name in _TAKEN:
        raise Unusable(f"{name}.crt is the name of another file: choose another name")
    return name.replace("*", "_wildcard", 1)


class _Shelf:
    """The folder while it is being filled."""

    def __init__(self, folder: Path, force: bool, now: datetime) -> None:
        self.entries: list[Entry] = []
        self._folder = folder
        self._force = force
        self._now = now

    def authority(self) -> Authority:
        """Return the authority that is there, or a new one, which is kept."""
        if self.has("ca", "authority", None):
            return Authority(self._read("ca"))
        authority = Authority.new("edgegate demo authority", self._now)
        self.put("ca", "authority", authority.own)
        return authority

    def order(self, name: str, order: _Order, authority: Authority) -> None:
        """Have a certificate of the authority, the one that is there if it will do."""
        if not self.has(name, order.purpose, "ca.crt", order):
            self.put(name, order.purpose, order.issue(authority, self._now))

    def stranger(self) -> None:
        """Have a client's certificate of another authority, to see it refused; that authority's key is not kept."""
        purpose = "client of another authority"
        path = self._folder / "stranger-ca.crt"
        if path.exists() != (self._folder / "stranger.crt").exists() and not self._force:
            raise self._refusal("stranger", "only one of stranger.crt and stranger-ca.crt is there")
        if not self.has("stranger", purpose, path.name):
            authority = Authority.new("some other authority", self._now)
            _write(path, authority.own.chain_pem, 0o644)
            self.put("stranger", purpose, authority.client(STRANGER, [STRANGER], self._now))

    def has(self, name: str, purpose: str, issuer: str | None, order: _Order | None = None) -> bool:
        """
        Whether a certificate and its key are there to be kept, in which case they are entered.

        @param issuer: The file of the authority that must have issued it, in which case it can be replaced once it has
            expired or is no longer what it is to be; L{None}: any authority, and it can't.
        @param order: What it is to be.

        @raise Unusable: They are there and no good.
        """
        certificate, key = (self._folder / f"{name}.{suffix}" for suffix in ("crt", "key"))
        if self._force or not (certificate.exists() or key.exists()):
            return False
        issued = self._read(name)
        if issuer is not None:
            self._check_issuer(name, issued, self._folder / issuer)
        if order is not None and not order.is_met_by(issued.certificate):
            return False
        expiry = issued.certificate.not_valid_after_utc
        if expiry > self._now + _MARGIN:
            self.entries.append(Entry(certificate, purpose, expiry, made=False))
            return True
        if issuer is None:
            raise self._refusal(name, f"expires on {expiry:%Y-%m-%d %H:%M} UTC")
        return False

    def put(self, name: str, purpose: str, issued: Issued) -> None:
        """Write a certificate and its key, and enter them."""
        path = self._folder / f"{name}.crt"
        _write(self._folder / f"{name}.key", issued.key_pem, 0o600)
        _write(path, issued.chain_pem, 0o644)
        self.entries.append(Entry(path, purpose, issued.certificate.not_valid_after_utc, made=True))

    def _read(self, name: str) -> Issued:
        certificate, key = (self._folder / f"{name}.{suffix}" for suffix in ("crt", "key"))
        for path, other in ((certificate, key), (key, certificate)):
            if not path.exists():
                raise self._refusal(name, f"{other.name} is there, but {path.name} is not")
        try:
            chain, private = load_key_pair(KeyPair(name, certificate.read_bytes(), key.read_bytes()))
        except BadKeyMaterial as error:
            raise self._refusal(name, error.reason) from error
        if not isinstance(private, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)):
            raise self._refusal(name, "the key is neither ECDSA nor RSA")
        return Issued(chain[0], private, chain[1:])

    def _check_issuer(self, name: str, issued: Issued, authority: Path) -> None:
        try:
            issuer = load_certificates(authority.read_bytes(), authority.name)[0]
            issued.certificate.verify_directly_issued_by(issuer)
        except BadKeyMaterial as error:
            raise self._refusal(name, str(error)) from error
        except (ValueError, TypeError, InvalidSignature) as error:
            raise self._refusal(name, f"it was not issued by {authority.name}") from error

    def _refusal(self, name: str, reason: str) -> Unusable:
        return Unusable(f"{self._folder / name}.crt can't be kept: {reason}; --force replaces all certificates here")


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write a file whole: nobody sees half of it, and a key is never readable by others, not even for a moment."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
