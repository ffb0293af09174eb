"""Tests of L{edgegate.http.h1.field_lines}; what it takes is compared with llhttp in L{test_plain_heads}."""

from __future__ import annotations

import gc
import tracemalloc

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.fields import CONNECTION, CONTENT_LENGTH, HOST, PASS, REQUEST_ROLES, request_roles
from edgegate.http.h1.field_lines import MEMORABLE, REMEMBERED, FieldLines


class FieldLinesTests(SynchronousTestCase):
    """What lines say, and which are remembered."""

    def setUp(self) -> None:
        """Make what reads them."""
        self.lines = FieldLines(REQUEST_ROLES)

    def test_plain(self) -> None:
        """A line has a name, a role, a value, and the form in which it is sent on."""
        for line, field, role in (
            (b"Accept: */*", (b"accept", b"*/*"), PASS),
            (b"x-a: b: c", (b"x-a", b"b: c"), PASS),
            (b"Host: A.example", (b"host", b"A.example"), HOST),
            (b"Connection: Keep-Alive", (b"connection", b"Keep-Alive"), CONNECTION),
            (b"content-length: 0", (b"content-length", b"0"), CONTENT_LENGTH),
        ):
            for _ in range(3):
                found = self.lines.read(line)
                assert found is not None
                self.assertEqual((found.field, found.role), (field, role))
                self.assertEqual(found.sent, b"%b: %b\r\n" % field)

    def test_odd(self) -> None:
        """What may be read in two ways, or says how the message is framed, is left to llhttp."""
        for line in (
            b"",
            b":",
            b": a",
            b"a",
            b"a:b",
            b"a:",
            b"a:  b",
            b"a: b ",
            b"a:\tb",
            b"a: b\tc",
            b"a : b",
            b" a: b",
            b"a: b\x7f",
            b"a: caf\xe9",
            b"a(: b",
            b"Content-Length: ",
            b"Content-Length: 1_0",
            b"Content-Length: " + b"1" * 19,
            b"Connection: close, te",
            b"Connection: CLOSE",
            b"Proxy-Connection: close",
            b"Transfer-Encoding: chunked",
            b"Upgrade: a",
            b"TE: trailers",
            b"Expect: 100-continue",
            b"Close: a",
        ):
            for _ in range(3):
                self.assertIsNone(self.lines.read(line), line)
        self.assertEqual(self.lines.known, {})

    def test_remembered(self) -> None:
        """Remembered is what came twice, if it is not long and by its name no secret."""
        for line, kept in (
            (b"User-Agent: a", True),
            (b"Accept: */*", True),
            (b"Cookie: a=b", False),
            (b"Authorization: Basic eA==", False),
            (b"x-api-key: secret", False),
            (b"X-Auth-Token: secret", False),
            (b"x-version: 1.2", True),
            (b"Accept: " + b"a" * MEMORABLE, False),
        ):
            first = self.lines.read(line)
            self.assertNotIn(line, self.lines.known)
            assert first is not None
            self.lines.read(line)
            self.assertIs(line in self.lines.known, kept, line)
            if kept:
                self.assertEqual(self.lines.known[line].field, first.field)

    def test_bounded(self) -> None:
        """All that is remembered stays within the bound, whatever lines come; so do names."""
        for filling in (b"", b"x" * 200):
            gc.collect()
            tracemalloc.start()
            try:
                lines = FieldLines(request_roles(True))
                for number in range(5000):
                    for _ in range(2):
                        lines.read(b"Accept: %d%b" % (number, filling))
                        lines.read(b"x-%d: a" % number)
                gc.collect()
                used, _ = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            # beside it a thousand hashes, and the names that roles remember
            self.assertLess(used, REMEMBERED * 5 // 4 + 512 * 1024)
            self.assertLessEqual(len(lines._names), 256)
