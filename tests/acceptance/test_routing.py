"""
Which route a request takes: the cases of the Kubernetes Gateway API's conformance suite, said as VirtualServices.

Two rules differ, and Istio's hold: the order of the routes is the law, not the
length of their conditions, and a prefix is a plain one: C{/v2} has C{/v2example}.
"""

from __future__ import annotations

from tests.acceptance.manifests import GATEWAY
from tests.acceptance.served import ServedTestCase

MATCHING = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: matching}
spec:
  hosts: [matching.example]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /v2}}, {headers: {version: {exact: two}}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $two}}}]
  - route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: headers}
spec:
  hosts: [headers.example]
  gateways: [gw]
  http:
  - match: [{headers: {version: {exact: two}, color: {exact: orange}}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{headers: {version: {exact: one}}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{headers: {version: {exact: two}}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $two}}}]
  - match: [{headers: {color: {exact: blue}}}, {headers: {color: {exact: green}}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{headers: {Color: {regex: "red|yellow"}}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $two}}}]
  - match: [{headers: {x-flag: {}}, withoutHeaders: {x-off: {}, x-mode: {prefix: quiet}}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $three}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: methods}
spec:
  hosts: [methods.example]
  gateways: [gw]
  http:
  - match:
    - {uri: {prefix: /path5}, method: {exact: PATCH}}
    - {method: {exact: POST}}
    - {method: {regex: "PUT|DELETE"}, headers: {version: {exact: four}}}
    route: [{destination: {host: 127.0.0.1, port: {number: $two}}}]
  - match: [{method: {exact: GET}, uri: {prefix: /path}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{method: {prefix: OP}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $three}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: params}
spec:
  hosts: [params.example]
  gateways: [gw]
  http:
  - match: [{queryParams: {animal: {exact: dolphin}, color: {exact: blue}}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $three}}}]
  - match: [{queryParams: {animal: {exact: whale}}}, {queryParams: {ANIMAL: {exact: Whale}}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{queryParams: {animal: {exact: dolphin}}}, {uri: {prefix: /path1}, queryParams: {num: {regex: "[0-9]+"}}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $two}}}]
  - match: [{queryParams: {empty: {exact: ""}}}, {queryParams: {space: {exact: "a b"}}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $three}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: paths}
spec:
  hosts: [paths.example]
  gateways: [gw]
  http:
  - match: [{uri: {exact: /one}}, {uri: {exact: /Case}, ignoreUriCase: true}]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {exact: /two}}, {uri: {prefix: /Prefix/}, ignoreUriCase: true}]
    route: [{destination: {host: 127.0.0.1, port: {number: $two}}}]
  - match: [{uri: {regex: "/three(/[a-z]+)?"}}, {uri: {prefix: /match/prefix/one/any}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $three}}}]
  - match: [{uri: {prefix: /match/prefix}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $two}}}]
  - match: [{uri: {prefix: /match}}, {uri: {exact: /match/exact}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: others}
spec:
  hosts: ["*.others.example"]
  gateways: [gw]
  http:
  - match: [{authority: {exact: "a.others.example"}}, {authority: {regex: "b[0-9]*\\\\.others\\\\.example(:[0-9]+)?"}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{scheme: {exact: https}}, {port: 1}, {sourceNamespace: default}]
    route: [{destination: {host: 127.0.0.1, port: {number: $three}}}]
  - match: [{port: $http, gateways: [gw], scheme: {prefix: http}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $two}}}]
"""

HOSTS = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: listeners}
spec:
  servers:
  - {port: {number: $http, name: http-1, protocol: HTTP}, hosts: [bar.com, "*.wild.com"]}
  - {port: {number: $http, name: http-2, protocol: HTTP}, hosts: [foo.bar.com]}
  - {port: {number: $http, name: http-3, protocol: HTTP}, hosts: ["*.bar.com"]}
  - {port: {number: $http, name: http-4, protocol: HTTP}, hosts: ["*.foo.com", "very.specific.com"]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: one}
spec:
  hosts: ["*"]
  gateways: [listeners]
  http:
  - match: [{uri: {prefix: /any}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: two}
spec:
  hosts: ["*.bar.com", bar.com]
  gateways: [listeners]
  http:
  - match: [{uri: {prefix: /s2}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $two}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: three}
spec:
  hosts: [very.specific.com, wildcard.io, "*.anotherwildcard.io", "*.wild.com", one.wild.com.example]
  gateways: [listeners]
  http:
  - match: [{uri: {prefix: /s3}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $three}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: four}
spec:
  hosts: ["*.com"]
  gateways: [listeners]
  http:
  - match: [{uri: {prefix: /s4}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
"""

ACROSS = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: part1}
spec:
  hosts: [example.com, example.net]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /v2}, headers: {version: {exact: one}}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: part2}
spec:
  hosts: [example.com]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /v2}}, {headers: {version: {exact: two}}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $two}}}]
"""


class MatchingTests(ServedTestCase):
    """Conditions of routes."""

    files = {"gateway.yaml": GATEWAY, "matching.yaml": MATCHING, "across.yaml": ACROSS}

    def check(self, host: str, *cases: tuple[object, ...]) -> None:
        """Ask with each target, method and headers, and compare who answers."""
        found = []
        for target, _, *rest in cases:
            method, headers = "GET", {}
            for each in rest:
                if isinstance(each, dict):
                    headers = each
                else:
                    method = str(each)
            answer = self.ask(str(target), host, method, headers)
            found.append((target, answer.where, *rest))
        self.assertEqual(found, list(cases))

    def test_matching(self) -> None:
        """A prefix or a header; the query is no part of the path."""
        self.check(
            "matching.example",
            ("/", "one"),
            ("/example", "one"),
            ("/", "one", {"Version": "one"}),
            ("/v2", "two"),
            ("/v2?q=/v3", "two"),
            ("/v2/example", "two"),
            ("/v2example", "two"),
            ("/foo/v2/example", "one"),
            ("/V2", "one"),
            ("/?x=/v2", "one"),
            ("/", "two", {"VERSION": "two"}),
        )

    def test_headers(self) -> None:
        """Names have no case, values do; all of a match hold; of several values each is looked at alone."""
        self.check(
            "headers.example",
            ("/", "one", {"Version": "one"}),
            ("/", "two", {"Version": "two"}),
            ("/", "one", {"Version": "two", "Color": "orange"}),
            ("/", "one", {"Color": "blue"}),
            ("/", "one", {"Color": "green"}),
            ("/", "two", {"Color": "red"}),
            ("/", "two", {"Color": "yellow"}),
            ("/", "404", {"Color": "purple"}),
            ("/", "404", {"Color": "Blue"}),
            ("/", "404", {"Color": "redd"}),
            ("/", "404"),
            ("/", "three", {"X-Flag": ""}),
            ("/", "three", {"X-Flag": "1", "X-Mode": "loud"}),
            ("/", "404", {"X-Flag": "1", "X-Off": ""}),
            ("/", "404", {"X-Flag": "1", "X-Mode": "quietly"}),
        )
        for twice, where in (
            ([("color", "blue"), ("color", "purple")], "one"),
            ([("color", "purple"), ("color", "red")], "two"),
            ([("color", "purple"), ("color", "Red")], "404"),
            ([("x-flag", "1"), ("x-mode", "loud"), ("x-mode", "quietly")], "404"),
        ):
            self.assertEqual(self.ask("/", "headers.example", headers=twice).where, where, twice)

    def test_methods(self) -> None:
        """Methods are matched as they are written; a route that asks for no path takes none that has no slash."""
        self.check(
            "methods.example",
            ("/", "two", "POST"),
            ("/path1", "one"),
            ("/path5", "two", "PATCH"),
            ("/path5", "one"),
            ("/", "404"),
            ("/", "404", "PUT"),
            ("/", "two", "PUT", {"version": "four"}),
            ("/path5", "404", "HEAD"),
            ("/", "three", "OPTIONS"),
            ("*", "404", "OPTIONS"),
        )

    def test_query(self) -> None:
        """Parameters are matched as they came, the first of a name, all that a match names, in any order."""
        self.check(
            "params.example",
            ("/?animal=whale", "one"),
            ("/?animal=whale&otherparam=irrelevant", "one"),
            ("/?animal=dolphin", "two"),
            ("/?animal=dolphin&color=yellow", "two"),
            ("/?color=blue&animal=dolphin", "three"),
            ("/?animal=dolphin&animal=whale", "two"),
            ("/?animal=whale&animal=dolphin", "one"),
            ("/?ANIMAL=Whale", "one"),
            ("/?animal=Whale", "404"),
            ("/?animal%3Dwhale", "404"),
            ("/?anim%61l=whale", "404"),
            ("/path1?num=12", "two"),
            ("/path1?num=12a", "404"),
            ("/path?num=12", "404"),
            ("/?empty", "three"),
            ("/?empty=", "three"),
            ("/?empty=1", "404"),
            ("/?space=a%20b", "404"),
            ("/?", "404"),
            ("/", "404"),
        )

    def test_paths(self) -> None:
        """An exact path is the whole of it; of overlapping prefixes the first one counts, not the longest."""
        self.check(
            "paths.example",
            ("/one", "one"),
            ("/two?x", "two"),
            ("/", "404"),
            ("/one/", "404"),
            ("/one/example", "404"),
            ("/ONE", "404"),
            ("/cASE", "one"),
            ("/pREFIX/x", "two"),
            ("/prefix", "404"),
            ("/three", "three"),
            ("/three/abc", "three"),
            ("/three/abc1", "404"),
            ("/match/prefix/one/anything", "three"),
            ("/match/prefix/one/", "two"),
            ("/match/prefix", "two"),
            ("/match/pre", "one"),
            ("/match/exact", "one"),
        )

    def test_other_conditions(self) -> None:
        """The authority is matched as the client wrote it, with its port; clients' labels are nobody's at an edge."""
        for host, where in (
            ("a.others.example", "one"),
            ("a.others.example:80", "two"),
            ("b12.others.example", "one"),
            ("b.others.example:8080", "one"),
            ("c.others.example", "two"),
            ("x.y.others.example", "two"),
            ("others.example", "404"),
        ):
            self.assertEqual((host, self.ask("/", host).where), (host, where))

    def test_across_files(self) -> None:
        """Routes of several VirtualServices for one host are one table, and those that take everything come last."""
        self.check("example.com", ("/", "one"), ("/v2", "two"), ("/v2", "one", {"version": "one"}))
        self.check("example.com", ("/", "two", {"version": "two"}), ("/example", "one"))
        self.check("example.net", ("/v2", "one"), ("/", "one", {"version": "two"}))


class HostTests(ServedTestCase):
    """Hosts of servers and of VirtualServices."""

    files = {"hosts.yaml": HOSTS}

    def test_intersection(self) -> None:
        """The hosts that both sides have are served: exact names first, then the longest wildcard; no port counts."""
        for host, path, where in (
            ("bar.com", "/any", "one"),
            ("bar.com", "/s2", "two"),
            ("BAR.com:8080", "/s2", "two"),
            ("bar.com.", "/s2", "two"),
            ("foo.bar.com", "/s2", "two"),
            ("baz.bar.com", "/s2", "two"),
            ("a.b.bar.com", "/s2", "two"),
            ("boo.bar.com:1", "/s3", "404"),
            ("very.specific.com", "/s3", "three"),
            ("very.specific.com:1234", "/s3", "three"),
            ("very.specific.com", "/any", "one"),
            ("foo.wild.com", "/s3", "three"),
            ("wild.com", "/s3", "404"),
            ("wildcard.io", "/s3", "404"),
            ("foo.anotherwildcard.io", "/s3", "404"),
            ("one.wild.com.example", "/s3", "404"),
            ("x.foo.com", "/s4", "one"),
            ("x.foo.com", "/any", "one"),
            ("foo.com", "/s4", "404"),
            ("other.net", "/any", "404"),
        ):
            self.assertEqual((host, path, self.ask(path, host).where), (host, path, where))
