"""Tests of L{edgegate.tls.server_contexts}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.tls import TLSRules
from edgegate.tls.secrets import BadKeyMaterial
from edgegate.tls.server_contexts import ServerContexts
from tests.tls.handshakes import AUTHORITY, client_context, server_tls, shake


class ServerContextsTests(SynchronousTestCase):
    """Contexts that are made before it is known who gets them."""

    def setUp(self) -> None:
        """Make none yet."""
        self.contexts = ServerContexts()

    def test_checked_and_taken(self) -> None:
        """What was checked is what one server gets; another gets one of its own."""
        tls = server_tls(alpn=(b"http/1.1",))
        self.contexts.check(tls)
        self.assertEqual(self.contexts.made, 1)
        one = self.contexts.take(tls, "one")
        self.assertEqual(self.contexts.made, 1)
        client = client_context()
        client.set_alpn_protocols(["http/1.1"])
        talk = shake(one, client)
        self.assertEqual((talk.refused, talk.client.selected_alpn_protocol()), ("", "http/1.1"))
        self.assertIsNot(self.contexts.take(tls, "other"), one)
        self.assertEqual(self.contexts.made, 2)

    def test_again(self) -> None:
        """What was good the last time is not made again, unless nobody asked for it in between."""
        tls = server_tls()
        self.contexts.check(tls)
        for _ in range(2):
            self.contexts.begin()
            self.contexts.check(tls)
        self.assertEqual(self.contexts.made, 1)
        self.contexts.take(tls, "https")
        for _ in range(2):
            self.contexts.begin()
        self.contexts.check(tls)
        self.assertEqual(self.contexts.made, 2)

    def test_choices(self) -> None:
        """A server with several certificates of one kind has a context for each choice."""
        self.contexts.check(server_tls(AUTHORITY.server(["a.example"]), AUTHORITY.server(["b.example"])))
        self.assertEqual(self.contexts.made, 2)

    def test_bad(self) -> None:
        """What OpenSSL does not take is said each time."""
        broken = replace(server_tls(), rules=TLSRules(ciphers=("NONSENSE",)))
        for _ in range(2):
            self.assertRaises(BadKeyMaterial, self.contexts.check, broken)
        self.assertEqual(self.contexts.made, 0)
