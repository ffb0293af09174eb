"""Tests of L{edgegate.explain.question}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.question import Question, question_of
from edgegate.model.addresses import TCPAddress


class QuestionTests(SynchronousTestCase):
    """What a client sends that is given a URL."""

    def test_http(self) -> None:
        """Scheme, port, authority and target are those that curl sends."""
        question = question_of("GET", "http://Shop.Example:8080/a?b=c#d", ((b"X-A", b"1"),))
        self.assertEqual(question.raw(), b"GET /a?b=c HTTP/1.1\r\nHost: Shop.Example:8080\r\nX-A: 1\r\n\r\n")
        self.assertEqual((question.port, question.tls, question.server_name), (8080, False, ""))
        self.assertEqual(
            question_of("GET", "http://shop.example:80").raw(), b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"
        )

    def test_https(self) -> None:
        """The SNI name is the URL's host, in normal form; of an address there is none."""
        question = question_of("POST", "https://Shop.Example./", length=3)
        self.assertEqual((question.port, question.tls, question.server_name), (443, True, "shop.example"))
        self.assertTrue(question.raw().endswith(b"Content-Length: 3\r\n\r\n"))
        for url in ("https://10.0.0.1/", "https://[::1]/"):
            self.assertEqual(question_of("GET", url).server_name, "")

    def test_host(self) -> None:
        """A Host field replaces the URL's, but neither the port nor the SNI name."""
        question = question_of("GET", "https://shop.example:8443/", ((b"host", b"other.example"),))
        self.assertEqual(
            (question.authority, question.server_name, question.port), (b"other.example", "shop.example", 8443)
        )
        self.assertEqual(question_of("GET", "http://127.0.0.1/", port=8080).port, 8080)

    def test_bytes(self) -> None:
        """Without HTTP there is a connection alone."""
        self.assertEqual(question_of("", "tls://db.example:5432"), Question(5432, True, "db.example"))
        self.assertEqual(question_of("", "tcp://10.0.0.1:5432"), Question(5432, local=TCPAddress("10.0.0.1", 5432)))

    def test_url(self) -> None:
        """What is asked is told as a URL."""
        for url in ("tls://db.example:5432", "tcp://10.0.0.1:5432", "tcp://[::1]:5432"):
            self.assertEqual(question_of("", url).url, url)
        self.assertEqual(question_of("GET", "https://a.example:443/b?c").url, "https://a.example/b?c")

    def test_mistakes(self) -> None:
        """What can't be asked for says why."""
        for method, url, headers, why in (
            ("GET", "shop.example", (), "begins with http://"),
            ("GET", "ftp://shop.example/", (), "begins with http://"),
            ("GET", "http:///a", (), "names no host"),
            ("GET", "http://shop.example/ü", (), "printable ASCII"),
            ("GET", "http://shop.example:99999/", (), "Port out of range"),
            ("GET", "http://a..example/", (), "malformed host"),
            ("", "tcp://shop.example", (), "names no port"),
            ("G T", "http://shop.example/", (), "no method"),
            ("GET", "http://shop.example/", ((b"a", b"b\r\nc: d"),), "no header field"),
        ):
            error = self.assertRaises(ValueError, question_of, method, url, headers)
            self.assertIn(why, str(error), url)
