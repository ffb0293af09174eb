"""Tests for what the documentation says of the code."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from textwrap import indent
from types import ModuleType

from twisted.trial.unittest import SynchronousTestCase

import edgegate
from edgegate.config.validation.http_actions import RETRY_ON
from edgegate.http.limits import Limits
from edgegate.routing.headers import OPERATORS
from tests.routing.compiler.compiling import compiled

SERVICE = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gateway}
spec:
  servers:
  - {port: {number: 8080, name: http, protocol: HTTP}, hosts: ["*"]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: www}
spec:
  hosts: [www.example.com]
  gateways: [gateway]
  http:
"""
"""What the examples of routes stand in."""

DOCS = Path(edgegate.__file__).resolve().parents[1] / "docs"


def load_fields() -> ModuleType:
    """Import the script that writes the tables."""
    spec = importlib.util.spec_from_file_location("docs_fields", DOCS / "fields.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class FieldsTests(SynchronousTestCase):
    """The tables of honoured fields."""

    def test_up_to_date(self) -> None:
        """The page says of every field what the code does with it; `python docs/fields.py` writes it anew."""
        page = (DOCS / "configuration.md").read_text()
        self.assertEqual(load_fields().written(page), page)


class HTTPTests(SynchronousTestCase):
    """The page of HTTP."""

    def test_delegates(self) -> None:
        """The example of a root and its delegate can be served as it stands."""
        section = (DOCS / "http.md").read_text().partition("\n## Delegates\n")[2]
        snapshot, told = compiled(section.partition("```yaml\n")[2].partition("```")[0])
        self.assertEqual(told, [])
        plain = snapshot.listeners[0].plain
        assert plain is not None and plain.http is not None
        host = plain.http.lookup("www.example.com")
        assert host is not None
        self.assertEqual([(route.name, route.timeout) for route in host.routes], [("shop-cart", 2.0), ("shop", 10.0)])

    def test_routes(self) -> None:
        """Every example of what a route does can be served as it stands, and nothing is to be said of it."""
        sections = (DOCS / "http.md").read_text().partition("\n## What a route does\n")[2].split("```yaml\n")[1:]
        self.assertEqual(len(sections), 8)
        for section in sections:
            items = section.partition("```")[0]
            _, told = compiled(SERVICE + indent(items, "  "))
            self.assertEqual(told, [], items)

    def test_operators(self) -> None:
        """Every command operator is in the table."""
        page = (DOCS / "http.md").read_text()
        self.assertEqual([name for name in OPERATORS if f"`%{name}" not in page], [])

    def test_conditions(self) -> None:
        """Every condition of retries that can hold is in the table."""
        page = (DOCS / "http.md").read_text()
        never = ("retriable-headers", "retriable-status-codes", "http3-post-connect-failure")
        self.assertEqual([word for word in RETRY_ON if word not in never and f"`{word}`" not in page], [])


class LimitsTests(SynchronousTestCase):
    """The page of limits."""

    def test_values(self) -> None:
        """It names the values that are in force."""
        page = (DOCS / "limits.md").read_text()
        limits = Limits()
        for said in (
            f"{limits.head_bytes // 1024} KiB, {limits.head_fields} fields | 431",
            f"{limits.head_seconds:g} s, however steadily it drips",
            f"no progress in a body | {limits.body_seconds:g} s",
            f"kept connection | {limits.idle_seconds:g} s",
            f"{limits.answer_head_bytes // 1024} KiB, {limits.answer_fields} fields, {limits.interim_answers} interim",
            f"under way | {limits.stream_idle_seconds / 60:g} min",
            f"byte in either direction | {limits.stream_idle_seconds / 60:g} min",
            f"copies of requests on their way to mirrors | {limits.shadows:,}",
        ):
            self.assertIn(said, page)
