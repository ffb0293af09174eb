"""Tests of L{edgegate.diff.curl}."""

from __future__ import annotations

import subprocess
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.curl import command, request_line
from edgegate.diff.findings import Witness
from edgegate.explain.question import Question, question_of
from edgegate.model.addresses import TCPAddress


def line(question: Question, bound: int = 8080) -> str:
    """Return the command."""
    return command(Witness(question, bound))


class CommandTests(SynchronousTestCase):
    """What is pasted into a shell."""

    def test_plain(self) -> None:
        """The port that is bound is connected to, whatever the URL says."""
        self.assertEqual(
            line(question_of("GET", "http://shop.example/cart?a=b")),
            "curl -sSi --connect-to ::127.0.0.1:8080 'http://shop.example/cart?a=b'",
        )

    def test_all(self) -> None:
        """Methods, headers, paths that curl would change and shells would read."""
        question = question_of("POST", "http://shop.example/a/../b$x", ((b"x-user", b"it's"), (b"x-empty", b"")))
        self.assertEqual(
            line(question),
            "curl -sSi --connect-to ::127.0.0.1:8080 -X POST -H 'x-user: it'\"'\"'s' -H 'x-empty;' --path-as-is "
            "'http://shop.example/a/../b$x'",
        )
        self.assertIn(" -I ", line(question_of("HEAD", "http://shop.example/")))
        self.assertIn("curl -g ", line(question_of("GET", "http://shop.example/[a]")))
        star = replace(question_of("OPTIONS", "http://shop.example/"), target=b"*")
        self.assertIn("--request-target '*' http://shop.example/", line(star))

    def test_hidden(self) -> None:
        """A value that is not for everyone comes from a variable."""
        question = question_of("GET", "http://shop.example/", ((b"x-api-key", b"s3cret"), (b"cookie", b"")))
        self.assertEqual(
            line(question),
            "curl -sSi --connect-to ::127.0.0.1:8080 -H 'x-api-key: '\"${X_API_KEY}\" -H 'cookie;' http://shop.example/",
        )
        said = request_line(question)
        self.assertRegex(said, r"\| x-api-key: hidden \(sha256 [0-9a-f]{16}\) \|")

    def test_claims(self) -> None:
        """What takes a token with claims says which, and has the token from a variable."""
        claims = ((b"@request.auth.claims[dept][name]", b"it"), (b"@request.auth.claims[sub]", b"bob"))
        question = replace(question_of("GET", "http://shop.example/"), claims=claims)
        self.assertIn('-H "Authorization: Bearer $TOKEN" http://shop.example/', line(question))
        self.assertIn("| a token with dept.name: it, sub: bob", request_line(question))

    def test_bytes(self) -> None:
        """A shell makes the very bytes of it that are asked for, whether or not they are characters."""
        for value in ("\u00e4\u20ac".encode(), b"\xff\xfe it's", b"a\\b\xe4", b"tab\there"):
            question = question_of("GET", "http://shop.example/", ((b"x-a", value),))
            words = ["bash", "-c", f"printf '%s\\0' {line(question)}"]
            sent = subprocess.run(words, capture_output=True, check=True).stdout.split(b"\0")
            self.assertIn(b"x-a: " + value, sent)

    def test_no_host(self) -> None:
        """An empty Host is asked for at the gateway's own address."""
        question = replace(question_of("GET", "http://shop.example/"), authority=b"")
        self.assertEqual(line(question), "curl -sSi --connect-to ::127.0.0.1:8080 -H 'Host;' http://127.0.0.1/")

    def test_tls(self) -> None:
        """The SNI name is the URL's host, another Host is a header."""
        question = question_of("GET", "https://shop.example:8443/")
        self.assertEqual(line(question, 443), "curl -sSi -k --connect-to ::127.0.0.1:443 https://shop.example:8443/")
        other = replace(question, authority=b"admin.example:8443", certificate=b"x")
        self.assertEqual(
            line(other, 443),
            "curl -sSi -k --cert client.pem --connect-to ::127.0.0.1:443 -H 'Host: admin.example:8443' "
            "https://shop.example:8443/",
        )
        self.assertIn("-H 'Host: shop.example:8443' https://127.0.0.1:8443/", line(replace(question, server_name="")))

    def test_connections(self) -> None:
        """Where bytes are relayed, a connection is opened."""
        self.assertEqual(
            line(question_of("", "tls://db.example:443")),
            "openssl s_client -connect 127.0.0.1:8080 -servername db.example",
        )
        self.assertIn("-noservername", line(replace(question_of("", "tls://a.example:1"), server_name="")))
        self.assertEqual(line(question_of("", "tcp://127.0.0.1:5432")), "nc 127.0.0.1 8080")


class RequestLineTests(SynchronousTestCase):
    """What people read."""

    def test_lines(self) -> None:
        """A request with what else it needs; a connection with its ends."""
        question = question_of("GET", "https://shop.example/a?b", ((b"x-user", b"qa"),))
        self.assertEqual(request_line(question), "GET https://shop.example/a?b | x-user: qa")
        self.assertEqual(
            request_line(replace(question, server_name="", headers=())), "GET https://shop.example/a?b | SNI none"
        )
        self.assertEqual(request_line(question_of("", "tls://db.example:443")), "tls://db.example:443")
        tcp = Question(5432, peer=TCPAddress("10.0.0.1", 1), local=TCPAddress("10.0.0.2", 5432))
        self.assertEqual(request_line(tcp), "tcp://*:5432 (from 10.0.0.1:1 to 10.0.0.2:5432)")
