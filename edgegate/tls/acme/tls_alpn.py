"""What an authority is shown that asks by TLS-ALPN-01 whether a host is ours (RFC 8737): a certificate of its own."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from OpenSSL import SSL

from edgegate.model.tls import KeyPair
from edgegate.tls.contexts import server_context
from edgegate.tls.secrets import ResolvedTLS

PROTOCOL: Final = b"acme-tls/1"

OFFERED: Final = (PROTOCOL,)
"""What authorities offer by ALPN, and nothing beside it (RFC 8737 section 3)."""

DIGEST: Final = 32
"""Bytes of the answer: SHA-256 of the key authorization."""

IDENTIFIER: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
"""id-pe-acmeIdentifier."""

_SUBJECT: Final = "edgegate: ACME challenge"
_LIFE: Final = timedelta(days=7)


def digest_of(key_authorization: str) -> bytes:
    """Return what the certificate says of a key authorization (RFC 8555 section 8.1)."""
    return sha256(key_authorization.encode("ascii")).digest()


def challenge_pair(host: str, digest: bytes) -> KeyPair:
    """
    Make the certificate and its key, signed by itself.

    @param digest: Of L{DIGEST} bytes.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, _SUBJECT)]), datetime.now(timezone.utc)
    # an OCTET STRING in DER: its tag, its length, what it holds
    identifier = x509.UnrecognizedExtension(IDENTIFIER, bytes((4, len(digest))) + digest)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(identifier, critical=True)
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return KeyPair(f"TLS-ALPN-01 of {host}", signed.public_bytes(Encoding.PEM), pem)


def challenge_context(host: str, digest: bytes) -> SSL.Context:
    """Make the context that shows the certificate, to those who offer the protocol."""
    return server_context(ResolvedTLS((challenge_pair(host, digest),), alpn=OFFERED), "TLS-ALPN-01")
