"""Tests for the demo's HTTP backends."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from edgegate.demo.stores import PAGES, StoreResource, StoreSite, as_json, tcp_description, tls_description


def ask(name: str, path: bytes, fields: dict[bytes, bytes] | None = None, body: bytes = b"") -> DummyRequest:
    """Let a backend answer a request, and return it with its answer in C{written}."""
    request = DummyRequest([b""])
    request.path = path
    request.content = BytesIO(body)
    for key, value in {b"host": b"shop.example", **(fields or {})}.items():
        request.requestHeaders.addRawHeader(key, value)
    request.write(StoreResource(name).render(request))
    return request


def answer(request: DummyRequest) -> dict[str, object]:
    """Return the JSON object that was answered."""
    found = json.loads(b"".join(request.written))
    assert isinstance(found, dict)
    return found


class StoreResourceTests(SynchronousTestCase):
    """What a backend answers."""

    def test_says_who_answers_what(self) -> None:
        """An answer names the backend, the request and the Host that reached it, and has the page's content."""
        found = answer(ask("catalog", b"/items"))
        self.assertEqual(
            {key: found[key] for key in ("service", "request", "host")},
            {"service": "catalog", "request": "GET /items", "host": "shop.example"},
        )
        self.assertEqual(found["items"], PAGES["catalog"]["/items"][1])

    def test_shows_what_the_gateway_says_of_the_client(self) -> None:
        """Forwarded fields are repeated in the answer, others are not."""
        found = answer(
            ask(
                "apiserver",
                b"/api/products",
                {b"X-Forwarded-For": b"192.0.2.1", b"X-Request-Id": b"7", b"Cookie": b"c"},
            )
        )
        self.assertEqual(found["x-forwarded-for"], "192.0.2.1")
        self.assertEqual(found["x-request-id"], "7")
        self.assertNotIn("cookie", found)

    def test_counts_an_upload(self) -> None:
        """An answer to an upload says how many bytes arrived."""
        self.assertEqual(answer(ask("apiserver", b"/api/products", body=b"x" * 300_000))["received_bytes"], 300_000)

    def test_unknown_path(self) -> None:
        """A path that a backend does not know is its own 404, told apart from the gateway's by its JSON."""
        request = ask("catalog", b"/nowhere")
        self.assertEqual(request.responseCode, 404)
        self.assertEqual(answer(request)["error"], "catalog has no such page")

    def test_bytes_that_are_no_text(self) -> None:
        """A path of strange bytes is still answered with JSON."""
        self.assertEqual(answer(ask("catalog", b"/\xff"))["request"], "GET /\ufffd")


class AsJSONTests(SynchronousTestCase):
    """The form of an answer."""

    def test_one_member_a_line(self) -> None:
        """Each member stands on a line of its own."""
        self.assertEqual(as_json({"a": 1, "b": [1, 2]}), b'{\n  "a": 1,\n  "b": [1, 2]\n}\n')


class DescriptionTests(SynchronousTestCase):
    """Where backends listen."""

    def test_loopback_only(self) -> None:
        """No backend of the demo can be reached from another machine."""
        self.assertEqual(tcp_description(7070), "tcp:7070:interface=127.0.0.1")
        self.assertEqual(
            tls_description(7072, Path("etc/certs"), "a.example"),
            "ssl:7072:interface=127.0.0.1:privateKey=etc/certs/a.example.key:certKey=etc/certs/a.example.crt",
        )

    def test_odd_folder(self) -> None:
        """A folder whose name has a colon is quoted."""
        self.assertIn(r"privateKey=a\:b/h.key", tls_description(1, Path("a:b"), "h"))


class StoreSiteTests(SynchronousTestCase):
    """The factory of a backend."""

    def test_quiet(self) -> None:
        """It keeps no access log of its own."""
        site = StoreSite("catalog")
        self.assertFalse(site.noisy)
        self.assertIsNone(site.log(DummyRequest([b""])))  # type: ignore[func-returns-value]
