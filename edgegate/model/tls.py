# Compiled: values that hot modules read.
"""On what terms TLS is talked, with clients and with backends."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from edgegate.model.picklable import Picklable


class TLSVersion(Enum):
    """Istio's C{ServerTLSSettings.TLSProtocol}, without C{TLS_AUTO}, ordered by C{value}."""

    TLSV1_0 = 0x0301
    TLSV1_1 = 0x0302
    TLSV1_2 = 0x0303
    TLSV1_3 = 0x0304


@dataclass(frozen=True, slots=True)
class Credential(Picklable):
    """
    Names a certificate chain and its private key, which are kept apart from all that names them.

    @ivar name: What messages call it: a file name or C{secret default/webapp-credential}.
    @ivar key_file: The name of the key's own file, if it has one.
    """

    name: str
    key_file: str = ""


@dataclass(frozen=True, slots=True)
class KeyPair(Picklable):
    """
    A certificate chain and its private key, as PEM: what a L{Credential} names. In no Snapshot.

    @ivar name: What messages call it: a file name or C{secret default/webapp-credential}.
    @ivar chain: May come from a file that holds the key too, so it is not shown either.
    @ivar key_file: The name of the key's own file, if it has one.
    @ivar placeholder: Whether it is shown only until there is something: it takes nothing's place.
    @ivar withheld: Whether it stands in for one that is to be issued, and is shown to nobody: clients that ask for its
        names are refused.
    """

    name: str
    chain: bytes = field(repr=False)
    key: bytes = field(repr=False)
    key_file: str = field(default="", compare=False)
    placeholder: bool = field(default=False, compare=False)
    withheld: bool = False

    @property
    def credential(self) -> Credential:
        """What names it."""
        return Credential(self.name, self.key_file)


@dataclass(frozen=True, slots=True)
class ClientVerification(Picklable):
    """
    What a client's certificate must satisfy.

    @ivar required: L{False} for C{OPTIONAL_MUTUAL}: a connection without one is served.
    @ivar authorities: The CA certificates as PEM.
    @ivar revocations: Certificate revocation lists as PEM, or empty.
    @ivar subject_alt_names: One must be among the certificate's DNS, URI, e-mail or IP names; empty: any.
    @ivar spki: SHA-256 digests of the public key (C{verifyCertificateSpki}), one must match; empty: any.
    @ivar hashes: SHA-256 digests of the certificate (C{verifyCertificateHash}), one must match; empty: any.
        Where both C{spki} and C{hashes} are given, a match in either is enough, as in Envoy.
    """

    required: bool
    authorities: bytes
    revocations: bytes = b""
    subject_alt_names: tuple[str, ...] = ()
    spki: tuple[bytes, ...] = ()
    hashes: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class TLSRules(Picklable):
    """
    On what terms a server talks TLS: all but its certificate.

    A request may be served over a connection of another server on the same
    port only where the rules of both are equal.

    @ivar ciphers: OpenSSL names for TLS 1.2 and below; empty: the default.
    """

    minimum: TLSVersion = TLSVersion.TLSV1_2
    maximum: TLSVersion = TLSVersion.TLSV1_3
    ciphers: tuple[str, ...] = ()
    verification: ClientVerification | None = None


@dataclass(frozen=True, slots=True)
class ServerTLS(Picklable):
    """
    How a filter chain ends TLS.

    @ivar credentials: Name one certificate or more; none where all are issued on demand. Of those with one kind of key
        the one is shown that bears the SNI name.
    @ivar on_demand: The name of the issuer of certificates for names that the wildcards among the chain's hosts stand
        for; empty: there is none. See L{edgegate.model.on_demand}.
    """

    credentials: tuple[Credential, ...]
    rules: TLSRules = TLSRules()
    alpn: tuple[bytes, ...] = ()
    on_demand: str = ""


@dataclass(frozen=True, slots=True)
class UpstreamTLS(Picklable):
    """
    How the gateway talks TLS with the endpoints of a cluster (Istio's C{ClientTLSSettings}).

    @ivar sni: The name that is asked for; empty: the request's host, without its port.
    @ivar authorities: CA certificates as PEM; L{None}: the system's.
    @ivar credential: Names what the gateway shows for itself; L{None}: nothing.
    @ivar revocations: Certificate revocation lists as PEM, or empty.
    @ivar names: The backend's certificate must be for one of these; empty: for C{sni}.
    @ivar verified: L{False} for C{insecureSkipVerify}: whatever certificate the backend shows is taken.
    """

    sni: str = ""
    authorities: bytes | None = None
    credential: Credential | None = None
    revocations: bytes = b""
    names: tuple[str, ...] = ()
    verified: bool = True
