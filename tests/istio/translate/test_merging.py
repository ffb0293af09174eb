"""Tests of L{edgegate.istio.translate.merging}."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.document import Document
from edgegate.config.problems import Problems
from edgegate.istio.kinds import virtual_service as kinds
from edgegate.istio.kinds.virtual_service import VirtualService
from edgegate.istio.resources import Resource
from edgegate.istio.translate.attachment import gateway_key
from edgegate.istio.translate.destinations import DestinationCompiler
from edgegate.istio.translate.merging import INHERITED, NAMED, SINGLE, Conflict, Item, Merged, merge
from edgegate.istio.translate.rules import HTTPRule, RuleCompiler
from edgegate.istio.translate.services import ServiceIndex
from edgegate.istio.translate.suggestions import Suggestions
from edgegate.routing.matching import condition
from tests.istio.translate.compiling import no_rules
from tests.routing.test_matching import Asked

PATH = ("spec", "http", 7)


def item(name: str, value: dict[str, Any], namespace: str = "default") -> Item:
    """Return an item as a file says it, of a VirtualService with this name."""
    document = Document("f", 1, "VirtualService", "networking.istio.io/v1", name, namespace)
    spec = VirtualService(hosts=("a.example",) if name == "root" else ())
    return Item(Resource(document, spec), PATH, msgspec.convert(value, kinds.HTTPRoute, dec_hook=_duration))


def _duration(type_: type, value: Any) -> Any:
    return type_.parse(value)  # type: ignore[attr-defined]


def merged(root: dict[str, Any], delegate: dict[str, Any]) -> Merged:
    """Merge two items that go together."""
    found = merge(item("root", root), item("leaf", delegate))
    assert isinstance(found, Merged), found
    return found


def outcome(*matches: dict[str, Any], root: list[dict[str, Any]]) -> Any:
    """Return the merged matches, or the reason why there are none."""
    found = merge(item("root", {"match": root}), item("leaf", {"match": list(matches)}))
    return found.reason if isinstance(found, Conflict) else list(found.route.match)


def said(*matches: dict[str, Any]) -> list[kinds.HTTPMatchRequest]:
    """Return matches as a file says them."""
    return [msgspec.convert(match, kinds.HTTPMatchRequest) for match in matches]


class ConflictTests(SynchronousTestCase):
    """Which conditions of a delegate are taken for a part of its root's."""

    def test_texts(self) -> None:
        """Exact values are within themselves and prefixes of them; prefixes within prefixes; nothing else is."""
        for wide, narrow, fits in (
            ({"exact": "/a"}, {"exact": "/a"}, True),
            ({"exact": "/a"}, {"exact": "/a/b"}, False),
            ({"exact": "/a"}, {"prefix": "/a"}, False),
            ({"exact": "/a"}, {"regex": "/a"}, False),
            ({"exact": "/a"}, {}, False),
            ({"prefix": "/a"}, {"exact": "/a"}, True),
            ({"prefix": "/a"}, {"exact": "/ab"}, True),
            ({"prefix": "/a"}, {"exact": "/"}, False),
            ({"prefix": "/a"}, {"prefix": "/a"}, True),
            ({"prefix": "/a"}, {"prefix": "/a/b"}, True),
            ({"prefix": "/a/b"}, {"prefix": "/a"}, False),
            ({"prefix": "/a"}, {"regex": "/a.*"}, False),
            ({"prefix": "/a"}, {}, False),
            ({"regex": "/a"}, {"exact": "/a"}, False),
            ({"regex": "/a"}, {"prefix": "/a"}, False),
            ({"regex": "/a"}, {"regex": "/a"}, False),
            ({"regex": "/a"}, {}, False),
            ({}, {"exact": "/a"}, False),
            ({}, {}, False),
        ):
            for field in ("uri", "scheme", "method", "authority"):
                found = outcome({field: narrow}, root=[{field: wide}])
                self.assertEqual(isinstance(found, list), fits, (field, wide, narrow, found))
            for field in ("headers", "withoutHeaders", "queryParams"):
                found = outcome({field: {"x": narrow}}, root=[{field: {"x": wide}}])
                self.assertEqual(isinstance(found, list), fits, (field, wide, narrow, found))

    def test_one_side(self) -> None:
        """A condition that only one side has is no conflict, a regular expression neither."""
        regex = {"uri": {"regex": "/a.*"}}
        self.assertEqual(
            outcome({"method": {"exact": "GET"}}, root=[regex]), said({**regex, "method": {"exact": "GET"}})
        )
        self.assertEqual(outcome(regex, root=[{"port": 80}]), said({**regex, "port": 80}))

    def test_other_conditions(self) -> None:
        """Ports, gateways, case, namespaces and labels."""
        for wide, narrow, words in (
            ({"port": 8080}, {"port": 8090}, "port 8090 is not port 8080"),
            ({"port": 8080}, {"port": 8080}, ""),
            ({"ignoreUriCase": True}, {}, "ignoreUriCase"),
            ({}, {"ignoreUriCase": True}, "ignoreUriCase"),
            ({"ignoreUriCase": False}, {}, ""),
            ({"sourceNamespace": "a"}, {"sourceNamespace": "b"}, "sourceNamespace"),
            ({"sourceNamespace": "a"}, {}, "sourceNamespace"),
            ({}, {"sourceNamespace": "b"}, ""),
            ({"sourceLabels": {"a": "b"}}, {"sourceLabels": {"a": "c"}}, "sourceLabels"),
            ({"sourceLabels": {"a": "b"}}, {"sourceLabels": {"v": "1"}}, ""),
            ({"gateways": ["edge", "mesh"]}, {"gateways": ["mesh"]}, ""),
            ({"gateways": ["edge"]}, {"gateways": ["edge", "mesh"]}, "a gateway"),
            ({"gateways": ["edge"]}, {}, ""),
            ({}, {"gateways": ["edge"]}, ""),
        ):
            found = outcome(narrow, root=[wide])
            if words:
                self.assertIn(words, found)
            else:
                self.assertIsInstance(found, list)

    def test_gateways_by_namespace(self) -> None:
        """A gateway is one of the namespace of whoever names it; the mesh is the same for all."""
        root = item("root", {"match": [{"gateways": ["edge", "mesh"]}]}, "front")
        for name, fits in (("front/edge", True), ("mesh", True), ("edge", False), ("./edge", False)):
            found = merge(root, item("leaf", {"match": [{"gateways": [name]}]}, "team"))
            self.assertEqual(isinstance(found, Merged), fits, name)

    def test_every_match(self) -> None:
        """Every match of a delegate is within one of the root's, or the whole item serves nothing."""
        root = [{"uri": {"prefix": "/productpage"}}, {"uri": {"prefix": "/reviews"}}]
        page, reviews = {"uri": {"exact": "/productpage/v1"}}, {"uri": {"exact": "/reviews/v1"}}
        self.assertEqual(outcome(page, reviews, root=root), said(page, reviews))
        found = merge(item("root", {"match": root}), item("leaf", {"match": [page, {"uri": {"exact": "/x"}}]}))
        reason = 'it is within none of 2 matches there: uri exact "/x" is not within prefix "/productpage"'
        self.assertEqual(found, Conflict(1, reason))

    def test_reasons(self) -> None:
        """A reason names the conditions of both sides, and says what can't be compared."""
        self.assertEqual(
            outcome({"headers": {"x-v": {"exact": "2"}}}, root=[{"headers": {"x-v": {"exact": "1"}}}]),
            'headers "x-v" exact "2" is not within exact "1"',
        )
        self.assertEqual(
            outcome({"uri": {"regex": "/a"}}, root=[{"uri": {"exact": "/a"}}]),
            'uri regex "/a" can\'t be compared with exact "/a": only exact and prefix can',
        )


class MergeTests(SynchronousTestCase):
    """What an item of a delegate has of its root's."""

    def test_matches(self) -> None:
        """Conditions of both hold; where both ask the same thing the delegate asks for less of it."""
        root = {
            "name": "r",
            "uri": {"prefix": "/productpage"},
            "headers": {"x-a": {"prefix": "h"}, "x-b": {"exact": "b"}},
            "port": 8080,
            "authority": {"exact": "productpage.com"},
            "statPrefix": "page",
        }
        self.assertEqual(
            outcome(
                {"uri": {"exact": "/productpage/v1"}, "headers": {"x-a": {"exact": "h1"}, "x-c": {}}},
                {"name": "d", "queryParams": {"q": {"exact": "1"}}},
                root=[root],
            ),
            said(
                {
                    **root,
                    "uri": {"exact": "/productpage/v1"},
                    "headers": {"x-a": {"exact": "h1"}, "x-b": {"exact": "b"}, "x-c": {}},
                },
                {**root, "name": "r-d", "queryParams": {"q": {"exact": "1"}}},
            ),
        )

    def test_without_headers(self) -> None:
        """What the root keeps out no delegate lets in: the wider condition stays."""
        debug, bot, old = ({"x-debug": {"prefix": "o"}}, {"x-bot": {"exact": "1"}}, {"x-old": {"exact": "1"}})
        found = outcome(
            {"withoutHeaders": {"x-debug": {"exact": "on"}, **bot}}, root=[{"withoutHeaders": {**debug, **old}}]
        )
        self.assertEqual(found, said({"withoutHeaders": {**debug, **bot, **old}}))

    def test_no_matches(self) -> None:
        """A side without matches takes the other's as they are."""
        matches = [{"uri": {"prefix": "/a"}}, {"port": 80}]
        self.assertEqual(len(merged({"match": matches}, {}).route.match), 2)
        self.assertEqual(len(merged({}, {"match": matches}).route.match), 2)
        self.assertEqual(merged({}, {}).route.match, ())

    def test_names(self) -> None:
        """A route goes by both names."""
        for root, delegate, name in (("a", "b", "a-b"), ("a", "", "a"), ("", "b", "b"), ("", "", None)):
            self.assertEqual(merged({"name": root}, {"name": delegate}).route.name, name)

    def test_inherited(self) -> None:
        """What else the root says counts where the delegate is silent, each field as a whole."""
        root = {
            "timeout": "10s",
            "headers": {"request": {"set": {"a": "1"}}, "response": {"remove": ["b"]}},
            "rewrite": {"uri": "/"},
            "retries": {"attempts": 1},
            "fault": {"abort": {"httpStatus": 500}},
            "mirror": {"host": "m"},
            "mirrors": [{"destination": {"host": "m"}}],
            "mirrorPercent": 5,
            "mirrorPercentage": {"value": 6},
            "corsPolicy": {"maxAge": "1s"},
        }
        self.assertEqual(set(root), {"timeout", "headers", *map(_camel, INHERITED)})
        above = item("root", root).route
        found = merged(root, {}).route
        self.assertEqual([getattr(found, field) for field in INHERITED], [getattr(above, field) for field in INHERITED])
        own = merged(root, {"timeout": "1s", "headers": {"request": {"set": {"c": "2"}}}}).route
        assert own.headers is not None
        self.assertEqual((own.timeout, own.headers.response, own.retries), (1.0, None, above.retries))

    def test_all_fields(self) -> None:
        """No field of an item or a match is forgotten."""
        own = {"name", "match", "route", "redirect", "direct_response", "delegate"}
        self.assertEqual(own | set(INHERITED), set(kinds.HTTPRoute.__struct_fields__))
        others = {"name", "ignore_uri_case", "source_labels"}
        self.assertEqual(others | {*NAMED, *SINGLE}, set(kinds.HTTPMatchRequest.__struct_fields__))

    def test_places(self) -> None:
        """Every part knows the document that says it, and where."""
        root = item("root", {"match": [{"port": 1}, {"uri": {"prefix": "/"}, "headers": {"x": {}}}], "timeout": "1s"})
        leaf = item("leaf", {"match": [{"port": 2, "headers": {"y": {}}}], "route": [{"destination": {"host": "a"}}]})
        found = merge(root, leaf)
        assert isinstance(found, Merged)
        whole = Resource(
            root.resource.document, VirtualService(), parts={(0, *at): to for at, to in found.parts.items()}
        )
        for path, resource, place in (
            (("route", 0), leaf.resource, ("route", 0)),
            (("timeout",), root.resource, ("timeout",)),
            (("delegate",), root.resource, ("delegate",)),
            (("match", 0, "port"), leaf.resource, ("match", 0, "port")),
            (("match", 0, "headers", "y"), leaf.resource, ("match", 0, "headers", "y")),
            (("match", 0, "headers", "x"), root.resource, ("match", 1, "headers", "x")),
            (("match", 0, "uri", "prefix"), root.resource, ("match", 1, "uri", "prefix")),
        ):
            self.assertEqual(whole.at((0, *path)), (resource, (*PATH, *place)))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _some(values: st.SearchStrategy[Any], *names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names), values, max_size=2)


TEXTS = st.sampled_from(["/", "/a", "/a/b", "/A", "/b"])
TEXT = st.one_of(
    st.just({}),
    st.builds(lambda text: {"exact": text}, TEXTS),
    st.builds(lambda text: {"prefix": text}, TEXTS),
    st.builds(lambda text: {"regex": text + "?"}, TEXTS),
)
GATEWAYS = ("front/one", "front/two", "team/one")
MATCH = st.fixed_dictionaries(
    {},
    optional={
        "uri": TEXT,
        "method": TEXT,
        "headers": _some(TEXT, "x", "X", "y"),
        "withoutHeaders": _some(TEXT, "x", "X", "z"),
        "queryParams": _some(TEXT, "q"),
        "ignoreUriCase": st.booleans(),
        "port": st.sampled_from([80, 81]),
        "gateways": st.lists(st.sampled_from([*GATEWAYS, "one"]), min_size=1, max_size=2),
    },
)
ITEM = st.fixed_dictionaries({"match": st.lists(MATCH, max_size=3)})
ASKED = st.builds(
    Asked,
    method=TEXTS.map(str.encode),
    path=TEXTS.map(str.encode),
    query=st.sampled_from([b"", b"q=/a", b"q=/b"]),
    headers=st.lists(st.tuples(st.sampled_from([b"x", b"y", b"z"]), TEXTS.map(str.encode)), max_size=2),
    port=st.sampled_from([80, 81]),
)


class MeaningTests(SynchronousTestCase):
    """What merged routes answer, whatever the items ask for."""

    def rule(self, resource: Resource[VirtualService], route: kinds.HTTPRoute) -> HTTPRule:
        """Compile an item as if it stood alone."""
        problems = Problems()

        def gateways(resource: Resource[VirtualService], path: Any, names: tuple[str, ...]) -> frozenset[Any]:
            return frozenset(gateway_key(name, resource.at(path)[0].namespace) for name in names)

        destinations = DestinationCompiler(ServiceIndex(), no_rules(problems), problems, Suggestions())
        compiler = RuleCompiler(destinations, gateways, problems)
        spec = VirtualService(http=(route,))
        (rule,) = compiler.rules(Resource(resource.document, spec, parts=resource.parts)).http
        return rule

    def holds(self, rule: HTTPRule, asked: Asked, gateway: str) -> bool:
        """Whether a request comes to a route."""
        return any(
            scope.holds(gateway_key(gateway, ""), asked.port) and all_hold(match, asked)
            for scope, match, _ in rule.matches
        )

    @given(ITEM, ITEM, ASKED, st.sampled_from(GATEWAYS))
    @example(
        {"match": [{"withoutHeaders": {"x": {"prefix": "/a"}}}]},
        {"match": [{"withoutHeaders": {"x": {"exact": "/a"}}}]},
        Asked(headers=[(b"x", b"/a/b")]),
        "front/one",
    )
    def test_both(self, above: dict[str, Any], below: dict[str, Any], asked: Asked, gateway: str) -> None:
        """
        A request comes to a merged route only where both items want it, and always so if their matches all go together.

        Where a match of the delegate lies within some of the root's matches
        only, Istio doesn't look for what it has in common with the others.
        """
        root, leaf = item("root", above, "front"), item("leaf", below, "team")
        found = merge(root, leaf)
        if isinstance(found, Conflict):
            return
        parts = {("spec", "http", 0, *path): part for path, part in found.parts.items()}
        both = self.holds(self.rule(root.resource, root.route), asked, gateway) and self.holds(
            self.rule(leaf.resource, leaf.route), asked, gateway
        )
        whole = Resource(root.resource.document, root.resource.spec, parts=parts)
        comes = self.holds(self.rule(whole, found.route), asked, gateway)
        if comes:
            self.assertTrue(both)
        if both and len(found.route.match) == max(1, len(above["match"])) * max(1, len(below["match"])):
            self.assertTrue(comes)


def all_hold(match: Any, asked: Asked) -> bool:
    """Whether a request satisfies a compiled match."""
    check = condition(match)
    return check is None or check(asked)
