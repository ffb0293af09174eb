"""Tests of L{edgegate.diff.report} and L{edgegate.diff.findings}."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.findings import Findings, Undecided
from edgegate.diff.report import FORMATS, Report, as_json, as_markdown, as_text
from tests.diff.compared import compared
from tests.diff.test_comparison import BASE

TIMEOUT = compared(BASE, BASE.replace("timeout: 5s", "timeout: 10s"))
CLUSTERS = compared(BASE, BASE.replace("connectTimeout: 5s", "connectTimeout: 10s"))


class TextTests(SynchronousTestCase):
    """What people read."""

    def test_equal(self) -> None:
        """That nothing changes is said, and that it is proved."""
        self.assertEqual(as_text(Report("a", "b", Findings())), "a -> b: no change of behaviour (proved)\n")

    def test_change(self) -> None:
        """A change has its witnesses, with the places in the files and the commands."""
        self.assertEqual(
            as_text(Report("a", "b", TIMEOUT)),
            """\
a -> b: 1 change of behaviour

Requests
  to cart.internal:80
    timeout: 5 s -> 10 s
    port 80, port 443; shop.example
    GET http://shop.example/cart    in.yaml:79
      curl -sSi --connect-to ::127.0.0.1:80 http://shop.example/cart
    GET https://shop.example/cart    in.yaml:79
      curl -sSi -k --cert client.pem --connect-to ::127.0.0.1:443 https://shop.example/cart
""",
        )

    def test_clusters(self) -> None:
        """Of backends it is told who uses them."""
        self.assertIn(
            "Clusters\n  3 clusters\n    connect timeout: 5 s -> 10 s\n    web.internal:80/v2, used by 4 routes; "
            "web.internal:80/v1, used by 4 routes; web.internal:80, used by 4 routes\n",
            as_text(Report("a", "b", CLUSTERS)),
        )

    def test_undecided(self) -> None:
        """What is not decided is no success."""
        findings = Findings(undecided=[Undecided("port 80, a.example", "too much", "a.example")], notes=["x is y"])
        text = as_text(Report("a", "b", findings))
        self.assertEqual(
            text,
            "a -> b: 1 not decided\n\nNot decided\n  port 80, a.example: too much\n\n"
            "The same by another name\n  x is y\n",
        )


class SecretTests(SynchronousTestCase):
    """What is not for everyone who reads a report."""

    def test_conditions(self) -> None:
        """A token that a route asks for is in no report."""
        old = BASE.replace("x-user: {exact: qa}", 'authorization: {exact: "Bearer s3cret"}')
        findings = compared(old, old.replace("subset: v2", "subset: v1", 1))
        asked = [each.witness.question.headers for each in findings.differences if each.witness is not None]
        self.assertIn(((b"authorization", b"Bearer s3cret"),), asked)
        for shown in FORMATS.values():
            self.assertNotIn("s3cret", shown(Report("a", "b", findings)))


class JSONTests(SynchronousTestCase):
    """What programs read."""

    def test_change(self) -> None:
        """All is in it."""
        found = json.loads(as_json(Report("a", "b", TIMEOUT)))
        self.assertEqual((found["verdict"], found["undecided"], found["notes"]), ("differs", [], []))
        (change,) = found["changes"]
        self.assertEqual(change["fields"], [{"name": "timeout", "old": "5 s", "new": "10 s"}])
        place = change["places"][1]
        self.assertEqual((place["place"], place["host"]), ("port 443, shop.example", "shop.example"))
        witness = place["witness"]
        self.assertEqual((witness["method"], witness["target"], witness["sni"]), ("GET", "/cart", "shop.example"))
        self.assertEqual(witness["old"], {"file": "in.yaml", "line": 79, "resource": "VirtualService default/shop"})

    def test_verdicts(self) -> None:
        """There are three."""
        for findings, verdict in (
            (Findings(), "equal"),
            (Findings(undecided=[Undecided("port 80", "too much")]), "not decided"),
            (CLUSTERS, "differs"),
        ):
            self.assertEqual(json.loads(as_json(Report("a", "b", findings)))["verdict"], verdict)


class MarkdownTests(SynchronousTestCase):
    """What a pull request shows."""

    def test_change(self) -> None:
        """A change is a table; witnesses are folded away."""
        text = as_markdown(Report("main", "HEAD", TIMEOUT))
        self.assertIn("### edgegate diff: 1 change of behaviour\n\n`main` to `HEAD`\n", text)
        self.assertIn("**to cart.internal:80** (port 80, port 443; shop.example)\n", text)
        self.assertIn("| | before | after |\n| --- | --- | --- |\n| timeout | `5 s` | `10 s` |\n", text)
        self.assertIn("<details><summary>How to see it</summary>\n\n```sh\n# GET http://shop.example/cart", text)

    def test_escapes(self) -> None:
        """Nothing of the files becomes Markdown: no table's cell ends early, nobody is told by an @."""
        findings = Findings(undecided=[Undecided("port 80, *", "`a|b` <script> @team")])
        self.assertIn("- port 80, \\*: \\`a\\|b\\` \\<script\\> \\@team", as_markdown(Report("a", "b", findings)))
        text = BASE.replace("timeout: 5s", 'timeout: 5s\n    headers: {request: {set: {x-a: "`|`"}}}')
        self.assertIn("| `set x-a: '\\|'` |", as_markdown(Report("a", "b", compared(BASE, text))))
