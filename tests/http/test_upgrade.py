"""Tests for L{edgegate.http.upgrade}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.fields import Field
from edgegate.http.request import RequestHead, refused_head
from edgegate.http.response import ResponseHead, h1_response
from edgegate.http.upgrade import Protocols, accept, fits, offered, protocols, sound, upgrade_lines

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
WEBSOCKET: Protocols = (b"websocket",)
HANDSHAKE: list[Field] = [(b"sec-websocket-key", KEY), (b"sec-websocket-version", b"13")]


class AskedTests(SynchronousTestCase):
    """What a client asks for."""

    def test_lists(self) -> None:
        """Several fields are one list; empty items and what is no name are passed over."""
        self.assertEqual(protocols([b"websocket"]), WEBSOCKET)
        self.assertEqual(protocols([b" a , ,b/1.0", b"C"]), (b"a", b"b/1.0", b"C"))
        self.assertEqual(protocols([b"", b"a b", b"a/", b"/1", b"a/b/c", b'"a"', b"a\x80"]), ())

    def test_http_is_never_offered(self) -> None:
        """What carries HTTP behind the gateway's back is left out, however it is spelled; the rest stays."""
        for refused in (b"h2c", b"H2C", b"h2", b"h3", b"HTTP/2.0", b"http/1.1", b"HTTP", b"TLS/1.3", b"h2c/1"):
            self.assertEqual(offered([refused]), (), refused)
            self.assertEqual(offered([b"chat, " + refused, b"IRC/6.9"]), (b"chat", b"IRC/6.9"), refused)

    def test_lines(self) -> None:
        """They are said anew."""
        self.assertEqual(upgrade_lines((b"a", b"b/1")), b"connection: upgrade\r\nupgrade: a, b/1\r\n")


class SoundTests(SynchronousTestCase):
    """Handshakes of WebSocket (RFC 6455 section 4.1)."""

    def test_sound(self) -> None:
        """One key of 16 bytes and version 13."""
        self.assertTrue(sound(WEBSOCKET, b"GET", HANDSHAKE))
        self.assertTrue(sound((b"WEBSOCKET",), b"GET", [(b"a", b"b"), *HANDSHAKE]))
        self.assertTrue(sound(WEBSOCKET, b"GET", [(name, value + b" ") for name, value in HANDSHAKE]))

    def test_unsound(self) -> None:
        """Anything else, also where WebSocket is one of several or has a version that it has not."""
        key, version = HANDSHAKE
        for fields in (
            [],
            [key],
            [version],
            [key, *HANDSHAKE],
            [*HANDSHAKE, version],
            [key, (b"sec-websocket-version", b"8")],
            [key, (b"sec-websocket-version", b"13, 8")],
            [(b"sec-websocket-key", b""), version],
            [(b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ"), version],
            [(b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQA="), version],
            [(b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZ_=="), version],
        ):
            self.assertFalse(sound(WEBSOCKET, b"GET", fields), fields)
            self.assertFalse(sound((b"chat", b"WebSocket/13"), b"GET", fields), fields)
        self.assertFalse(sound(WEBSOCKET, b"POST", HANDSHAKE))

    def test_others(self) -> None:
        """Other protocols have rules of their own, which are their own business."""
        self.assertTrue(sound((b"chat",), b"POST", []))


class FitsTests(SynchronousTestCase):
    """Which 101 is a response."""

    def asked(self, *upgrade: bytes, key: bytes = KEY) -> RequestHead:
        head = refused_head()
        head.upgrade = upgrade
        head.fields = [(b"sec-websocket-key", key)]
        return head

    def answer(self, *received: Field) -> ResponseHead:
        return h1_response(101, b"Switching Protocols", True, [(b"Connection", b"Upgrade"), *received])

    def test_accept(self) -> None:
        """The example of RFC 6455 section 1.3."""
        self.assertEqual(accept(KEY), ACCEPT)

    def test_any_of_those_asked_for(self) -> None:
        """Case does not matter; several may be chosen, one on top of the other."""
        asked = self.asked(b"chat/2", b"IRC")
        for chosen in (b"chat/2", b"CHAT/2", b"irc", b"irc, chat/2"):
            self.assertTrue(fits(asked, self.answer((b"Upgrade", chosen))), chosen)
        for chosen in (b"", b"chat", b"chat/3", b"irc, h2c", b"websocket", b"h2c"):
            self.assertFalse(fits(asked, self.answer((b"Upgrade", chosen))), chosen)
        self.assertFalse(fits(asked, self.answer()))
        self.assertFalse(fits(self.asked(), self.answer((b"Upgrade", b"chat/2"))))

    def test_proof(self) -> None:
        """For WebSocket the backend has to prove that it is one."""
        asked = self.asked(b"WebSocket")
        upgrade = (b"Upgrade", b"websocket")
        self.assertTrue(fits(asked, self.answer(upgrade, (b"Sec-WebSocket-Accept", ACCEPT))))
        self.assertTrue(fits(asked, self.answer((b"Sec-WebSocket-Accept", ACCEPT + b"\t"), upgrade)))
        for proof in ([], [ACCEPT, ACCEPT], [KEY], [ACCEPT.lower()], [b""]):
            fields = [(b"Sec-WebSocket-Accept", value) for value in proof]
            self.assertFalse(fits(asked, self.answer(upgrade, *fields)), proof)
        other = self.asked(b"WebSocket", key=b"AAAAAAAAAAAAAAAAAAAAAA==")
        self.assertFalse(fits(other, self.answer(upgrade, (b"Sec-WebSocket-Accept", ACCEPT))))
