"""Tests of L{edgegate.cli.check}."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.check import check
from tests.cli.test_proxy_config import FILES as GATEWAY

FILES = f"""\
{GATEWAY}---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: all}}
spec: {{hosts: [a.example], gateways: [gw], http: [{{directResponse: {{status: 200}}}}]}}
"""


class CheckTests(SynchronousTestCase):
    """What the command says, and how it ends."""

    def setUp(self) -> None:
        """Make a folder."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def ask(self, text: str, *arguments: str) -> Result:
        """Check a file."""
        (self.folder / "gateway.yaml").write_text(text)
        return CliRunner().invoke(check, [str(self.folder), *arguments])

    def test_good(self) -> None:
        """Files without an error are 0."""
        result = self.ask(FILES)
        self.assertEqual((result.exit_code, result.output), (0, "no problems\n"))

    def test_errors(self) -> None:
        """Every error is a line with its place, and the exit status is 1."""
        result = self.ask(FILES.replace("HTTP", "HTPP").replace("servers", "servers:\n  bogus"))
        self.assertEqual(result.exit_code, 1)
        self.assertIn("gateway.yaml:", result.output)
        self.assertRegex(result.output.splitlines()[-1], r"^\d+ errors?")

    def test_no_name(self) -> None:
        """An empty name, as of a variable that is not set, is not taken for the current folder."""
        result = CliRunner().invoke(check, [""])
        self.assertEqual(result.exit_code, 2)
        self.assertIn("it is empty: name a folder or a file, or . for this folder", result.output)

    def test_strict(self) -> None:
        """A warning is an error where that is asked for."""
        text = FILES.replace("hosts:", "defaultEndpoint: 127.0.0.1:80, hosts:", 1)
        self.assertEqual(self.ask(text).exit_code, 0)
        self.assertEqual(self.ask(text, "--strict").exit_code, 1)

    def test_portable(self) -> None:
        """Places where a cluster would do otherwise are warnings, where that is asked for."""
        text = FILES.replace("hosts: [a.example], gateways", "hosts: [a], gateways").replace("[a.example]", "['*']")
        self.assertEqual(self.ask(text).output, "no problems\n")
        asked = self.ask(text, "--portable")
        self.assertIn('spec.hosts[0]: in a cluster "a" has no dot, and so means a.default.svc', asked.output)
        self.assertEqual((asked.exit_code, self.ask(text, "--portable", "--strict").exit_code), (0, 1))

    def test_selector(self) -> None:
        """Gateways of other selectors are not looked at."""
        text = FILES.replace("spec:\n", "spec:\n  selector: {istio: edge}\n")
        self.assertIn("no server of any Gateway is served", self.ask(text, "--selector", "istio=other").output)
        self.assertEqual(self.ask(text, "--selector", "istio=edge").output, "no problems\n")

    def test_access(self) -> None:
        """A policy that would keep others out is an error, unless its kind is ignored: then it is a warning."""
        policy = "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a}\nspec: {}\n"
        result = self.ask(FILES + policy)
        self.assertEqual(result.exit_code, 1)
        self.assertIn("could be for this gateway: not honoured yet, nothing is refused because of it", result.output)
        ignored = ("--ignore-kind", "AuthorizationPolicy")
        self.assertEqual(self.ask(FILES + policy, *ignored).exit_code, 0)
        self.assertEqual(self.ask(FILES + policy, *ignored, "--strict").exit_code, 1)
        self.assertEqual(self.ask(FILES + policy, "--ignore-kind", "RequestAuthentication").exit_code, 1)
        result = self.ask(FILES, "--ignore-kind", "AuthorisationPolicy")
        self.assertEqual(result.exit_code, 2)
        self.assertIn('did you mean "AuthorizationPolicy"?', result.output)

    def test_standard_input(self) -> None:
        """C{-} is standard input."""
        result = CliRunner().invoke(check, ["-"], input="kind: Gateway\n")
        self.assertEqual(result.exit_code, 1)
        self.assertIn("<stdin>:1:1: error", result.output)
