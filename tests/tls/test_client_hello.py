"""Tests of L{edgegate.tls.client_hello}."""

from __future__ import annotations

import contextlib
import ssl

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.client_hello import (
    MAX_HELLO,
    UNRECOGNIZED_NAME,
    ClientHello,
    MalformedHello,
    NotTLS,
    alert,
    parse,
)
from tests.tls import hellos

REAL = hellos.real("Shop.Example.COM", ["h2", "http/1.1"])
KNOWN = ClientHello("shop.example.com", (b"h2", b"http/1.1"))


def fed(data: bytes, first: int = 0) -> tuple[ClientHello | int, int]:
    """Give the parser as many bytes as it asks for, as a peeking caller does; count the calls."""
    calls, have = 1, first
    found = parse(data[:have])
    while isinstance(found, int) and found <= len(data):
        assert found > have
        calls, have = calls + 1, found
        found = parse(data[:have])
    return found, calls


class WholeHelloTests(SynchronousTestCase):
    """A hello that is there in one piece."""

    def test_names_and_protocols(self) -> None:
        """The SNI name comes in normal form, the ALPN protocols in the client's order."""
        self.assertEqual(parse(REAL), KNOWN)

    def test_without_server_name(self) -> None:
        """A client that names nobody has an empty name."""
        self.assertEqual(parse(hellos.real()), ClientHello("", ()))

    def test_without_extensions(self) -> None:
        """An old client's hello may end behind the compression methods."""
        self.assertEqual(parse(hellos.records(hellos.message(None))), ClientHello("", ()))

    def test_what_follows_is_left_alone(self) -> None:
        """Early data behind the hello is none of the parser's business."""
        self.assertEqual(parse(REAL + b"\x17\x03\x03\x00\x01x"), KNOWN)

    def test_trailing_dot(self) -> None:
        """A name with the root's dot is the same name."""
        self.assertEqual(parse(hellos.hello(hellos.server_name(b"a.example."))), ClientHello("a.example", ()))

    def test_underscore(self) -> None:
        """Names with underscores are in use, so they are read."""
        self.assertEqual(parse(hellos.hello(hellos.server_name(b"my_app.example"))), ClientHello("my_app.example", ()))

    def test_address(self) -> None:
        """An IP address names nobody (RFC 6066 section 3); names that only look like one do."""
        self.assertEqual(parse(hellos.hello(hellos.server_name(b"127.0.0.1"))), ClientHello("", ()))
        self.assertEqual(parse(hellos.hello(hellos.server_name(b"1.2.3.com"))), ClientHello("1.2.3.com", ()))

    def test_record_version(self) -> None:
        """The record may claim any version of TLS, or SSL 3.0, as old clients do."""
        for version in (b"\x03\x00", b"\x03\x03", b"\x03\x04"):
            data = hellos.records(hellos.message(hellos.server_name(b"a.example")), version=version)
            self.assertEqual(parse(data), ClientHello("a.example", ()))


class PiecesTests(SynchronousTestCase):
    """A hello that comes bit by bit."""

    def test_cut_at_every_byte(self) -> None:
        """No prefix is taken for the whole, and each says how many bytes are missing at least."""
        for size in range(len(REAL)):
            need = parse(REAL[:size])
            self.assertIsInstance(need, int)
            self.assertTrue(size < need <= len(REAL), (size, need))

    @given(st.integers(1, 600), st.data())
    @settings(max_examples=60, deadline=None)
    def test_any_records_any_segments(self, size: int, data: st.DataObject) -> None:
        """However the hello is cut into records and segments, it reads the same."""
        wire = hellos.records(REAL[5:], size)
        found, _ = fed(wire, data.draw(st.integers(0, len(wire) - 1)))
        self.assertEqual(found, KNOWN)

    def test_few_calls(self) -> None:
        """Records of one byte do not make the caller come back for each of them."""
        found, calls = fed(hellos.records(REAL[5:], 1))
        self.assertEqual(found, KNOWN)
        self.assertLess(calls, 60)

    def test_never_asks_for_more_than_comes(self) -> None:
        """Waiting for what the parser asks never outlasts the hello, whatever the records."""
        for size in (1, 2, 3, 5, 100, 250):
            wire = hellos.records(REAL[5:], size)
            for have in range(len(wire)):
                need = parse(wire[:have])
                self.assertTrue(isinstance(need, int) and need <= len(wire), (size, have, need))


class NotTLSTests(SynchronousTestCase):
    """What is no TLS at all."""

    def test_plain_text(self) -> None:
        """A plain HTTP request is told from its first byte on."""
        for size in (1, 2, 3, 20):
            self.assertRaises(NotTLS, parse, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"[:size])

    def test_sslv2(self) -> None:
        """A hello of SSLv2 carries no name and gets no answer."""
        error = self.assertRaises(NotTLS, parse, b"\x80\x2e\x01\x00\x02" + bytes(43))
        self.assertEqual(str(error), "an SSLv2 hello")

    def test_other_records(self) -> None:
        """A connection that begins with data or an alert is no handshake."""
        for first in (20, 21, 23, 24):
            self.assertRaises(NotTLS, parse, bytes([first, 3, 1, 0, 1, 0]))

    def test_other_major_version(self) -> None:
        """A record of an unknown major version is something else that happens to begin like TLS."""
        self.assertRaises(NotTLS, parse, b"\x16\x02\x00\x00\x05\x01\x00\x00\x01\x00")


class MalformedTests(SynchronousTestCase):
    """Hellos that were forged or broken."""

    def refused(self, data: bytes, reason: str) -> None:
        """Expect a refusal, and its reason."""
        error = self.assertRaises(MalformedHello, parse, data)
        self.assertIn(reason, str(error))

    def test_another_message(self) -> None:
        """The first handshake message must be a ClientHello."""
        self.refused(hellos.records(b"\x02" + hellos.message()[1:]), "no ClientHello")

    def test_record_lengths(self) -> None:
        """A record is neither empty nor longer than TLS allows."""
        self.refused(b"\x16\x03\x01\x00\x00", "impossible length")
        self.refused(b"\x16\x03\x01\x40\x01", "impossible length")

    def test_forged_record_length(self) -> None:
        """A record that claims more than the hello is found out by its first bytes, not waited for."""
        self.refused(b"\x16\x03\x01\x40\x00" + hellos.message()[:10], "more in the record")

    def test_bytes_behind_the_hello(self) -> None:
        """Nothing else may lie in the hello's record."""
        self.refused(hellos.records(hellos.message() + b"\x0b\x00"), "more in the record")

    def test_too_large(self) -> None:
        """A hello that claims more than 64 KiB is refused by its first bytes."""
        self.refused(b"\x16\x03\x01\x40\x00\x01\x01\x00\x00", "too large")
        self.refused(b"\x16\x03\x01\x40\x00\x01\x00\xff\xfc", "too large")

    def test_largest(self) -> None:
        """One of nearly 64 KiB is served: hellos grow with post-quantum keys."""
        name = hellos.server_name(b"a.example")
        padding = hellos.extension(21, bytes(MAX_HELLO - 25 - 60 - len(name)))
        self.assertEqual(parse(hellos.hello(name, padding)), ClientHello("a.example", ()))

    def test_too_many_records(self) -> None:
        """A hello in thousands of tiny records is work, not a client."""
        padding = hellos.extension(21, bytes(2000))
        self.refused(hellos.records(hellos.message(padding), 1), "too many records")

    def test_another_record_between(self) -> None:
        """The records of a hello follow each other."""
        wire = hellos.records(hellos.message(), 20)
        self.refused(wire[:25] + b"\x14" + wire[26:], "another kind")

    def test_names_that_are_none(self) -> None:
        """What can't be a host name is refused, and with it what would confuse a log or a table."""
        for name in (
            b"a b",
            b"a\0b",
            b"*.example",
            b"a..b",
            b"a..",
            b".a",
            b".",
            b"a\xffb",
            b"[::1]",
            b"a:1",
            b"a" * 254,
        ):
            self.refused(hellos.hello(hellos.server_name(name)), "no host name")

    def test_server_name_lists(self) -> None:
        """An empty list, an empty name, two names, another type of name, bytes behind it: none is a name."""
        one = b"\0" + hellos.vector(2, b"a")
        for body in (
            b"",
            b"\0",
            b"\0\0",
            hellos.vector(2, b"\0\0\0"),
            hellos.vector(2, one + one),
            hellos.vector(2, b"\1" + one[1:]),
            hellos.vector(2, one) + b"x",
            b"\0\x09" + one,
        ):
            self.refused(hellos.hello(hellos.extension(0, body)), "")

    def test_duplicate_extensions(self) -> None:
        """Two extensions of one type are ambiguous: here one name, there another."""
        self.refused(hellos.hello(hellos.server_name(b"a"), hellos.server_name(b"b")), "twice")

    def test_alpn_lists(self) -> None:
        """An empty ALPN list, an empty protocol or a length that does not fit is refused."""
        for body in (b"", b"\0\0", b"\0\1\0", b"\0\3\2h", b"\0\3\3h2", b"\0\2\1hx"):
            self.refused(hellos.hello(hellos.extension(16, body)), "")

    def test_bytes_behind_the_extensions(self) -> None:
        """The extensions end where the hello ends."""
        body = hellos.message(hellos.server_name(b"a.example"))[4:] + b"\0\0"
        self.refused(hellos.records(b"\x01" + hellos.vector(3, body)), "behind the extensions")

    def test_short_bodies(self) -> None:
        """Wherever the body is cut off, with a length that agrees, it is malformed (or ends before its extensions)."""
        body = hellos.message(hellos.server_name(b"a.example") + hellos.alpn(b"h2"), b"s" * 32)[4:]
        for size in range(len(body)):
            data = hellos.records(b"\x01" + hellos.vector(3, body[:size]))
            if size == 2 + 32 + 33 + 4 + 2:
                self.assertEqual(parse(data), ClientHello("", ()))
            else:
                self.refused(data, "")

    @given(st.binary(max_size=300))
    @settings(deadline=None)
    def test_noise(self, noise: bytes) -> None:
        """Noise ends in one of the two refusals or a wish for more, never in another exception."""
        for data in (noise, b"\x16\x03\x01" + noise, hellos.hello(noise), hellos.hello(hellos.extension(0, noise))):
            with contextlib.suppress(NotTLS, MalformedHello):
                parse(data)

    @given(st.integers(0, len(REAL) - 1), st.integers(0, 255))
    @settings(deadline=None)
    def test_one_byte_changed(self, at: int, value: int) -> None:
        """A hello with any byte changed is read, refused or waited for within the limit."""
        with contextlib.suppress(NotTLS, MalformedHello):
            found = parse(REAL[:at] + bytes([value]) + REAL[at + 1 :])
            self.assertTrue(isinstance(found, ClientHello) or len(REAL) < found <= MAX_HELLO)


class AlertTests(SynchronousTestCase):
    """The alerts that are sent without OpenSSL."""

    def test_a_client_understands(self) -> None:
        """Python's ssl reads the record as what it says."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="a.example")
        self.assertRaises(ssl.SSLWantReadError, client.do_handshake)
        incoming.write(UNRECOGNIZED_NAME)
        error = self.assertRaises(ssl.SSLError, client.do_handshake)
        self.assertIn("unrecognized name", str(error).replace("_", " ").lower())

    def test_record(self) -> None:
        """An alert is a fatal one of two bytes."""
        self.assertEqual(alert(40), b"\x15\x03\x03\x00\x02\x02\x28")
