"""Issuers and certificates for tests."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from edgegate.model.certificates import (
    ACMEAuthority,
    CertificateDirectory,
    CertificateIssuer,
    KeyType,
    ManagedCertificate,
)
from edgegate.model.origin import Origin
from edgegate.model.tls import KeyPair
from edgegate.tls.acme.keys import new_key
from edgegate.tls.authority import key_pem

ORIGIN = Origin("gw.yaml", 7, "Gateway default/shop")


def managed(directory: Path, host: str = "shop.example.com", kind: KeyType = KeyType.ECDSA_P256) -> ManagedCertificate:
    """Return a certificate that is kept in a directory."""
    where = CertificateDirectory(str(directory))
    issuer = CertificateIssuer("default/ca", ACMEAuthority("https://ca.example/dir"), where, kind)
    return ManagedCertificate(host, issuer, ORIGIN)


def made(certificate: ManagedCertificate, begin: float, end: float, kind: KeyType = KeyType.ECDSA_P256) -> KeyPair:
    """Make what an authority might have issued."""
    key = new_key(kind)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "an authority")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0x80)
        .not_valid_before(datetime.fromtimestamp(0, timezone.utc) + timedelta(seconds=begin))
        .not_valid_after(datetime.fromtimestamp(0, timezone.utc) + timedelta(seconds=end))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(certificate.host)]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier(b"\1\2\3", None, None), critical=False)
        .sign(key, SHA256())
    )
    return KeyPair(certificate.credential.name, signed.public_bytes(Encoding.PEM), key_pem(key))
