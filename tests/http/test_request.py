"""Tests for L{edgegate.http.request}."""

from __future__ import annotations

import gc
import tracemalloc

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import (
    BAD_HOST,
    BAD_PATH,
    BAD_REQUEST,
    BAD_WEBSOCKET,
    CODING_UNKNOWN,
    EXPECTATION_FAILED,
    METHOD_REFUSED,
    NO_ROUTE,
    Fault,
)
from edgegate.http.fields import UNKNOWN_LENGTH, Field, Underscores, request_roles
from edgegate.http.request import HostMemory, RequestHead, RequestRefused, h1_head, refused_head


def head(
    method: bytes = b"GET", target: bytes = b"/", version: str = "1.1", fields: list[Field] | None = None
) -> RequestHead:
    """Check a head of which llhttp had nothing to say."""
    received = [(b"Host", b"a.example")] if fields is None else fields
    return h1_head(method, target, version, True, received, HostMemory())


class ChangedTests(SynchronousTestCase):
    """Heads that filters have changed."""

    def test_changed(self) -> None:
        """Fields replace those of their names; all else is as it was, and so is the head itself."""
        before = head(fields=[(b"Host", b"a.example"), (b"X-A", b"1"), (b"X-B", b"2"), (b"X-A", b"3")])
        after = before.changed([(b"x-a", b"4"), (b"x-c", b"5")], frozenset((b"x-b",)))
        self.assertEqual(after.fields, [(b"x-a", b"4"), (b"x-c", b"5")])
        self.assertEqual(len(before.fields), 3)
        for name in RequestHead.__slots__:
            if name not in ("fields", "sent", "sent_by"):
                self.assertEqual(getattr(after, name), getattr(before, name), name)

    def test_refused(self) -> None:
        """What could end a line, is no name, or is said by HTTP or the gateway, is refused."""
        for field in (
            (b"x-a", b"1\r\nx-b: 2"),
            (b"x-a\r\n", b"1"),
            (b"X-A", b"1"),
            (b"", b"1"),
            (b"content-length", b"1"),
            (b"host", b"b.example"),
            (b"connection", b"close"),
            (b"x-forwarded-for", b"10.0.0.1"),
            (b"x-forwarded-client-cert", b"By=me"),
        ):
            with self.assertRaises(ValueError, msg=repr(field)):
                head().changed([field])


class HeadTests(SynchronousTestCase):
    """What becomes of a head."""

    def assert_refused(self, fault: Fault, **given: object) -> None:
        """Assert that a head is answered with a fault."""
        with self.assertRaises(RequestRefused, msg=repr(given)) as caught:
            head(**given)  # type: ignore[arg-type]
        self.assertEqual(caught.exception.fault, fault, given)

    def test_target_forms(self) -> None:
        """Origin, absolute and asterisk form; an absolute target's authority wins over Host."""
        plain = head(target=b"/a?b=c")
        self.assertEqual((plain.target, plain.path, plain.host), (b"/a?b=c", b"/a", "a.example"))
        absolute = head(target=b"HTTP://B.Example:81/x?y")
        self.assertEqual((absolute.target, absolute.authority, absolute.host), (b"/x?y", b"B.Example:81", "b.example"))
        self.assertEqual(head(target=b"http://b").target, b"/")
        self.assertEqual(head(target=b"http://b?q").target, b"/?q")
        self.assertEqual(head(method=b"OPTIONS", target=b"*").path, b"*")

    def test_normal_form(self) -> None:
        """What is matched is what is sent on: the path in its normal form; the query is left as it came."""
        for target in (b"/x/../a?b=/../%zz", b"http://b/%2e%2e/a?b=/../%zz"):
            found = head(target=target)
            self.assertEqual((found.target, found.path), (b"/a?b=/../%zz", b"/a"))

    def test_refused_targets(self) -> None:
        """What is no target of the method, or could hide an authority."""
        for target in (b"*", b"http://", b"http://a#b", b"/a#b", b"ftp://a/", b"https:/a"):
            self.assert_refused(BAD_REQUEST, target=target)
        self.assert_refused(BAD_HOST, target=b"http://user@b/")
        for target in (b"/%00", b"/a%", b"http://a/%zz?b"):
            self.assert_refused(BAD_PATH, target=target)
        self.assert_refused(NO_ROUTE, method=b"CONNECT", target=b"a:443")
        for target in (b"a", b"/", b"u@a:443", b"http://a:443"):
            self.assert_refused(BAD_REQUEST, method=b"CONNECT", target=target)
        self.assert_refused(METHOD_REFUSED, method=b"TRACE")

    def test_hosts(self) -> None:
        """Case, port and a final dot do not matter; an IPv6 address has one form."""
        for value in (b"A.Example", b"a.example.", b"a.example:8080", b"a.example.:8080", b"a.example:"):
            self.assertEqual(head(fields=[(b"hOST", value)]).host, "a.example", value)
        for value in (b"[::1]:80", b"[0:0:0::1]", b"[::0001]"):
            self.assertEqual(head(fields=[(b"host", value)]).host, "[::1]", value)

    def test_refused_hosts(self) -> None:
        """What is no host is refused before anything is looked up."""
        for value in (
            b"",
            b"a/b",
            b"a\\b",
            b"u@a",
            b"a b",
            b"a..b",
            b".a",
            b"a:b",
            b"a:1:2",
            b"a:65536",
            b"[::1",
            b"[]",
            b"[:::]",
            b"[::1]]",
            b"[1.2.3.4]",
            b"[1:2:3:4:5:6:7:8:9]",
            b"[fe80::1%eth0]",
            b"a%41",
        ):
            self.assert_refused(BAD_HOST, fields=[(b"host", value)])
        self.assert_refused(BAD_HOST, fields=[])
        self.assert_refused(BAD_HOST, fields=[(b"host", b"a"), (b"host", b"a")])

    def test_http_1_0_needs_no_host(self) -> None:
        """An HTTP/1.0 request without Host has the empty host, which only a server of all hosts has."""
        self.assertEqual(head(version="1.0", fields=[]).host, "")

    def test_body_lengths(self) -> None:
        """None, a number, or chunked."""
        host = (b"host", b"a")
        self.assertEqual(head().length, 0)
        self.assertFalse(head().sized)
        self.assertEqual(head(fields=[host, (b"content-length", b"5")]).length, 5)
        self.assertEqual(head(fields=[host, (b"transfer-encoding", b"Chunked")]).length, UNKNOWN_LENGTH)
        self.assert_refused(CODING_UNKNOWN, fields=[host, (b"transfer-encoding", b"gzip, chunked")])
        self.assert_refused(CODING_UNKNOWN, fields=[host, (b"transfer-encoding", b"identity")])
        self.assert_refused(CODING_UNKNOWN, fields=[host, *[(b"transfer-encoding", b"chunked")] * 2])
        self.assert_refused(BAD_REQUEST, fields=[host, (b"transfer-encoding", b"chunked"), (b"content-length", b"1")])
        self.assert_refused(BAD_REQUEST, version="1.0", fields=[host, (b"transfer-encoding", b"chunked")])

    def test_expectations(self) -> None:
        """100-continue is understood, others are refused, HTTP/1.0's are passed over."""
        host = (b"host", b"a")
        self.assertTrue(head(fields=[host, (b"expect", b"100-Continue")]).expects_continue)
        self.assert_refused(EXPECTATION_FAILED, fields=[host, (b"expect", b"200-ok")])
        self.assertFalse(head(version="1.0", fields=[host, (b"expect", b"100-continue")]).expects_continue)

    def test_connection_options_are_dropped(self) -> None:
        """What Connection names does not pass, wherever it stands."""
        got = head(
            fields=[
                (b"X-Mine", b"1"),
                (b"Host", b"a"),
                (b"Connection", b"x-mine, X-Envoy-Internal, "),
                (b"Connection", b"x-also"),
                (b"X-Also", b"2"),
                (b"X-Kept", b"3"),
            ]
        )
        self.assertEqual(got.fields, [(b"x-kept", b"3")])
        self.assertEqual(got.host, "a")

    def test_connection_options_refused(self) -> None:
        """Connection names neither what says who asks for what, nor more than nine options."""
        host = (b"host", b"a")
        for value in (
            b"Host",
            b":path",
            b"close, :Scheme",
            b"close, x-forwarded-for",
            b"X-Forwarded-Proto",
            b"x-forwarded-host",
        ):
            self.assert_refused(BAD_REQUEST, fields=[host, (b"connection", value)])
        names = [b"x-%d" % number for number in range(10)]
        self.assert_refused(BAD_REQUEST, fields=[host, (b"connection", b",".join(names))])
        self.assertEqual(head(fields=[host, (b"connection", b",".join(names[1:]))]).fields, [])

    def test_trailers_are_asked_for(self) -> None:
        """TE is the connection's own, but that the client takes trailers is passed on: the gateway passes them."""
        host = (b"host", b"a")
        for values, passed in (
            ([b"trailers"], True),
            ([b"gzip;q=0.5, Trailers"], True),
            ([b"gzip", b"trailers"], True),
            ([b"gzip"], False),
            ([b"x-trailers"], False),
            ([b""], False),
        ):
            fields = [host, (b"connection", b"te"), *((b"TE", value) for value in values)]
            self.assertEqual(head(fields=fields).fields, [(b"te", b"trailers")] if passed else [], values)

    def test_special_targets(self) -> None:
        """It is noted of a target that not every connection may ask for it."""
        self.assertTrue(head(method=b"OPTIONS", target=b"*").special)
        self.assertTrue(head(target=b"HTTPS://a/").special)
        self.assertFalse(head(target=b"http://a/").special)
        self.assertFalse(head(target=b"/https://a/").special)

    def test_underscores(self) -> None:
        """Fields with underscores pass, are left out, or have their request refused."""
        fields = [(b"host", b"a"), (b"X_a", b"1"), (b"x-a", b"2")]

        def of(underscores: Underscores) -> list[Field]:
            roles = request_roles(False, underscores)
            return h1_head(b"GET", b"/", "1.1", True, fields, HostMemory(), roles=roles).fields

        self.assertEqual(of(Underscores.ALLOW), [(b"x_a", b"1"), (b"x-a", b"2")])
        self.assertEqual(of(Underscores.DROP), [(b"x-a", b"2")])
        with self.assertRaises(RequestRefused) as caught:
            of(Underscores.REJECT)
        self.assertEqual(caught.exception.fault, BAD_REQUEST)

    def test_upgrade(self) -> None:
        """An upgrade is asked for by two fields that name each other, in HTTP/1.1, on a request without a body."""
        asking = [(b"Host", b"a.example"), (b"Connection", b"keep-alive, Upgrade"), (b"Upgrade", b"chat/2, h2c, IRC")]
        whole = head(fields=asking)
        self.assertEqual((whole.upgrade, whole.fields), ((b"chat/2", b"IRC"), []))
        self.assertEqual(head(fields=[*asking, (b"Content-Length", b"0")]).upgrade, whole.upgrade)
        self.assertEqual(head(fields=[*asking, (b"Upgrade", b"x")]).upgrade, (b"chat/2", b"IRC", b"x"))
        for fields in (
            asking[:2],
            [asking[0], asking[2]],
            [asking[0], (b"Connection", b"upgrades"), asking[2]],
            [*asking[:2], (b"Upgrade", b"h2c")],
            [*asking, (b"Content-Length", b"1")],
            [*asking, (b"Transfer-Encoding", b"chunked")],
        ):
            found = head(fields=fields)
            self.assertEqual((found.upgrade, found.fields), ((), []), fields)
        self.assertEqual(head(fields=asking, version="1.0").upgrade, ())

    def test_websocket(self) -> None:
        """A WebSocket is asked for as RFC 6455 says, or not at all."""
        key = (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ==")
        version = (b"Sec-WebSocket-Version", b"13")
        asking = [(b"Host", b"a.example"), (b"Connection", b"Upgrade"), (b"Upgrade", b"WebSocket")]
        found = head(fields=[*asking, key, version])
        self.assertEqual(found.upgrade, (b"WebSocket",))
        self.assertEqual(found.fields, [(b"sec-websocket-key", key[1]), (b"sec-websocket-version", b"13")])
        self.assert_refused(BAD_WEBSOCKET, fields=asking)
        self.assert_refused(BAD_WEBSOCKET, method=b"POST", fields=[*asking, key, version])
        nominating = (b"Connection", b"upgrade, sec-websocket-key")
        self.assert_refused(BAD_WEBSOCKET, fields=[*asking, key, version, nominating])
        # no upgrade, no rule
        self.assertEqual(head(fields=[asking[0], asking[2]]).upgrade, ())

    def test_order_and_repetition_are_kept(self) -> None:
        """Fields that pass do so in their order, repeated ones too."""
        fields = [(b"host", b"a"), (b"Cookie", b"1"), (b"Accept", b"x"), (b"Cookie", b"2")]
        self.assertEqual(head(fields=fields).fields, [(b"cookie", b"1"), (b"accept", b"x"), (b"cookie", b"2")])

    def test_refused_head(self) -> None:
        """The stand-in for a head that could not be read never keeps its connection."""
        self.assertFalse(refused_head().keep)


class HostMemoryTests(SynchronousTestCase):
    """Authorities that came before."""

    def test_same(self) -> None:
        """Those that come again, those that are too long to be remembered, and those that are none."""
        memory = HostMemory()
        for _ in range(2):
            self.assertEqual(memory.host(b"A.Example:80"), "a.example")
            self.assertEqual(memory.host(b"a.example."), memory.host(b"a.example."))
            for bad in (b"a b", b"a:b:c", b"a" * 300):
                self.assertRaises(RequestRefused, memory.host, bad)

    def test_bounded(self) -> None:
        """However many come, and however long they are, what is remembered needs 2 MiB at the most."""
        for name in (b"h%d.example", b"h%d." + b".".join([b"x" * 60] * 4), b"[::%x]"):
            memory = HostMemory()
            gc.collect()
            tracemalloc.start()
            try:
                for number in range(15_000):
                    memory.host(name % number)
                used, _ = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            self.assertLess(used, 2 << 20, name[:9])
