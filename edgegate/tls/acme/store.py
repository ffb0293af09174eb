"""
What is kept of certificates, accounts and challenges, in a L{storage<edgegate.tls.acme.storage>} that others share.

    challenges/TOKEN                          what is answered to HTTP-01: the key authorization
    challenges/HOST.tls-alpn-01               to TLS-ALPN-01: the SHA-256 of the key authorization, in hex
    SERVER/accounts/ACCOUNT.key|.url|.lock
    SERVER/certificates/HOST.KIND.pem|.state|.lock
    local/root.pem|.lock, ca.pem              the root of a local authority, in SERVER's place

Key and chain are in one entry, so that no reader sees a half of each.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from math import isfinite
from urllib.parse import urlsplit

from edgegate.model.certificates import (
    LOCAL_AUTHORITY,
    ACMEAuthority,
    CertificateIssuer,
    CertificateStorage,
    LocalAuthority,
    ManagedCertificate,
)
from edgegate.model.tls import KeyPair
from edgegate.tls.acme.life import Record
from edgegate.tls.acme.locks import Lock
from edgegate.tls.acme.storage import Storage, opened

TOKEN = re.compile(r"[A-Za-z0-9_-]{16,200}")
"""Tokens of challenges: base64url with 128 bits at least (RFC 8555 section 8.3)."""

_HELLO = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.tls-alpn-01")
_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----\n?", re.DOTALL)
_LONGEST_NAME = 160


@dataclass(frozen=True, slots=True)
class Account:
    """
    An account with an authority.

    @ivar key: As PEM.
    @ivar url: Its name there; empty: it is not made yet.
    """

    key: bytes = field(repr=False)
    url: str = ""


class CertificateStore:
    """
    What one issuer keeps. All its methods may wait for a storage, and are for threads.

    What is written for a certificate, or for the account, while this store holds its lock is written only as long as it
    does: one that is lost meanwhile, as may happen in a network, is a L{LockLost<edgegate.tls.acme.locks.LockLost>}.

    @ivar storage: What it is kept in, for what is none of the below.
    """

    def __init__(self, issuer: CertificateIssuer, storage: Storage | None = None) -> None:
        self._authority = issuer.authority
        self.storage = opened(issuer.storage) if storage is None else storage
        self._server = _authority_name(issuer.authority)
        self._held: dict[str, Lock] = {}

    @property
    def server(self) -> str:
        """What the names of all entries of its authority begin with."""
        return self._server

    # Certificates -----------------------------------------------------------------------------------------------------

    def pair(self, certificate: ManagedCertificate) -> KeyPair | None:
        """
        Return a certificate and its key; L{None}: there is none.

        @raise OSError: It can't be read.
        """
        content = self.storage.read(self.name(certificate))
        return None if content is None else _pair(certificate.credential.name, content)

    def put_pair(self, certificate: ManagedCertificate, key: bytes, chain: bytes) -> None:
        """
        Keep a certificate and its key, in the place of those before.

        @raise OSError: They can't be written; those before are still there.
        """
        self._write(self.name(certificate), key.rstrip() + b"\n" + chain, self.name(certificate, "lock"))

    def record(self, certificate: ManagedCertificate) -> Record:
        """
        Return what is known of a certificate; nothing where that is no more to be read.

        @raise OSError: It can't be read.
        """
        content = self.storage.read(self.name(certificate, "state"))
        return Record() if content is None else _record(content)

    def put_record(self, certificate: ManagedCertificate, record: Record) -> None:
        """
        Keep what is known of a certificate.

        @raise OSError: It can't be written.
        """
        content = json.dumps(asdict(record)).encode("ascii")
        self._write(self.name(certificate, "state"), content, self.name(certificate, "lock"))

    @contextmanager
    def lock(self, certificate: ManagedCertificate) -> Iterator[bool]:
        """
        Keep others from issuing a certificate meanwhile; yield whether nobody else does already.

        @raise OSError: There is no lock to be had.
        """
        with self._locked(self.name(certificate, "lock"), wait=False) as ours:
            yield ours

    def name(self, certificate: ManagedCertificate, kind: str = "pem") -> str:
        """Return the name of an entry of a certificate; by itself of the one with key and chain."""
        host = certificate.host
        # which no host begins with, and no shell takes for a pattern
        name = _short(f"_wildcard.{host[2:]}" if host.startswith("*.") else host)
        return f"{self._server}/certificates/{name}.{certificate.issuer.key_type.value}.{kind}"

    # Accounts ---------------------------------------------------------------------------------------------------------

    @contextmanager
    def account_lock(self) -> Iterator[None]:
        """
        Keep others from making the account meanwhile; wait while they do.

        @raise OSError: There is no lock to be had.
        """
        with self._locked(self._account_name("lock"), wait=True):
            yield

    def account(self) -> Account | None:
        """
        Return the account; L{None}: there is none.

        @raise OSError: It can't be read.
        """
        key = self.storage.read(self._account_name("key"))
        if key is None:
            return None
        url = self.storage.read(self._account_name("url"))
        name = "" if url is None else url.decode("utf-8", "replace").strip()
        # what is no name is asked for by the key
        return Account(key, name if name.startswith("https://") and name.isascii() and name.isprintable() else "")

    def put_account(self, account: Account) -> None:
        """
        Keep an account.

        @raise OSError: It can't be written.
        """
        self._write(self._account_name("key"), account.key, self._account_name("lock"))
        self._write(self._account_name("url"), account.url.encode(), self._account_name("lock"))

    @contextmanager
    def authorities(self) -> Iterator[str | None]:
        """
        Yield the name of a file with the authorities that are trusted; L{None}: the usual ones. It is in memory alone.

        @raise OSError: It can't be written.
        """
        trusted = self._acme.authorities
        if not trusted:
            yield None
            return
        descriptor = os.memfd_create("authorities")
        with os.fdopen(descriptor, "wb") as file:
            file.write(trusted)
            file.flush()
            yield f"/proc/self/fd/{descriptor}"

    # Local authorities ------------------------------------------------------------------------------------------------

    @property
    def root_name(self) -> str:
        """The name of the entry with the root of a local authority."""
        return f"{self._server}/root.pem"

    @contextmanager
    def root_lock(self) -> Iterator[None]:
        """
        Keep others from making the root of a local authority meanwhile; wait while they do.

        @raise OSError: There is no lock to be had.
        """
        with self._locked(f"{self._server}/root.lock", wait=True):
            yield

    def root(self) -> KeyPair | None:
        """
        Return the root of a local authority; L{None}: there is none.

        @raise OSError: It can't be read.
        """
        content = self.storage.read(self.root_name)
        if content is None:
            return None
        # what somebody has broken is not taken for nothing: another root would be trusted by nobody
        return _pair(self.root_name, content) or KeyPair(self.root_name, content, b"")

    def put_root(self, key: bytes, chain: bytes) -> None:
        """
        Keep the root of a local authority, and its certificate once more without the key.

        @raise OSError: It can't be written.
        """
        lock = f"{self._server}/root.lock"
        self._write(self.root_name, key.rstrip() + b"\n" + chain, lock)
        self._write(f"{self._server}/ca.pem", chain, lock)

    # Challenges -------------------------------------------------------------------------------------------------------

    @contextmanager
    def challenge(self, name: str, answer: str) -> Iterator[None]:
        """
        Have a challenge answered meanwhile, by everybody who shares the storage.

        @param name: What it is asked for by: a token, or L{hello_name}.
        @raise ValueError: The token is none.
        @raise OSError: It can't be written.
        """
        if not _is_name(name):
            raise ValueError("the authority's token is none (RFC 8555 section 8.3)")
        with self.storage.shown(f"challenges/{name}", answer.encode("ascii")):
            yield

    # ------------------------------------------------------------------------------------------------------------------

    @property
    def _acme(self) -> ACMEAuthority:
        """The authority; no other one has accounts."""
        assert isinstance(self._authority, ACMEAuthority)
        return self._authority

    def _write(self, name: str, content: bytes, lock: str) -> None:
        self.storage.write(name, content, self._held.get(lock))

    @contextmanager
    def _locked(self, name: str, wait: bool) -> Iterator[bool]:
        with self.storage.lock(name, wait) as lock:
            if lock is None:
                yield False
                return
            self._held[name] = lock
            try:
                yield True
            finally:
                del self._held[name]

    def _account_name(self, kind: str) -> str:
        authority = self._acme
        bound = "" if authority.external_account is None else authority.external_account.key_id
        name = sha256(f"{authority.email}\n{bound}".encode()).hexdigest()[:16]
        return f"{self._server}/accounts/{name}.{kind}"


def challenge_answer(storage: CertificateStorage, name: str) -> bytes | None:
    """
    Return what is answered to a challenge; L{None}: there is none that is asked for by this name.

    @param name: A token, or L{hello_name}.
    @raise OSError: It can't be read.
    """
    return opened(storage).read(f"challenges/{name}") if _is_name(name) else None


def hello_name(host: str) -> str:
    """Return by what name an answer to ClientHellos for a host is asked for (TLS-ALPN-01). No token is alike."""
    return f"{_short(host)}.tls-alpn-01"


def _is_name(name: str) -> bool:
    return (TOKEN.fullmatch(name) or _HELLO.fullmatch(name)) is not None


def _pair(name: str, content: bytes) -> KeyPair | None:
    """Return the certificate and the key that a file holds; L{None}: it holds no key."""
    key = _KEY.search(content)
    return None if key is None else KeyPair(name, content[: key.start()] + content[key.end() :], key[0])


def _record(content: bytes) -> Record:
    """Return what a file says; what is wrong with it is as if it said nothing."""
    try:
        found = json.loads(content)
        window = found["window"]
        record = Record(
            float(found["begin"]),
            float(found["end"]),
            None if window is None else (float(window[0]), float(window[1])),
            float(found["renew_at"]),
            float(found["ask_at"]),
            int(found["failures"]),
            float(found["not_before"]),
            str(found["error"]),
            float(found.get("issued_at", 0.0)),
            found.get("revoked") is True,
        )
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError):
        return Record()
    begin, end = record.window or (0.0, 0.0)
    times = record.begin, record.end, begin, end, record.renew_at, record.ask_at, record.not_before, record.issued_at
    return record if all(map(isfinite, times)) else Record()


def _authority_name(authority: ACMEAuthority | LocalAuthority) -> str:
    """Return what entries of an authority begin with: its host, or its own name, and what tells it from others."""
    if isinstance(authority, LocalAuthority):
        return "local" if authority.name == LOCAL_AUTHORITY else _told_apart(f"local-{authority.name}", authority.name)
    return _told_apart(urlsplit(authority.server).hostname or "", authority.server)


def _told_apart(name: str, whole: str) -> str:
    plain = re.sub(r"[^a-z0-9.-]", "-", name.lower())
    return f"{plain[:_LONGEST_NAME]}-{sha256(whole.encode()).hexdigest()[:8]}"


def _short(host: str) -> str:
    """Return a host as a part of the name of an entry."""
    if len(host) <= _LONGEST_NAME:
        return host
    return f"{host[:_LONGEST_NAME]}-{sha256(host.encode('ascii')).hexdigest()[:16]}"
