"""edgegate's C{CertificateIssuer}: who issues the certificates that no Secret provides, and where they are kept."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from edgegate.istio.kinds.base import Duration, DurationOrNone, OneOf, Spec, UInt32
from edgegate.istio.kinds.redis import Redis
from edgegate.istio.kinds.secret_source import SecretSource


class ChallengeKind(Enum):
    """How it is proved to the authority that a host is ours; a kind of RFC 8555 section 8, or RFC 8737."""

    HTTP_01 = "HTTP-01"
    TLS_ALPN_01 = "TLS-ALPN-01"
    DNS_01 = "DNS-01"


class IssuedKeyType(Enum):
    """Of which kind the keys of certificates are."""

    ECDSA_P256 = "ECDSA-P256"
    ECDSA_P384 = "ECDSA-P384"
    RSA_2048 = "RSA-2048"
    RSA_4096 = "RSA-4096"


class UntilIssued(Enum):
    """What clients get of a host that has no certificate yet."""

    PLACEHOLDER = "Placeholder"
    WAIT = "Wait"


class TSIGAlgorithm(Enum):
    """How updates are signed (RFC 8945)."""

    HMAC_SHA256 = "hmac-sha256"
    HMAC_SHA384 = "hmac-sha384"
    HMAC_SHA512 = "hmac-sha512"


class TSIG(Spec, frozen=True, kw_only=True):
    """
    The key that updates are signed with (RFC 8945).

    The key is in base64, as name servers have it.
    """

    key_name: str | None = None
    algorithm: TSIGAlgorithm | None = None
    key: SecretSource | None = None


class RFC2136(Spec, frozen=True, kw_only=True):
    """
    A name server that takes updates (RFC 2136).

    C{server} is C{HOST} or C{HOST:PORT}.
    """

    server: str | None = None
    zone: str | None = None
    ttl: UInt32 | None = None
    tsig: TSIG | None = None


class DNS01(OneOf, frozen=True, kw_only=True):
    """
    How DNS-01 is answered: by updates or by a command. Exactly one has to be given.

    The first word of the C{command} is a program, relative to the folder where it has a slash.
    """

    one_of: ClassVar[tuple[str, ...]] = ("rfc2136", "command")

    rfc2136: RFC2136 | None = None
    command: tuple[str, ...] | None = None
    command_timeout: Duration | None = None
    propagation_timeout: DurationOrNone | None = None


class ExternalAccountBinding(Spec, frozen=True, kw_only=True):
    """
    An account that the user has with the authority otherwise (RFC 8555 section 7.3.4).

    The key is as the authority has given it, in base64url.
    """

    key_id: str | None = None
    key: SecretSource | None = None


class ACMEIssuer(Spec, frozen=True, kw_only=True):
    """
    An authority that speaks ACME (RFC 8555).

    C{server} is the URL of its directory. C{caCertificates} names a file, as elsewhere.
    """

    server: str | None = None
    email: str | None = None
    agree_to_terms: bool | None = None
    ca_certificates: str | None = None
    challenges: tuple[ChallengeKind, ...] = ()
    dns01: DNS01 | None = None
    key_type: IssuedKeyType | None = None
    external_account_binding: ExternalAccountBinding | None = None
    preferred_chain: str | None = None


class LocalIssuer(Spec, frozen=True, kw_only=True):
    """
    An authority of the gateway's own, for development: clients are told to trust it.

    C{validity} is that of a certificate by it.
    """

    name: str | None = None
    key_type: IssuedKeyType | None = None
    validity: Duration | None = None


class CertificateRedis(Redis, frozen=True, kw_only=True):
    """
    A Redis that keeps certificates, encrypted.

    The C{encryptionKey} is 32 bytes in base64; of several, one a line, the first encrypts.
    """

    key_prefix: str | None = None
    encryption_key: SecretSource | None = None


class CertificateStorage(OneOf, frozen=True, kw_only=True):
    """
    Where certificates, their keys and accounts are kept: one of these.

    The C{directory} is relative to the folder, as names of files are.
    """

    one_of: ClassVar[tuple[str, ...]] = ("directory", "redis")

    directory: str | None = None
    redis: CertificateRedis | None = None


class IssueRate(Spec, frozen=True, kw_only=True):
    """So many new certificates in so much time, over all that share the storage."""

    certificates: UInt32
    period: Duration


class OnDemandCertificates(Spec, frozen=True, kw_only=True):
    """
    Certificates for the names that the wildcards of servers stand for, issued when a client asks for one of them.

    C{ask} is a URL that answers 200 for a name that is to have one. C{allow} are names, or suffixes as
    C{*.example.com}. One of them at least; where there are both, both must agree.
    """

    ask: str | None = None
    allow: tuple[str, ...] = ()
    rate: IssueRate | None = None
    most: UInt32 | None = None


class CertificateIssuer(OneOf, frozen=True, kw_only=True):
    """
    The C{spec} of a CertificateIssuer.

    Gateways name it by the annotation C{edgegate.io/certificate-issuer}. It has either C{acme} or C{local}. With
    C{Wait} clients of a host that has no certificate yet are refused, and the gateway is not ready until all had their
    first one, or for C{readinessTimeout}.
    """

    one_of: ClassVar[tuple[str, ...]] = ("acme", "local")

    acme: ACMEIssuer | None = None
    local: LocalIssuer | None = None
    storage: CertificateStorage | None = None
    until_issued: UntilIssued | None = None
    readiness_timeout: DurationOrNone | None = None
    on_demand: OnDemandCertificates | None = None
