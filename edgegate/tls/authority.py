"""A small certificate authority: that of C{edgegate certs}, and the local one of a CertificateIssuer."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFETIME = timedelta(days=3650)
LEAF_LIFETIME = timedelta(days=397)
"""What browsers accept at most (CA/Browser Forum, baseline requirements 6.3.2, in force when it was 398 days)."""

CLOCK_SKEW = timedelta(hours=1)
"""What is issued is valid from so long ago."""

_MAX_COMMON_NAME = 64  # RFC 5280 appendix A.1, ub-common-name

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Issued:
    """
    A certificate and its private key.

    @ivar issuers: The certificates of intermediate authorities that belong behind it in a chain.
    """

    certificate: x509.Certificate
    key: PrivateKey = field(repr=False)
    issuers: tuple[x509.Certificate, ...] = ()

    @property
    def chain_pem(self) -> bytes:
        """The certificate and its intermediate issuers, leaf first."""
        return b"".join(certificate_pem(certificate) for certificate in (self.certificate, *self.issuers))

    @property
    def key_pem(self) -> bytes:
        """The private key as PKCS #8, not encrypted."""
        return key_pem(self.key)


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: PrivateKey) -> bytes:
    """Return a private key as PKCS #8, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def alternative_name(name: str) -> x509.GeneralName:
    """
    Return a subject alternative name: an IP address (also in brackets), a URI, an e-mail address or a DNS name, by what
    it looks like.

    @raise ValueError: A certificate can't name it.
    """
    try:
        return x509.IPAddress(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        pass
    if "://" in name:
        return x509.UniformResourceIdentifier(name)
    return x509.RFC822Name(name) if "@" in name else x509.DNSName(name)


@dataclass(frozen=True, slots=True)
class Authority:
    """
    Issues certificates.

    @ivar own: The authority's certificate and key.
    """

    own: Issued

    @classmethod
    def new(cls, name: str, now: datetime | None = None, path_length: int | None = None) -> Authority:
        """
        Make a root authority, valid from an hour ago for ten years.

        @param path_length: How many authorities there may be one below the other under it; L{None}: any number.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _authority(_builder(subject, subject, key, now, AUTHORITY_LIFETIME), path_length, _identifier(key))
        return cls(Issued(builder.sign(key, hashes.SHA256()), key))

    def intermediate(self, name: str, now: datetime | None = None) -> Authority:
        """Make an authority below this one."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(subject, self.own.certificate.subject, key, now, AUTHORITY_LIFETIME)
        certificate = _authority(builder, 0, _identifier(self.own.key)).sign(self.own.key, hashes.SHA256())
        return Authority(Issued(certificate, key, (certificate,)))

    def server(
        self,
        names: Iterable[str],
        now: datetime | None = None,
        lifetime: timedelta = LEAF_LIFETIME,
        key: PrivateKey | None = None,
    ) -> Issued:
        """
        Make a server's certificate for DNS names, wildcards or IP addresses.

        @param key: The server's key; made anew (ECDSA P-256) if not given.
        """
        listed = tuple(names)
        return self._leaf(listed[0], listed, ExtendedKeyUsageOID.SERVER_AUTH, now, lifetime, key)

    def client(
        self,
        name: str,
        names: Iterable[str] = (),
        now: datetime | None = None,
        lifetime: timedelta = LEAF_LIFETIME,
        key: PrivateKey | None = None,
    ) -> Issued:
        """
        Make a client's certificate.

        @param name: The common name of its subject.
        @param names: Its subject alternative names: DNS names, URIs, e-mail or IP addresses.
        @param key: The client's key; made anew (ECDSA P-256) if not given.
        """
        return self._leaf(name, tuple(names), ExtendedKeyUsageOID.CLIENT_AUTH, now, lifetime, key)

    def revocations(self, revoked: Iterable[x509.Certificate] = (), now: datetime | None = None) -> bytes:
        """Make a certificate revocation list, valid for thirty days, as PEM."""
        begin = _instant(now) - CLOCK_SKEW
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.own.certificate.subject)
            .last_update(begin)
            .next_update(begin + timedelta(days=30))
        )
        for certificate in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(begin)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.own.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _leaf(
        self,
        name: str,
        names: tuple[str, ...],
        usage: x509.ObjectIdentifier,
        now: datetime | None,
        lifetime: timedelta,
        key: PrivateKey | None,
    ) -> Issued:
        key = key or ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)] if len(name) <= _MAX_COMMON_NAME else []
        builder = (
            _builder(x509.Name(attributes), self.own.certificate.subject, key, now, lifetime)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False, rsa_key=isinstance(key, rsa.RSAPrivateKey)), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(_identifier(self.own.key), critical=False)
        )
        if names:
            listed = x509.SubjectAlternativeName([alternative_name(each) for each in names])
            builder = builder.add_extension(listed, critical=not attributes)  # RFC 5280 section 4.2.1.6
        return Issued(builder.sign(self.own.key, hashes.SHA256()), key, self.own.issuers)


def self_signed(subject: x509.Name, names: Iterable[str], key: PrivateKey, lifetime: timedelta) -> Issued:
    """Make a certificate that no authority has signed, and nobody trusts."""
    listed = x509.SubjectAlternativeName([alternative_name(each) for each in names])
    builder = (
        _builder(subject, subject, key, None, lifetime)
        .add_extension(listed, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    return Issued(builder.sign(key, hashes.SHA256()), key)


def _identifier(key: PrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _instant(now: datetime | None) -> datetime:
    return now or datetime.now(timezone.utc)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, now: datetime | None, lifetime: timedelta
) -> x509.CertificateBuilder:
    begin = _instant(now) - CLOCK_SKEW
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _authority(
    builder: x509.CertificateBuilder, path_length: int | None, issuer: x509.AuthorityKeyIdentifier
) -> x509.CertificateBuilder:
    return (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_usage(authority=True, rsa_key=False), critical=True)
        .add_extension(issuer, critical=False)
    )


def _usage(*, authority: bool, rsa_key: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=rsa_key,  # for the cipher suites of TLS 1.2 without forward secrecy
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
