# Compiled: values that hot modules read.
"""Certificates that the gateway has issued itself, and who issues them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from edgegate.model.origin import Origin
from edgegate.model.picklable import Picklable
from edgegate.model.redis import RedisServer
from edgegate.model.tls import Credential

LOCAL_AUTHORITY: Final = "edgegate local authority"
"""What an authority of the gateway's own is called."""


class KeyType(Enum):
    """Of which kind the keys of certificates are; a value is a part of file names, too."""

    ECDSA_P256 = "ecdsa-p256"
    ECDSA_P384 = "ecdsa-p384"
    RSA_2048 = "rsa-2048"
    RSA_4096 = "rsa-4096"


class ChallengeKind(Enum):
    """How it is proved to an authority that a host is ours; a value is the type of RFC 8555's challenges."""

    HTTP_01 = "http-01"
    TLS_ALPN_01 = "tls-alpn-01"
    DNS_01 = "dns-01"


class TSIGAlgorithm(Enum):
    """How updates of a zone are signed; a value is the name of RFC 8945 section 6."""

    HMAC_SHA256 = "hmac-sha256"
    HMAC_SHA384 = "hmac-sha384"
    HMAC_SHA512 = "hmac-sha512"


@dataclass(frozen=True, slots=True)
class TSIGKey(Picklable):
    """
    By what a name server knows who updates a zone (RFC 8945).

    @ivar name: As the server has it.
    """

    name: str
    secret: bytes = field(repr=False)
    algorithm: TSIGAlgorithm = TSIGAlgorithm.HMAC_SHA256


@dataclass(frozen=True, slots=True)
class DynamicUpdates(Picklable):
    """
    A name server that takes updates (RFC 2136).

    @ivar host: A name or an address.
    @ivar zone: Which one is updated; empty: the server says which one a name is in.
    @ivar ttl: Seconds for which a value may be remembered.
    @ivar key: L{None}: updates are not signed.
    """

    host: str
    port: int = 53
    zone: str = ""
    ttl: int = 60
    key: TSIGKey | None = None


@dataclass(frozen=True, slots=True)
class HookCommand(Picklable):
    """
    A program that puts values into the DNS and removes them.

    @ivar arguments: The first is the program.
    @ivar timeout: Seconds.
    """

    arguments: tuple[str, ...] = field(repr=False)
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class DNSChallenges(Picklable):
    """
    How challenges of DNS-01 are answered.

    @ivar patience: Seconds for the servers of a zone to have a value; 0: they are not asked.
    """

    by: DynamicUpdates | HookCommand
    patience: float = 120.0


READINESS_TIMEOUT: Final = 60.0
"""Seconds; below what systemd gives a service to start (90 s)."""


@dataclass(frozen=True, slots=True)
class ExternalAccount(Picklable):
    """
    An account that is known to an authority by other means (RFC 8555 section 7.3.4).

    @ivar key: In base64url, as the authority has given it.
    """

    key_id: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ACMEAuthority(Picklable):
    """
    An authority that speaks ACME (RFC 8555).

    @ivar server: The URL of its directory.
    @ivar email: Told to the authority; empty: nothing is.
    @ivar authorities: As PEM, those that alone are trusted where the server is asked; empty: the usual ones.
    @ivar preferred_chain: The common name of the issuer that a chain should end with; empty: the authority's choice.
    @ivar challenges: How hosts are proved: the first that is offered and can is used.
    @ivar dns: L{None}: none is proved by DNS-01.
    """

    server: str
    email: str = ""
    authorities: bytes = field(default=b"", repr=False)
    external_account: ExternalAccount | None = None
    preferred_chain: str = ""
    challenges: tuple[ChallengeKind, ...] = (ChallengeKind.HTTP_01,)
    dns: DNSChallenges | None = None


@dataclass(frozen=True, slots=True)
class LocalAuthority(Picklable):
    """
    An authority of the gateway's own, which clients have to be told to trust.

    @ivar name: The common name of its certificate.
    @ivar validity: Seconds that a certificate by it is valid.
    """

    name: str = LOCAL_AUTHORITY
    validity: float = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class CertificateDirectory(Picklable):
    """
    Certificates and all that belongs to them in files.

    @ivar path: Absolute.
    """

    path: str

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True, slots=True)
class CertificateRedis(Picklable):
    """
    Certificates and all that belongs to them in a Redis, encrypted.

    @ivar prefix: Of the keys in it.
    @ivar keys: Of AES-256, 32 bytes each; the first one encrypts, all of them decrypt.
    """

    server: RedisServer
    prefix: str
    keys: tuple[bytes, ...] = field(repr=False)

    def __str__(self) -> str:
        return f"Redis {self.server}"


CertificateStorage = CertificateDirectory | CertificateRedis
"""Where certificates, their keys and accounts are kept. C{str} of one names it."""


@dataclass(frozen=True, slots=True)
class CertificateIssuer(Picklable):
    """
    Who issues certificates, and where they are kept.

    @ivar name: C{NAMESPACE/NAME}.
    @ivar authority: Who signs them.
    @ivar key_type: Of the certificates' keys.
    @ivar waits: Whether clients of hosts without a certificate are refused, and the gateway is not ready until its
        first certificates are there; else a placeholder is shown.
    @ivar readiness_timeout: Seconds for which it is not ready at most, for want of certificates of this issuer.
    """

    name: str
    authority: ACMEAuthority | LocalAuthority
    storage: CertificateStorage
    key_type: KeyType = KeyType.ECDSA_P256
    waits: bool = False
    readiness_timeout: float = READINESS_TIMEOUT


@dataclass(frozen=True, slots=True)
class ManagedCertificate(Picklable):
    """
    A certificate for one host.

    @ivar host: In normal form; a wildcard is a whole first label.
    @ivar origin: Of the server that is the first to ask for it.
    """

    host: str
    issuer: CertificateIssuer
    origin: Origin = field(compare=False)

    @property
    def credential(self) -> Credential:
        """What servers name it by."""
        return Credential(f"{self.host} by {self.issuer.name}")
