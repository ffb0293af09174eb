"""The folder of certificates that C{edgegate certs} makes: what is in it, and how it is kept."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from edgegate.demo.authority import Authority, Issued
from edgegate.routing.hosts import normalise
from edgegate.routing.snapshot import KeyPair
from edgegate.tls.secrets import BadKeyMaterial, load_certificates, load_key_pair

DEFAULT_HOSTS = (
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
_TAKEN = frozenset({"ca", "client", "stranger", "stranger-ca"})
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
    folder: Path, hosts: Iterable[str] = DEFAULT_HOSTS, *, force: bool = False, now: datetime | None = None
) -> list[Entry]:
    """
    Put an authority, a certificate for each host, a client's and a stranger's into a folder, which is made if needed.

    What is there and good for another day is left as it is. What has expired
    and was issued by the folder's own authority is made anew. Files are
    written whole or not at all; private keys can be read by their owner only.

    @param force: Replace all of them, the authority too.

    @raise Unusable: A host name is none, or what is there is of no use. Files made before that was found stay.

    @raise OSError: The folder can't be read or written.
    """
    instant = now or datetime.now(timezone.utc)
    names = {file_name(host): normalise(host).strip("[]") for host in hosts}
    folder.mkdir(parents=True, exist_ok=True)
    shelf = _Shelf(folder, force, instant)
    authority = shelf.authority()
    for name, host in names.items():
        if not shelf.has(name, f"server {host}", "ca.crt"):
            shelf.put(name, f"server {host}", authority.server([host], instant))
    if not shelf.has("client", f"client {CLIENT}", "ca.crt"):
        shelf.put("client", f"client {CLIENT}", authority.client(CLIENT, [CLIENT, CLIENT_URI], instant))
    shelf.stranger()
    return shelf.entries


def file_name(host: str) -> str:
    """
    Return under what name a host's files are kept: its own, or C{_wildcard.foo.com} for C{*.foo.com}.

    @raise Unusable: It can be no server's name, or is that of another file.
    """
    try:
        name = normalise(host).strip("[]")  # of an IPv6 address
    except ValueError as error:
        raise Unusable(str(error)) from error
    if not _HOST.fullmatch(name) or name in _TAKEN:
        raise Unusable(f"{host!r} can't be the name of a server")
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

    def has(self, name: str, purpose: str, issuer: str | None) -> bool:
        """
        Whether a certificate and its key are there to be kept, in which case they are entered.

        @param issuer: The file of the authority that must have issued it, in which case it can be replaced once it has
            expired; L{None}: any authority, and it can't.

        @raise Unusable: They are there and no good.
        """
        certificate, key = (self._folder / f"{name}.{suffix}" for suffix in ("crt", "key"))
        if self._force or not (certificate.exists() or key.exists()):
            return False
        issued = self._read(name)
        if issuer is not None:
            self._check_issuer(name, issued, self._folder / issuer)
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
