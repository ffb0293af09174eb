"""Tests of L{edgegate.istio.translate.translation}; what comes of whole files is in test_golden."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems
from edgegate.istio.translate import CompileOptions, IstioTranslation
from edgegate.model.diagnostics import Diagnostic, Severity
from edgegate.model.servers import Traffic
from tests.istio.translate.compiling import decoded, gateway, route, virtual_service

TEXT = (
    gateway("gw", "80 HTTP a.example", "81 TCP *", "443 TLS b.example {mode: PASSTHROUGH}")
    + virtual_service("web", "a.example", f"http: [{route(port=1)}, {route(port=2)}]")
    + virtual_service("raw", "*", f"tcp: [{route(port=3)}], tls: [{route(port=4, match='[{sniHosts: [b.example]}]')}]")
)


class TranslationTests(SynchronousTestCase):
    """From Istio's resources to the model."""

    def setUp(self) -> None:
        resources, problems = decoded(TEXT)
        self.assertEqual(len(problems), 0)
        self.problems = Problems()
        self.translation = IstioTranslation(resources, CompileOptions(), self.problems)

    def told(self) -> list[str]:
        return [str(problem) for problem in self.problems]

    def test_servers(self) -> None:
        """Servers are plain values, which say where in the files they are."""
        web, raw, passed = self.translation.servers
        self.assertEqual((web.name, web.traffic, web.number), ("http.80", Traffic.HTTP, 80))
        self.assertEqual([host.pattern for host in web.hosts], ["a.example"])
        self.assertEqual((raw.origin.line, raw.origin.path), (8, ("spec", "servers", 1)))
        self.assertEqual((passed.parent, passed.port_origin.path[-1]), ("Gateway default/gw", "port"))

    def test_attached(self) -> None:
        """Each server has the routes of its own kind, and the backends are those that some route names."""
        attached = self.translation.attach(self.translation.servers)
        found = [
            (each.origin.resource, each.server.number, each.domains, len(each.http), len(each.tls), len(each.tcp))
            for each in attached.routes
        ]
        self.assertEqual(
            sorted(found),
            [
                ("VirtualService default/raw", 80, ("a.example",), 0, 0, 0),
                ("VirtualService default/raw", 81, ("*",), 0, 0, 1),
                ("VirtualService default/raw", 443, ("b.example",), 0, 1, 0),
                ("VirtualService default/web", 80, ("a.example",), 1, 0, 0),
                ("VirtualService default/web", 81, ("a.example",), 0, 0, 0),
            ],
        )
        self.assertEqual(attached.clusters.keys(), attached.endpoints.keys())
        self.assertEqual({name.split("|")[1] for name in attached.clusters}, {"1", "2", "3", "4"})

    def test_only_to_what_is_open(self) -> None:
        """Nothing is attached to a server that can't be opened, and who has no other is told so."""
        web, *_ = self.translation.servers
        attached = self.translation.attach([web])
        self.assertEqual({each.server for each in attached.routes}, {web})

    def test_report(self) -> None:
        """What the compiler finds wrong is told with the column and the path of the document."""
        web, *_ = self.translation.servers
        self.translation.report(Diagnostic(Severity.WARNING, web.port_origin, "odd"))
        self.assertEqual(self.told(), ["in.yaml:7:6: warning: spec.servers[0].port: odd"])
