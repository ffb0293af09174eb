"""Tests of L{edgegate.tls.acme.solvers.name_servers}."""

from __future__ import annotations

import socket
from collections.abc import Callable

from dns import exception, flags, message, name, query, rdatatype, tsig
from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.acme.solvers import name_servers
from edgegate.tls.acme.solvers.name_servers import NameServer, SystemNames, asked_of, by_tcp, by_udp, question_about
from edgegate.tls.acme.solvers.solver import NotAnswered
from tests.tls.acme.solvers.zones import SERVER

QUESTION = question_about(name.from_text("a.example.com"), rdatatype.TXT)
KEY = tsig.Key("edge_gate", b"secret", "hmac-sha256")


def raising(error: Exception) -> Callable[[message.Message, NameServer, float], message.Message]:
    """Return an exchange that fails."""

    def exchange(asked: message.Message, server: NameServer, timeout: float) -> message.Message:
        raise error

    return exchange


class NameServersTests(SynchronousTestCase):
    """Questions to one server."""

    def test_question(self) -> None:
        """A server is asked for what it knows by itself."""
        self.assertFalse(QUESTION.flags & flags.RD)

    def test_shown(self) -> None:
        """A server is shown with its port."""
        self.assertEqual([str(SERVER), str(NameServer("2001:db8::1", 5353))], ["192.0.2.1:53", "[2001:db8::1]:5353"])

    def test_errors(self) -> None:
        """All that goes wrong is told in words that name the server, and no secret."""
        for error, words in (
            (tsig.PeerBadKey(), "does not know the TSIG key edge_gate"),
            (tsig.PeerBadSignature(), "knows another secret of the TSIG key edge_gate (BADSIG)"),
            (tsig.PeerBadTime(), "has a clock that differs"),
            (tsig.BadTime(), "has a clock that differs"),
            (tsig.PeerBadTruncation(), "not understood (PeerBadTruncation)"),
            (message.UnknownTSIGKey("x"), "not understood (UnknownTSIGKey)"),
            (exception.Timeout(), "does not answer within 10 s"),
            (ConnectionRefusedError(111, "Connection refused"), "can't be reached: Connection refused"),
            (OSError("odd"), "can't be reached: odd"),
            (EOFError(), "ends the connection"),
            (query.BadResponse(), "answers what is not understood (BadResponse)"),
            (message.ShortHeader(), "answers what is not understood (ShortHeader)"),
        ):
            failed = self.assertRaises(NotAnswered, asked_of, raising(error), QUESTION, SERVER, KEY)
            self.assertIn(words, str(failed))
            self.assertIn("the name server 192.0.2.1:53 ", str(failed))
            self.assertNotIn("secret=", str(failed))

    def test_silent(self) -> None:
        """A server that never answers is given up, by TCP and by UDP."""
        self.patch(name_servers, "TIMEOUT", 0.05)
        for kind, exchange in ((socket.SOCK_STREAM, by_tcp), (socket.SOCK_DGRAM, by_udp)):
            with socket.socket(socket.AF_INET, kind) as silent:
                silent.bind(("127.0.0.1", 0))
                if kind is socket.SOCK_STREAM:
                    silent.listen()
                server = NameServer("127.0.0.1", silent.getsockname()[1])
                error = self.assertRaises(NotAnswered, asked_of, exchange, QUESTION, server, None)
                self.assertIn("does not answer within 0.05 s", str(error))

    def test_gone(self) -> None:
        """A server that is not there is told."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            server = NameServer("127.0.0.1", taken.getsockname()[1])
            error = self.assertRaises(NotAnswered, asked_of, by_tcp, QUESTION, server, None)
            self.assertIn("can't be reached: Connection refused", str(error))


class SystemNamesTests(SynchronousTestCase):
    """What the system says."""

    def test_addresses(self) -> None:
        """Addresses stand for themselves; what is no name has none."""
        names = SystemNames()
        self.assertEqual(names.addresses("127.0.0.1"), ("127.0.0.1",))
        self.assertEqual(names.addresses("::1"), ("::1",))
        self.assertIn("127.0.0.1", names.addresses("localhost."))
        self.assertEqual(names.addresses("a" * 64), ())

    def test_nobody_says(self) -> None:
        """A resolver that can't be asked says nothing."""

        def fail(*args: object, **more: object) -> None:
            raise exception.Timeout

        self.patch(name_servers.resolver, "resolve", fail)
        self.patch(name_servers.resolver, "zone_for_name", fail)
        names, about = SystemNames(), name.from_text("a.example.com")
        self.assertEqual((names.alias(about), names.zone(about), names.servers(about)), (None, None, ()))
