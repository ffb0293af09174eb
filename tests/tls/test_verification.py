"""Tests of L{edgegate.tls.verification}, with real handshakes where clients see the difference."""

from __future__ import annotations

import ssl
from datetime import timedelta
from hashlib import sha256
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.tls import ClientVerification, TLSRules
from edgegate.tls.authority import Authority, Issued
from edgegate.tls.contexts import server_context
from edgegate.tls.secrets import BadKeyMaterial
from edgegate.tls.verification import distinguished_name, forwarded_client_cert, objection, refusal
from tests.tls.handshakes import AUTHORITY, CLIENTS, NOW, Talk, client_context, connect, only, server_tls, shake

NAMES = ["client.example", "spiffe://example/a", "a@client.example", "10.0.0.7"]
CLIENT = CLIENTS.client("client", NAMES)
STRANGER = Authority.new("Another authority").client("client", NAMES)


def verification(
    *,
    required: bool = True,
    authorities: bytes = CLIENTS.own.chain_pem,
    revocations: bytes = b"",
    names: tuple[str, ...] = (),
    spki: tuple[bytes, ...] = (),
    hashes: tuple[bytes, ...] = (),
) -> ClientVerification:
    """What a server asks of clients."""
    return ClientVerification(required, authorities, revocations, names, spki, hashes)


def spki(issued: Issued) -> bytes:
    """The digest of a public key."""
    public = issued.key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return sha256(public).digest()


def digest(issued: Issued) -> bytes:
    """The digest of a certificate."""
    return sha256(issued.certificate.public_bytes(serialization.Encoding.DER)).digest()


class HandshakeTests(SynchronousTestCase):
    """Who gets in."""

    def talk(self, wanted: ClientVerification, issued: Issued | None, version: ssl.TLSVersion | None = None) -> Talk:
        """Shake hands with a server that verifies."""
        client = client_context(self.mktemp(), issued)
        if version is not None:
            only(client, version)
        return shake(server_context(server_tls(rules=TLSRules(verification=wanted))), client)

    def served(self, wanted: ClientVerification, issued: Issued | None = CLIENT) -> None:
        """Expect that a client is served, in each version."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            talk = self.talk(wanted, issued, version)
            self.assertEqual((talk.refused, talk.failed, refusal(talk.server)), ("", "", ""))

    def refused(self, wanted: ClientVerification, issued: Issued | None, reason: str) -> None:
        """Expect that a client is refused by an alert, in each version, and that the reason is known for the log."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            talk = self.talk(wanted, issued, version)
            self.assertIn("alert", talk.refused.lower())
            self.assertNotEqual(talk.failed, "")
            self.assertEqual(refusal(talk.server), reason)

    def test_mutual(self) -> None:
        """MUTUAL serves clients of its authority, and nobody else."""
        self.served(verification())
        self.refused(verification(), None, "")
        self.refused(verification(), STRANGER, "unable to get issuer cert locally")

    def test_optional(self) -> None:
        """OPTIONAL_MUTUAL serves clients without a certificate, but not one that comes with a stranger's."""
        wanted = verification(required=False)
        self.served(wanted, None)
        self.served(wanted)
        self.refused(wanted, STRANGER, "unable to get issuer cert locally")

    def test_expired(self) -> None:
        """A certificate that has expired, or is not yet valid, is refused."""
        old = CLIENTS.client("old", now=NOW - timedelta(days=10), lifetime=timedelta(days=5))
        self.refused(verification(), old, "cert has expired")
        early = CLIENTS.client("early", now=NOW + timedelta(days=10))
        self.refused(verification(), early, "cert not yet valid")

    def test_servers_certificate(self) -> None:
        """A certificate that was issued to a server is none for a client."""
        self.refused(verification(), CLIENTS.server(["client.example"]), "invalid purpose")

    def test_intermediate(self) -> None:
        """Clients may send issuers of their own below the authority."""
        self.served(verification(), CLIENTS.intermediate("Below").client("c"))

    def test_intermediate_trusted(self) -> None:
        """An intermediate authority may be trusted without its root."""
        below = CLIENTS.intermediate("Below")
        self.served(verification(authorities=below.own.chain_pem), below.client("c"))

    def test_two_authorities(self) -> None:
        """Several authorities stand beside each other."""
        other = Authority.new("Other")
        wanted = verification(authorities=other.own.chain_pem + CLIENTS.own.chain_pem)
        self.served(wanted)
        self.served(wanted, other.client("c"))

    def test_revoked(self) -> None:
        """A revoked certificate is refused, others of the authority are served."""
        wanted = verification(revocations=CLIENTS.revocations([CLIENT.certificate]))
        self.refused(wanted, CLIENT, "cert revoked")
        self.served(wanted, CLIENTS.client("another"))

    def test_revocations_of_another(self) -> None:
        """Where lists are given, an authority without one can't vouch for its clients."""
        wanted = verification(revocations=AUTHORITY.revocations())
        self.refused(wanted, CLIENT, "unable to get crl")

    def test_revocations_expired(self) -> None:
        """An outdated list vouches for nobody."""
        wanted = verification(revocations=CLIENTS.revocations(now=NOW - timedelta(days=60)))
        self.refused(wanted, CLIENT, "crl has expired")

    def test_names(self) -> None:
        """C{subjectAltNames}: one of the listed names must be in the certificate."""
        for name in NAMES:
            self.served(verification(names=("other.example", name)))
        self.refused(verification(names=("other.example",)), CLIENT, "none of its subject alternative names is allowed")
        self.refused(
            verification(names=("client",)),
            CLIENTS.client("client"),
            "none of its subject alternative names is allowed",
        )

    def test_pins(self) -> None:
        """C{verifyCertificateSpki} and C{verifyCertificateHash}: a match in either is enough."""
        zero = bytes(32)
        self.served(verification(spki=(zero, spki(CLIENT))))
        self.served(verification(hashes=(zero, digest(CLIENT))))
        self.served(verification(spki=(zero,), hashes=(digest(CLIENT),)))
        reason = "neither its public key nor its digest is allowed"
        self.refused(verification(spki=(zero,)), CLIENT, reason)
        self.refused(verification(hashes=(zero,)), CLIENT, reason)
        self.refused(verification(spki=(zero,), hashes=(zero,)), CLIENT, reason)

    def test_pins_do_not_replace_the_authority(self) -> None:
        """A pinned certificate of a stranger stays a stranger's."""
        wanted = verification(hashes=(digest(STRANGER),), spki=(spki(STRANGER),))
        self.refused(wanted, STRANGER, "unable to get issuer cert locally")

    def test_names_and_optional(self) -> None:
        """With OPTIONAL_MUTUAL, the checks hold for a certificate that comes."""
        wanted = verification(required=False, names=("other.example",))
        self.served(wanted, None)
        self.refused(wanted, CLIENT, "none of its subject alternative names is allowed")

    def test_authorities_are_named(self) -> None:
        """Clients are told whose certificates are asked for, so that a browser offers the right one."""
        rules = TLSRules(verification=verification(required=False))
        _, client = connect(server_context(server_tls(rules=rules)), SSL.Context(SSL.TLS_CLIENT_METHOD))
        self.assertEqual([name.CN for name in client.get_client_ca_list()], ["Clients' authority"])

    def test_bad_authorities(self) -> None:
        """A server whose authorities can't be read is not made."""
        for wanted in (verification(authorities=b""), verification(revocations=b"hello")):
            tls = server_tls(rules=TLSRules(verification=wanted))
            self.assertRaises(BadKeyMaterial, server_context, tls)


class ObjectionTests(SynchronousTestCase):
    """The checks on top of the chain."""

    def named(self, certificate: str, allowed: str) -> bool:
        """Whether a certificate with this name passes where that one is allowed."""
        issued = CLIENTS.client("c", [certificate])
        return not objection(issued.certificate, verification(names=(allowed,)))

    def test_wildcards(self) -> None:
        """A wildcard in the certificate stands for one label; one in the files stands for nothing but itself."""
        for certificate, allowed, expected in (
            ("a.example", "a.example", True),
            ("A.example", "a.EXAMPLE", True),
            ("*.example", "a.example", True),
            ("*.example", "*.example", True),
            ("*.example", "a.b.example", False),
            ("*.example", "example", False),
            ("*.example", ".example", False),
            ("a.example", "*.example", False),
            ("a.example", "b.example", False),
            ("a.example", "a.example.other", False),
        ):
            self.assertEqual(self.named(certificate, allowed), expected, (certificate, allowed))

    def test_uris(self) -> None:
        """URIs are compared as they are written."""
        self.assertTrue(self.named("spiffe://a/b", "spiffe://a/b"))
        self.assertFalse(self.named("spiffe://a/b", "spiffe://A/b"))
        self.assertFalse(self.named("spiffe://a/b/c", "spiffe://a/b"))

    def test_nul_bytes(self) -> None:
        """A name does not end at a NUL byte."""
        self.assertFalse(self.named("a.example\0.other.example", "a.example"))

    def test_unreadable(self) -> None:
        """A certificate whose names can't be read is refused while the client can still be told."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(CLIENTS.own.certificate.subject)
            .public_key(CLIENT.key.public_key())
            .serial_number(7)
            .not_valid_before(NOW)
            .not_valid_after(NOW + timedelta(days=1))
            .add_extension(x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"\x30\x03\x82\x01\xff"), False)
        )

        certificate = builder.sign(CLIENTS.own.key, hashes.SHA256())
        self.assertEqual(objection(certificate, verification()), "it can't be read")


class ForwardedClientCertTests(SynchronousTestCase):
    """What a backend is told about a client."""

    def test_elements(self) -> None:
        """Hash, Cert, Subject, URI and DNS, as Envoy writes them."""
        value = forwarded_client_cert(CLIENT.certificate).decode("ascii")
        elements = value.split(";")
        self.assertEqual(elements[0], f"Hash={digest(CLIENT).hex()}")
        pem = unquote(elements[1].removeprefix('Cert="').removesuffix('"'))
        self.assertEqual(pem, CLIENT.chain_pem.decode("ascii"))
        self.assertNotIn("+", elements[1])
        self.assertEqual(elements[2:], ['Subject="CN=client"', "URI=spiffe://example/a", "DNS=client.example"])

    def test_no_names(self) -> None:
        """Without a URI its element is there and empty, without DNS names there is none."""
        value = forwarded_client_cert(CLIENTS.client("c").certificate)
        self.assertTrue(value.endswith(b';Subject="CN=c";URI='), value)

    def test_several_names(self) -> None:
        """Each name has an element of its own."""
        issued = CLIENTS.client("c", ["a.example", "b.example", "spiffe://a", "spiffe://b"])
        value = forwarded_client_cert(issued.certificate)
        self.assertTrue(value.endswith(b";URI=spiffe://a;URI=spiffe://b;DNS=a.example;DNS=b.example"), value)

    def test_by(self) -> None:
        """The server's own URI, where its certificate has one, comes first."""
        server = AUTHORITY.server(["a.example", "spiffe://gateway"])
        value = forwarded_client_cert(CLIENT.certificate, server.certificate)
        self.assertTrue(value.startswith(b"By=spiffe://gateway;Hash="), value)
        plain = AUTHORITY.server(["a.example"])
        self.assertTrue(forwarded_client_cert(CLIENT.certificate, plain.certificate).startswith(b"Hash="))

    def test_hostile_names(self) -> None:
        """No name ends its element, begins another, or ends the header."""
        issued = CLIENTS.client(
            'a";URI=spiffe://admin\\', ['x.example;URI=admin,"\r\nx-admin: 1', 'spiffe://a,b=c;d"e\\ \n']
        )
        value = forwarded_client_cert(issued.certificate).decode("ascii")
        self.assertTrue(all(" " <= character <= "~" for character in value))
        subject = value[value.index("Subject=") :]
        self.assertEqual(
            subject,
            r'Subject="CN=a\"\;URI=spiffe://admin\5C"'
            ';URI="spiffe://a,b=c;d%22e%5C%20%0A"'
            ';DNS="x.example;URI=admin,%22%0D%0Ax-admin:%201"',
        )


class DistinguishedNameTests(SynchronousTestCase):
    """Names as RFC 2253 writes them."""

    def written(self, *parts: tuple[x509.ObjectIdentifier, str]) -> str:
        """A name of these parts."""
        return distinguished_name(x509.Name([x509.NameAttribute(kind, value) for kind, value in parts]))

    def test_order(self) -> None:
        """The most specific part comes first."""
        self.assertEqual(
            self.written(
                (NameOID.COUNTRY_NAME, "US"), (NameOID.ORGANIZATION_NAME, "Lyft"), (NameOID.COMMON_NAME, "a b")
            ),
            "CN=a b,O=Lyft,C=US",
        )

    def test_escapes(self) -> None:
        """Delimiters, leading and trailing spaces, control characters and what is not ASCII are escaped."""
        for value, expected in {
            "a,b+c": r"CN=a\,b\+c",
            'a"b': r"CN=a\"b",
            " a ": r"CN=\ a\ ",
            "#a#": r"CN=\#a#",
            "a\\": r"CN=a\5C",
            "a\r\nb": r"CN=a\0D\0Ab",
            "ü": r"CN=\C3\BC",
        }.items():
            self.assertEqual(self.written((NameOID.COMMON_NAME, value)), expected)

    def test_unknown_kinds(self) -> None:
        """A part without a short name is called by its number."""
        self.assertEqual(self.written((x509.ObjectIdentifier("1.2.3.4"), "x")), "1.2.3.4=x")

    def test_several_in_one_part(self) -> None:
        """Values that stand together are joined by a plus sign."""
        part = x509.RelativeDistinguishedName(
            [x509.NameAttribute(NameOID.COMMON_NAME, "a"), x509.NameAttribute(NameOID.USER_ID, "b")]
        )
        self.assertIn(distinguished_name(x509.Name([part])), ("CN=a+UID=b", "UID=b+CN=a"))

    def test_empty(self) -> None:
        """A certificate may have no subject."""
        self.assertEqual(distinguished_name(x509.Name([])), "")
