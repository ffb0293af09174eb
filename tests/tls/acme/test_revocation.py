"""Tests of L{edgegate.tls.acme.revocation}."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from acme.errors import ClientError
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from requests.exceptions import RequestException
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.certificates import KeyType
from edgegate.model.tls import KeyPair
from edgegate.tls.acme import network
from edgegate.tls.acme.keys import new_key
from edgegate.tls.acme.network import fetch
from edgegate.tls.acme.revocation import BIGGEST_LIST, MOST_LISTS, Unknown, is_revoked, list_urls
from edgegate.tls.authority import key_pem

NOW = datetime(2025, 1, 1, tzinfo=timezone.utc)
URL = "http://crl.example/1.crl"
SERIAL = 0xABCDEF


def name(common: str) -> x509.Name:
    """Return a name."""
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


class Issuer:
    """An authority that signs certificates, and lists."""

    def __init__(self, common: str = "an authority") -> None:
        self.name = name(common)
        self.key = new_key(KeyType.ECDSA_P256)
        assert isinstance(self.key, ec.EllipticCurvePrivateKey)
        self.certificate = self._built(self.name, self.key, 1).sign(self.key, SHA256())

    def _built(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, serial: int) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(serial)
            .not_valid_before(NOW)
            .not_valid_after(NOW + timedelta(days=90))
        )

    def pair(self, *points: x509.DistributionPoint, alone: bool = False) -> KeyPair:
        """Issue a certificate that names lists."""
        key = new_key(KeyType.ECDSA_P256)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        built = self._built(name("shop.example.com"), key, SERIAL)
        if points:
            built = built.add_extension(x509.CRLDistributionPoints(points), critical=False)
        chain = [built.sign(self.key, SHA256()), *([] if alone else [self.certificate])]
        return KeyPair("shop", b"".join(each.public_bytes(Encoding.PEM) for each in chain), key_pem(key))

    def list(self, *serials: int) -> bytes:
        """Sign a list."""
        built = x509.CertificateRevocationListBuilder().issuer_name(self.name).last_update(NOW)
        built = built.next_update(NOW + timedelta(days=7))
        for each in serials:
            revoked = x509.RevokedCertificateBuilder().serial_number(each).revocation_date(NOW).build()
            built = built.add_revoked_certificate(revoked)
        return built.sign(self.key, SHA256()).public_bytes(Encoding.DER)


def point(*urls: str, issuer: x509.Name | None = None) -> x509.DistributionPoint:
    """Return where a list is."""
    names = [x509.UniformResourceIdentifier(each) for each in urls]
    return x509.DistributionPoint(names, None, None, None if issuer is None else [x509.DirectoryName(issuer)])


class RevocationTests(SynchronousTestCase):
    """What lists say."""

    def setUp(self) -> None:
        self.issuer = Issuer()
        self.asked: list[str] = []

    def answering(self, content: bytes | Exception) -> Callable[[str, int], bytes]:
        """Return what fetches this."""

        def fetch(url: str, biggest: int) -> bytes:
            self.asked.append(url)
            self.assertEqual(biggest, BIGGEST_LIST)
            if isinstance(content, Exception):
                raise content
            return content

        return fetch

    def test_listed(self) -> None:
        """One that is on the list is revoked, another one is not."""
        pair = self.issuer.pair(point(URL))
        self.assertTrue(is_revoked(pair, self.answering(self.issuer.list(5, SERIAL))))
        self.assertFalse(is_revoked(pair, self.answering(self.issuer.list(5))))
        self.assertFalse(is_revoked(pair, self.answering(self.issuer.list())))
        self.assertEqual(self.asked, [URL] * 3)

    def test_lacks(self) -> None:
        """A list without the certificate's number tells nothing, whoever's it is; a number within another is none."""
        pair = self.issuer.pair(point(URL))
        self.assertFalse(is_revoked(pair, self.answering(Issuer("another").list(5))))
        within = b"\x02\x04\x00\xab\xcd\xef"
        content = self.issuer.list(int.from_bytes(b"\x7f" + within, "big"))
        self.assertIn(within, content)
        self.assertIn(within, self.issuer.list(SERIAL))
        self.assertFalse(is_revoked(pair, self.answering(content)))

    def test_nobody_to_ask(self) -> None:
        """Without a list, or without who has signed it, nobody is asked."""
        for pair in (
            self.issuer.pair(),
            self.issuer.pair(point(URL), alone=True),
            self.issuer.pair(point("ldap://crl.example/")),
            self.issuer.pair(point("file:///etc/passwd")),
            self.issuer.pair(point(URL, issuer=name("another"))),
        ):
            self.assertFalse(is_revoked(pair, self.answering(self.issuer.list(SERIAL))))
        self.assertEqual(self.asked, [])

    def test_urls(self) -> None:
        """Of each list the first URL by http is taken, and of so many at most."""
        pair = self.issuer.pair(
            point("ldap://crl.example/", URL, "http://other.example/"), *[point(f"{URL}{n}") for n in range(5)]
        )
        self.assertFalse(is_revoked(pair, self.answering(self.issuer.list())))
        self.assertEqual(self.asked, [URL, f"{URL}0"][:MOST_LISTS])
        leaf = x509.load_pem_x509_certificates(pair.chain)[0]
        self.assertEqual(len(list(list_urls(leaf))), 6)

    def test_unknown(self) -> None:
        """What is no list of the issuer's says nothing, and neither does what can't be had."""
        pair = self.issuer.pair(point(URL))
        same_name = Issuer()
        for content in (
            b"",
            b"<html>",
            self.issuer.list(SERIAL)[:-40],
            # another version than the second, which is 1
            self.issuer.list(SERIAL).replace(b"\x02\x01\x01", b"\x02\x01\x55", 1),
            same_name.list(SERIAL),
            Issuer("another").list(SERIAL),
            ClientError("404"),
            RequestException("refused"),
        ):
            error = self.assertRaises(Unknown, is_revoked, pair, self.answering(content))
            self.assertIn("list of revoked certificates", str(error))


class FetchTests(SynchronousTestCase):
    """What is had by http, without TLS."""

    def serve(self, *pieces: bytes) -> str:
        """Answer one request, and return its URL."""
        listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listening.close)

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1 << 16)
                try:
                    for piece in pieces:
                        connection.sendall(piece)
                except OSError:
                    return

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        self.addCleanup(thread.join, 30)
        return f"http://127.0.0.1:{listening.getsockname()[1]}/1.crl"

    def test_fetched(self) -> None:
        """What is there is returned, within its size."""
        head = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"
        self.assertEqual(fetch(self.serve(head, b"\0abc"), 4), b"\0abc")
        self.assertRaises(ClientError, fetch, self.serve(head, b"\0abc"), 3)

    def test_whole(self) -> None:
        """A certificate is looked for on the list that is where it says."""
        issuer = Issuer()
        for serials in ((SERIAL,), (5,)):
            content = issuer.list(*serials)
            head = b"HTTP/1.1 200 OK\r\ncontent-type: application/pkix-crl\r\ncontent-length: %d\r\n\r\n"
            url = self.serve(head % len(content), content)
            self.assertIs(is_revoked(issuer.pair(point(url))), SERIAL in serials)

    def test_elsewhere(self) -> None:
        """Neither a redirect is followed, nor is an error what was asked for."""
        for status in (b"302 Found\r\nlocation: http://127.0.0.1:1/", b"404 Not Found", b"206 Partial Content"):
            url = self.serve(b"HTTP/1.1 %b\r\ncontent-length: 0\r\n\r\n" % status)
            self.assertRaises(ClientError, fetch, url, 10)
        self.assertRaises(RequestException, fetch, "http://127.0.0.1:1/", 10)

    def test_slow(self) -> None:
        """It has its time, whole."""
        self.patch(network, "TIMEOUT", 0.5)
        listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listening.close)

        def dribble() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nx: ")
                try:
                    while True:
                        connection.sendall(b"y")
                        threading.Event().wait(0.01)
                except OSError:
                    return

        thread = threading.Thread(target=dribble, daemon=True)
        thread.start()
        error = self.assertRaises(ClientError, fetch, f"http://127.0.0.1:{listening.getsockname()[1]}/", 10)
        self.assertIn("more than 0.5 s", str(error))
        thread.join(30)
