"""
What the conformance tests of the Kubernetes Gateway API ask of routes, asked of VirtualServices.

The rules are the same but for two things: of several routes that hold the
Gateway API takes the most specific one, a VirtualService the first, so routes
stand in that order here; and prefixes are plain text in a VirtualService.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.routing.hosts import host_of
from tests.istio.translate.compiling import compiled, gateway, listener, route, virtual_service
from tests.routing.test_matching import Asked

V1, V2, V3 = 1, 2, 3
"""Ports of backends."""

Case = tuple[str, int | None]
"""C{[METHOD ][HOST]/PATH[?QUERY] [NAME: VALUE]...} and the backend that answers; L{None}: 404."""


def request(words: str) -> Asked:
    """Read a request; its host is a.example unless it says another."""
    first, *rest = words.split(" ")
    method = "GET"
    if "/" not in first:
        method, first = first, rest.pop(0)
    host, slash, target = first.partition("/")
    path, _, query = target.partition("?")
    headers = [
        (name.rstrip(":").lower().encode(), value.encode()) for name, value in zip(rest[::2], rest[1::2], strict=True)
    ]
    return Asked(
        method=method.encode(),
        path=(slash + path).encode(),
        query=query.encode(),
        authority=(host or "a.example").encode(),
        headers=headers,
    )


def http(*rules: tuple[str, int]) -> str:
    """Write routes: their matches, and the backend."""
    return f"http: [{', '.join(route(port=port, match=f'[{matches}]') for matches, port in rules)}]"


class ConformanceTests(SynchronousTestCase):
    """One method for each test of the Gateway API."""

    def check(self, text: str, *cases: Case) -> None:
        """Compile documents, and ask."""
        snapshot, problems = compiled(text)
        self.assertFalse([line for line in problems if " error: " in line])
        chain = listener(snapshot, 80).plain
        assert chain is not None and chain.http is not None
        for words, expected in cases:
            asked = request(words)
            host = chain.http.lookup(host_of(asked.authority))
            found = None if host is None else host.selector.select(asked)
            port = None if found is None else int(found.destinations[0].cluster.split("|")[1])
            self.assertEqual(port, expected, words)

    def check_routes(self, rules: str, *cases: Case) -> None:
        """Ask routes of one host."""
        self.check(gateway("gw", "80 HTTP *") + virtual_service("a", "a.example", rules), *cases)

    def test_header_matching(self) -> None:
        """HTTPRouteHeaderMatching: all headers of one match, any match of one route."""
        self.check_routes(
            http(
                ("{headers: {version: {exact: two}, color: {exact: orange}}}", V1),
                ("{headers: {version: {exact: one}}}", V1),
                ("{headers: {version: {exact: two}}}", V2),
                ("{headers: {color: {exact: blue}}}, {headers: {Color: {exact: green}}}", V1),
                ("{headers: {color: {exact: red}}}, {headers: {color: {exact: yellow}}}", V2),
            ),
            ("/ Version: one", V1),
            ("/ Version: two", V2),
            ("/ Version: two Color: orange", V1),
            ("/ Version: two Color: blue", V2),
            ("/ Color: orange", None),
            ("/ Some-Other-Header: one", None),
            ("/ Color: blue", V1),
            ("/ Color: green", V1),
            ("/ Color: red", V2),
            ("/ Color: yellow", V2),
            ("/ Color: purple", None),
        )

    def test_query_param_matching(self) -> None:
        """HTTPRouteQueryParamMatching: names and values in their case, other parameters do not matter."""
        self.check_routes(
            http(
                ("{uri: {prefix: /path5}, queryParams: {animal: {exact: hydra}}}", V1),
                ("{uri: {prefix: /path1}, queryParams: {animal: {exact: whale}}}", V1),
                (
                    "{uri: {prefix: /path2}, headers: {version: {exact: two}}, queryParams: {animal: {exact: whale}}}",
                    V3,
                ),
                (
                    "{uri: {prefix: /path3}, queryParams: {animal: {exact: shark}}},"
                    " {uri: {prefix: /path4}, headers: {version: {exact: three}},"
                    " queryParams: {animal: {exact: kraken}}}",
                    V1,
                ),
                ("{headers: {version: {exact: one}}, queryParams: {animal: {exact: whale}}}", V2),
                ("{headers: {version: {exact: four}}, queryParams: {animal: {exact: hydra}}}", V3),
                ("{queryParams: {animal: {exact: dolphin}, color: {exact: blue}}}", V3),
                ("{queryParams: {animal: {exact: whale}}}", V1),
                ("{queryParams: {animal: {exact: dolphin}}}", V2),
                ("{queryParams: {ANIMAL: {exact: Whale}}}", V3),
            ),
            ("/?animal=whale", V1),
            ("/?animal=dolphin", V2),
            ("/?animal=dolphin&color=blue", V3),
            ("/?ANIMAL=Whale", V3),
            ("/?animal=whale&otherparam=irrelevant", V1),
            ("/?animal=dolphin&color=yellow", V2),
            ("/?color=blue", None),
            ("/?animal=dog", None),
            ("/?animal=whaledolphin", None),
            ("/", None),
            ("/path1?animal=whale", V1),
            ("/?animal=whale version: one", V2),
            ("/path2?animal=whale version: two", V3),
            ("/path3?animal=shark", V1),
            ("/path4?animal=kraken version: three", V1),
            ("/?animal=shark", None),
            ("/path4?animal=kraken", None),
            ("/path5?animal=hydra", V1),
            ("/?animal=hydra version: four", V3),
        )

    def test_method_matching(self) -> None:
        """HTTPRouteMethodMatching: HEAD is not GET."""
        self.check_routes(
            http(
                ("{uri: {prefix: /path1}, method: {exact: GET}}", V1),
                ("{uri: {prefix: /path2}, headers: {version: {exact: two}}, method: {exact: POST}}", V3),
                (
                    "{uri: {prefix: /path3}, method: {exact: PATCH}},"
                    " {uri: {prefix: /path4}, headers: {version: {exact: three}}, method: {exact: DELETE}}",
                    V1,
                ),
                ("{headers: {version: {exact: one}}, method: {exact: PUT}}", V2),
                ("{method: {exact: POST}}", V1),
                ("{method: {exact: GET}}", V2),
            ),
            ("POST /", V1),
            ("GET /", V2),
            ("HEAD /", None),
            ("GET /path1", V1),
            ("PUT / version: one", V2),
            ("POST /path2 version: two", V3),
            ("PATCH /path3", V1),
            ("DELETE /path4 version: three", V1),
            ("PUT /", None),
            ("DELETE /path4", None),
        )

    def test_exact_path_matching(self) -> None:
        """HTTPExactPathMatching: not a byte more or less, and in this case."""
        self.check_routes(
            http(("{uri: {exact: /one}}", V1), ("{uri: {exact: /two}}", V2)),
            ("/one", V1),
            ("/two", V2),
            ("/", None),
            ("/one/example", None),
            ("/two/", None),
            ("/Two", None),
        )

    def test_path_match_order(self) -> None:
        """HTTPRoutePathMatchOrder: the order of the routes."""
        self.check_routes(
            http(
                ("{uri: {exact: /match/exact/one}}", V3),
                ("{uri: {exact: /match/exact}}", V2),
                ("{uri: {exact: /match}}", V1),
                ("{uri: {prefix: /match/prefix/one/}}", V2),
                ("{uri: {prefix: /match/prefix/}}", V1),
                ("{uri: {prefix: /match/}}", V3),
            ),
            ("/match/exact/one", V3),
            ("/match/exact", V2),
            ("/match", V1),
            ("/match/prefix/one/any", V2),
            ("/match/prefix/any", V1),
            ("/match/any", V3),
        )

    def test_matching_across_routes(self) -> None:
        """
        HTTPRouteMatchingAcrossRoutes: VirtualServices for one host are one list, and what takes all comes last in it.

        For different host patterns they are not: the exact name's routes are not sought among those of the wildcard.
        """
        part1 = http(("{uri: {prefix: /}}, {headers: {version: {exact: one}}}", V1))
        part2 = http(("{uri: {prefix: /v2}}, {headers: {version: {exact: two}}}", V2))
        text = gateway("gw", "80 HTTP *") + virtual_service("part1", "example.com,example.net", part1)
        cases: tuple[Case, ...] = (
            ("example.com/", V1),
            ("example.com/example", V1),
            ("example.net/example", V1),
            ("example.com/example Version: one", V1),
            ("example.net/v2", V1),
        )
        same: tuple[Case, ...] = (
            ("example.com/v2", V2),
            ("example.com/v2/example", V2),
            ("example.com/ Version: two", V2),
        )
        self.check(text + virtual_service("part2", "example.com", part2), *cases, *same)
        others: tuple[Case, ...] = (("example.com/v2", V1), ("other.com/v2", V2), ("other.com/", None))
        self.check(text + virtual_service("part2", "*.com", part2), *cases, *others)

    def test_hostname_intersection(self) -> None:
        """HTTPRouteHostnameIntersection: a route serves the names that it and the server have in common."""
        server = "80 HTTP very.specific.com,*.wildcard.io,*.anotherwildcard.io"
        routes = (
            ("s1", "non.matching.com,*.nonmatchingwildcard.io,very.specific.com", V1),
            ("s2", "non.matching.com,wildcard.io,foo.wildcard.io,bar.wildcard.io,foo.bar.wildcard.io", V2),
            ("s3", "non.matching.com,*.specific.com", V3),
            ("s4", "*.anotherwildcard.io", V1),
            ("s5", "specific.but.wrong.com,wildcard.io", V2),
        )
        text = gateway("gw", server) + "".join(
            virtual_service(name, hosts, http((f"{{uri: {{prefix: /{name}}}}}", port))) for name, hosts, port in routes
        )
        self.check(
            text,
            ("very.specific.com/s1", V1),
            ("very.specific.com:1234/s1", V1),
            ("non.matching.com/s1", None),
            ("foo.nonmatchingwildcard.io/s1", None),
            ("foo.wildcard.io/s1", None),
            ("very.specific.com/non-matching-prefix", None),
            ("foo.wildcard.io/s2", V2),
            ("bar.wildcard.io/s2", V2),
            ("foo.bar.wildcard.io/s2", V2),
            ("wildcard.io/s2", None),
            ("very.specific.com/s2", None),
            ("very.specific.com/s3", V3),
            ("foo.specific.com/s3", None),
            ("foo.anotherwildcard.io/s4", V1),
            ("foo.bar.anotherwildcard.io/s4", V1),
            ("anotherwildcard.io/s4", None),
            ("foo.wildcard.io/s4", None),
            ("specific.but.wrong.com/s5", None),
            ("wildcard.io/s5", None),
        )

    def test_listener_hostname_matching(self) -> None:
        """HTTPRouteListenerHostnameMatching: servers on one port, each with routes of its own; the narrowest counts."""
        text = "".join(
            gateway(name, f"80 HTTP {hosts}") + virtual_service(name, hosts, f"http: [{route(port=port)}]", name)
            for name, hosts, port in (
                ("l1", "bar.com", V1),
                ("l2", "foo.bar.com", V2),
                ("l3", "*.bar.com", V3),
                ("l4", "*.foo.com", V3),
            )
        )
        self.check(
            text,
            ("bar.com/", V1),
            ("foo.bar.com/", V2),
            ("baz.bar.com/", V3),
            ("multiple.prefixes.bar.com/", V3),
            ("multiple.prefixes.foo.com/", V3),
            ("foo.com/", None),
            ("no.matching.host/", None),
        )
