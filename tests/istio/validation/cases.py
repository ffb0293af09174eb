"""Tables of specs, each with what must be told of it."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.trial.unittest import SynchronousTestCase

from tests.config.reading import told_of

HTTP = '{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}'
ROUTE = "[{destination: {host: web.example}}]"


def gateway(*servers: str) -> str:
    """Return the spec of a Gateway."""
    return "servers:\n" + "".join(f"- {server}\n" for server in servers)


def secure(tls: str, protocol: str = "HTTPS") -> str:
    """Return the spec of a Gateway with one server that has TLS settings."""
    return gateway(f"{{port: {{number: 443, name: https, protocol: {protocol}}}, hosts: [a.example], tls: {tls}}}")


def routing(route: str) -> str:
    """Return the spec of a VirtualService with one HTTP route."""
    return f"hosts: [a.example]\ngateways: [gw]\nhttp:\n- {route}\n"


class CasesTestCase(SynchronousTestCase):
    """Tests by tables."""

    def check(self, kind: str, cases: Iterable[tuple[str, str]], severity: str = "error") -> None:
        """Check that of each spec exactly one thing is told, which has these words; nothing, where there are none."""
        for spec, words in cases:
            found = [line for line in told_of(kind, spec) if f" {severity}: " in line and "not honoured" not in line]
            if not words:
                self.assertEqual(found, [], spec)
            else:
                self.assertEqual(len(found), 1, (spec, found))
                self.assertIn(words, found[0], spec)
