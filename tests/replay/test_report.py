"""Tests of L{edgegate.replay.report}."""

from __future__ import annotations

import json
from io import StringIO

from twisted.trial.unittest import SynchronousTestCase

from edgegate.replay.findings import Example, Finding, Tally, Told, Verdict
from edgegate.replay.formats.recognition import NAMED
from edgegate.replay.report import as_json, write_text
from edgegate.replay.worker import Log

LOGS = [Log("access.log", NAMED["combined"])]
CART, GONE = Told("to cart:80", "cart", "shop.yaml:12"), Told("404 (no route)")


def tally() -> Tally:
    """Return some findings."""
    found = Tally(decided=4, lines={(0, 0): 1500, (0, 1): 700})
    for finding, count in (
        (Finding(Verdict.OTHERWISE, CART, GONE), 1200),
        (Finding(Verdict.OTHERWISE, CART, CART, ("timeout: none -> 5 s",)), 3),
        (Finding(Verdict.MAYBE, GONE, CART, (), ("header x-user",)), 7),
        (Finding(Verdict.UNSAID, new=CART), 5),
        (Finding(Verdict.SAME), 985),
        ("no line of this format", 2),
    ):
        group = found.group(finding)
        group.count = count
        group.show(Example(0, 1, 9, "GET http://shop.example/cart"))
    return found


TEXT = """\
1,203 answered otherwise
  1,200  to cart:80 (route cart, shop.yaml:12)
         -> 404 (no route)
      access.log:1510: GET http://shop.example/cart
  3  to cart:80 (route cart, shop.yaml:12)
     -> to cart:80 (route cart, shop.yaml:12)
        timeout: none -> 5 s
      access.log:1510: GET http://shop.example/cart

7 may be answered otherwise
  7  404 (no route)
     -> to cart:80 (route cart, shop.yaml:12)
        if, depends on header x-user: the log does not say it
      access.log:1510: GET http://shop.example/cart

5 sent to a backend; the log does not say where they went
  5  to cart:80 (route cart, shop.yaml:12)
      access.log:1510: GET http://shop.example/cart

2 lines not replayed
  2  no line of this format
      access.log:1510: GET http://shop.example/cart

access.log: 2,200 lines, combined
2,200 requests: 1,203 answered otherwise, 7 perhaps, 985 as before, 5 that the log does not say enough of
"""


class ReportTests(SynchronousTestCase):
    """What is written of a replay."""

    def test_text(self) -> None:
        """Groups by what was and what would be, with counts, places and examples."""
        out = StringIO()
        write_text(tally(), LOGS, False, out)
        self.assertEqual(out.getvalue(), TEXT)

    def test_against(self) -> None:
        """Where files are compared with files there is nothing that a log would have to say."""
        out = StringIO()
        found = Tally()
        found.group(Finding(Verdict.SAME)).count = 2
        write_text(found, LOGS, True, out)
        self.assertEqual(
            out.getvalue(),
            "access.log: 0 lines, combined\n2 requests: 0 answered otherwise, 0 perhaps, 2 as before\n",
        )

    def test_many_groups(self) -> None:
        """People are shown the largest; programs get all."""
        found = Tally()
        for number in range(60):
            found.group(Finding(Verdict.OTHERWISE, Told(str(number)), GONE)).count = number + 1
        out = StringIO()
        write_text(found, LOGS, True, out)
        self.assertIn("  and 10 more groups: -o json has them all\n", out.getvalue())
        self.assertEqual(len(json.loads(as_json(found, LOGS))["groups"]), 60)

    def test_json(self) -> None:
        """The same for programs."""
        found = json.loads(as_json(tally(), LOGS))
        self.assertEqual(found["logs"], [{"name": "access.log", "format": "combined", "lines": 2200}])
        counts = {name: found[name] for name in ("requests", "same", "otherwise", "maybe", "unsaid", "decided")}
        self.assertEqual(
            counts, {"requests": 2200, "same": 985, "otherwise": 1203, "maybe": 7, "unsaid": 5, "decided": 4}
        )
        example = [{"at": "access.log:1510", "text": "GET http://shop.example/cart"}]
        self.assertEqual(
            found["groups"][0],
            {
                "verdict": "otherwise",
                "count": 1200,
                "old": {"summary": "to cart:80", "route": "cart", "place": "shop.yaml:12"},
                "new": {"summary": "404 (no route)", "route": "", "place": ""},
                "changes": [],
                "depends_on": [],
                "examples": example,
            },
        )
        self.assertIsNone(found["groups"][3]["old"])
        self.assertEqual(found["not_replayed"], [{"reason": "no line of this format", "count": 2, "examples": example}])
