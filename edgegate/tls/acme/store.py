"""
Where certificates are kept: a directory that several processes, and several gateways on one file system, share.

    DIRECTORY/challenges/TOKEN                          what is answered to HTTP-01: the key authorization
    DIRECTORY/challenges/HOST.tls-alpn-01               to TLS-ALPN-01: the SHA-256 of the key authorization, in hex
    DIRECTORY/SERVER/accounts/ACCOUNT.key|.url|.lock
    DIRECTORY/SERVER/certificates/HOST.KIND.pem|.state|.lock

All files have the mode 0600, all directories that are made here 0700. A file is replaced at once or not at all, with
key and chain in one, so that no reader sees a half of each. Locks are the kernel's (flock(2)): who dies leaves none.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from edgegate.model.certificates import (
    LOCAL_AUTHORITY,
    ACMEAuthority,
    CertificateIssuer,
    LocalAuthority,
    ManagedCertificate,
)
from edgegate.model.tls import KeyPair
from edgegate.tls.acme.life import Record

TOKEN = re.compile(r"[A-Za-z0-9_-]{16,200}")
"""Tokens of challenges: base64url with 128 bits at least (RFC 8555 section 8.3)."""

BIGGEST = 1 << 18
"""Bytes of a file that are read."""

OLD_CHALLENGE = 6 * 3600.0
"""Seconds after which an answer that was left behind is removed."""

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

    key: bytes
    url: str = ""


class CertificateStore:
    """The files of one issuer. All its methods may wait for a file system, and are for threads."""

    def __init__(self, issuer: CertificateIssuer) -> None:
        self._authority = issuer.authority
        self.directory = Path(issuer.directory)
        self._server = self.directory / _authority_name(issuer.authority)

    # Certificates -----------------------------------------------------------------------------------------------------

    def pair(self, certificate: ManagedCertificate) -> KeyPair | None:
        """
        Return a certificate and its key; L{None}: there is none.

        @raise OSError: It can't be read.
        """
        content = _read(self._file(certificate, "pem"))
        if content is None:
            return None
        key = _KEY.search(content)
        if key is None:
            return None
        chain = content[: key.start()] + content[key.end() :]
        return KeyPair(certificate.credential.name, chain, key[0])

    def put_pair(self, certificate: ManagedCertificate, key: bytes, chain: bytes) -> None:
        """
        Keep a certificate and its key, in the place of those before.

        @raise OSError: They can't be written; those before are still there.
        """
        _replace(self._file(certificate, "pem"), key.rstrip() + b"\n" + chain)

    def record(self, certificate: ManagedCertificate) -> Record:
        """
        Return what is known of a certificate; nothing where that is no more to be read.

        @raise OSError: It can't be read.
        """
        content = _read(self._file(certificate, "state"))
        return Record() if content is None else _record(content)

    def put_record(self, certificate: ManagedCertificate, record: Record) -> None:
        """
        Keep what is known of a certificate.

        @raise OSError: It can't be written.
        """
        _replace(self._file(certificate, "state"), json.dumps(asdict(record)).encode("ascii"))

    def stamp(self, certificate: ManagedCertificate) -> tuple[int, int, int] | None:
        """
        Return what tells one file with a certificate from the next; L{None}: there is none.

        @raise OSError: Its directory can't be read.
        """
        try:
            found = self._file(certificate, "pem").stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    @contextmanager
    def lock(self, certificate: ManagedCertificate) -> Iterator[bool]:
        """
        Keep others from issuing a certificate meanwhile; yield whether nobody else does already.

        @raise OSError: There is no lock to be had.
        """
        with _locked(self._file(certificate, "lock"), wait=False) as ours:
            yield ours

    # Accounts ---------------------------------------------------------------------------------------------------------

    @contextmanager
    def account_lock(self) -> Iterator[None]:
        """
        Keep others from making the account meanwhile; wait while they do.

        @raise OSError: There is no lock to be had.
        """
        with _locked(self._account_file("lock"), wait=True):
            yield

    def account(self) -> Account | None:
        """
        Return the account; L{None}: there is none.

        @raise OSError: It can't be read.
        """
        key = _read(self._account_file("key"))
        if key is None:
            return None
        url = _read(self._account_file("url"))
        return Account(key, "" if url is None else url.decode("utf-8", "replace").strip())

    def put_account(self, account: Account) -> None:
        """
        Keep an account.

        @raise OSError: It can't be written.
        """
        _replace(self._account_file("key"), account.key)
        _replace(self._account_file("url"), account.url.encode())

    @contextmanager
    def authorities(self) -> Iterator[str | None]:
        """
        Yield the name of a file with the authorities that are trusted; L{None}: the usual ones.

        @raise OSError: It can't be written.
        """
        trusted = self._acme.authorities
        if not trusted:
            yield None
            return
        path = self._server / f".ca-{secrets.token_hex(8)}.pem"
        _write(path, trusted)
        try:
            yield str(path)
        finally:
            path.unlink(missing_ok=True)

    # Challenges -------------------------------------------------------------------------------------------------------

    @contextmanager
    def challenge(self, name: str, answer: str) -> Iterator[None]:
        """
        Have a challenge answered meanwhile, by everybody who shares the directory.

        @param name: What it is asked for by: a token, or L{hello_name}.
        @raise ValueError: The token is none.
        @raise OSError: It can't be written.
        """
        if not _is_name(name):
            raise ValueError("the authority's token is none (RFC 8555 section 8.3)")
        path = self.directory / "challenges" / name
        _forget_old(path.parent)
        _replace(path, answer.encode("ascii"))
        try:
            yield
        finally:
            path.unlink(missing_ok=True)

    # ------------------------------------------------------------------------------------------------------------------

    @property
    def _acme(self) -> ACMEAuthority:
        """The authority; no other one has accounts."""
        assert isinstance(self._authority, ACMEAuthority)
        return self._authority

    def _file(self, certificate: ManagedCertificate, kind: str) -> Path:
        name = _short(certificate.host)
        return self._server / "certificates" / f"{name}.{certificate.issuer.key_type.value}.{kind}"

    def _account_file(self, kind: str) -> Path:
        authority = self._acme
        bound = "" if authority.external_account is None else authority.external_account.key_id
        name = sha256(f"{authority.email}\n{bound}".encode()).hexdigest()[:16]
        return self._server / "accounts" / f"{name}.{kind}"


def challenge_answer(directory: str, name: str) -> bytes | None:
    """
    Return what is answered to a challenge; L{None}: there is none that is asked for by this name.

    @param name: A token, or L{hello_name}.
    @raise OSError: It can't be read.
    """
    return _read(Path(directory) / "challenges" / name) if _is_name(name) else None


def hello_name(host: str) -> str:
    """Return by what name an answer to ClientHellos for a host is asked for (TLS-ALPN-01). No token is alike."""
    return f"{_short(host)}.tls-alpn-01"


def _is_name(name: str) -> bool:
    return (TOKEN.fullmatch(name) or _HELLO.fullmatch(name)) is not None


def _record(content: bytes) -> Record:
    """Return what a file says; what is wrong with it is as if it said nothing."""
    try:
        found = json.loads(content)
        window = found["window"]
        return Record(
            float(found["begin"]),
            float(found["end"]),
            None if window is None else (float(window[0]), float(window[1])),
            float(found["renew_at"]),
            float(found["ask_at"]),
            int(found["failures"]),
            float(found["not_before"]),
            str(found["error"]),
        )
    except (ValueError, KeyError, TypeError, IndexError, OverflowError):
        return Record()


def _authority_name(authority: ACMEAuthority | LocalAuthority) -> str:
    """Return the name of an authority's directory: its host, or its own name, and what tells it from others."""
    if isinstance(authority, LocalAuthority):
        return "local" if authority.name == LOCAL_AUTHORITY else _told_apart(f"local-{authority.name}", authority.name)
    return _told_apart(urlsplit(authority.server).hostname or "", authority.server)


def _told_apart(name: str, whole: str) -> str:
    plain = re.sub(r"[^a-z0-9.-]", "-", name.lower())
    return f"{plain[:_LONGEST_NAME]}-{sha256(whole.encode()).hexdigest()[:8]}"


def _short(host: str) -> str:
    """Return a host as a part of a file's name."""
    if len(host) <= _LONGEST_NAME:
        return host
    return f"{host[:_LONGEST_NAME]}-{sha256(host.encode('ascii')).hexdigest()[:16]}"


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(BIGGEST)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _directory(path: Path) -> None:
    """Make a directory that others may not look into, and those around it."""
    if not path.is_dir():
        _directory(path.parent)
        with suppress(FileExistsError):
            path.mkdir(0o700)


def _write(path: Path, content: bytes) -> None:
    _directory(path.parent)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _replace(path: Path, content: bytes) -> None:
    """Have a file hold this at once: it is whole, whoever reads it and whatever dies meanwhile."""
    temporary = path.parent / f".{path.name[:_LONGEST_NAME]}.{secrets.token_hex(8)}"
    try:
        _write(temporary, content)
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # not every file system can
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(path: Path, wait: bool) -> Iterator[bool]:
    """Hold the lock that a file is; the file stays, else two could hold two of one name."""
    _directory(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _forget_old(directory: Path) -> None:
    """Remove answers that somebody has left behind who died."""
    with suppress(OSError):
        for path in directory.iterdir():
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > OLD_CHALLENGE:
                    path.unlink(missing_ok=True)
