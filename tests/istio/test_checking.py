"""Tests for L{edgegate.istio.checking}."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.document import Document
from edgegate.config.manifest import read
from edgegate.config.problems import Problems, Role
from edgegate.istio.checking import DROPPED, Check, shape_of
from edgegate.istio.decode import decode
from edgegate.istio.kinds.gateway import Gateway
from edgegate.istio.kinds.secret import Secret
from edgegate.istio.kinds.service import KubernetesPort
from edgegate.istio.kinds.virtual_service import HTTPRoute, VirtualService


class CheckTests(SynchronousTestCase):
    """All mistakes in a value are found, and what is left is of use."""

    def check(self, struct: type[msgspec.Struct], value: object, confidential: bool = False) -> tuple[Any, list[str]]:
        """Return what is left of a value, and what is told."""
        problems = Problems()
        walk = Check(Document("f", 1, "K", "v1", "a"), problems, confidential)
        usable = shape_of(struct)(walk, value, ())
        self.broken, self.kept = walk.broken, walk.kept
        return usable, [f"{problem.path}: {problem.message}" for problem in problems]

    def test_nothing_wrong(self) -> None:
        """A good value comes back as it is."""
        value = {"servers": [{"port": {"number": 80, "name": "a", "protocol": "HTTP"}, "hosts": ["*"]}]}
        self.assertEqual(self.check(Gateway, value), (value, []))

    def test_unknown_field(self) -> None:
        """A misspelt field is told with the one that was meant, and taken for it."""
        usable, told = self.check(Gateway, {"selectr": {"a": "b"}, "zebra": 1})
        self.assertEqual(told, ['selectr: unknown field; did you mean "selector"?', "zebra: unknown field"])
        self.assertEqual(usable, {"selector": {"a": "b"}})
        self.assertEqual(self.broken, [])

    def test_one_or_several(self) -> None:
        """Where a text or a list of them may stand, each is good; what is neither is told."""

        class Either(msgspec.Struct):
            names: str | tuple[str, ...] | None = None

        for names in ("a", ["a", "b"]):
            self.assertEqual(self.check(Either, {"names": names}), ({"names": names}, []))
        self.assertEqual(self.check(Either, {"names": 1})[1], ["names: expected string, got integer 1: quote it"])
        told = ["names[1]: expected string, got integer 2: quote it"]
        self.assertEqual(self.check(Either, {"names": ["a", 2]}), ({"names": ["a"]}, told))

    def test_misplaced(self) -> None:
        """Of a field that stands too far in or out the place is told where it belongs; what misses it there is not."""
        route = {"destination": {"host": "a", "weight": 5}}
        indented = ": is the indentation right?"
        self.assertEqual(
            self.check(HTTPRoute, {"route": [route]})[1],
            [f"route[0].destination.weight: unknown field: it belongs further out, in route[0]{indented}"],
        )
        self.assertEqual(self.broken, [("route", 0, "weight")])
        self.assertEqual(
            self.check(HTTPRoute, {"headers": {"set": {}}})[1],
            ["headers.set: unknown field: it belongs further in, in headers.request or headers.response"],
        )
        self.assertEqual(self.check(VirtualService, {"match": []})[1], ["match: unknown field"])

    def test_beside_spec(self) -> None:
        """So it is of a field of C{spec} that stands beside it, or in another part of the document."""
        begin = "apiVersion: networking.istio.io/v1\nkind: Gateway\n"
        server = "[{port: {number: 80, name: a, protocol: HTTP}, hosts: ['*']}]"
        for text, told in (
            (f"metadata: {{name: a}}\nservers: {server}\n", "servers: unknown field: it belongs further in, in spec"),
            (f"metadata:\n  name: a\n  servers: {server}\n", "metadata.servers: unknown field: it belongs in spec"),
            (
                f"metadata:\n  name: a\n  spec:\n    servers: {server}\n",
                "metadata.spec: unknown field: it belongs further out, in the document itself: "
                "is the indentation right?",
            ),
        ):
            problems = Problems()
            decode(read("f", begin + text, problems), problems)
            self.assertEqual([f"{each.path}: {each.message}" for each in problems], [told])

    def test_misspelt_beside_the_right_one(self) -> None:
        """A misspelt field does not replace the one that is there."""
        usable, _ = self.check(Gateway, {"selectr": {"a": "b"}, "selector": {"c": "d"}})
        self.assertEqual(usable, {"selector": {"c": "d"}})

    def test_both_spellings(self) -> None:
        """Protobuf's own names are taken, but not both for one field."""
        self.assertEqual(self.check(HTTPRoute, {"mirror_percent": 5}), ({"mirrorPercent": 5}, []))
        told = self.check(HTTPRoute, {"mirror_percent": 5, "mirrorPercent": 6})[1]
        self.assertEqual(told, ["mirrorPercent: given twice, as mirrorPercent and mirror_percent"])

    def test_null(self) -> None:
        """A field that is null is not there; an item that is null is an error."""
        self.assertEqual(self.check(Gateway, {"servers": None}), ({}, []))
        self.assertEqual(
            self.check(VirtualService, {"hosts": [None, "a"]}), ({"hosts": ["a"]}, ["hosts[0]: null item"])
        )
        self.assertEqual(self.kept, {("hosts",): (1,)})
        self.assertEqual(self.check(Gateway, {"selector": {"a": None}})[1], ["selector.a: null value"])

    def test_types(self) -> None:
        """Every type is told from the others."""
        value = {"hosts": "a", "http": [{"name": 1, "match": {}, "timeout": 5, "mirrorPercent": True}], "tls": [5]}
        usable, told = self.check(VirtualService, value)
        self.assertEqual(
            told,
            [
                'hosts: expected array, got string "a": write it as a list, [a]',
                "http[0].match: expected array, got object: each item of a list begins with -",
                "http[0].mirrorPercent: expected integer, got boolean true",
                "http[0].name: expected string, got integer 1: quote it",
                "http[0].timeout: expected duration such as 5s, got integer 5",
                "tls[0]: expected object, got integer 5",
            ],
        )
        self.assertEqual(usable, {"http": [{}], "tls": []})

    def test_what_to_write(self) -> None:
        """A value of the wrong type is told with what to write instead, where that is clear."""
        for struct, value, told in (
            (
                Gateway,
                {"servers": [{"port": 80, "hosts": []}]},
                "servers[0].port: expected object such as {number: 80}",
            ),
            (HTTPRoute, {"route": [{"destination": "web"}]}, 'destination: expected object such as {host: "web"}, got'),
            (HTTPRoute, {"retries": 3}, "retries: expected object such as {attempts: 3}, got integer 3"),
            (HTTPRoute, {"rewrite": "/v2"}, 'rewrite: expected object such as {uri: "/v2"}, got string "/v2"'),
            (
                HTTPRoute,
                {"directResponse": {"status": 200, "body": "a"}},
                'body: expected object such as {string: "a"}',
            ),
            (HTTPRoute, {"match": [{"uri": "/a"}]}, 'match[0].uri: expected object such as {exact: "/a"}, got string'),
            (
                HTTPRoute,
                {"match": [{"headers": [{"a": 1}]}]},
                "headers: expected object, got array: without the dash or brackets",
            ),
            (HTTPRoute, {"match": [{"path": {"exact": "/"}}]}, 'match[0].path: unknown field; did you mean "uri"?'),
            (Gateway, {"servers": [{"tls": {"httpsRedirect": "true"}}]}, 'got string "true": without quotes'),
        ):
            found = " ".join(self.check(struct, value)[1])
            self.assertIn(told, found)

    def test_what_is_lost(self) -> None:
        """Where what others refer to is lost, errors elsewhere may follow from it; not so for other fields."""
        for kind, path, role in (
            ("ServiceEntry", ("spec", "hosts", 0), Role.CAUSE),
            ("ServiceEntry", ("spec", "endpoints", 0, "weight"), Role.ITSELF),
            ("Secret", ("data", "tls.crt"), Role.CAUSE),
            ("VirtualService", ("spec", "hosts"), Role.ITSELF),
        ):
            problems = Problems()
            Check(Document("f", 1, kind, "v1", "a"), problems).reject(path, "no")
            self.assertEqual([problem.role for problem in problems], [role], (kind, path))

    def test_numbers(self) -> None:
        """A number in quotes is an error, though it is clear what it means; numbers have limits."""
        port: dict[str, object] = {"number": "80", "name": "a", "protocol": "HTTP"}
        usable, told = self.check(Gateway, {"servers": [{"hosts": [], "port": port}]})
        self.assertEqual(told, ['servers[0].port.number: expected integer, got string "80": without quotes'])
        self.assertEqual(usable["servers"][0]["port"]["number"], 80)
        told = self.check(HTTPRoute, {"mirrorPercent": -1})[1]
        self.assertEqual(told, ["mirrorPercent: -1 is not between 0 and 4294967295"])
        self.assertEqual(self.check(HTTPRoute, {"mirrorPercentage": {"value": 1}})[1], [])
        self.assertEqual(
            self.check(HTTPRoute, {"mirrorPercentage": {"value": "1"}})[1],
            ['mirrorPercentage.value: expected number, got string "1": without quotes'],
        )

    def test_integer_or_string(self) -> None:
        """Kubernetes' targetPort is a number or a name, and nothing else."""
        for good in (80, "http"):
            self.assertEqual(self.check(KubernetesPort, {"port": 80, "targetPort": good})[1], [])
        self.assertEqual(
            self.check(KubernetesPort, {"port": 80, "targetPort": True})[1],
            ["targetPort: expected integer or string, got boolean true"],
        )

    def test_enumeration(self) -> None:
        """A misspelt word is told with the one that was meant, and taken for it."""
        server: dict[str, Any] = {"hosts": [], "port": {"number": 1, "name": "a", "protocol": "TLS"}}
        usable, told = self.check(Gateway, {"servers": [{**server, "tls": {"mode": "simple"}}]})
        self.assertIn('did you mean "SIMPLE"?', told[0])
        self.assertEqual(usable["servers"][0]["tls"], {"mode": "SIMPLE"})
        for mode, message in (("zebra", '"zebra" is none of'), (5, "expected string")):
            usable, told = self.check(Gateway, {"servers": [{**server, "tls": {"mode": mode}}]})
            self.assertIn(message, told[0])
            self.assertEqual(usable["servers"][0]["tls"], {})

    def test_missing(self) -> None:
        """What can't be without a field goes with it, and the others of its list stay."""
        usable, told = self.check(HTTPRoute, {"route": [{"destination": {}}, {"destination": {"host": "b"}}, {}]})
        self.assertEqual(told, ["route[0].destination.host: missing", "route[2].destination: missing"])
        self.assertEqual(usable, {"route": [{"destination": {"host": "b"}}]})
        self.assertEqual(self.kept, {("route",): (1,)})

    def test_exclusive(self) -> None:
        """Fields that exclude each other."""
        usable, told = self.check(HTTPRoute, {"match": [{"uri": {"exact": "/", "regex": "/"}}]})
        self.assertEqual(told, ["match[0].uri: only one of exact and regex may be given"])
        self.assertEqual(usable, {"match": [{"uri": {"exact": "/"}}]})

    def test_root(self) -> None:
        """A value that is no mapping at all."""
        self.assertEqual(self.check(Gateway, 5), (DROPPED, [": expected object, got integer 5"]))

    def test_confidential(self) -> None:
        """No value of a Secret is shown."""
        value = {"data": {"a": "hunter2!", "b": 123456}, "stringData": {"c": 123456}}
        told = self.check(Secret, value, confidential=True)[1]
        self.assertEqual(
            told,
            [
                "data.a: not base64",
                "data.b: expected string, got integer",
                "stringData.c: expected string, got integer",
            ],
        )
