"""Tests of L{edgegate.tls.acme.tls_alpn}: what an authority is shown."""

from __future__ import annotations

import ssl

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.acme.tls_alpn import IDENTIFIER, OFFERED, PROTOCOL, challenge_context, challenge_pair, digest_of
from edgegate.tls.secrets import load_key_pair
from tests.tls.handshakes import Talk, only, shake

DIGEST = digest_of("token.thumbprint")


def authority(*protocols: str) -> ssl.SSLContext:
    """Return a client as authorities are, that offers protocols by ALPN."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


class ChallengeCertificateTests(SynchronousTestCase):
    """The certificate."""

    def test_names(self) -> None:
        """It is for one host alone, signed by itself, and says the answer in an extension that is critical."""
        (leaf,), _ = load_key_pair(challenge_pair("shop.example.com", DIGEST))
        self.assertEqual([each.oid for each in leaf.extensions], [x509.OID_SUBJECT_ALTERNATIVE_NAME, IDENTIFIER])
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(list(names), [x509.DNSName("shop.example.com")])
        said = leaf.extensions.get_extension_for_oid(IDENTIFIER)
        self.assertTrue(said.critical)
        self.assertEqual(said.value.public_bytes(), b"\x04\x20" + DIGEST)
        self.assertEqual(leaf.subject, leaf.issuer)
        leaf.verify_directly_issued_by(leaf)

    def test_digest(self) -> None:
        """It is SHA-256 of the key authorization: the example is that of FIPS 180-2."""
        self.assertEqual(digest_of("abc").hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        self.assertRaises(ValueError, digest_of, "ü")

    def test_long_name(self) -> None:
        """A host may be longer than a common name."""
        host = ".".join(["a" * 60] * 4)
        (leaf,), _ = load_key_pair(challenge_pair(host, DIGEST))
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(names.get_values_for_type(x509.DNSName), [host])


class ChallengeContextTests(SynchronousTestCase):
    """The handshake."""

    def shake(self, context: ssl.SSLContext) -> Talk:
        """Let a client shake hands."""
        return shake(challenge_context("a.example", DIGEST), context)

    def test_answered(self) -> None:
        """Who offers the protocol is shown the certificate, by either version of TLS that is in use."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            talk = self.shake(only(authority("acme-tls/1"), version))
            self.assertEqual((talk.refused, talk.failed), ("", ""))
            self.assertEqual(talk.client.selected_alpn_protocol(), "acme-tls/1")
            self.assertEqual(talk.server.get_alpn_proto_negotiated(), PROTOCOL)
            shown = talk.client.getpeercert(binary_form=True)
            assert shown is not None
            leaf = x509.load_der_x509_certificate(shown)
            self.assertEqual(leaf.extensions.get_extension_for_oid(IDENTIFIER).value.public_bytes()[2:], DIGEST)
            self.assertIsInstance(leaf.public_key(), ec.EllipticCurvePublicKey)

    def test_offered(self) -> None:
        """Authorities offer nothing else."""
        self.assertEqual(OFFERED, (b"acme-tls/1",))
        self.assertIn("no application protocol", self.shake(authority("h2")).failed)
