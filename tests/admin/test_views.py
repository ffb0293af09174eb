"""Tests of L{edgegate.admin.views}."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin import views
from edgegate.admin.telemetry_view import telemetry
from edgegate.model.addresses import TCPAddress
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute
from edgegate.model.tls import KeyPair, ServerTLS, UpstreamTLS
from edgegate.model.tracing import DeclaredTracing
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener, Snapshot
from edgegate.tls.acme.keys import placeholder
from edgegate.tls.acme.status import CertificateStatus
from edgegate.tls.secret_store import Secrets
from tests.admin.served import AUTHORITY, ENDPOINTS, ISSUED, NOW, OLD, SECRETS, SERVER, SNAPSHOT, WEB, PretendedGateway
from tests.istio.translate.compiling import compiled, gateway, route, virtual_service
from tests.istio.translate.guards.test_targets import policy, target
from tests.tls.acme.certificates import made, managed

EVERYTHING = (
    views.listeners(SNAPSHOT),
    views.routes(SNAPSHOT),
    views.clusters(SNAPSHOT),
    views.endpoints(SNAPSHOT, said=ENDPOINTS),
    views.secrets(SNAPSHOT, SECRETS, NOW),
    telemetry(replace(SNAPSHOT, tracing=DeclaredTracing(origin=Origin("shop.yaml", 1, "Telemetry default/t")))),
)


class ViewsTests(SynchronousTestCase):
    """Rows."""

    def test_listeners(self) -> None:
        """Each server is a row, under the names that find it."""
        found = views.listeners(SNAPSHOT)
        shown = [[row[key] for key in ("address", "port", "type", "match", "file")] for row in found]
        self.assertEqual(
            shown,
            [
                ["::", 8080, "HTTP", "plain", "shop.yaml:5"],
                ["::", 443, "HTTPS", "SNI: shop.example, *.shop.example", "shop.yaml:5"],
                ["::", 443, "TLS passthrough", "SNI: tls.example", "shop.yaml:5"],
            ],
        )
        self.assertEqual(found[0]["port_in_files"], 80)

    def test_bound(self) -> None:
        """A port that the kernel chose is shown as it is."""
        (row, *_) = views.listeners(SNAPSHOT, lambda listener: TCPAddress("127.0.0.1", 4711))
        self.assertEqual((row["address"], row["port"]), ("127.0.0.1", 4711))

    def test_routes(self) -> None:
        """Routes come in the order in which they are tried, with what leads to them and where they lead."""
        shown = [
            [row[key] for key in ("name", "domains", "match", "virtual_service", "to")]
            for row in views.routes(SNAPSHOT)
        ]
        cart = "/cart* and method exact POST and x-user present and no x-old regex a+ and ?q exact 1 or regex /c[0-9]+"
        self.assertEqual(
            shown,
            [
                ["http.80", "*", "/*", None, ["redirect to https port 443"]],
                ["https.443", "shop.example", cart, "shop.default", [f"{WEB} (90)", f"{OLD} (10)"]],
                ["https.443", "shop.example", "/*", "shop.default", [WEB]],
                ["https.443", "*.example", "/*", "404", []],
                ["tls.443", "tls.example", "*", "shop.default", [WEB]],
            ],
        )

    def test_policies(self) -> None:
        """The policies that a request meets on its way to a route stand with it, where there are some."""
        files = gateway("gw", "80 HTTP a.example") + virtual_service("vs", "a.example", f"http: [{route(name='one')}]")
        self.assertNotIn("policies", views.routes(compiled(files)[0])[0])
        on_route = policy(target("VirtualService", "vs"), "inner")
        (row,) = views.routes(compiled(files + policy(target("Gateway", "gw")) + on_route)[0])
        self.assertEqual(row["policies"], ["AddressListPolicy default/p", "AddressListPolicy default/inner"])

    def test_matches(self) -> None:
        """Which requests a route takes is said in words, with what ignores case."""
        for match, said in (
            (HTTPMatch(), "/*"),
            (HTTPMatch(uri=StringMatch(Kind.PREFIX, "/a")), "/a*"),
            (HTTPMatch(uri=StringMatch(Kind.EXACT, "/a", ignore_case=True)), "/a in any case"),
            (HTTPMatch(uri=StringMatch(Kind.PREFIX, "/a", ignore_case=True)), "/a* in any case"),
            (HTTPMatch(headers=(("x-a", StringMatch(Kind.PRESENT)),)), "/* and x-a present"),
            (HTTPMatch(without_headers=(("x-a", StringMatch(Kind.EXACT, "b")),)), "/* and no x-a exact b"),
        ):
            route = HTTPRoute("r", Origin("a.yaml", 1, "VirtualService a/b"), matches=(match,), destinations=())
            self.assertEqual(views.matches(route), said)

    def test_clusters(self) -> None:
        """The parts of a cluster's name are columns."""
        shown = [
            [row[key] for key in ("service", "port", "subset", "direction", "type")] for row in views.clusters(SNAPSHOT)
        ]
        service = "web.default.svc.cluster.local"
        self.assertEqual(shown, [[service, 80, None, "outbound", "STATIC"], [service, 80, "v1", "outbound", "STATIC"]])

    def test_endpoints(self) -> None:
        """Of a gateway that runs the state of the endpoints is known."""
        shown = [[row["endpoint"], row["status"], row["cluster"]] for row in views.endpoints(SNAPSHOT, said=ENDPOINTS)]
        self.assertEqual(shown, [["10.0.0.1:80", None, WEB], ["10.0.0.1:81", None, OLD]])
        gateway = PretendedGateway()
        state = gateway.clusters.get(WEB)
        assert state is not None
        (endpoint,) = state.endpoints
        endpoint.requests = 7
        (row, _) = views.endpoints(SNAPSHOT, gateway.clusters)
        self.assertEqual((row["status"], row["outlier_check"], row["requests"]), ("HEALTHY", "OK", 7))
        endpoint.ejected = endpoint.unhealthy = True
        (row, _) = views.endpoints(SNAPSHOT, gateway.clusters)
        self.assertEqual((row["status"], row["outlier_check"]), ("UNHEALTHY", "FAILED"))

    def test_secrets(self) -> None:
        """Certificates tell whom they are for and how long, and when they are of no use."""
        chain, authority = views.secrets(SNAPSHOT, SECRETS, NOW)
        self.assertEqual(
            [chain[key] for key in ("name", "type", "status", "valid", "hosts", "names", "file")],
            [
                "certs/shop.crt",
                "Cert Chain",
                "ACTIVE",
                True,
                ["shop.example", "*.shop.example"],
                ["shop.example", "127.0.0.1"],
                "shop.yaml:5",
            ],
        )
        self.assertEqual((authority["type"], authority["name"]), ("CA", "https.443 CA"))
        ends = ISSUED.certificate.not_valid_after_utc
        (late, _) = views.secrets(SNAPSHOT, SECRETS, ends + timedelta(days=2))
        self.assertEqual((late["status"], late["valid"], late["days_left"]), ("EXPIRED", False, -2))
        (early, _) = views.secrets(SNAPSHOT, SECRETS, NOW - timedelta(days=9999))
        self.assertEqual(early["status"], "NOT YET VALID")

    def test_issued(self) -> None:
        """Certificates that are issued tell by whom, how they are, what comes next, why it failed, and their host."""
        there, missing = managed(Path("/a"), "a.example.com"), managed(Path("/a"), "b.example.com")
        now = NOW.timestamp()
        pairs = [made(there, now - 9, now + 90), placeholder(missing)]
        tls = ServerTLS(tuple(pair.credential for pair in pairs))
        chain = FilterChain("https.443", SERVER, ("*",), tls, tcp=())
        listener = Listener("x", TCPAddress("::", 443), 443, SERVER, secure=HostTable([("*", chain)]))
        snapshot = Snapshot((listener,), certificates=(there, missing))
        statuses = {
            there: CertificateStatus(True, now + 90, now + 60),
            missing: CertificateStatus(False, 0.0, 0.0, failures=2, error="urn:ietf:params:acme:error:dns: no A"),
        }
        shown = (
            "issued_by",
            "state",
            "status",
            "valid",
            "not_after",
            "next",
            "last_error",
            "names",
            "file",
            "resource",
        )
        one, other = views.secrets(snapshot, Secrets(pairs), NOW, statuses)
        self.assertEqual(
            [one[key] for key in shown],
            [
                *("default/ca", "issued", "ACTIVE", True, "2026-03-01T12:01:30Z", "2026-03-01T12:01:00Z", None),
                *(["a.example.com"], "gw.yaml:7", "Gateway default/shop"),
            ],
        )
        self.assertEqual(
            [other[key] for key in shown],
            [
                *("default/ca", "failing", "TO BE ISSUED", False, None, "now", "urn:ietf:params:acme:error:dns: no A"),
                *(["b.example.com"], "gw.yaml:7", "Gateway default/shop"),
            ],
        )
        self.assertNotIn("PRIVATE KEY", str([one, other]))
        unknown = [
            (row["state"], row["next"], row["last_error"]) for row in views.secrets(snapshot, Secrets(pairs), NOW)
        ]
        self.assertEqual(unknown, [("issued", None, None), ("to be issued", None, None)])

    def test_secrets_of_backends(self) -> None:
        """What the gateway shows to backends, and checks them by, is there with the cluster and the rule."""
        rule = Origin("rules.yaml", 3, "DestinationRule default/web")
        pair = KeyPair("client.crt", ISSUED.chain_pem, ISSUED.key_pem)
        tls = UpstreamTLS(authorities=AUTHORITY.own.chain_pem, credential=pair.credential)
        cluster = replace(SNAPSHOT.clusters[WEB], tls=tls, rule=rule)
        rows = views.secrets(Snapshot(clusters={WEB: cluster}), Secrets([pair]), NOW)
        self.assertEqual(
            [[row[key] for key in ("name", "type", "hosts", "file")] for row in rows],
            [["client.crt", "Client Cert", [WEB], "rules.yaml:3"], [f"{WEB} CA", "CA", [WEB], "rules.yaml:3"]],
        )
        (row,) = views.clusters(Snapshot(clusters={WEB: cluster}))
        shown = ("tls", "balancing", "limits", "ejection", "destination_rule", "rule_file")
        self.assertEqual(
            [row[key] for key in shown],
            ["MUTUAL with client.crt", "LEAST_REQUEST", [], None, "web.default", "rules.yaml:3"],
        )

    def test_nothing(self) -> None:
        """An empty gateway has no rows."""
        empty = Snapshot()
        self.assertEqual(views.listeners(empty) + views.routes(empty) + views.secrets(empty, Secrets(), NOW), [])

    def test_no_private_key(self) -> None:
        """No view has a private key in it."""
        text = json.dumps(EVERYTHING)
        body = b"".join(ISSUED.key_pem.split(b"\n")[1:-2])
        self.assertGreater(len(base64.b64decode(body)), 100)
        self.assertNotIn(body[:32].decode(), text)
        self.assertNotIn("PRIVATE", text)
