"""
Key material: certificates, private keys and revocation lists as users write them, and what is wrong with them.

Every message is for the person who wrote the file. None repeats a byte of a
private key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from edgegate.model.tls import KeyPair, TLSRules

MIN_RSA_BITS = 2048
"""As OpenSSL at its default security level, and Envoy."""

EXPIRES_SOON = timedelta(days=21)
"""How long before a certificate's end it is warned of: after those who renew 30 days before have done so."""

T = TypeVar("T")

ServerKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey

_FEW = 8
"""Of what was loaded the last are kept: those that are asked for one after the other are mostly one and the same."""

_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion)


@dataclass(frozen=True, slots=True)
class ResolvedTLS:
    """
    A server's TLS with the key material that its credentials name.

    @ivar certificates: One or more.
    """

    certificates: tuple[KeyPair, ...]
    rules: TLSRules = TLSRules()  # noqa: RUF009 (frozen)
    alpn: tuple[bytes, ...] = ()


class BadKeyMaterial(ValueError):
    """
    A certificate, key or revocation list is of no use.

    @ivar name: What the user calls it: a file, a secret, a field.
    @ivar reason: What is wrong, and where it helps, what to do.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


def check_authorities(pem: bytes, name: str = "caCertificates") -> None:
    """
    Check the certificates of the authorities that clients' certificates are verified against.

    @raise BadKeyMaterial: There are none, or they can't be read.
    """
    load_certificates(pem, name)


def check_revocations(pem: bytes, name: str = "caCrl") -> None:
    """
    Check certificate revocation lists.

    @raise BadKeyMaterial: There are none, or they can't be read.
    """
    load_revocations(pem, name)


def expiry(pem: bytes) -> datetime:
    """
    Return when the first of these certificates expires, in UTC.

    @raise BadKeyMaterial: There are none, or they can't be read.
    """
    return min(certificate.not_valid_after_utc for certificate in load_certificates(pem, "certificates"))


def doubts(pem: bytes, now: datetime) -> list[str]:
    """
    Say what clients may dislike about certificates that can be served: a warning each.

    @param now: An aware time.

    @raise BadKeyMaterial: There are none, or they can't be read.
    """
    found = []
    for certificate in load_certificates(pem, "certificates"):
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if now < begin:
            found.append(f"the certificate of {_subject(certificate)} is not valid before {begin:%Y-%m-%d %H:%M} UTC")
        elif end <= now:
            found.append(f"the certificate of {_subject(certificate)} expired on {end:%Y-%m-%d %H:%M} UTC")
        elif end <= now + EXPIRES_SOON:
            found.append(f"the certificate of {_subject(certificate)} expires on {end:%Y-%m-%d %H:%M} UTC")
    return found


@lru_cache(maxsize=_FEW)
def load_key_pair(pair: KeyPair) -> tuple[tuple[x509.Certificate, ...], ServerKey]:
    """
    Return the chain, the server's own certificate first, and its key.

    @raise BadKeyMaterial: A server can't present it.
    """
    chain = load_certificates(pair.chain, pair.name)
    key = _load_key(pair)
    public = key.public_key()
    try:
        at = next((at for at, each in enumerate(chain) if each.public_key() == public), None)
    except _UNREADABLE:
        raise BadKeyMaterial(pair.name, "a certificate's public key is of an unknown kind") from None
    if at is None:
        raise BadKeyMaterial(pair.name, "the private key does not belong to the certificate")
    if at:
        raise BadKeyMaterial(
            pair.name, f"certificate {at + 1} of the file is the key's: it must be the first, its issuers behind it"
        )
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < MIN_RSA_BITS:
        raise BadKeyMaterial(pair.name, f"the RSA key has {key.key_size} bits: clients demand {MIN_RSA_BITS}")
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name not in _CURVES:
        raise BadKeyMaterial(pair.name, f"the key's curve is {key.curve.name}: clients know P-256, P-384 and P-521")
    return chain, key


@lru_cache(maxsize=_FEW)
def load_certificates(pem: bytes, name: str) -> tuple[x509.Certificate, ...]:
    """
    Return all certificates of a PEM file, in its order.

    @raise BadKeyMaterial: There are none, or one can't be read.
    """
    return _loaded(pem, name, b"CERTIFICATE", "certificate", x509.load_pem_x509_certificate)


def load_revocations(pem: bytes, name: str) -> tuple[x509.CertificateRevocationList, ...]:
    """
    Return all certificate revocation lists of a PEM file.

    @raise BadKeyMaterial: There are none, or one can't be read.
    """
    return _loaded(pem, name, b"X509 CRL", "certificate revocation list", x509.load_pem_x509_crl)


def _loaded(pem: bytes, name: str, label: bytes, what: str, load: Callable[[bytes], T]) -> tuple[T, ...]:
    """Return what the blocks with a label hold, at least one; C{what} it is called in messages."""
    found = []
    for number, block in enumerate(_blocks(pem, label), 1):
        try:
            found.append(load(block))
        except _UNREADABLE:
            raise BadKeyMaterial(name, f"{what} {number} can't be read") from None
    if not found:
        raise BadKeyMaterial(name, f"no {what} found: {_content(pem)}")
    return tuple(found)


def _load_key(pair: KeyPair) -> ServerKey:
    name = pair.key_file or pair.name
    # A file may begin with the parameters of its curve, or hold the certificate too.
    blocks = [match for match in _BLOCK.finditer(pair.key) if match[1].endswith(b"PRIVATE KEY")]
    if not blocks:
        raise BadKeyMaterial(name, f"no private key found: {_content(pair.key)}")
    if len(blocks) > 1:
        raise BadKeyMaterial(name, "more than one private key: it must be clear which is meant")
    block = blocks[0][0]
    if blocks[0][1] == b"ENCRYPTED PRIVATE KEY" or b"Proc-Type: 4,ENCRYPTED" in block:
        raise BadKeyMaterial(
            name, "the private key is encrypted, and nobody is there to type its passphrase: store it decrypted"
        )
    try:
        key: PrivateKeyTypes = load_pem_private_key(block, None)
    except _UNREADABLE:
        raise BadKeyMaterial(name, "the private key can't be read") from None
    if not isinstance(key, ServerKey):
        raise BadKeyMaterial(name, "the private key is neither RSA nor ECDSA nor EdDSA")
    return key


def _blocks(pem: bytes, label: bytes) -> Iterator[bytes]:
    return (match[0] for match in _BLOCK.finditer(pem) if match[1] == label)


def _content(pem: bytes) -> str:
    """Say what there is in place of what was looked for."""
    if not pem.strip():
        return "it is empty"
    labels = sorted({match[1].decode("ascii") for match in _BLOCK.finditer(pem)})
    if labels:
        return f"it holds {', '.join(labels)}"
    if b"-----BEGIN" in pem:
        return "it is cut off, or its PEM markers do not fit together"
    return "it is DER, not PEM" if pem[:1] == b"\x30" else "it is not PEM"


def _subject(certificate: x509.Certificate) -> str:
    try:
        return certificate.subject.rfc4514_string() or "(no subject)"
    except ValueError:
        return "(unreadable subject)"
