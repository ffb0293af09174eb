"""Tests of L{edgegate.sources.certificate_provider}."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from edgegate.sources.certificate_provider import CertificateProvider
from edgegate.tls.acme.keys import is_placeholder
from edgegate.tls.acme.store import CertificateStore
from tests.tls.acme.certificates import made, managed


class CertificateProviderTests(SynchronousTestCase):
    """What is served of certificates that are issued."""

    def test_provided(self) -> None:
        """A placeholder that stays the same until there is a certificate; nothing is written."""
        provider = CertificateProvider()
        self.addCleanup(provider.close)
        certificate = managed(Path(self.mktemp()).absolute())
        first = provider(certificate)
        self.assertTrue(is_placeholder(first))
        self.assertEqual(provider(certificate), first)
        store = CertificateStore(certificate.issuer)
        self.assertFalse(Path(str(certificate.issuer.storage)).exists())
        pair = made(certificate, 0, 10)
        store.put_pair(certificate, pair.key, pair.chain)
        self.assertEqual(provider(certificate), pair)

    def test_unreadable(self) -> None:
        """A store that can't be read is no reason not to serve."""
        provider = CertificateProvider()
        self.addCleanup(provider.close)
        certificate = managed(Path(self.mktemp()).absolute())
        store = CertificateStore(certificate.issuer)
        store.put_pair(certificate, b"", b"")
        (path,) = Path(str(certificate.issuer.storage)).rglob("*.pem")
        path.unlink()
        path.mkdir()
        self.assertTrue(is_placeholder(provider(certificate)))

    def test_unread(self) -> None:
        """It is known of which certificates there may be more than was there before: not of new ones."""
        provider = CertificateProvider()
        self.addCleanup(provider.close)
        certificate = managed(Path(self.mktemp()).absolute())
        provider(certificate)
        self.assertEqual(provider.unread, {})
        directory = Path(str(certificate.issuer.storage))
        directory.symlink_to(directory)
        provider(certificate)
        provider(replace(certificate, host="b.example.com"))
        self.assertEqual(list(provider.unread), [certificate])
        provider.begin()
        self.assertEqual(provider.unread, {})

    def test_known(self) -> None:
        """What was read once is served on while the store can't be read or has lost it, which is told once."""
        provider = CertificateProvider()
        self.addCleanup(provider.close)
        certificate = managed(Path(self.mktemp()).absolute())
        other = replace(certificate, host="b.example.com")
        store = CertificateStore(certificate.issuer)
        pair = made(certificate, 0, 10)
        store.put_pair(certificate, pair.key, pair.chain)
        self.assertEqual(provider(certificate), pair)
        directory = Path(str(certificate.issuer.storage))
        directory.rename(directory.with_suffix(".away"))
        self.assertEqual(provider(certificate), pair)
        directory.mkdir()
        for each in (certificate, other):
            (directory / store.name(each)).mkdir(parents=True)
        with capturedLogs() as events:
            self.assertEqual(provider(certificate), pair)
            self.assertTrue(is_placeholder(provider(other)))
            self.assertEqual(provider(certificate), pair)
        self.assertEqual(len(events), 2, events)
