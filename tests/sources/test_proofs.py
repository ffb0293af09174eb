"""Tests of L{edgegate.sources.proofs}."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.analysis import analyze
from edgegate.sources.loading import Analyze, load
from edgegate.sources.named import source_named
from edgegate.sources.proofs import warn_of_unreached
from tests.istio.translate.compiling import gateway

ROUTE = "route: [{destination: {host: 127.0.0.1, port: {number: 1}}}]"
GATEWAY = gateway("gw", "80 HTTP *") + gateway("other", "81 HTTP *")


def service(name: str, routes: str, hosts: str = "a.example", gateways: str = "gw") -> str:
    """Return a VirtualService whose routes begin in the 8th line."""
    return f"""---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}}}
spec:
  gateways: [{gateways}]
  hosts: [{hosts}]
  http:
{routes}
"""


def rule(*matches: str) -> str:
    """Return a route with matches in lines of their own."""
    return "".join(["  - match:\n", *(f"    - {{{match}}}\n" for match in matches), f"    {ROUTE}\n"])


class ProofTests(SynchronousTestCase):
    """What is said of routes that nothing reaches, and where."""

    def told(self, *texts: str, analyze: Analyze | None = None) -> list[str]:
        """Return what is said of the routes in some files, with codes; a.yaml has the Gateways."""
        folder = Path(self.mktemp())
        folder.mkdir()
        for name, text in zip("abcd", (GATEWAY, *texts), strict=False):
            (folder / f"{name}.yaml").write_text(text)
        problems = load(source_named(str(folder)), analyze=analyze, prove=warn_of_unreached).problems
        return [f"{each} [{each.code}]" for each in problems if each.file != "a.yaml"]

    def test_one(self) -> None:
        """A route behind another one is told with the line of the match that takes its requests."""
        text = service("s", rule("uri: {prefix: /a}") + rule("uri: {regex: '/a/[0-9]+'}"))
        (warning,) = self.told(text)
        self.assertEqual(
            warning,
            "b.yaml:12:5: warning: spec.http[1]: never reached: the match at b.yaml:10 takes all that it asks for"
            " [EG201]",
        )

    def test_match(self) -> None:
        """Of a route whose other matches are reached only a match is told."""
        text = service("s", rule("uri: {prefix: /a}") + rule("uri: {exact: /b}", "uri: {exact: /a/x}"))
        (warning,) = self.told(text)
        self.assertIn("b.yaml:14:7: warning: spec.http[1].match[1]: never reached", warning)

    def test_several(self) -> None:
        """Matches that only together take all are told, of many not each."""
        halves = rule("uri: {regex: '/v[0-4].*'}", "uri: {regex: '/v[5-9].*'}") + rule("uri: {regex: '/v[0-9]{2}'}")
        self.assertIn("together the matches at b.yaml:10 and b.yaml:11 take all", self.told(service("s", halves))[0])
        ten = rule(*(f"uri: {{regex: '/v{number}.*'}}" for number in range(10))) + rule("uri: {regex: '/v[0-9]{2}'}")
        self.assertIn("b.yaml:10, b.yaml:11, b.yaml:12, b.yaml:13 and 6 more take", self.told(service("s", ten))[0])

    def test_own_conditions(self) -> None:
        """Conditions that exclude each other have a code of their own."""
        text = service("s", rule("method: {exact: GET}, headers: {':method': {exact: PUT}}"))
        self.assertIn(
            "its conditions exclude each other, so that no request satisfies them all [EG203]", self.told(text)[0]
        )

    def test_never(self) -> None:
        """A condition that no request satisfies is named, once."""
        odd = rule("uri: {prefix: /a}, authority: {exact: b.example}")
        self.assertIn("no request satisfies its condition on authority [EG202]", self.told(service("s", odd))[0])
        small = service("s", rule("uri: {prefix: /a}, method: {exact: get}"))
        self.assertEqual(len([each for each in self.told(small, analyze=analyze) if "EG20" in each]), 1)

    def test_other_service(self) -> None:
        """Routes of two VirtualServices of one host are one list."""
        first = service("first", rule("uri: {prefix: /a}"))
        second = service("second", rule("uri: {prefix: /a/b}"))
        self.assertIn(
            "c.yaml:9:5: warning: spec.http[0]: never reached: the match at b.yaml:10", self.told(first, second)[0]
        )

    def test_reached_elsewhere(self) -> None:
        """A route that is reached on another host, on another port or through another delegation is none to be told."""
        first = service("first", rule("uri: {prefix: /a}"))
        self.assertEqual(self.told(first, service("second", rule("uri: {prefix: /a/b}"), "a.example, b.example")), [])
        self.assertEqual(self.told(first, service("second", rule("uri: {prefix: /a/b}"), gateways="gw, other")), [])

    def test_once(self) -> None:
        """What is told without a proof is not told again, neither by the compiler nor by Istio's analyzers."""
        same = service(
            "s", rule("uri: {prefix: /a}") + rule("uri: {prefix: /a}") + f"  - {ROUTE}\n" + rule("uri: {exact: /b}")
        )
        for given in (None, analyze):
            found = [each for each in self.told(same, analyze=given) if "warning" in each]
            self.assertEqual(len([each for each in found if "http[1]" in each]), 1, found)
            self.assertEqual(len([each for each in found if "http[3]" in each]), 1, found)

    def test_istio_is_wrong(self) -> None:
        """Where Istio says of a match that another one covers it, and it does not, a request shows it."""
        first = rule("uri: {prefix: /a}, method: {exact: GET}")
        told = self.told(service("s", first + rule("uri: {prefix: /abc}")), analyze=analyze)
        (note,) = [each for each in told if "IST0131" in each]
        self.assertIn("; not so: POST http://a.example/abc comes to it [IST0131]", note)
        right = self.told(service("s", rule("uri: {prefix: /a}") + rule("uri: {prefix: /abc}")), analyze=analyze)
        self.assertEqual([("IST0131" in each, "EG201" in each) for each in right], [(False, True)])

    def test_istio_is_wrong_often(self) -> None:
        """All that Istio says of one match is contradicted; of many matches only the first are looked at."""
        get = ", method: {exact: GET}"
        two = rule(f"uri: {{prefix: /a}}{get}") + rule(f"uri: {{prefix: /ab}}{get}") + rule("uri: {prefix: /abc}")
        told = self.told(service("s", two), analyze=analyze)
        notes = [each for each in told if "IST0131" in each and "http[2]" in each]
        self.assertEqual([each.count("; not so: ") for each in notes], [1, 1], notes)
        many = rule(f"uri: {{prefix: /a}}{get}", *(f"uri: {{prefix: /a{number}x}}" for number in range(105)))
        told = self.told(service("s", many), analyze=analyze)
        self.assertEqual(sum("IST0131" in each for each in told), 105)
        self.assertEqual(sum("; not so: " in each for each in told), 100)

    def test_errors(self) -> None:
        """Files with errors are not looked at: what is left of them is not what they say."""
        text = service("s", rule("uri: {prefix: /a}") + rule("uri: {prefix: /a/b}") + rule("uri: {regex: '('}"))
        self.assertFalse([each for each in self.told(text) if "EG201" in each])
