"""Tests for the authority that certificates to try TLS with come from."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.authority import LEAF_LIFETIME, Authority, alternative_name, self_signed

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


class AuthorityTests(SynchronousTestCase):
    """What it issues is what strict clients accept."""

    def setUp(self) -> None:
        self.authority = Authority.new("Test authority", NOW)
        self.store = Store([self.authority.own.certificate])
        self.policy = PolicyBuilder().store(self.store).time(NOW)

    def test_server(self) -> None:
        """A server's certificate is good for its names, wildcards and addresses included, and for no others."""
        issued = self.authority.server(["shop.example", "*.shop.example", "127.0.0.1"], NOW)
        for name in ("shop.example", "a.shop.example"):
            self.policy.build_server_verifier(x509.DNSName(name)).verify(issued.certificate, [])
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        self.policy.build_server_verifier(address).verify(issued.certificate, [])
        other = self.policy.build_server_verifier(x509.DNSName("other.example"))
        self.assertRaises(VerificationError, other.verify, issued.certificate, [])

    def test_addresses(self) -> None:
        """Addresses of IPv6 may be in brackets, as hosts of files are."""
        self.assertEqual(alternative_name("[::1]"), alternative_name("::1"))

    def test_self_signed(self) -> None:
        """What no authority has signed is trusted by nobody, and for its names alone."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self_signed(x509.Name([]), ["a.example", "10.0.0.1"], key, timedelta(days=2))
        names = made.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(set(names), {alternative_name("a.example"), alternative_name("10.0.0.1")})
        self.assertEqual(
            made.certificate.not_valid_after_utc - made.certificate.not_valid_before_utc, timedelta(days=2)
        )
        verifier = self.policy.build_server_verifier(x509.DNSName("a.example"))
        self.assertRaises(VerificationError, verifier.verify, made.certificate, [])

    def test_client(self) -> None:
        """A client's certificate is good for clients only."""
        issued = self.authority.client("a client", ["client.example", "spiffe://example/a", "a@client.example"], NOW)
        verified = self.policy.build_client_verifier().verify(issued.certificate, [])
        self.assertEqual(len(verified.subjects or ()), 3)
        server = self.policy.build_server_verifier(x509.DNSName("client.example"))
        self.assertRaises(VerificationError, server.verify, issued.certificate, [])

    def test_lifetimes(self) -> None:
        """Clocks may differ by an hour; a leaf lives as long as browsers allow, the authority for ten years."""
        leaf = self.authority.server(["a.example"], NOW).certificate
        self.assertEqual(leaf.not_valid_before_utc, NOW - timedelta(hours=1))
        self.assertEqual(leaf.not_valid_after_utc - leaf.not_valid_before_utc, LEAF_LIFETIME)
        own = self.authority.own.certificate
        self.assertEqual(own.not_valid_after_utc - own.not_valid_before_utc, timedelta(days=3650))

    def test_extensions(self) -> None:
        """Constraints and usage are critical, and the identifiers of subject and issuer are there."""
        leaf = self.authority.server(["a.example"], NOW).certificate
        for certificate, authority in ((self.authority.own.certificate, True), (leaf, False)):
            constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
            self.assertEqual((constraints.critical, constraints.value.ca), (True, authority))
            self.assertTrue(certificate.extensions.get_extension_for_class(x509.KeyUsage).critical)
            certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
            certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        self.assertEqual(list(usage), [ExtendedKeyUsageOID.SERVER_AUTH])

    def test_long_name(self) -> None:
        """A name that is too long for a common name stands in the alternative names alone."""
        name = ".".join(["a" * 40, "b" * 40, "example"])
        certificate = self.authority.server([name], NOW).certificate
        self.assertEqual(list(certificate.subject), [])
        self.assertTrue(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical)

    def test_intermediate(self) -> None:
        """A chain through an intermediate authority verifies against the root."""
        below = self.authority.intermediate("Below", NOW)
        issued = below.server(["a.example"], NOW)
        self.assertEqual(issued.chain_pem.count(b"BEGIN CERTIFICATE"), 2)
        self.policy.build_server_verifier(x509.DNSName("a.example")).verify(issued.certificate, list(issued.issuers))

    def test_rsa(self) -> None:
        """A given RSA key is used, and may encipher keys, which older cipher suites need."""
        key = rsa.generate_private_key(65537, 2048)
        certificate = self.authority.server(["a.example"], NOW, key=key).certificate
        self.assertEqual(certificate.public_key(), key.public_key())
        self.assertTrue(certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_encipherment)

    def test_revocations(self) -> None:
        """A revocation list names what was revoked and is signed by the authority."""
        issued = self.authority.client("gone", now=NOW)
        revoked = x509.load_pem_x509_crl(self.authority.revocations([issued.certificate], NOW))
        self.assertEqual([each.serial_number for each in revoked], [issued.certificate.serial_number])
        self.assertTrue(revoked.is_signature_valid(self.authority.own.key.public_key()))

    def test_key_stays_secret(self) -> None:
        """The representation of what was issued does not show the key."""
        self.assertNotIn("key=", repr(self.authority.server(["a.example"], NOW)))


class AlternativeNameTests(SynchronousTestCase):
    """Which kind of name is meant."""

    def test_kinds(self) -> None:
        """Addresses, URIs, e-mail addresses and DNS names are told by their looks."""
        for name, kind in {
            "a.example": x509.DNSName,
            "*.example": x509.DNSName,
            "spiffe://a/b": x509.UniformResourceIdentifier,
            "a@b.example": x509.RFC822Name,
            "::1": x509.IPAddress,
            "10.0.0.1": x509.IPAddress,
        }.items():
            self.assertIsInstance(alternative_name(name), kind)
