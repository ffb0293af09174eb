"""Tests of L{edgegate.diff.wording}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.wording import label, words
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import OutlierDetection
from edgegate.model.headers import HeaderChanges, Template
from edgegate.model.matching import Kind, StringMatch
from edgegate.model.policies import RetryPolicy
from edgegate.model.tls import Credential, TLSRules, TLSVersion


class WordsTests(SynchronousTestCase):
    """Values in words."""

    def test_plain(self) -> None:
        """Numbers have the unit of their field."""
        self.assertEqual(words(None), "none")
        self.assertEqual(words(True), "yes")
        self.assertEqual(words(5.0, "timeout"), "5 s")
        self.assertEqual(words(0.25, "share"), "25 %")
        self.assertEqual(words(-1, "port"), "the request's")
        self.assertEqual(words(8080, "port"), "8080")
        self.assertEqual(words(frozenset((503, 404))), "404, 503")
        self.assertEqual(words(()), "none")

    def test_texts(self) -> None:
        """A text that could be misread is quoted, and a long one cut."""
        self.assertEqual(words("/a/b"), "/a/b")
        self.assertEqual(words("a, b"), '"a, b"')
        self.assertEqual(words(""), '""')
        self.assertEqual(words("a\nb"), '"a\\nb"')
        self.assertRegex(words("x" * 500), r"^x{60}\.\.\. \(500 characters, sha256 [0-9a-f]{16}\)$")

    def test_key_material(self) -> None:
        """Of certificates there is a digest."""
        self.assertRegex(words(b"-----BEGIN", "authorities"), "^sha256 [0-9a-f]{16}$")
        self.assertRegex(words(b"\x00\x01"), "^sha256 ")
        self.assertEqual(words(Credential("a.crt", "a.key")), "a.crt with key a.key")

    def test_composed(self) -> None:
        """Of a value that has fields those are told that are not as usual."""
        self.assertEqual(words(RetryPolicy()), "as usual")
        self.assertEqual(words(RetryPolicy(attempts=3, per_try_timeout=1.0)), "attempts 3, per try timeout 1 s")
        self.assertEqual(words(OutlierDetection(max_ejected=0.5)), "max ejected 50 %")
        self.assertEqual(words(TLSRules(TLSVersion.TLSV1_3)), "minimum TLS 1.3")
        self.assertEqual(words(TCPAddress("10.0.0.1", 80)), "10.0.0.1:80")
        self.assertEqual(words(StringMatch(Kind.PREFIX, "/a", ignore_case=True)), "prefix /a in any case")

    def test_headers(self) -> None:
        """Operators are as files have them; values that are secrets are not shown."""
        changes = HeaderChanges((b"via",), ((b"x-a", Template.parse("%REQ(x-user)%:100%%")),))
        self.assertEqual(words(changes), "remove via; set x-a: %REQ(x-user)%:100%%")
        said = words(HeaderChanges(add=((b"authorization", Template.parse("Bearer 1234")),)))
        self.assertRegex(said, r"^add authorization: hidden \(sha256 [0-9a-f]{16}\)$")
        said = words(HeaderChanges(add=((b"x-token", Template.parse("s3cret-%REQ(x-user)%")),)))
        self.assertRegex(said, r"^add x-token: hidden \(sha256 [0-9a-f]{16}\)$")

    def test_label(self) -> None:
        """Fields have names that people use."""
        self.assertEqual(label("connect_timeout"), "connect timeout")
        self.assertEqual(label("alpn"), "ALPN")
