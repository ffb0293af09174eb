"""Tests of L{edgegate.server.reload}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.access_logs import AccessLogFile
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Cluster, Discovery, Endpoint
from edgegate.model.metrics import DeclaredMetrics, MetricOverride
from edgegate.model.origin import Origin
from edgegate.model.tls import Credential, ServerTLS, TLSRules, TLSVersion, UpstreamTLS
from edgegate.model.tracing import DeclaredTracing
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener, Snapshot, VirtualHost
from edgegate.server.reload import changes

HERE = Origin("shop.yaml", 5, "Gateway default/gw")
THERE = Origin("shop.yaml", 9, "Gateway default/gw")

TLS = ServerTLS((Credential("shop.crt"),))
PLAIN = FilterChain("http.80", HERE, ("*",), http=HostTable([("*", VirtualHost("*"))]))
SECURE = FilterChain("https.443", HERE, ("shop.example",), TLS, HostTable([("shop.example", VirtualHost("*"))]))
HTTP = Listener("[::]:80", TCPAddress("::", 80), 80, HERE, PLAIN)
HTTPS = Listener("[::]:443", TCPAddress("::", 443), 443, HERE, None, HostTable([("shop.example", SECURE)]))
WEB = Cluster("outbound|80||web", Discovery.STATIC, HERE)
SERVED = Snapshot((HTTP, HTTPS), {WEB.name: WEB})


def with_chain(chain: FilterChain) -> Snapshot:
    """Return what is served with another HTTPS server."""
    return replace(SERVED, listeners=(HTTP, replace(HTTPS, secure=HostTable([("shop.example", chain)]))))


class ChangesTests(SynchronousTestCase):
    """What the log says of a new Snapshot."""

    def test_nothing(self) -> None:
        """Things that only moved within their file are no change."""
        moved = replace(SERVED, listeners=(replace(HTTP, origin=THERE), HTTPS), clusters={WEB.name: replace(WEB)})
        self.assertEqual(changes(SERVED, moved), ())

    def test_listeners(self) -> None:
        """Ports that come and go are named with their places."""
        self.assertEqual(
            changes(Snapshot(), Snapshot((HTTP,))),
            ("listener [::]:80 added (shop.yaml:5)",),
        )
        self.assertEqual(
            changes(Snapshot((HTTP,)), Snapshot()),
            ("listener [::]:80 removed (was shop.yaml:5)",),
        )
        elsewhere = replace(HTTP, bind=TCPAddress("::", 8080))
        self.assertEqual(
            changes(Snapshot((HTTP,)), Snapshot((elsewhere,))),
            ("port of listener [::]:80 is now [::]:8080 (shop.yaml:5)",),
        )

    def test_certificate(self) -> None:
        """A certificate that was replaced is told apart from other terms of TLS."""
        where = "of server https.443 (shop.example) of listener [::]:443 changed (shop.yaml:5)"
        renewed = frozenset(TLS.credentials)
        self.assertEqual(changes(SERVED, SERVED, renewed=renewed), (f"certificate {where}",))
        self.assertEqual(changes(SERVED, SERVED, renewed=frozenset([Credential("other.crt")])), ())
        other = replace(TLS, credentials=(Credential("other.crt"),))
        self.assertEqual(changes(SERVED, with_chain(replace(SECURE, tls=other))), (f"certificate {where}",))
        stricter = replace(TLS, rules=TLSRules(minimum=TLSVersion.TLSV1_3))
        self.assertEqual(changes(SERVED, with_chain(replace(SECURE, tls=stricter))), (f"TLS {where}",))

    def test_routes(self) -> None:
        """Routes of a server are told together."""
        other = replace(SECURE, http=HostTable([("shop.example", VirtualHost("*", redirect_port=443))]))
        self.assertEqual(
            changes(SERVED, with_chain(other)),
            ("routes of server https.443 (shop.example) of listener [::]:443 changed (shop.yaml:5)",),
        )

    def test_servers(self) -> None:
        """Servers come and go on a port that stays."""
        without = replace(SERVED, listeners=(HTTP, replace(HTTPS, secure=HostTable[FilterChain]())))
        what = "server https.443 (shop.example) of listener [::]:443"
        self.assertEqual(changes(without, SERVED), (f"{what} added (shop.yaml:5)",))
        self.assertEqual(changes(SERVED, without), (f"{what} removed (was shop.yaml:5)",))

    def test_clusters(self) -> None:
        """Backends come, go and change."""
        other = replace(WEB, connect_timeout=1.0, origin=THERE)
        before, after = Snapshot((), {WEB.name: WEB}), Snapshot((), {WEB.name: other})
        self.assertEqual(changes(before, after), ("cluster outbound|80||web changed (shop.yaml:9)",))
        self.assertEqual(changes(Snapshot(), after), ("cluster outbound|80||web added (shop.yaml:9)",))
        self.assertEqual(changes(before, Snapshot()), ("cluster outbound|80||web removed (was shop.yaml:5)",))

    def test_endpoints(self) -> None:
        """A backend changes with its endpoints, though the Snapshot does not."""
        old, new = ({WEB.name: (Endpoint(TCPAddress(host, 80)),)} for host in ("10.0.0.1", "10.0.0.2"))
        self.assertEqual(changes(SERVED, SERVED, old, old), ())
        self.assertEqual(changes(SERVED, SERVED, old, new), ("cluster outbound|80||web changed (shop.yaml:5)",))

    def test_secret_of_a_backend(self) -> None:
        """A backend changes with the certificate that it is shown, though the Snapshot does not."""
        shown = Credential("client.crt")
        served = Snapshot((), {WEB.name: replace(WEB, tls=UpstreamTLS(credential=shown))})
        self.assertEqual(changes(served, served), ())
        told = changes(served, served, renewed=frozenset([shown]))
        self.assertEqual(told, ("cluster outbound|80||web changed (shop.yaml:5)",))

    def test_tracing(self) -> None:
        """Traces that come, change and go are named with their places."""
        said, other = DeclaredTracing(sampling=5, origin=HERE), DeclaredTracing(sampling=6, origin=THERE)
        moved = replace(said, origin=THERE)
        self.assertEqual(changes(Snapshot(), Snapshot(tracing=said)), ("tracing added (shop.yaml:5)",))
        self.assertEqual(changes(Snapshot(tracing=said), Snapshot(tracing=other)), ("tracing changed (shop.yaml:9)",))
        self.assertEqual(changes(Snapshot(tracing=said), Snapshot(tracing=moved)), ())
        self.assertEqual(changes(Snapshot(tracing=said), Snapshot()), ("tracing removed (was shop.yaml:5)",))

    def test_metrics(self) -> None:
        """So it is with metrics."""
        said = DeclaredMetrics((MetricOverride("istio_requests_total", True),), HERE)
        self.assertEqual(changes(Snapshot(), Snapshot(metrics=said)), ("metrics added (shop.yaml:5)",))
        self.assertEqual(changes(Snapshot(metrics=said), Snapshot()), ("metrics removed (was shop.yaml:5)",))

    def test_access_logs(self) -> None:
        """Logs that come, go or change are named by where they go."""
        log = AccessLogFile("a.log", origin=HERE)
        other = replace(log, filter="response.code >= 400", origin=THERE)
        moved = replace(log, origin=THERE)
        told = [
            changes(replace(SERVED, access_logs=before), replace(SERVED, access_logs=after))
            for before, after in ((None, (log,)), ((log,), (other,)), ((log,), ()), ((log,), (moved,)))
        ]
        self.assertEqual(
            told,
            [
                ("access log a.log added (shop.yaml:5)",),
                ("access log a.log changed (shop.yaml:9)",),
                ("access log a.log removed (was shop.yaml:5)",),
                (),
            ],
        )
