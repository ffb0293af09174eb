"""Redirects, direct answers, rewrites and changed headers, through the real gateway: what clients and backends see."""

from __future__ import annotations

from tests.acceptance.manifests import GATEWAY
from tests.acceptance.served import Client, ServedTestCase

REDIRECTS = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: redirects}
spec:
  hosts: [a.example]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /original-prefix}}]
    redirect: {prefixRewrite: /replacement-prefix, redirectCode: 302}
  - match: [{uri: {prefix: /slash/}}]
    redirect: {prefixRewrite: /, redirectCode: 303}
  - match: [{uri: {prefix: /full}}]
    redirect: {uri: /full-path-replacement, authority: example.org, redirectCode: 307}
  - match: [{uri: {exact: /with-query}}]
    redirect: {uri: "/new?fixed=1", redirectCode: 308}
  - match: [{uri: {exact: /https}}]
    redirect: {scheme: https, authority: example.org}
  - match: [{uri: {exact: /https-same-host}}]
    redirect: {scheme: https}
  - match: [{uri: {exact: /https-8443}}]
    redirect: {scheme: https, authority: example.org, port: 8443}
  - match: [{uri: {exact: /https-443}}]
    redirect: {scheme: https, authority: example.org, port: 443}
  - match: [{uri: {exact: /port-80}}]
    redirect: {authority: example.org, port: 80}
  - match: [{uri: {exact: /port-8080}}]
    redirect: {authority: example.org, port: 8080}
  - match: [{uri: {exact: /default-port}}]
    redirect: {derivePort: FROM_PROTOCOL_DEFAULT}
  - match: [{uri: {exact: /own-port}}]
    redirect: {authority: example.org, derivePort: FROM_REQUEST_PORT}
  - match: [{uri: {exact: /answer}}]
    redirect: {uri: /elsewhere}
    headers:
      response: {set: {cache-control: no-store, x-was: "%REQ(:path)%", x-code: "%RESPONSE_CODE%"}, remove: [location]}
  - match: [{method: {exact: OPTIONS}}]
    redirect: {authority: example.org}
"""

DIRECT = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: direct}
spec:
  hosts: [direct.example]
  gateways: [gw]
  http:
  - match: [{uri: {exact: /teapot}}]
    directResponse: {status: 418, body: {string: "short and stout"}}
    headers: {response: {set: {content-type: text/tea}, add: {set-cookie: a=1}}}
  - match: [{uri: {exact: /empty}}]
    directResponse: {status: 200}
  - match: [{uri: {exact: /no-content}}]
    directResponse: {status: 204, body: {string: none}}
  - match: [{uri: {exact: /not-modified}}]
    directResponse: {status: 304}
  - directResponse: {status: 503, body: {bytes: AAEC/w==}}
"""

REWRITES = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: rewrites}
spec:
  hosts: [rewrites.example]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /prefix/keep}}, {uri: {exact: /exact}}, {uri: {regex: "/regex/.*"}}]
    rewrite: {uri: /prefix}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /prefix}}]
    rewrite: {uri: /}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /ci}, ignoreUriCase: true}]
    rewrite: {uri: /case}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /regex-rewrite}}]
    rewrite: {uriRegexRewrite: {match: "/([^/]+)/([^/]+)/(.*)", rewrite: '/\\3/\\2'}}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /host}}]
    rewrite: {authority: other.example}
    route: [{destination: {host: 127.0.0.1, port: {number: $two}}}]
  - match: [{uri: {prefix: /set-host}}]
    route:
    - destination: {host: 127.0.0.1, port: {number: $two}}
      headers: {request: {set: {Host: "set.example:8080"}}}
  - match: [{uri: {prefix: /cut}}]
    rewrite: {uriRegexRewrite: {match: "^/cut/?", rewrite: /}}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /glued/}}]
    rewrite: {uri: /g}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - rewrite: {uri: /base/}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
"""

HEADERS = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: headers}
spec:
  hosts: [headers.example]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /request}}]
    headers:
      request:
        set: {X-Header-Set: set-overwrites-values}
        add: {X-Header-Add: add-appends-values}
        remove: [X-Header-Remove, x-other-remove]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /response}}]
    headers:
      response:
        set: {x-backend: overwritten, x-new: "1"}
        add: {x-a: second, set-cookie: b=2}
        remove: [content-type]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /both}}]
    headers: {request: {set: {x-set: route}, add: {x-add: route}}}
    route:
    - destination: {host: 127.0.0.1, port: {number: $one}}
      headers: {request: {set: {x-set: destination}, add: {x-add: destination}}, response: {set: {x-picked: one}}}
  - match: [{uri: {prefix: /operators}}]
    headers:
      request:
        set:
          x-path: "%REQ(:PATH)%"
          x-host: "%REQ(:authority)% %PROTOCOL%"
          x-client: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"
          x-percent: "100%%"
          x-short: "%REQ(x-long):4%"
          x-none: "%REQ(x-missing)%"
          x-else: "%REQ(x-missing?x-long)%"
          x-route: "%ROUTE_NAME%"
      response:
        set:
          x-status: "%RESPONSE_CODE%"
          x-from: "%UPSTREAM_HOST%"
          x-type: "%RESP(content-type)%"
          x-asked: "%REQ(x-long)%"
    name: named
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
"""


class RedirectTests(ServedTestCase):
    """Clients that are sent elsewhere."""

    files = {"gateway.yaml": GATEWAY, "redirects.yaml": REDIRECTS, "direct.yaml": DIRECT}
    opened = {}

    def test_locations(self) -> None:
        """What the files do not say is the request's; the port of a scheme's default is left out; the query is kept."""
        own = self.served.ports["http"]
        for target, host, status, location in (
            ("/original-prefix/lemon", "a.example", 302, "http://a.example/replacement-prefix/lemon"),
            ("/original-prefix?q=1", "a.example:8080", 302, "http://a.example:8080/replacement-prefix?q=1"),
            ("/slash/a/b?c", "a.example", 303, "http://a.example/a/b?c"),
            ("/slash/", "a.example", 303, "http://a.example/"),
            ("/full/path?a=b&a=c", "a.example:1", 307, "http://example.org/full-path-replacement?a=b&a=c"),
            ("/with-query?x=2", "a.example", 308, "http://a.example/new?fixed=1"),
            ("/https?q", "a.example", 301, "https://example.org/https?q"),
            ("/https-same-host", "a.example:80", 301, "https://a.example/https-same-host"),
            ("/https-same-host", "A.example:8080", 301, "https://A.example:8080/https-same-host"),
            ("/https-8443", "a.example", 301, "https://example.org:8443/https-8443"),
            ("/https-443", "a.example", 301, "https://example.org/https-443"),
            ("/port-80", "a.example", 301, "http://example.org/port-80"),
            ("/port-8080", "a.example:80", 301, "http://example.org:8080/port-8080"),
            ("/default-port", "a.example:8080", 301, "http://a.example/default-port"),
            ("/own-port", "a.example:99", 301, f"http://example.org:{own}/own-port"),
        ):
            answer = self.ask(target, host)
            self.assertEqual((target, answer.status, answer.one("location")), (target, status, location))
            self.assertEqual((answer.body, answer.one("content-length")), (b"", "0"))
        self.assertEqual(self.ask("*", method="OPTIONS").status, 404)

    def test_absolute_target(self) -> None:
        """The host of an absolute target counts, not the field's; a path of two slashes is no host."""
        self.assertEqual(self.ask("http://a.example/https", "b.example").one("location"), "https://example.org/https")
        self.assertEqual(self.ask("/original-prefix//evil.example").status, 302)
        location = self.ask("/slash//evil.example/").one("location")
        self.assertTrue(location.startswith("http://a.example/"), location)

    def test_changed_answer(self) -> None:
        """A redirect's answer is changed as the route says."""
        answer = self.ask("/answer?x")
        self.assertEqual((answer.one("location"), answer.one("cache-control")), ("-", "no-store"))
        self.assertEqual((answer.one("x-was"), answer.one("x-code")), ("/answer?x", "301"))

    def test_direct_answers(self) -> None:
        """The files' answer, on one connection, with the framing that its status and method want."""
        client = self.client()
        for method, path, status, body, length in (
            ("GET", "/teapot", 418, b"short and stout", "15"),
            ("HEAD", "/teapot", 418, b"", "15"),
            ("GET", "/empty", 200, b"", "0"),
            ("GET", "/no-content", 204, b"", "-"),
            ("GET", "/not-modified", 304, b"", "-"),
            ("DELETE", "/other", 503, b"\0\1\2\xff", "4"),
        ):
            answer = client.ask(method, path, "direct.example")
            found = (path, answer.status, answer.body, answer.one("content-length"))
            self.assertEqual(found, (path, status, body, length))
        answer = client.ask("GET", "/teapot", "direct.example")
        self.assertEqual((answer.one("content-type"), answer.one("set-cookie")), ("text/tea", "a=1"))
        self.assertEqual(client.ask("GET", "/other", "direct.example").one("content-type"), "text/plain")

    def test_direct_answers_for_grpc(self) -> None:
        """A gRPC client is told in its own words, as by Envoy; one of gRPC-Web is not."""
        answer = self.ask("/other", "direct.example", "POST", {"content-type": "application/grpc+proto"}, b"x")
        self.assertEqual((answer.status, answer.one("grpc-status")), (200, "14"))
        self.assertEqual(answer.one("content-type"), "application/grpc")
        for kind in ("application/grpc-web", "application/grpcs"):
            answer = self.ask("/other", "direct.example", "POST", {"content-type": kind}, b"x")
            self.assertEqual((kind, answer.status), (kind, 503))
        self.assertEqual(self.ask("/", "x.example", headers={"content-type": "application/grpc-web+proto"}).status, 404)
        answer = self.ask("/", "x.example", headers={"content-type": "application/grpc"})
        self.assertEqual((answer.status, answer.one("grpc-status")), (200, "12"))

    def test_log(self) -> None:
        """The log says that these were the gateway's own answers."""
        self.ask("/teapot?log", "direct.example")
        self.assertEqual(self.logged("/teapot?log")["response_code_details"], "direct_response")
        self.ask("/https?log")
        self.assertEqual(self.logged("/https?log")["response_code"], 301)


class RewriteTests(ServedTestCase):
    """Requests that are changed on their way."""

    files = {"gateway.yaml": GATEWAY, "rewrites.yaml": REWRITES, "headers.yaml": HEADERS}
    opened = {"one": "", "two": ""}

    def test_paths(self) -> None:
        """The prefix that matched is replaced, else the whole path; what is behind it stays as it is, and the query."""
        for target, new in (
            ("/prefix/one/two", "//one/two"),
            ("/prefix", "/"),
            ("/prefix/", "//"),
            ("/cut/one/two", "/one/two"),
            ("/cut/", "/"),
            ("/cut", "/"),
            ("/glued/one", "/gone"),
            ("/prefix?q=/prefix", "/?q=/prefix"),
            ("/prefix/keep/one?a", "/prefix/one?a"),
            ("/exact?q", "/prefix?q"),
            ("/regex/any/thing", "/prefix"),
            ("/CI/x", "/case/x"),
            ("/regex-rewrite/b/c/d?e", "/c/d/b?e"),
            ("/other/x", "/base/other/x"),
            ("/", "/base/"),
        ):
            answer = self.ask(target, "rewrites.example")
            self.assertEqual((target, answer.echo["target"]), (target, new))
            self.assertEqual(answer.told("x-envoy-original-path"), [target])

    def test_authority(self) -> None:
        """A new authority is told with the old one beside it; a client's word of an original path is not."""
        lies = {"X-Envoy-Original-Path": "/lie", "X-Forwarded-Host": "first.example"}
        answer = self.ask("/host/x", "rewrites.example", headers=lies)
        self.assertEqual((answer.told("host"), answer.echo["target"]), (["other.example"], "/host/x"))
        self.assertEqual(answer.told("x-forwarded-host"), ["rewrites.example"])
        self.assertEqual(answer.told("x-envoy-original-host"), ["rewrites.example"])
        self.assertEqual(answer.told("x-envoy-original-path"), [])
        self.assertEqual(self.ask("/set-host", "rewrites.example:80").told("host"), ["set.example:8080"])

    def test_request_headers(self) -> None:
        """What is removed goes, what is set replaces all of its name, what is added stands beside."""
        given = [
            ("Some-Other-Header", "val"),
            ("X-Header-Set", "a"),
            ("x-header-set", "b"),
            ("X-Header-Add", "first"),
            ("X-Header-Remove", "val"),
            ("x-OTHER-remove", "val"),
        ]
        answer = self.ask("/request", "headers.example", headers=given)
        self.assertEqual(answer.told("x-header-set"), ["set-overwrites-values"])
        self.assertEqual(answer.told("x-header-add"), ["first", "add-appends-values"])
        self.assertEqual(answer.told("x-header-remove") + answer.told("x-other-remove"), [])
        self.assertEqual(answer.told("some-other-header"), ["val"])

    def test_answer_headers(self) -> None:
        """So it is with answers."""
        answer = self.ask("/response", "headers.example", headers={"x-do": "header=x-a:first"})
        self.assertEqual((answer.one("x-backend"), answer.one("x-new")), ("overwritten", "1"))
        self.assertEqual((answer.values("x-a"), answer.one("set-cookie")), (["first", "second"], "b=2"))
        self.assertEqual(answer.one("content-type"), "-")
        self.assertEqual(answer.one("server"), "edgegate")

    def test_destination_headers(self) -> None:
        """The one destination's word counts over its route's, and both are added."""
        answer = self.ask("/both", "headers.example")
        self.assertEqual(answer.told("x-set"), ["destination"])
        self.assertEqual(sorted(answer.told("x-add")), ["destination", "route"])
        self.assertEqual(answer.one("x-picked"), "one")

    def test_operators(self) -> None:
        """Values come from the request, the answer and the connection; a header that would be empty is left out."""
        client = self.client()
        for path in ("/operators?1", "/operators?2"):
            answer = client.ask("GET", path, "headers.example", [("X-Long", "abcdefgh"), ("X-None", "mine")])
            expected = {
                "x-path": [path],
                "x-host": ["headers.example HTTP/1.1"],
                "x-client": ["127.0.0.1"],
                "x-percent": ["100%"],
                "x-short": ["abcd"],
                "x-else": ["abcdefgh"],
                "x-route": ["named"],
            }
            self.assertEqual({name: answer.told(name) for name in expected}, expected)
            self.assertEqual((answer.one("x-status"), answer.one("x-type")), ("200", "application/json"))
            self.assertEqual(answer.one("x-from"), f"127.0.0.1:{self.served.ports['one']}")
            self.assertEqual(answer.one("x-asked"), "abcdefgh")

    def test_nothing_is_injected(self) -> None:
        """A client's value that an operator copies can't end a line."""
        client = Client(self.served.ports["http"])
        self.addCleanup(client.close)
        client.send(b"GET /operators HTTP/1.1\r\nHost: headers.example\r\nX-Long: a\x80\xff\tb\r\n\r\n")
        answer = client.answer()
        self.assertEqual(answer.one("x-asked"), "a\x80\xff\tb")
