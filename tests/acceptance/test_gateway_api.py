"""
What the conformance tests of the Kubernetes Gateway API ask of filters and backends, through the real gateway.

HTTPRoutes are said as VirtualServices. A path prefix of the Gateway API ends at
a slash, so it is two matches here. What the tests ask of listeners and of TLS
is in L{tests.acceptance.test_gateway_api_listeners}, of matching in
L{tests.acceptance.test_routing} and L{tests.istio.translate.test_conformance}.
Left out is what an Istio file can't say or what is refused when it is read: a
backend that is not there, weights that are all 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.acceptance.gateway_api import ONE, TWO, GatewayAPITestCase, prefix, virtual_service
from tests.acceptance.manifests import GATEWAY
from tests.acceptance.served import Headers

CHANGES = (
    "set: {X-Header-Set-1: header-set-1, X-Header-Set-2: header-set-2},"
    " add: {X-Header-Add-1: header-add-1, X-Header-Add-2: header-add-2, X-Header-Add-3: header-add-3},"
    " remove: [X-Header-Remove-1, X-Header-Remove-2]"
)
BESIDE = (
    "headers: {request: {set: {X-Header-Set: set-overwrites-values},"
    " add: {X-Header-Add: header-val-1, X-Header-Add-Append: header-val-2}, remove: [X-Header-Remove]}}"
)
SENT = [("X-Header-Remove", "val"), ("X-Header-Add-Append", "append-val-1"), ("X-Header-Set", "set-val")]
CHANGED = {
    "x-header-set": ["set-overwrites-values"],
    "x-header-add": ["header-val-1"],
    "x-header-add-append": ["append-val-1", "header-val-2"],
    "x-header-remove": [],
}
"""What a backend is told of L{SENT} behind L{BESIDE}."""


def changing(path: str, side: str, change: str) -> str:
    """Write an item that changes headers."""
    return f"{prefix(path)}, headers: {{{side}: {{{change}}}}}, {ONE}"


def changing_all(side: str) -> tuple[str, ...]:
    """Write the items of the tests of header modifiers."""
    return (
        changing(f"/{side}/set", side, "set: {X-Header-Set: set-overwrites-values}"),
        changing(f"/{side}/add", side, "add: {X-Header-Add: add-appends-values}"),
        changing(f"/{side}/remove", side, "remove: [X-Header-Remove]"),
        changing(f"/{side}/multiple", side, CHANGES),
        changing(
            f"/{side}/case", side, "set: {X-Header-Set: set}, add: {X-Header-Add: add}, remove: [X-Header-Remove]"
        ),
    )


MODIFIERS = virtual_service(
    "modifiers",
    *changing_all("request"),
    *changing_all("response"),
    f"{prefix('/backend')}, route: [{{destination: {{host: 127.0.0.1, port: {{number: $one}}}},"
    " headers: {request: {set: {X-Header-Set: set}, add: {X-Header-Add: add}, remove: [X-Header-Remove]},"
    " response: {set: {X-Answer: set}}}}]",
)

REWRITES = virtual_service(
    "rewrites",
    *(
        f"{prefix(path)}, rewrite: {{uriRegexRewrite: {{match: '{match}', rewrite: '{new}'}}}}, {rest}"
        for path, match, new, rest in (
            ("/prefix/and-headers", "^/prefix/and-headers", "/prefix", f"{BESIDE}, {ONE}"),
            ("/full/and-headers", "^.*$$", "/test", f"{BESIDE}, {ONE}"),
            ("/prefix/one", "^/prefix/one", "/one", ONE),
            ("/strip-prefix", "^/strip-prefix/?(.*)", r"/\1", ONE),
            ("/full", "^.*$$", "/one", ONE),
        )
    ),
    f"{prefix('/one')}, rewrite: {{authority: one.example.org}}, {ONE}",
    f"{prefix('/host-and-headers')}, rewrite: {{authority: test.example.org}}, {BESIDE}, {TWO}",
    f"rewrite: {{authority: example.org}}, {TWO}",
)


MANY = (
    'allowOrigins: [{exact: "https://www.foo.com"}, {regex: "https://.*[.]bar[.]com"}], allowMethods: [GET, OPTIONS],'
    " allowHeaders: [x-header-1, x-header-2], exposeHeaders: [x-header-3, x-header-4], maxAge: 3600s"
)
FOO = 'allowOrigins: [{exact: "https://www.foo.com"}]'
CORS = virtual_service(
    "cors",
    *(
        f"{prefix(path)}, corsPolicy: {{{policy}}}, {ONE}"
        for path, policy in (
            ("/cors-1", f"{MANY}, allowCredentials: true"),
            ("/cors-2", f'{FOO}, allowMethods: ["*"]'),
            ("/cors-wildcard-origin", 'allowOrigins: [{exact: "*"}], allowMethods: [PUT]'),
            ("/cors-4", f'{FOO}, allowMethods: ["*"], allowHeaders: ["*"], allowCredentials: true'),
            ("/cors-ignored", f"{FOO}, allowMethods: [GET], unmatchedPreflights: IGNORE"),
        )
    ),
)


def weighted(*weights: int) -> str:
    """Write a route to the backends by weight, which tells each its name."""
    names = ("one", "two", "three")
    shares = (
        f"{{destination: {{host: 127.0.0.1, port: {{number: ${name}}}}}, weight: {weight},"
        f" headers: {{request: {{set: {{backend: {name}}}}}}}}}"
        for name, weight in zip(names, weights, strict=False)
    )
    return f"route: [{', '.join(shares)}]"


MIRROR = "{host: 127.0.0.1, port: {number: $two}}"
TRAFFIC = virtual_service(
    "traffic",
    f"{prefix('/mirror')}, mirror: {MIRROR}, {ONE}",
    f"{prefix('/mirror-and-headers')}, mirror: {MIRROR}, {BESIDE}, {ONE}",
    f"{prefix('/mirrors')}, mirrors: [{{destination: {MIRROR}}},"
    f" {{destination: {MIRROR.replace('two', 'three')}}}], {ONE}",
    f"{prefix('/mirror-of-some')}, mirror: {MIRROR}, mirrorPercentage: {{value: 20}}, {ONE}",
    f"{prefix('/weights')}, {weighted(70, 30, 0)}",
    f"{prefix('/timeout')}, timeout: 0.5s, {ONE}",
    f"{prefix('/backend-timeout')}, retries: {{attempts: 1, perTryTimeout: 0.5s}}, {ONE}",
    f'{prefix("/retry")}, retries: {{attempts: 3, retryOn: "500,503", backoff: 1ms}}, {ONE}',
    f"{prefix('/direct')}, directResponse: {{status: 418, body: {{string: short}}}}",
)


class ModifierTests(GatewayAPITestCase):
    """HTTPRouteRequestHeaderModifier, HTTPRouteResponseHeaderModifier and those of single backends."""

    files = {"gateway.yaml": GATEWAY, "routes.yaml": MODIFIERS}

    cases: tuple[tuple[str, Headers, dict[str, list[str]]], ...] = (
        ("set", [("Other", "val")], {"other": ["val"], "x-header-set": ["set-overwrites-values"]}),
        ("set", [("X-Header-Set", "some-other-value")], {"x-header-set": ["set-overwrites-values"]}),
        ("add", [("Other", "val")], {"other": ["val"], "x-header-add": ["add-appends-values"]}),
        ("add", [("X-Header-Add", "some")], {"x-header-add": ["some", "add-appends-values"]}),
        ("remove", [("X-Header-Remove", "val")], {"x-header-remove": []}),
        (
            "multiple",
            [("X-Header-Set-2", "val"), ("X-Header-Add-2", "val"), ("X-Header-Remove-2", "val"), ("Other", "val")],
            {
                "x-header-set-1": ["header-set-1"],
                "x-header-set-2": ["header-set-2"],
                "x-header-add-1": ["header-add-1"],
                "x-header-add-2": ["val", "header-add-2"],
                "x-header-add-3": ["header-add-3"],
                "x-header-remove-1": [],
                "x-header-remove-2": [],
                "other": ["val"],
            },
        ),
        (
            "case",
            [("x-header-set", "val"), ("x-header-add", "val"), ("x-header-remove", "val"), ("other", "val")],
            {"x-header-set": ["set"], "x-header-add": ["val", "add"], "x-header-remove": [], "other": ["val"]},
        ),
    )

    def test_requests(self) -> None:
        """What a backend is told."""
        for path, headers, told in self.cases:
            self.check(f"/request/{path}", told, headers=headers)

    def test_answers(self) -> None:
        """What a client is told, of headers that its backend has said."""
        for path, headers, answered in self.cases:
            does = ";".join(f"header={name}:{value}" for name, value in headers)
            self.check(f"/response/{path}", answered=answered, headers=[("x-do", does)])

    def test_backends(self) -> None:
        """Changes of one destination, of the request and of the answer."""
        headers = [("x-header-set", "val"), ("x-header-add", "val"), ("x-header-remove", "val")]
        told = {"x-header-set": ["set"], "x-header-add": ["val", "add"], "x-header-remove": []}
        self.check("/backend", told, {"x-answer": ["set"]}, headers)


class RewriteTests(GatewayAPITestCase):
    """HTTPRouteRewritePath and HTTPRouteRewriteHost."""

    files = {"gateway.yaml": GATEWAY, "routes.yaml": REWRITES}

    def test_paths(self) -> None:
        """A prefix is replaced to its slash, or the path as a whole; other changes of the route are made as well."""
        self.check("/prefix/one/two", path="/one/two")
        self.check("/prefix/one?q=1", path="/one?q=1")
        self.check("/strip-prefix/three", path="/three")
        self.check("/strip-prefix", path="/")
        self.check("/full/one/two", path="/one")
        self.check("/prefix/and-headers/one", CHANGED, headers=SENT, path="/prefix/one")
        self.check("/full/and-headers/test", CHANGED, headers=SENT, path="/test")

    def test_hosts(self) -> None:
        """Another host is sent, by path."""
        self.check("/one", {"host": ["one.example.org"]})
        self.check("/two", {"host": ["example.org"]}, where="two")
        self.check("/host-and-headers", {**CHANGED, "host": ["test.example.org"]}, headers=SENT, where="two")


class CORSTests(GatewayAPITestCase):
    """HTTPRouteCORS."""

    files = {"gateway.yaml": GATEWAY, "routes.yaml": CORS}
    allowed = {
        "access-control-allow-methods": ["GET,OPTIONS"],
        "access-control-allow-headers": ["x-header-1,x-header-2"],
        "access-control-expose-headers": ["x-header-3,x-header-4"],
        "access-control-max-age": ["3600"],
        "access-control-allow-credentials": ["true"],
    }

    def preflight(self, path: str, origin: str, method: str, **expected: Sequence[str]) -> None:
        """Ask before asking; C{allow_origin} stands for C{access-control-allow-origin}."""
        asked = [("Origin", origin), ("Access-Control-Request-Method", method)]
        asked.append(("Access-Control-Request-Headers", "x-header-1, x-header-2"))
        answer = self.ask(path, method="OPTIONS", headers=asked)
        self.assertEqual(answer.status, 200)
        self.compare(answer, {f"access-control-{key.replace('_', '-')}": each for key, each in expected.items()})

    def test_allowed_origins(self) -> None:
        """Origins that are named, and those that a pattern holds, with labels of any number."""
        for origin in ("https://www.foo.com", "https://www.bar.com", "https://xpto.www.bar.com"):
            told = {key.removeprefix("access-control-").replace("-", "_"): each for key, each in self.allowed.items()}
            self.preflight("/cors-1", origin, "GET", allow_origin=[origin], **told)
            asked = [("Origin", origin), ("Access-Control-Request-Method", "GET")]
            self.check("/cors-1", answered={"access-control-allow-origin": [origin]}, headers=asked)

    def test_other_origins(self) -> None:
        """Others are allowed nothing."""
        for path in ("/cors-1", "/cors-ignored"):
            self.preflight(path, "https://foobar.com", "GET", allow_origin=[])
            asked = [("Origin", "https://foobar.com")]
            self.check(path, answered={"access-control-allow-origin": []}, headers=asked)

    def test_any_method(self) -> None:
        """Where all methods and headers are allowed the one that is asked for is told; credentials by themselves."""
        foo = "https://www.foo.com"
        self.preflight("/cors-2", foo, "POST", allow_origin=[foo], allow_methods=["POST"], allow_credentials=[])
        asked = ["x-header-1, x-header-2"]
        self.preflight("/cors-4", foo, "PUT", allow_methods=["PUT"], allow_headers=asked, allow_credentials=["true"])

    def test_any_origin(self) -> None:
        """Where all origins are allowed each is told its own name, with its port."""
        path = "/cors-wildcard-origin"
        for origin in ("https://foobar.com", "https://foobar.com:12345"):
            self.preflight(path, origin, "PUT", allow_origin=[origin], allow_methods=["PUT"], allow_credentials=[])
            told = {"access-control-allow-origin": [origin]}
            self.check(path, answered=told, headers=[("Origin", origin)], method="PUT")


class TrafficTests(GatewayAPITestCase):
    """Mirrors, weights, timeouts, retries and direct answers."""

    files = {"gateway.yaml": GATEWAY, "routes.yaml": TRAFFIC}

    def test_mirrors(self) -> None:
        """HTTPRouteRequestMirror, HTTPRouteRequestMultipleMirrors: a copy each, with the route's changes."""
        self.check("/mirror")
        self.assertEqual([copy.target for copy in self.backends.saw("two")], ["/mirror"])
        self.backends.forget()
        self.check("/mirror-and-headers", CHANGED, headers=SENT)
        (copy,) = self.backends.saw("two")
        self.assertEqual({name: copy.values(name) for name in CHANGED}, CHANGED)
        self.backends.forget()
        self.check("/mirrors")
        self.assertEqual([len(self.backends.saw(name)) for name in ("two", "three")], [1, 1])

    def test_mirror_of_some(self) -> None:
        """HTTPRouteRequestPercentageMirror: 20 percent of 300, within five standard deviations."""
        for _ in range(300):
            self.check("/mirror-of-some")
        self.assertTrue(25 <= len(self.backends.saw("two", 25)) <= 95)

    def test_weights(self) -> None:
        """HTTPRouteWeight: 70 to 30 to none of 500; each backend is told what its destination says."""
        answers = [self.ask("/weights") for _ in range(500)]
        found = Counter(answer.where for answer in answers)
        self.assertTrue(299 <= found["one"] <= 401, found)
        self.assertEqual(found["one"] + found["two"], 500)
        for answer in answers:
            self.assertEqual(answer.told("backend"), [answer.where])

    def test_timeouts(self) -> None:
        """HTTPRouteTimeoutRequest, HTTPRouteTimeoutBackendRequest: 504 in time."""
        for path in ("/timeout", "/backend-timeout"):
            self.check(path)
            answer = self.ask(path, headers={"x-do": "delay=5"})
            self.assertEqual((path, answer.status), (path, 504))
            self.assertLess(answer.seconds, 4)

    def test_retries(self) -> None:
        """HTTPRouteRetry: as many tries as are asked for, of the statuses that are named."""
        for fails, status, where in ((3, 503, "one"), (4, 503, "503")):
            answer = self.ask("/retry", headers={"x-do": f"fail={fails}", "x-key": f"k{fails}"})
            self.assertEqual(answer.status, 200 if where == "one" else status)
        self.assertEqual(self.ask("/retry", headers={"x-do": "status=501"}).status, 501)
        self.assertEqual(len(self.backends.seen["one"]), 4 + 4 + 1)

    def test_direct_answer(self) -> None:
        """HTTPRouteDirectResponse: the files' own answer."""
        answer = self.ask("/direct")
        self.assertEqual((answer.status, answer.body), (418, b"short"))
