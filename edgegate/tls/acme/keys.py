"""Keys, requests for certificates, and what is shown until there is a certificate."""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from edgegate.model.certificates import KeyType, ManagedCertificate
from edgegate.model.tls import KeyPair
from edgegate.tls.authority import PrivateKey, self_signed
from edgegate.tls.secrets import load_certificates

PLACEHOLDER_LIFETIME = timedelta(days=3650)
"""A placeholder is trusted by nobody, so that it need not end; it is gone with the process."""

_ORGANIZATION = "edgegate: no certificate was issued yet"
_COMMON_NAME = 64  # ub-common-name of RFC 5280


def new_key(kind: KeyType) -> PrivateKey:
    """Make a key."""
    if kind is KeyType.RSA_2048:
        return rsa.generate_private_key(65537, 2048)
    if kind is KeyType.RSA_4096:
        return rsa.generate_private_key(65537, 4096)
    return ec.generate_private_key(ec.SECP384R1() if kind is KeyType.ECDSA_P384 else ec.SECP256R1())


def signing_request(key: PrivateKey, host: str) -> bytes:
    """Return a request for a certificate (RFC 2986), as PEM, which names the host but not as its subject."""
    names = x509.SubjectAlternativeName([x509.DNSName(host)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, critical=False)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def placeholder(certificate: ManagedCertificate) -> KeyPair:
    """
    Make what is shown until a certificate was issued, or withheld: it is for the host, and signed by nobody but itself.
    """
    # of the kind of the certificates to come: of two kinds both would be offered to clients
    key = new_key(certificate.issuer.key_type)
    subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANIZATION)]
    if len(certificate.host) <= _COMMON_NAME:
        subject.append(x509.NameAttribute(NameOID.COMMON_NAME, certificate.host))
    made, waits = (
        self_signed(x509.Name(subject), [certificate.host], key, PLACEHOLDER_LIFETIME),
        certificate.issuer.waits,
    )
    return KeyPair(certificate.credential.name, made.chain_pem, made.key_pem, placeholder=True, withheld=waits)


def is_placeholder(pair: KeyPair) -> bool:
    """
    Whether this is what L{placeholder} makes.

    @raise edgegate.tls.secrets.BadKeyMaterial: It is no certificate.
    """
    subject = load_certificates(pair.chain, pair.name)[0].subject
    return any(each.value == _ORGANIZATION for each in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))
