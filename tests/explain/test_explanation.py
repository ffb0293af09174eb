"""Tests of L{edgegate.explain.explanation}, and of how it is written: L{tree} and L{document}."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.decision import Decider
from edgegate.explain.document import VERSION, Document, document
from edgegate.explain.explanation import Explainer, Explanation
from edgegate.explain.question import question_of
from edgegate.explain.tree import TRIED, Mood, lines, tree
from tests.explain.explaining import Explained
from tests.explain.test_advice import ENTRY, TO, service
from tests.istio.translate.compiling import gateway, virtual_service

V1 = "{destination: {host: web.example}, weight: 90}"
V2 = "{destination: {host: web.example, subset: v2}, weight: 10}"
CHANGES = "headers: {request: {set: {x-env: beta}, remove: [x-debug]}, response: {add: {x-a: '%PROTOCOL%'}}}"
FILES = (
    gateway("gw", "80 HTTP *", "90 TCP *")
    + service(
        "shop",
        "shop.example",
        f"{{name: cart, match: [{{uri: {{prefix: /cart}}, headers: {{x-user: {{exact: qa}}}}}}], {TO}}}",
        f"{{name: items, match: [{{uri: {{prefix: /items}}}}], {CHANGES}, route: [{V1}, {V2}], timeout: 3s}}",
        "{name: moved, match: [{uri: {exact: /old}}], redirect: {uri: /new}}",
    )
    + service("wide", "*.example", f"{{{TO}}}")
    + virtual_service("relay", "*", f"tcp: [{{{TO}}}]")
    + ENTRY
)


class ExplanationTests(SynchronousTestCase):
    """What is told of requests to one folder."""

    def setUp(self) -> None:
        """Compile the folder."""
        explained = Explained.of(FILES)
        health = {("outbound|80||web.example", "10.0.0.1:80"): "UNHEALTHY"}
        self.explainer = Explainer(Decider(explained.snapshot), explained.endpoints, explained.notes, health=health)

    def explain(self, url: str, *headers: tuple[bytes, bytes]) -> Explanation:
        """Explain a question."""
        found = self.explainer.explain(question_of("GET" if url.startswith("http") else "", url, headers))
        self.assertFalse(found.disagrees)
        return found

    def tree(self, url: str, *headers: tuple[bytes, bytes]) -> str:
        """Return the tree of a question, as it is printed."""
        found = lines(tree(self.explain(url, *headers)))
        return "\n".join(f"{before}{node.text}{f'  {node.origin}' if node.origin else ''}" for before, node in found)

    def document(self, url: str, *headers: tuple[bytes, bytes]) -> Document:
        """Return what programs are told, by way of text."""
        found = json.loads(json.dumps(document(self.explain(url, *headers))))
        assert isinstance(found, dict)
        return found

    def test_tree(self) -> None:
        """The way of a request, with each route that was tried."""
        text = self.tree("http://shop.example/items/1", (b"X-Debug", b"1"))
        for line in (
            "GET http://shop.example/items/1\n├─ listener [::]:80  in.yaml:",
            "│  └─ virtual host shop.example, which is narrower than *.example, *\n",
            "│     └─ with the routes of VirtualService default/shop  in.yaml:",
            "│  ├─ no: route cart: uri should be: begins with '/cart'; it is '/items/1'  in.yaml:",
            "│  └─ yes: route items: all its conditions hold  in.yaml:",
            "├─ timeout 3s, retries 2 after the first try, on ",
            "├─ cluster outbound|80||web.example (90 %)  in.yaml:",
            "│  │  ├─ without x-debug\n│  │  ├─ with x-env: beta\n",
            "with x-request-id: a new one\n",
            "the response: adds x-a: %PROTOCOL%\n",
            "10.0.0.1:80: UNHEALTHY\n",
            "├─ cluster outbound|80|v2|web.example (10 %)",
            "│  └─ no endpoint\n",
            "└─ the backend answers",
        ):
            self.assertIn(line, text)

    def test_moods(self) -> None:
        """What is wrong stands out."""
        found = tree(self.explain("http://shop.example/none"))
        bad = [node.text for _, node in lines(found) if node.mood is Mood.BAD]
        self.assertEqual(bad, ["the gateway answers 404, flag NR: no route"])
        self.assertEqual(found.children[-1].text, "look at")

    def test_many(self) -> None:
        """Of very many routes those are shown that stand last."""
        items = [f"{{name: r{each}, match: [{{uri: {{exact: /{each}}}}}], {TO}}}" for each in range(TRIED + 5)]
        explained = Explained.of(gateway("gw", "80 HTTP *") + service("a", "a.example", *items))
        found = Explainer(Decider(explained.snapshot), explained.endpoints, explained.notes).explain(
            question_of("GET", "http://a.example/none")
        )
        text = [node.text for _, node in lines(tree(found))]
        self.assertIn("5 that do not take it", text)
        self.assertEqual(sum(each.startswith("no: ") for each in text), TRIED)

    def test_connections(self) -> None:
        """A relay, and a port that nobody has."""
        self.assertTrue(self.explain("tcp://127.0.0.1:90").served)
        self.assertIn("the bytes of the client are relayed", self.tree("tcp://127.0.0.1:90"))
        self.assertFalse(self.explain("tcp://127.0.0.1:91").served)
        self.assertIn("port 91: nothing listens there", self.tree("tcp://127.0.0.1:91"))

    def test_served(self) -> None:
        """A redirect is no error; 404 is one."""
        self.assertTrue(self.explain("http://shop.example/old").served)
        self.assertFalse(self.explain("http://shop.example/none").served)

    def test_document(self) -> None:
        """The same for programs."""
        found = self.document("http://shop.example/items/1", (b"X-Debug", b"1"))
        self.assertEqual((found["version"], found["served"], found["virtual_host"]), (VERSION, True, "shop.example"))
        self.assertEqual((found["route"]["name"], found["route"]["timeout"]), ("items", 3.0))
        self.assertEqual([each["held"] for each in found["tried"]], [False, True])
        failed = {"condition": "uri", "kind": "prefix", "wanted": "/cart", "there": ["/items/1"]}
        self.assertEqual(found["tried"][0]["failed"], failed)
        one, two = found["destinations"]
        self.assertEqual((one["share"], two["share"], two["subset"]), (0.9, 0.1, "v2"))
        self.assertEqual(one["request"]["sets"], [["x-env", "beta"]])
        self.assertEqual(one["request"]["removes"], ["x-debug"])
        self.assertEqual(one["endpoints"][0]["health"], "UNHEALTHY")
        self.assertEqual(two["answer"]["flags"], ["UH"])

    def test_document_of_errors(self) -> None:
        """What the client gets, and what comes nearest."""
        found = self.document("http://shop.example/cart")
        self.assertEqual((found["served"], found["answer"]["status"], found["route"]), (False, 404, None))
        self.assertEqual(found["near"][0]["route"], "cart")
        self.assertIn("the request has no x-user", found["near"][0]["hint"])
        self.assertEqual(found["advice"][0]["file"], "in.yaml")
        self.assertEqual(self.document("tcp://127.0.0.1:91")["refusal"], "nothing listens on this port")

    def test_terminals(self) -> None:
        """No byte of a request does anything to a terminal."""
        text = self.tree("http://shop.example/items", (b"x-a", b"\xff\x9b2J"))
        self.assertNotIn("\x9b", text)
