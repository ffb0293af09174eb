"""Tests of L{edgegate.tls.acme.network}."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from acme import errors
from josepy.jwk import JWKEC
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.certificates import ACMEAuthority, KeyType
from edgegate.tls.acme import network
from edgegate.tls.acme.client import Authority
from edgegate.tls.acme.issuing import NotIssued
from edgegate.tls.acme.keys import new_key
from edgegate.tls.acme.network import seconds_of
from edgegate.tls.acme.store import CertificateStore
from tests.tls.acme.certificates import managed
from tests.tls.backends import TLSBackend, Visit
from tests.tls.handshakes import AUTHORITY


class SlowTests(SynchronousTestCase):
    """Conversations with an authority that is there, but whose answers do not end."""

    def refused(self, begin: bytes, more: bytes) -> str:
        """Have an authority begin an answer, and send more of it for ever; return why nothing was issued."""
        left = threading.Event()

        class Endless(TLSBackend):
            def _answer(self, sock: socket.socket, visit: Visit) -> None:
                # who closes what was not read takes back what was sent
                sock.recv(1 << 16)
                sock.sendall(begin)
                while more and not left.wait(0.01 if len(more) == 1 else 0):
                    sock.sendall(more)
                raise ConnectionError("there is no end of this in good order")

        folder = Path(self.mktemp()).absolute()
        backend = Endless(folder, AUTHORITY.server(["localhost"]))
        self.addCleanup(backend.close)
        self.addCleanup(left.set)
        url = f"https://localhost:{backend.port}/dir"
        issuer = replace(managed(folder).issuer, authority=ACMEAuthority(url, authorities=AUTHORITY.own.chain_pem))
        certificate = replace(managed(folder), issuer=issuer)
        error = self.assertRaises(NotIssued, Authority(CertificateStore(issuer), issuer).issue, certificate)
        return str(error)

    def test_dribbles(self) -> None:
        """An answer has its time, whole: an authority that sends a byte now and then has no more of it."""
        self.patch(network, "TIMEOUT", 1)
        for begin in (
            b"",
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
        ):
            self.assertEqual(self.refused(begin, b"1"), "the authority takes more than 1 s for an answer", begin)

    def test_never_ends(self) -> None:
        """An answer that is too large is not read to its end."""
        more = b" " * (1 << 16)
        self.assertIn("more than 1 MiB", self.refused(b"HTTP/1.1 200 OK\r\n\r\n", more))
        chunk = b"10000\r\n%b\r\n" % more
        self.assertIn("more than 1 MiB", self.refused(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", chunk))

    def test_all_answers(self) -> None:
        """All answers together have their time, too."""
        self.patch(network, "LONGEST", -1.0)
        self.assertIn("for all its answers", self.refused(b"", b""))

    def test_meanwhile(self) -> None:
        """What is done before a block and after it takes none of that time, but the block does."""
        clock = Clock()
        self.patch(network, "time", SimpleNamespace(monotonic=clock.seconds))
        asked = network.Network(JWKEC(key=new_key(KeyType.ECDSA_P256)), None)
        self.addCleanup(asked.session.close)

        @contextmanager
        def slow() -> Iterator[None]:
            clock.advance(1000)
            yield
            clock.advance(300)

        with asked.meanwhile(slow()):
            clock.advance(network.LONGEST + 1)
        error = self.assertRaises(errors.ClientError, asked.get, "https://ca.example/")
        self.assertIn("for all its answers", str(error))
        self.assertEqual(asked._adapter._end - clock.seconds(), -1.0)

    def test_redirect(self) -> None:
        """What is asked by https is nowhere asked without it."""
        moved = b"HTTP/1.1 302 Found\r\nlocation: http://localhost:1/dir\r\ncontent-length: 0\r\n\r\n"
        self.assertIn("not https", self.refused(moved, b""))


class RetryAfterTests(SynchronousTestCase):
    """When to come again."""

    def test_seconds(self) -> None:
        """It is a number or a date; what is neither says nothing."""
        for text, seconds in (
            ("120", 120.0),
            (" 5 ", 5.0),
            ("Wed, 21 Oct 2015 07:28:00 GMT", 60.0),
            ("Wed, 21 Oct 2015 07:20:00 GMT", 0.0),
            ("", 0.0),
            ("soon", 0.0),
            ("-3", 0.0),
            ("²", 0.0),
            ("9" * 5000, 999999999999.0),
            ("Wed, 99 Oct 99999 07:28:00 GMT", 0.0),
        ):
            self.assertEqual(seconds_of(text, lambda: 1445412420.0), seconds, text[:30])
