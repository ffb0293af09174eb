"""What a TLS connection and the certificates of its two sides are, in the words of Envoy's command operators."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from OpenSSL import SSL

from edgegate.tls.verification import UNREADABLE, alternative_names, distinguished_name


def cipher(connection: SSL.Connection) -> str:
    """Return OpenSSL's name of the cipher suite."""
    return connection.get_cipher_name() or ""


def version(connection: SSL.Connection) -> str:
    """Return the version: C{TLSv1.3}."""
    return connection.get_protocol_version_name()


def group(connection: SSL.Connection) -> str:
    """Return the group of the key exchange as it is registered: C{X25519}."""
    try:
        name = connection.get_group_name() or ""
    except NotImplementedError:  # OpenSSL before 3.2
        return ""
    return _GROUPS.get(name, name)


_GROUPS = {"x25519": "X25519", "x448": "X448", "secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
"""What Envoy calls those that OpenSSL calls otherwise."""


def server_name(connection: SSL.Connection) -> str:
    """Return the name that was asked for in the ClientHello."""
    return (connection.get_servername() or b"").decode("ascii", "replace")


def local_certificate(connection: SSL.Connection) -> x509.Certificate | None:
    """Return the certificate that we have shown, if we have."""
    return connection.get_certificate(as_cryptography=True)


def peer_certificate(connection: SSL.Connection) -> x509.Certificate | None:
    """Return the certificate that the other side has shown, if it has."""
    return connection.get_peer_certificate(as_cryptography=True)


def peer_chain(connection: SSL.Connection) -> list[x509.Certificate]:
    """Return the certificates that the other side has sent, its own first."""
    own = peer_certificate(connection)
    sent = connection.get_peer_cert_chain(as_cryptography=True) or []
    # a server is told the client's own apart from its chain
    return sent if own is None or own in sent[:1] else [own, *sent]


@lru_cache(maxsize=1024)
def told(certificate: x509.Certificate, what: str) -> str:
    """Return a part of a certificate, by the end of an operator's name; empty where it has none or can't be read."""
    try:
        return _PARTS[what](certificate)
    except UNREADABLE:
        return ""


def validity(certificate: x509.Certificate) -> tuple[datetime, datetime]:
    """Return from when and until when a certificate is good."""
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc


def _names(kind: type[x509.GeneralName]) -> Callable[[x509.Certificate], str]:
    def find(certificate: x509.Certificate) -> str:
        return ",".join(str(name.value) for name in alternative_names(certificate) if isinstance(name, kind))

    return find


def _other_names(certificate: x509.Certificate) -> str:
    """Return the other names that are text: those with a length of one byte."""
    values = [name.value for name in alternative_names(certificate) if isinstance(name, x509.OtherName)]
    texts = [value[2:] for value in values if value[:1] in _TEXTS and value[1:2] == bytes([len(value) - 2 & 127])]
    return ",".join(text.decode("utf-8", "replace") for text in texts)


_TEXTS = (b"\x0c", b"\x13", b"\x16")
"""The tags of C{UTF8String}, C{PrintableString} and C{IA5String}."""


def _serial(certificate: x509.Certificate) -> str:
    digits = f"{certificate.serial_number:x}"
    return digits if len(digits) % 2 == 0 else f"0{digits}"


_PARTS: dict[str, Callable[[x509.Certificate], str]] = {
    "CERT": lambda given: quote(given.public_bytes(serialization.Encoding.PEM), safe=""),
    "SUBJECT": lambda given: distinguished_name(given.subject),
    "ISSUER": lambda given: distinguished_name(given.issuer),
    "SERIAL": _serial,
    "FINGERPRINT_1": lambda given: given.fingerprint(hashes.SHA1()).hex(),
    "FINGERPRINT_256": lambda given: given.fingerprint(hashes.SHA256()).hex(),
    "URI_SAN": _names(x509.UniformResourceIdentifier),
    "DNS_SAN": _names(x509.DNSName),
    "IP_SAN": _names(x509.IPAddress),
    "EMAIL_SAN": _names(x509.RFC822Name),
    "OTHERNAME_SAN": _other_names,
}
"""By the end of the operators' names, behind C{DOWNSTREAM_PEER_} and the like."""

PARTS: frozenset[str] = frozenset(_PARTS)
