"""Tests of L{edgegate.istio.analysis.plain_text}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.istio.analysis.telling import documents, lines

HTTP = "{port: {number: 80, name: h, protocol: HTTP}, hosts: [a.example]}"
HTTPS = "{port: {number: 443, name: s, protocol: HTTPS}, hosts: [a.example], tls: {mode: SIMPLE, credentialName: c}}"


def routed(match: str, port: int = 8080, host: str = "a.example", backend: str = "127.0.0.1") -> str:
    """Write a VirtualService with one route."""
    route = f"{{{match}route: [{{destination: {{host: {backend}, port: {{number: {port}}}}}}}]}}"
    return documents("VirtualService", "x", f"{{hosts: [{host}], gateways: [gw], http: [{route}]}}")


def gateway(*servers: str) -> str:
    """Write a Gateway."""
    return documents("Gateway", "gw", f"{{servers: [{', '.join(servers)}]}}")


class ClientTests(SynchronousTestCase):
    """Routes that look secret."""

    def test_both(self) -> None:
        """A path that looks secret is told where its host is served in the clear beside TLS, and nowhere else."""
        secret, plain = "match: [{uri: {prefix: /account/login}}], ", "match: [{uri: {prefix: /authors}}], "
        (told,) = lines(gateway(HTTP, HTTPS) + routed(secret), "EG404")
        self.assertIn(
            "spec.http[0].match[0]: also served in the clear, on port 80 (Gateway default/gw at in.yaml:5)", told
        )
        redirecting = HTTP.replace("hosts:", "tls: {httpsRedirect: true}, hosts:")
        for text in (
            gateway(HTTP, HTTPS) + routed(plain),
            gateway(redirecting, HTTPS) + routed(secret),
            gateway(HTTP) + routed(secret),
            gateway(HTTP, HTTPS) + routed(secret.replace("uri:", "port: 443, uri:")),
            gateway(HTTP, HTTPS) + routed(secret.replace("uri:", "scheme: {exact: https}, uri:")),
        ):
            self.assertEqual(lines(text, "EG404"), [])

    def test_redirected(self) -> None:
        """Behind a route that sends all that comes in the clear to https, nothing is served in the clear."""
        login = "match: [{uri: {prefix: /login}}], "
        for match, count in (
            ("port: 80", 0),
            ("scheme: {exact: http}", 0),
            ("name: a, uri: {prefix: /}, port: 80", 0),
            ("port: 81", 1),
            ("scheme: {exact: https}", 1),
            ("port: 80, uri: {prefix: /a}", 1),
            ("port: 80, gateways: [other]", 1),
        ):
            for does in ("redirect: {scheme: https}", "directResponse: {status: 403}"):
                first = f"{{match: [{{{match}}}], {does}}}, "
                text = gateway(HTTP, HTTPS) + routed(login).replace("http: [", f"http: [{first}")
                self.assertEqual(len(lines(text, "EG404")), count, first)
        all_of_it = routed(login).replace("http: [", "http: [{redirect: {scheme: https}}, ")
        self.assertEqual(lines(gateway(HTTP, HTTPS) + all_of_it, "EG404"), [])

    def test_host(self) -> None:
        """A host that looks secret is, whatever its paths."""
        servers = [each.replace("a.example", "'*.example'") for each in (HTTP, HTTPS)]
        (told,) = lines(gateway(*servers) + routed("", host="login.example"), "EG404")
        self.assertIn("spec.hosts[0]: also served in the clear", told)


class BackendTests(SynchronousTestCase):
    """Backends that listen for TLS."""

    def test_port(self) -> None:
        """Port 443 without a rule that has tls is told; with one, or a ServiceEntry that says HTTP, it is not."""
        (told,) = lines(routed("", 443), "EG304")
        self.assertIn('port 443 is one of TLS, and no DestinationRule of "127.0.0.1" has tls', told)
        self.assertEqual(lines(routed("", 80), "EG304"), [])
        for tls in ("{mode: SIMPLE}", "{mode: DISABLE}"):
            rule = documents("DestinationRule", "r", f"{{host: 127.0.0.1, trafficPolicy: {{tls: {tls}}}}}")
            self.assertEqual(lines(routed("", 443) + rule, "EG304"), [])
        level = "trafficPolicy: {portLevelSettings: [{port: {number: 443}, tls: {mode: SIMPLE}}]}"
        self.assertEqual(
            lines(routed("", 443) + documents("DestinationRule", "r", f"{{host: 127.0.0.1, {level}}}"), "EG304"), []
        )

    def test_entry(self) -> None:
        """What a ServiceEntry says of a port counts more than its number."""
        for number, protocol, count in ((443, "HTTP", 0), (9000, "HTTPS", 1), (443, "HTTPS", 1)):
            ports = f"ports: [{{number: {number}, name: p, protocol: {protocol}}}]"
            entry = documents("ServiceEntry", "e", f"{{hosts: [b.example], resolution: DNS, {ports}}}")
            self.assertEqual(len(lines(routed("", number, backend="b.example") + entry, "EG304")), count)

    def test_service(self) -> None:
        """So does what a Service says of a port, by its appProtocol or by the begin of its name."""
        for port, count in (
            ("port: 443", 1),
            ("port: 443, name: http-web", 0),
            ("port: 443, name: grpc", 0),
            ("port: 443, name: https-web", 1),
            ("port: 443, name: https, appProtocol: http", 0),
            ("port: 443, name: https, appProtocol: kubernetes.io/h2c", 0),
            ("port: 9000, name: https", 1),
        ):
            service = f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: cart}}\nspec: {{ports: [{{{port}}}]}}\n"
            number = 9000 if "9000" in port else 443
            self.assertEqual(len(lines(service + routed("", number, backend="cart"), "EG304")), count, port)

    def test_spellings(self) -> None:
        """A rule for a service is one, however either spells its name; a name of two labels may be another host."""
        tls = "trafficPolicy: {tls: {mode: SIMPLE}}"
        names = ("cart", "cart.default", "cart.default.svc", "cart.default.svc.cluster.local")
        for backend in names:
            for host in (*names, "'*.svc.cluster.local'"):
                rule = documents("DestinationRule", "r", f"{{host: {host}, {tls}}}")
                self.assertEqual(lines(routed("", 443, backend=backend) + rule, "EG304"), [], f"{backend} {host}")
        rule = documents("DestinationRule", "r", f"{{host: '*.example', {tls}}}")
        self.assertEqual(lines(routed("", 443, backend="pay.example") + rule, "EG304"), [])
        self.assertEqual(len(lines(routed("", 443, backend="cart.other") + rule, "EG304")), 1)

    def test_delegate(self) -> None:
        """Routes of a delegate are looked at; those that are for a mesh alone are not."""
        route = routed("", 443)
        delegate = route.replace("hosts: [a.example], gateways: [gw], ", "")
        self.assertNotEqual(delegate, route)
        self.assertEqual(len(lines(delegate, "EG304")), 1)
        for mesh in ("gateways: [mesh], ", ""):
            self.assertEqual(lines(route.replace("gateways: [gw], ", mesh), "EG304"), [])
