"""Tests of L{edgegate.access.identities}."""

from __future__ import annotations

from cryptography import x509
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.identities import identities
from edgegate.tls.verification import forwarded_client_cert
from tests.tls.test_facts import certificate


class IdentitiesTests(SynchronousTestCase):
    """Names in x-forwarded-client-cert."""

    def test_order(self) -> None:
        """URIs, names of DNS, then the subject; what is empty is no name."""
        value = (
            b'Hash=ab;Cert="-----";Subject="CN=a\\,b;URI=spiffe://x";URI=spiffe://td/1;URI=;DNS=b.example;DNS=c.example'
        )
        self.assertEqual(identities(value), (b"spiffe://td/1", b"b.example", b"c.example", b"CN=a\\,b;URI=spiffe://x"))
        self.assertEqual(identities(b""), ())
        self.assertEqual(identities(b'Subject="";URI='), ())

    def test_quoted(self) -> None:
        """A URI may be quoted; its escapes are its own."""
        self.assertEqual(identities(b'URI="spiffe://td/a;b=c";Subject=""'), (b"spiffe://td/a;b=c",))
        self.assertEqual(identities(b"URI=spiffe://td/a%2520b"), (b"spiffe://td/a%2520b",))

    def test_made(self) -> None:
        """What the gateway makes of a certificate is read as the certificate has it."""
        names = ("spiffe://td/ns/a/sa/b", "spiffe://td/a;URI=spiffe://x", "urn:a,b;DNS=c", "urn:100%25")
        made = certificate(*map(x509.UniformResourceIdentifier, names), x509.DNSName("c.example"))
        found = identities(forwarded_client_cert(made))
        self.assertEqual(found[:5], (*(name.encode() for name in names), b"c.example"))
