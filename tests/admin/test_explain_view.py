"""Tests of L{edgegate.admin.explain_view}."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from twisted.internet import reactor
from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.explain_view import MOST_HEADERS, MOST_MATCHES, MOST_NAMES, explained
from edgegate.http.fields import Underscores
from edgegate.http.limits import Limits
from edgegate.server.data_plane import DataPlane
from edgegate.server.gateway_options import GatewayOptions
from edgegate.sources.loading import load
from edgegate.sources.named import source_named
from tests.acceptance.manifests import filled
from tests.acceptance.processes import free_ports
from tests.explain.explaining import counted_calls

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  servers:
  - {port: {number: $http, name: http, protocol: HTTP}, hosts: ["*.example"], bind: 127.0.0.1}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example]
  gateways: [gw]
  http:
  - name: cart
    match: [{uri: {prefix: /cart}, headers: {x-user: {exact: qa}}}]
    route: [{destination: {host: cart.internal, port: {number: 80}}}]
  - name: old
    match: [{uri: {exact: /old}}]
    redirect: {uri: /cart}
  - name: copied
    match: [{uri: {exact: /copied}}]
    route: [{destination: {host: cart.internal, port: {number: 80}}}]
    mirror: {host: cart.internal, port: {number: 80}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: wide}
spec:
  hosts: [$hosts]
  gateways: [gw]
  http:
  - name: many
    match: [$many]
    route: [{destination: {host: cart.internal, port: {number: 80}}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: cart}
spec:
  hosts: [cart.internal]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 192.0.2.1}]
"""

MANY = ", ".join(f"{{uri: {{exact: /{number}}}}}" for number in range(MOST_MATCHES + 1))


class ExplainViewTests(SynchronousTestCase):
    """A data plane that serves, asked about requests."""

    def serve(self, options: GatewayOptions = GatewayOptions(), more: int = 0) -> None:  # noqa: B008 (frozen)
        """Serve the files, and so many hosts more."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (self.port,) = free_ports(1)
        hosts = ", ".join(["wide.example", *(f"{number}.wide.example" for number in range(more))])
        (folder / "in.yaml").write_text(filled(FILES, http=self.port, many=MANY, hosts=hosts))
        loaded = load(source_named(str(folder)))
        assert loaded.snapshot is not None, loaded.problems
        self.plane = DataPlane(reactor, (), options)  # type: ignore[arg-type]
        self.addCleanup(self.plane.stop)
        self.plane.install(loaded.snapshot, self.plane.contexts(loaded.snapshot, loaded.secrets), loaded.endpoints)

    def explain(self, path: str, host: str = "shop.example", **more: str) -> dict[str, Any]:
        """Ask."""
        asked = {"url": f"http://{host}:{self.port}{path}", **more}
        return cast("dict[str, Any]", explained(self.plane, json.dumps(asked)))

    def lines(self, node: dict[str, Any]) -> Iterator[tuple[str, str, str | None]]:
        """Yield the lines of a tree: text, mood and place."""
        yield node["text"], node["mood"], node["place"]
        for child in node["children"]:
            yield from self.lines(child)

    def test_served(self) -> None:
        """The way to the backend, with file and line, and what is known of its endpoints now."""
        self.serve()
        found = self.explain("/cart/1", headers="x-user: qa\n\n", method="POST")
        self.assertTrue(found["served"])
        lines = list(self.lines(found["tree"]))
        self.assertTrue(lines[0][0].startswith("POST http://shop.example"))
        line = next(number for number, text in enumerate(FILES.splitlines(), 1) if "name: cart" in text)
        (taken,) = [each for each in lines if each[1] == "good" and each[0].startswith("yes: route cart")]
        self.assertIn(taken[2], (f"in.yaml:{line}", f"in.yaml:{line + 1}"))
        self.assertTrue([text for text, _, _ in lines if text.startswith("192.0.2.1:80: HEALTHY")], lines)

    def test_not_served(self) -> None:
        """Where it stops, and why."""
        self.serve()
        found = self.explain("/cart/1", headers="x-user: me")
        self.assertFalse(found["served"])
        words = "\n".join(text for text, _, _ in self.lines(found["tree"]))
        self.assertIn("headers[x-user] should be: exactly 'qa'; it is 'me'", words)
        self.assertIn("the gateway answers 404", words)
        self.assertIn("no virtual host of this port has", str(self.explain("/", host="nobody.else")))

    def test_many(self) -> None:
        """Of a host with very many matches it is told what it comes to alone: others are served meanwhile."""
        self.serve()
        for path, served, words in (("/7", True, "yes: route many"), ("/none", False, "the gateway answers 404")):
            found = self.explain(path, host="wide.example")
            lines = [text for text, _, _ in self.lines(found["tree"])]
            self.assertEqual(found["served"], served)
            self.assertTrue(lines[-1].startswith(words), lines)
            self.assertIn(f"{MOST_MATCHES + 1} matches", lines[-2])

    def test_once(self) -> None:
        """It is decided once: others are served meanwhile."""
        self.serve()
        with counted_calls() as calls:
            self.explain("/cart/1")
        self.assertEqual(calls["decide"], 1)

    def test_near_names(self) -> None:
        """Hosts that are nearly the one are told where there are not very many."""
        for more, told in ((0, True), (MOST_NAMES, False)):
            self.serve(more=more)
            words = "\n".join(text for text, _, _ in self.lines(self.explain("/", host="shp.example")["tree"]))
            self.assertEqual("'shp.example' is no host here, but 'shop.example' is" in words, told, words)
            self.assertIn("no virtual host of this port has shp.example", words)

    def test_options(self) -> None:
        """The gateway's own options count."""
        self.serve(GatewayOptions(trusted_hops=1))
        found = self.explain("/cart", headers="x-user: qa\nx-forwarded-for: 203.0.113.9", source="192.0.2.9")
        self.assertIn("203.0.113.9", str(found["tree"]))

    def test_limits(self) -> None:
        """So do its limits: what it refuses is not told to be served, and no route is said to take it."""
        self.serve(GatewayOptions(limits=Limits(body_bytes=10, underscores=Underscores.REJECT)))
        for more, words in (("content-length: 11", "the gateway answers 413"), ("a_b: c", "the gateway answers 400")):
            found = self.explain("/cart/1", headers=f"x-user: qa\n{more}")
            self.assertFalse(found["served"])
            lines = [text for text, _, _ in self.lines(found["tree"])]
            self.assertTrue(any(text.startswith(words) for text in lines), lines)
            self.assertFalse(any("takes it" in text or "conditions hold" in text for text in lines), lines)

    def test_shadow_hosts(self) -> None:
        """Copies have the host that the gateway gives them."""
        for option in (True, False):
            self.serve(GatewayOptions(shadow_hosts=option))
            found = str(self.explain("/copied")["tree"])
            self.assertIn("gets GET /copied, host shop.example", found)
            self.assertEqual("host shop.example-shadow" in found, option)

    def test_bad(self) -> None:
        """What can't be asked is told."""
        self.serve()
        for changes, words in (
            ({"url": "shop.example"}, "a URL begins with http://"),
            ({"headers": "nothing"}, "'nothing' is no header: write NAME: VALUE"),
            ({"headers": "x-a: \u00fc"}, "is not ASCII"),
            ({"headers": "x: 1\n" * (MOST_HEADERS + 1)}, f"more than {MOST_HEADERS} headers"),
            ({"method": "G T"}, "is no method"),
            ({"source": "nobody"}, "'nobody' does not appear to be"),
        ):
            self.assertIn(words, str(self.explain("/", **changes)["error"]))
