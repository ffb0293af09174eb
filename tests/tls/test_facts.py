"""Tests for L{edgegate.tls.facts}: what is told of a connection and of certificates, against what openssl(1) shows."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta, timezone
from typing import ClassVar
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL, crypto
from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls import facts
from edgegate.tls.authority import Authority, Issued, certificate_pem
from tests.tls.handshakes import connect

BEGIN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
END = BEGIN + timedelta(days=3000)
CLIENTS = Authority.new("Clients' authority")
SERVER = Authority.new("Servers' authority").server(["a.example", "spiffe://x/server"])


def certificate(*names: x509.GeneralName, serial: int = 0x0123456789ABCDEF) -> x509.Certificate:
    """Make a certificate for names."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, "shop"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example, Inc")]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root")]))
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(BEGIN)
        .not_valid_after(END)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256())


class CertificateTests(SynchronousTestCase):
    """Parts of a certificate."""

    def test_names(self) -> None:
        """The names of each kind, with commas between them; those of other kinds are not among them."""
        upn = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x03upn")
        number = x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x02\x01\x05")
        given = certificate(
            x509.DNSName("a.example"),
            x509.DNSName("*.b.example"),
            x509.UniformResourceIdentifier("spiffe://x/y"),
            x509.IPAddress(ipaddress.ip_address("::1")),
            x509.IPAddress(ipaddress.ip_address("10.1.2.3")),
            x509.RFC822Name("c@example.com"),
            upn,
            number,
        )
        for what, text in (
            ("DNS_SAN", "a.example,*.b.example"),
            ("URI_SAN", "spiffe://x/y"),
            ("IP_SAN", "::1,10.1.2.3"),
            ("EMAIL_SAN", "c@example.com"),
            ("OTHERNAME_SAN", "upn"),
        ):
            self.assertEqual(facts.told(given, what), text)
            self.assertEqual(facts.told(certificate(), what), "")

    def test_parts(self) -> None:
        """Subject and issuer as RFC 2253 has them, the serial number in whole bytes, the certificate for a URL."""
        given = certificate()
        for what, text in (
            ("SUBJECT", r"O=Example\, Inc,CN=shop"),
            ("ISSUER", "CN=root"),
            ("SERIAL", "0123456789abcdef"),
        ):
            self.assertEqual(facts.told(given, what), text)
        self.assertEqual(facts.told(certificate(serial=255), "SERIAL"), "ff")
        self.assertEqual(unquote(facts.told(given, "CERT")).encode(), certificate_pem(given))
        self.assertNotIn("/", facts.told(given, "CERT"))

    def test_fingerprints(self) -> None:
        """Digests, without colons."""
        given = certificate()
        shown = crypto.X509.from_cryptography(given)
        for what, digest in (("FINGERPRINT_1", "sha1"), ("FINGERPRINT_256", "sha256")):
            expected = shown.digest(digest).decode().replace(":", "").lower()
            self.assertEqual(facts.told(given, what), expected)

    def test_validity(self) -> None:
        """From when and until when."""
        self.assertEqual(facts.validity(certificate()), (BEGIN, END))


class ConnectionTests(SynchronousTestCase):
    """What two sides agreed on."""

    CLIENT: ClassVar[Issued] = CLIENTS.intermediate("Below").client("visitor", ["visitor.example"])

    def talk(self, version: int = SSL.TLS1_3_VERSION, client: Issued | None = None) -> tuple[SSL.Connection, ...]:
        """Shake hands, and return both sides."""
        contexts = []
        for issued in (SERVER, client):
            context = SSL.Context(SSL.TLS_METHOD)
            context.set_min_proto_version(version)
            context.set_max_proto_version(version)
            if issued is not None:
                context.use_certificate(issued.certificate)
                context.use_privatekey(issued.key)
                for each in issued.issuers:
                    context.add_extra_chain_cert(each)
            contexts.append(context)
        contexts[0].set_verify(SSL.VERIFY_PEER, lambda *told: True)
        return connect(*contexts)

    def test_agreed(self) -> None:
        """Version, cipher and group by the names that they are registered with."""
        server, client = self.talk()
        for side in (server, client):
            self.assertEqual(facts.version(side), "TLSv1.3")
            self.assertTrue(facts.cipher(side).startswith("TLS_"))
            self.assertIn(facts.group(side), ("X25519", "X25519MLKEM768", "P-256", ""))
        server, _ = self.talk(SSL.TLS1_2_VERSION)
        self.assertEqual(facts.version(server), "TLSv1.2")
        self.assertTrue(facts.cipher(server).startswith("ECDHE-ECDSA-"))
        self.assertEqual(facts.server_name(client), "a.example")

    def test_certificates(self) -> None:
        """Each side knows both; the chain begins with the other side's own."""
        for version in (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION):
            server, client = self.talk(version, self.CLIENT)
            self.assertEqual(facts.local_certificate(server), SERVER.certificate)
            self.assertEqual(facts.peer_certificate(client), SERVER.certificate)
            self.assertEqual(facts.peer_certificate(server), self.CLIENT.certificate)
            self.assertEqual(facts.peer_chain(server), [self.CLIENT.certificate, *self.CLIENT.issuers])
            self.assertEqual(facts.peer_chain(client), [SERVER.certificate])

    def test_none(self) -> None:
        """A client without a certificate has none to tell of."""
        server, client = self.talk()
        self.assertIsNone(facts.peer_certificate(server))
        self.assertEqual(facts.peer_chain(server), [])
        self.assertIsNone(facts.local_certificate(client))
