"""Tests of L{edgegate.tls.acme.keys}."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.certificates import KeyType
from edgegate.tls.acme.keys import is_placeholder, new_key, placeholder, signing_request
from edgegate.tls.choice import names_of
from edgegate.tls.secrets import load_key_pair
from tests.tls.acme.certificates import made, managed


class KeysTests(SynchronousTestCase):
    """Keys and placeholders."""

    def test_kinds(self) -> None:
        """A key is of the kind that is asked for."""
        for kind, size in ((KeyType.ECDSA_P256, 256), (KeyType.ECDSA_P384, 384), (KeyType.RSA_2048, 2048)):
            key = new_key(kind)
            self.assertEqual(key.key_size, size)
            wanted = rsa.RSAPrivateKey if kind is KeyType.RSA_2048 else ec.EllipticCurvePrivateKey
            self.assertIsInstance(key, wanted)

    def test_placeholder(self) -> None:
        """It can be served, is for the host, and is told from what was issued; also of a host of any length."""
        for host in ("shop.example.com", "*.example.com", ".".join(["a" * 60] * 4)):
            certificate = managed(Path("/nowhere"), host)
            pair = placeholder(certificate)
            load_key_pair(pair)
            self.assertEqual(list(names_of(pair)), [host])
            self.assertEqual(pair.credential, certificate.credential)
            self.assertTrue(is_placeholder(pair))
            self.assertFalse(is_placeholder(made(certificate, 0, 10)))
            self.assertFalse(pair.withheld)
            waiting = replace(certificate, issuer=replace(certificate.issuer, waits=True))
            self.assertTrue(placeholder(waiting).withheld)

    def test_request(self) -> None:
        """It names the host, and is signed by the key."""
        key = new_key(KeyType.ECDSA_P256)
        request = x509.load_pem_x509_csr(signing_request(key, "a.example.com"))
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(names.get_values_for_type(x509.DNSName), ["a.example.com"])
        self.assertTrue(request.is_signature_valid)
        self.assertEqual(request.public_key(), key.public_key())
