"""
What becomes of calls to a gateway: the cases of Istio's own simulation of gateways.

They are those of C{pilot/pkg/networking/core/gateway_simulation_test.go}, but for
Ingresses. Where something else comes of a call here, its test says what Istio
does, and docs/istio-differences.md why.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from edgegate.model.hosts import normalise
from edgegate.routing.snapshot import FilterChain, Snapshot
from tests.istio.translate.compiling import compiled, gateway, route, secret, virtual_service
from tests.routing.test_matching import Asked

Call = tuple[int, str, str]
"""
The port that is asked, C{http://HOST/PATH}, C{https://HOST/PATH} or C{tcp}, and what comes of it.

A backend is C{PORT SERVICE.NAMESPACE}.
"""

NO_LISTENER = "no listener"
NO_CHAIN = "no filter chain"
NO_HOST = "404, no virtual host"
NO_ROUTE = "404, no route"
CLOSED = "closed"


def service(name: str, *ports: int, namespace: str = "default") -> str:
    """Write a service of a cluster."""
    numbers = ", ".join(f"{{number: {port}, name: p{port}, protocol: HTTP}}" for port in ports)
    return (
        f"apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec: {{hosts: [{name}.{namespace}.svc.cluster.local], resolution: STATIC, ports: [{numbers}],"
        f" endpoints: [{{address: 10.0.0.1}}]}}\n---\n"
    )


def http(*routes: str) -> str:
    """Write the routes of a VirtualService."""
    return f"http: [{', '.join(routes)}]"


def below(prefix: str, host: str, port: int | None = None) -> str:
    """Write a route of all paths below one."""
    return route(host, port, match=f"[{{uri: {{prefix: {prefix}}}}}]")


def created(text: str, when: str) -> str:
    """Say when a document's object was made."""
    return text.replace("metadata: {", f'metadata: {{creationTimestamp: "{when}", ', 1)


SYSTEM = "istio-system"
SERVICES = service("red", 80) + service("blue", 80, 443, 8081) + service("page", 9080) + service("site", 443)
CERTIFICATES = "".join(secret("cert", "tls.crt", "tls.key", namespace=where) for where in ("default", SYSTEM))
ALL_TO_RED = http(below("/", "red", 80))


def outcome(snapshot: Snapshot, port: int, url: str) -> str:
    """Tell what comes of a call to a port that is bound."""
    bound = {each.bind.port: each for each in snapshot.listeners if isinstance(each.bind, TCPAddress)}
    if port not in bound:
        return NO_LISTENER
    parts = urlsplit(url)
    host = parts.netloc
    chain = bound[port].secure.lookup(host) if parts.scheme == "https" else bound[port].plain
    if chain is None:
        return NO_CHAIN
    if chain.tcp is not None:
        return _backend(chain.tcp[0].destinations[0].cluster) if chain.tcp else CLOSED
    return _answer(chain, parts.scheme, host, parts.path)


def _answer(chain: FilterChain, scheme: str, host: str, path: str) -> str:
    assert chain.http is not None
    virtual_host = chain.http.lookup(normalise(host))
    if virtual_host is None:
        return NO_HOST
    if virtual_host.redirect_port is not None:
        return f"redirect to {virtual_host.redirect_port}"
    found = virtual_host.selector.select(Asked(path=path.encode(), authority=host.encode(), scheme=scheme.encode()))
    return NO_ROUTE if found is None else _backend(found.destinations[0].cluster)


def _backend(cluster: str) -> str:
    _, port, _, host = cluster.split("|")
    return f"{port} {host.removesuffix('.svc.cluster.local')}"


class SimulationTestCase(SynchronousTestCase):
    """Folders, and calls to the gateway that serves them."""

    def check(self, text: str, *calls: Call, port_map: Mapping[int, int] | None = None) -> None:
        """Compile documents, and call."""
        snapshot, problems = compiled(text + SERVICES + CERTIFICATES, port_map=port_map)
        self.assertEqual([line for line in problems if " error: " in line], [])
        for port, url, expected in calls:
            self.assertEqual((port, url, outcome(snapshot, port, url)), (port, url, expected))


class HTTPTests(SimulationTestCase):
    """Servers of HTTP, and their redirects to HTTPS."""

    def test_no_routes(self) -> None:
        """A server without a VirtualService is there, and answers 404; where there is none nobody listens."""
        text = gateway("gw", "80 HTTP shop.example")
        self.check(text, (80, "http://shop.example/", NO_HOST), (81, "http://shop.example/", NO_LISTENER))

    def test_one_route(self) -> None:
        """The hosts are the server's where the VirtualService has all; what no route asks for is 404."""
        routes = http(route("page", 9080, match="[{uri: {exact: /productpage}}]"))
        self.check(
            gateway("gw", "80 HTTP shop.example") + virtual_service("vs", "*", routes),
            (80, "http://shop.example/", NO_ROUTE),
            (80, "http://other.example/", NO_HOST),
            (80, "http://shop.example/productpage", "9080 page.default"),
        )

    def test_hosts_below_a_wildcard(self) -> None:
        """Each VirtualService has its own host below a server's wildcard; the others are 404."""
        self.check(
            gateway("gw", "80 HTTP *.shop.example")
            + virtual_service("a", "a.shop.example", http(below("/", "red", 80)))
            + virtual_service("b", "b.shop.example", http(below("/", "blue", 80))),
            (80, "http://a.shop.example/", "80 red.default"),
            (80, "http://b.shop.example/", "80 blue.default"),
            (80, "http://c.shop.example/", NO_HOST),
        )

    def test_redirect(self) -> None:
        """A server that redirects does so with routes and without, and before another server of its host."""
        redirecting = gateway("gw", "80 HTTP shop.example {httpsRedirect: true}")
        routes = virtual_service("vs", "shop.example", http(below("/", "blue")))
        plain = gateway("plain", "80 HTTP shop.example")
        for text in (redirecting, redirecting + routes, redirecting + plain + routes):
            self.check(text, (80, "http://shop.example/", "redirect to 443"))

    def test_redirect_of_https(self) -> None:
        """On a server of HTTPS the redirect means nothing; a destination without a port has the server's."""
        server = "443 HTTPS shop.example {httpsRedirect: true, mode: SIMPLE, credentialName: cert}"
        routes = virtual_service("vs", "shop.example", http(below("/", "blue")))
        self.check(gateway("gw", server) + routes, (443, "https://shop.example/", "443 blue.default"))

    def test_namespaces(self) -> None:
        """Two wildcards that are alike, each for one namespace; a short name is a service of its own namespace."""
        text = gateway("alpha", "80 HTTP n-1/*.shop.example") + gateway("beta", "80 HTTP n-2/*.shop.example")
        for namespace, name in (("n-1", "default/alpha"), ("n-2", "default/beta")):
            text += service("echo", 80, namespace=namespace)
            text += virtual_service("vs", f"{namespace}.shop.example", http(route("echo", None)), name, namespace)
        self.check(
            text, (80, "http://n-1.shop.example/", "80 echo.n-1"), (80, "http://n-2.shop.example/", "80 echo.n-2")
        )

    def test_hosts_of_several(self) -> None:
        """A VirtualService of two hosts goes before those of each, by age; what it does not take is theirs."""
        both = http(route("page", 9080, match="[{uri: {prefix: /1}}, {uri: {prefix: /2}}, {uri: {prefix: /3}}]"))
        older = created(virtual_service("both", "a.example,b.example", both), "2010-01-01T00:00:00Z")
        a = created(virtual_service("a", "a.example", http(below("/a", "red", 80))), "2015-01-01T00:00:00Z")
        b = created(virtual_service("b", "b.example", http(below("/b", "blue", 80))), "2020-01-01T00:00:00Z")
        self.check(
            gateway("gw", "80 HTTP a.example,b.example") + b + a + older,
            (80, "http://a.example/1", "9080 page.default"),
            (80, "http://a.example/a", "80 red.default"),
            (80, "http://b.example/b", "80 blue.default"),
        )


class ConflictTests(SimulationTestCase):
    """Servers, and routes, that get in each other's way."""

    def test_same_tcp_server_twice(self) -> None:
        """
        Servers of TCP with one host and port in two namespaces: routes of either are served.

        In Istio only those of the first by name and namespace are (istio/istio#21394).
        """
        routes = "tcp: [{route: [{destination: {host: page, port: {number: 9080}}}]}]"
        for namespace in ("alpha", "zeta"):
            text = gateway("gw", "80 TCP shop.example", namespace=SYSTEM)
            text += gateway("gw", "80 TCP shop.example", namespace=namespace)
            self.check(text + virtual_service("vs", "*", routes, f"{SYSTEM}/gw"), (80, "tcp", "9080 page.default"))

    def test_same_tls_server_twice(self) -> None:
        """
        Servers of TLS for all hosts in two namespaces: the earlier is served.

        What Istio makes of them Envoy refuses, and with it the whole listener (istio/istio#24638).
        """
        server = "443 HTTPS ./* {mode: SIMPLE, credentialName: cert}"
        text = gateway("gw", server, namespace=SYSTEM) + gateway("gw", server)
        for name, expected in ((f"{SYSTEM}/gw", "80 red.default"), ("default/gw", NO_HOST)):
            routes = virtual_service("vs", "shop.example", ALL_TO_RED, name, name.partition("/")[0])
            routes = routes.replace('host: "red"', "host: red.default.svc.cluster.local")
            self.check(text + routes, (443, "https://shop.example/", expected))

    def test_same_routes_twice(self) -> None:
        """Two VirtualServices for one name that is passed through: the first is served."""
        routes = (
            "tls: [{match: [{port: 443, sniHosts: [shop.example]}],"
            " route: [{destination: {host: site, port: {number: 443}}}]}]"
        )
        text = gateway("gw", "443 HTTPS *.example {mode: PASSTHROUGH}", namespace=SYSTEM)
        text += virtual_service("one", "shop.example", routes, f"{SYSTEM}/gw")
        text += virtual_service("two", "shop.example", routes, f"{SYSTEM}/gw")
        self.check(text, (443, "https://shop.example/", "443 site.default"))

    def test_name_beside_wildcard(self) -> None:
        """A name that is passed through beside a server of all names: each has its own."""
        routes = (
            "tls: [{match: [{sniHosts: [shop.example]}], route: [{destination: {host: site, port: {number: 443}}}]}]"
        )
        servers = "443 TLS shop.example {mode: PASSTHROUGH}", "443 HTTPS * {mode: PASSTHROUGH}"
        self.check(
            gateway("gw", *servers) + virtual_service("vs", "shop.example", routes),
            (443, "https://shop.example/", "443 site.default"),
            (443, "https://other.example/", CLOSED),
        )

    def test_two_protocols(self) -> None:
        """
        TCP and HTTP on one port: the earlier is served.

        The earlier is the older one, then the one that stands first in the files; in Istio the first by name.
        """
        tcp, http = gateway("beta", "80 TCP shop.example"), gateway("alpha", "80 HTTP shop.example")
        self.check(tcp + http, (80, "tcp", CLOSED))
        self.check(http + tcp, (80, "http://shop.example/", NO_HOST))
        older = created(http, "2010-01-01T00:00:00Z")
        self.check(created(tcp, "2020-01-01T00:00:00Z") + older, (80, "http://shop.example/", NO_HOST))


class TargetPortTests(SimulationTestCase):
    """C{--map-port}, where in a cluster a Service says which port of the gateway one of the files is."""

    def test_mapped_beside_another(self) -> None:
        """A port that is mapped and one that is not, for one host: the first VirtualService is served on both."""
        names = "gw80, gw8081"
        self.check(
            gateway("gw80", "80 HTTP shop.example")
            + gateway("gw8081", "8081 HTTP shop.example")
            + virtual_service("a", "shop.example", http(below("/", "red", 80)), names)
            + virtual_service("b", "shop.example", http(below("/", "blue", 8081)), names),
            (8080, "http://shop.example/", "80 red.default"),
            (8081, "http://shop.example/", "80 red.default"),
            (80, "http://shop.example/", NO_LISTENER),
            port_map={80: 8080},
        )

    def test_several(self) -> None:
        """Each of a Gateway's ports is mapped by itself; one of which nothing is said is opened as it is."""
        servers = "80 HTTP a.example", "81 HTTP b.example", "82 HTTP c.example"
        self.check(
            gateway("gw", *servers, namespace=SYSTEM) + virtual_service("vs", "*.example", ALL_TO_RED, f"{SYSTEM}/gw"),
            (8080, "http://a.example/", "80 red.default"),
            (8081, "http://b.example/", "80 red.default"),
            (82, "http://c.example/", "80 red.default"),
            (82, "http://b.example/", NO_HOST),
            (80, "http://a.example/", NO_LISTENER),
            port_map={80: 8080, 81: 8081},
        )

    def test_two_for_one(self) -> None:
        """Two ports that are mapped to one have one listener, with the hosts and routes of both."""
        servers = "80 HTTP a.example", "81 HTTP b.example"
        for first, second in (("a.example", "b.example"), ("*.example", "b.example")):
            self.check(
                gateway("gw", *servers)
                + virtual_service("one", first, ALL_TO_RED)
                + virtual_service("two", second, ALL_TO_RED),
                (8080, "http://a.example/", "80 red.default"),
                (8080, "http://b.example/", "80 red.default"),
                (81, "http://b.example/", NO_LISTENER),
                port_map={80: 8080, 81: 8080},
            )

    def test_conditions_of_ports(self) -> None:
        """Where two ports are one, a condition on the port, and a destination without one, mean the server's own."""
        routes = f"http: [{route('page', 9080, match='[{port: 81}]')}, {route('blue', None)}]"
        self.check(
            gateway("gw", "80 HTTP a.example", "81 HTTP b.example", "8081 HTTP c.example")
            + virtual_service("vs", "*.example", routes),
            (8080, "http://a.example/", "80 blue.default"),
            (8080, "http://b.example/", "9080 page.default"),
            (8080, "http://c.example/", "8081 blue.default"),
            port_map={80: 8080, 81: 8080, 8081: 8080},
        )

    def test_gateway_service(self) -> None:
        """
        A Gateway that names its Service is opened as any other: each server at its own port, or where it is mapped.

        In Istio a server is left out whose port the Service does not have, or whose Service is in another namespace
        than the gateway; and two Services can bind one port of two Gateways apart.
        """
        annotation = "annotations: {internal.istio.io/gateway-service: edge.elsewhere.svc.cluster.local}"
        text = gateway("gw", "80 HTTP a.example", namespace=SYSTEM).replace(
            "metadata: {", f"metadata: {{{annotation}, "
        )
        self.check(text, (80, "http://a.example/", NO_HOST))
