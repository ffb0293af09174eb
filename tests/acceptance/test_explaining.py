"""What C{edgegate explain} says, beside what a gateway does with the same requests."""

from __future__ import annotations

import json
import subprocess
from random import Random
from typing import Any, ClassVar

from edgegate.explain.decision import Decider
from edgegate.explain.explanation import Explainer, Explanation
from edgegate.explain.question import question_of
from edgegate.model.notes import Notes
from edgegate.model.routes import HTTPRoute
from edgegate.sources.loading import load
from edgegate.sources.named import source_named
from tests.acceptance.processes import program
from tests.acceptance.served import Answer, ServedTestCase
from tests.explain.made_up import HOSTS, Made, folder, requests

SEEDS = range(12)
"""Of folders, of which each has hosts of its own in the one that is served."""

EACH = 40
"""Requests to each of them."""

FRAMING = ("host", "content-length")
"""What the version of HTTP that speaks to a backend says itself."""


def folders() -> str:
    """Write all made-up folders as one, for one gateway: each has its own domain in place of C{example}."""
    texts = []
    for seed in SEEDS:
        text = folder(Random(seed), ("$one", "$two"), "$http", HOSTS[:-1])
        for kind in ("gw", "v0", "v1", "v2"):
            text = text.replace(f"name: {kind},", f"name: {kind}-{seed},")
        text = text.replace("gateways: [gw]", f"gateways: [gw-{seed}]")
        texts.append(text.replace(".example", f".s{seed}.example"))
    return "".join(texts)


def without_id(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return fields without the id that each request gets anew."""
    return [each for each in fields if each[0] != "x-request-id"]


class ExplainingTests(ServedTestCase):
    """One gateway, and hundreds of made-up requests over a few connections."""

    files: ClassVar[dict[str, str]] = {"made.yaml": folders()}

    def explained(self, explainer: Explainer, made: Made) -> Explanation:
        """Explain a request."""
        method, target, host, headers = made
        given = tuple((name.encode(), value.encode()) for name, value in headers)
        found = explainer.explain(question_of(method, f"http://{host}{target}", given))
        self.assertFalse(found.disagrees)
        return found

    def test_same(self) -> None:
        """Route, file and line, status, cluster, location and what the backend gets are what is explained."""
        notes = Notes()
        loaded = load(source_named(str(self.served.folder / "etc")), notes=notes)
        assert loaded.snapshot is not None
        explainer = Explainer(Decider(loaded.snapshot), loaded.endpoints, notes, loaded.secrets)
        asked: list[Explanation] = []
        for seed in SEEDS:
            client = self.client()
            for method, target, host, headers in requests(Random(seed + 100), EACH):
                authority = f"{host.replace('.example', f'.s{seed}.example')}:{self.served.ports['http']}"
                found = self.explained(explainer, (method, target, authority, headers))
                answer = client.ask(method, target, authority, headers)
                self.compare(found, answer)
                asked.append(found)
        statuses = {each.effects.answer.status for each in asked if each.effects.answer is not None}
        self.assertLessEqual({302, 404, 418, 429}, statuses)
        self.ask("/the-last", "nobody.test")
        self.logged("/the-last")
        lines = [json.loads(line) for line in self.served.gateway.output.splitlines() if line.startswith("{")]
        self.assertEqual(len(lines), len(SEEDS) * EACH + 1)
        for line, found in zip(lines, asked, strict=False):
            self.compare_line(found, line)

    def compare(self, found: Explanation, answer: Answer) -> None:
        """Compare what is explained with what a client got."""
        url, expected = found.decision.question.url, found.effects.answer
        if expected is not None:
            self.assertEqual((answer.status, answer.body), (expected.status, expected.body), url)
            for name, value in expected.fields:
                self.assertEqual(answer.one(name.decode()), value.decode(), url)
            return
        (destination,) = found.effects.destinations
        assert destination.sent is not None
        self.assertEqual((answer.status, answer.echo["target"]), (200, destination.sent.target.decode()), url)
        told = sorted((name.decode(), value.decode()) for name, value in destination.sent.fields)
        got = sorted((name.lower(), value) for name, value in answer.echo["headers"] if name.lower() not in FRAMING)
        self.assertEqual(without_id(got), without_id(told))
        for name, value in found.effects.cors:
            self.assertEqual(answer.one(name.decode()), value.decode())

    def compare_line(self, found: Explanation, said: dict[str, Any]) -> None:
        """Compare what is explained with a line of the access log."""
        route, answer = found.decision.route, found.effects.answer
        name = route.name if isinstance(route, HTTPRoute) else None
        origin = None if route is None else str(route.origin)
        self.assertEqual((said["route_name"], said["route_origin"]), (name, origin))
        if answer is None:
            self.assertEqual(said["upstream_cluster"], found.effects.destinations[0].said.cluster)
        else:
            self.assertEqual(said["response_flags"], answer.flags or None)

    def test_of_gateway(self) -> None:
        """A gateway that runs says which folder it serves, and how its endpoints are."""
        admin = f"127.0.0.1:{self.served.ports['admin']}"
        url = f"http://a.s0.example:{self.served.ports['http']}/"
        done = subprocess.run(
            [program("edgegate"), "explain", url, "--admin", admin, "-o", "json"], capture_output=True, check=False
        )
        self.assertIn(done.returncode, (0, 1), done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual(found["listener"]["port"], self.served.ports["http"])
        for destination in found["destinations"]:
            self.assertEqual([each["health"] for each in destination["endpoints"]], ["HEALTHY"])
