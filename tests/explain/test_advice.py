"""Tests of L{edgegate.explain.advice}: folders in which something goes wrong, and the line that is the reason."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.decision import Decider
from edgegate.explain.explanation import Explainer
from edgegate.explain.question import question_of
from tests.explain.explaining import Explained
from tests.istio.translate.compiling import gateway, virtual_service

TO = "route: [{destination: {host: 127.0.0.1, port: {number: 81}}}]"
ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web}
spec:
  hosts: [web.example]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 10.0.0.1, labels: {version: v1}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web}
spec: {host: web.example, subsets: [{name: v2, labels: {version: v2}}]}
---
"""


def service(name: str, host: str, *items: str, more: str = "", gateways: str = "gw") -> str:
    """Write a VirtualService."""
    return virtual_service(name, host, f"{more}http: [{', '.join(items)}]", gateways)


class AdviceTests(SynchronousTestCase):
    """What is told to look at, likeliest first."""

    def first(self, text: str, url: str, method: str = "GET") -> tuple[str, str]:
        """Return the first advice, and the line that it is about, as it stands in the files."""
        explained = Explained.of(text)
        explainer = Explainer(Decider(explained.snapshot), explained.endpoints, explained.notes)
        found = explainer.explain(question_of(method, url))
        self.assertFalse(found.served)
        self.assertFalse(found.disagrees)
        origin = found.advice[0].origin
        return found.advice[0].text, "" if origin is None else text.split("\n")[origin.line - 1]

    def check(self, text: str, url: str, advice: str, line: str) -> None:
        """Compare the first advice and the line that it is about."""
        said, where = self.first(text, url)
        self.assertIn(advice, said)
        self.assertIn(line, where)

    def test_hosts(self) -> None:
        """A host that is misspelt, that the Gateway does not have, or that is at another port."""
        one = service("a", "shop.example", f"{{{TO}}}")
        text = gateway("gw", "80 HTTP *") + one
        self.check(text, "http://shp.example/", "'shop.example' is: is one of them misspelt?", TO)
        text = gateway("gw", "80 HTTP other.example") + one
        self.check(text, "http://shop.example/", "no server of Gateway default/gw serves this host", "shop.example")
        text = gateway("gw", "80 HTTP *.shop.example") + service("a", "*.shop.example", f"{{{TO}}}")
        self.check(text, "http://shop.example/", "one label or more, never for none", TO)
        text = gateway("gw", "80 HTTP a.example", "81 HTTP shop.example") + service("a", "*", f"{{{TO}}}")
        self.check(text, "http://shop.example/", "shop.example is served on port 81", "number: 81")

    def test_misspelt_in_the_routes(self) -> None:
        """A host that only the routes misspell, so that no server has it."""
        text = gateway("gw", "80 HTTP shop.example") + service("a", "shpo.example", f"{{{TO}}}")
        self.check(text, "http://shop.example/", "'shpo.example', which no server of its gateways has", "shpo.example")

    def test_loops(self) -> None:
        """A redirect to where the client has asked is no error, but told."""
        item = "{redirect: {authority: shop.example}}"
        text = gateway("gw", "80 HTTP shop.example") + service("a", "shop.example", item)
        explained = Explained.of(text)
        explainer = Explainer(Decider(explained.snapshot), explained.endpoints, explained.notes)
        (advice,) = explainer.explain(question_of("GET", "http://shop.example/a?b")).advice
        self.assertIn("a loop", advice.text)
        assert advice.origin is not None
        self.assertIn(item, text.split("\n")[advice.origin.line - 1])
        (other,) = explainer.explain(question_of("GET", "http://shop.example:80/", port=80)).advice
        self.assertEqual(other.origin, advice.origin)

    def test_ports(self) -> None:
        """A port that is not open, and one that is spoken to in the wrong way."""
        text = gateway("gw", "80 HTTP *") + service("a", "shop.example", f"{{{TO}}}")
        self.check(text, "http://shop.example:8080/", "port 80 serves shop.example", "number: 80")
        self.check(text, "https://shop.example:80/", "ask with http://", "number: 80")

    def test_unattached(self) -> None:
        """VirtualServices that are for others."""
        text = gateway("gw", "80 HTTP *") + service("a", "shop.example", f"{{{TO}}}", gateways="mesh")
        self.check(text, "http://shop.example/", "it is for the sidecars of a mesh", "gateways: [mesh]")

    def test_routes(self) -> None:
        """A route that is for another port, and one that nearly takes the request."""
        text = gateway("gw", "80 HTTP *") + service("a", "a.example", f"{{name: b, match: [{{port: 81}}], {TO}}}")
        self.check(text, "http://a.example/", "route b would take it, but its match is for port 81", "port: 81")
        text = gateway("gw", "80 HTTP *") + service("a", "a.example", f"{{match: [{{uri: {{exact: /a}}}}], {TO}}}")
        self.check(text, "http://a.example/a/", "a slash more at its end", "exact: /a")

    def test_subsets(self) -> None:
        """A subset whose labels no endpoint has."""
        item = "{route: [{destination: {host: web.example, subset: v2}}]}"
        text = gateway("gw", "80 HTTP *") + service("a", "a.example", item) + ENTRY
        self.check(text, "http://a.example/", "subset v2 has no endpoint with its labels", "apiVersion")

    def test_wider(self) -> None:
        """A wider host's route would take it, but the narrower host's alone are asked."""
        text = gateway("gw", "80 HTTP *") + service("w", "*.example", f"{{name: wide, {TO}}}")
        text += service("narrow", "a.example", f"{{name: narrow, match: [{{uri: {{prefix: /n}}}}], {TO}}}")
        self.check(text, "http://a.example/x", "route wide of the host *.example would take it, but", "name: wide")

    def test_relays(self) -> None:
        """A relay that is for another port."""
        text = gateway("gw", "90 TCP *") + virtual_service("a", "*", f"tcp: [{{match: [{{port: 91}}], {TO}}}]")
        self.check(text, "tcp://127.0.0.1:90", "its match is for port 91", "port: 91")

    def test_requests(self) -> None:
        """Requests that are refused before any route is looked at."""
        text = gateway("gw", "80 HTTP *") + service("a", "a.example", f"{{{TO}}}")
        self.assertIn("%00", self.first(text, "http://a.example/%00")[0])

    def test_connections(self) -> None:
        """TLS names that are misspelt."""
        text = gateway("gw", "443 TLS db.example {mode: PASSTHROUGH}")
        text += virtual_service("a", "db.example", f"tls: [{{match: [{{sniHosts: [db.example]}}], {TO}}}]")
        self.check(text, "tls://bd.example:443", "a server of this port has db.example", "number: 443")
