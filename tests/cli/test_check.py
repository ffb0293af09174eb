"""Tests of L{edgegate.cli.check}."""

from __future__ import annotations

import json
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

    def test_fail_on(self) -> None:
        """What ends with 1 can be a note as well, or errors alone."""
        note = (
            FILES + "---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{name: web, port: 80}]}\n"
        )
        for level, status in (("error", 0), ("warning", 0), ("info", 1)):
            self.assertEqual(self.ask(note, "--fail-on", level).exit_code, status)
        self.assertEqual(self.ask(note, "--strict").exit_code, 0)

    def test_istio_is_wrong(self) -> None:
        """What Istio says and is not so is contradicted once."""
        first = "{match: [{uri: {prefix: /a}, method: {exact: GET}}], directResponse: {status: 200}}"
        second = "{match: [{uri: {prefix: /abc}}], directResponse: {status: 201}}"
        told = self.ask(FILES.replace("http: [", f"http: [{first}, {second}, ")).output
        (line,) = [each for each in told.splitlines() if "[IST0131]" in each]
        self.assertEqual(line.count("POST http://a.example/abc"), 1, line)
        self.assertEqual(line.count("not so"), 1, line)

    def test_suppress(self) -> None:
        """A code is not told, or not of some resources; what suppresses nothing is a note."""
        text = FILES.replace("hosts:", "defaultEndpoint: 127.0.0.1:80, hosts:", 1)
        self.assertIn("[EG004]", self.ask(text).output)
        for given in ("EG004", "EG004=Gateway gw", "EG004=Gateway default/*", "*=Gateway */gw"):
            self.assertEqual(self.ask(text, "--suppress", given, "--strict").output, "no problems\n", given)
        for given in ("EG004=Gateway other/*", "EG004=VirtualService gw", "IST0101"):
            result = self.ask(text, "--suppress", given, "--strict")
            self.assertEqual(result.exit_code, 1)
            self.assertIn("info: --suppress suppresses nothing", result.output)
        for given in ("EG999", "EG004=gw"):
            self.assertEqual(self.ask(text, "--suppress", given).exit_code, 2)

    def test_suppress_error(self) -> None:
        """An error that keeps files from being served is told all the same."""
        result = self.ask(FILES.replace("[gw]", "[other]"), "--suppress", "IST0101")
        self.assertIn("error: spec.gateways[0]: no document declares Gateway", result.output)
        self.assertIn("(IST0101): errors keep the files from being served, and are told [EG007]", result.output)
        self.assertEqual(result.exit_code, 1)

    def test_suppress_both(self) -> None:
        """Two that are about one problem are both of use, whichever comes first; codes may be in small letters."""
        text = FILES.replace("hosts:", "defaultEndpoint: 127.0.0.1:80, hosts:", 1)
        for given in (("eg004", "*=Gateway */gw"), ("*=Gateway */gw", "EG004")):
            options = [each for one in given for each in ("--suppress", one)]
            self.assertEqual(self.ask(text, *options).output, "no problems\n", given)

    def test_suppress_unknown(self) -> None:
        """Nothing is said of one where it was not looked for what it is about: because of errors, or for a cluster."""
        broken = FILES.replace("[gw]", "[other]")
        self.assertNotIn("EG007", self.ask(broken, "--suppress", "EG201").output)
        self.assertEqual(self.ask(FILES, "--suppress", "EG006").output, "no problems\n")
        self.assertIn("EG007", self.ask(FILES, "--suppress", "EG006", "--portable").output)

    def test_suppress_unused(self) -> None:
        """Notes of suppressions can be suppressed as well."""
        self.assertIn("EG007", self.ask(FILES, "--suppress", "EG201").output)
        self.assertEqual(self.ask(FILES, "--suppress", "EG201", "--suppress", "EG007").output, "no problems\n")

    def test_annotation(self) -> None:
        """Istio's annotation suppresses codes of its own document; one that suppresses nothing is told at its place."""
        text = FILES.replace("hosts:", "defaultEndpoint: 127.0.0.1:80, hosts:", 1)
        note = "galley.istio.io/analyze-suppress"
        annotated = text.replace("{name: gw}", f"{{name: gw, annotations: {{{note}: 'IST0101, EG004'}}}}")
        self.assertNotEqual(annotated, text)
        told = self.ask(annotated).output
        self.assertNotIn("[EG004]", told)
        self.assertIn(f'metadata.annotations["{note}"]: suppresses nothing (IST0101)', told)

    def test_formats(self) -> None:
        """Problems can be had as JSON, as SARIF and as commands of GitHub, with paths from the current folder."""
        text = FILES.replace("hosts:", "defaultEndpoint: 127.0.0.1:80, hosts:", 1)
        file = f"{self.folder}/gateway.yaml"
        (problem,) = json.loads(self.ask(text, "-o", "json").output)
        self.assertEqual(
            [problem[key] for key in ("code", "name", "level", "resource", "file", "line")],
            ["EG004", "FieldNotHonoured", "warning", "Gateway default/gw", file, problem["line"]],
        )
        log = json.loads(self.ask(text, "-o", "sarif").output)
        (result,) = log["runs"][0]["results"]
        self.assertEqual((log["version"], result["ruleId"], result["level"]), ("2.1.0", "EG004", "warning"))
        place = result["locations"][0]["physicalLocation"]
        self.assertEqual((place["artifactLocation"]["uri"], place["region"]["startLine"]), (file, problem["line"]))
        self.assertEqual([rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]], ["EG004"])
        said = self.ask(text, "-o", "github").output
        self.assertTrue(said.startswith(f"::warning file={file},line={problem['line']},col="), said)
        self.assertIn(",title=EG004 FieldNotHonoured::spec.servers[0].defaultEndpoint: not honoured yet\n", said)
        self.assertEqual(self.ask(FILES, "-o", "json").output, "[]\n")

    def test_ports(self) -> None:
        """A port to map that no server has is a warning."""
        self.assertIn("no server of a Gateway has port 9 [EG111]", self.ask(FILES, "--map-port", "9:10").output)

    def test_explain_code(self) -> None:
        """A code is explained without a folder; all are listed."""
        result = CliRunner().invoke(check, ["--explain-code", "ist0132"])
        self.assertEqual(result.exit_code, 0)
        self.assertIn("IST0132 VirtualServiceHostNotFoundInGateway (warning in Istio)", result.output)
        self.assertIn("hosts: [www.example.com]", result.output)
        self.assertIn("  - [www.example.com]\n  + [shop.example.com]\n", result.output)
        self.assertIn("EG204  warning  RedirectLoop\n", CliRunner().invoke(check, ["--explain-code", "all"]).output)
        self.assertEqual(CliRunner().invoke(check, ["--explain-code", "EG999"]).exit_code, 2)

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
        """A policy that would keep others out may be ignored with all of its kind: that is a warning."""
        policy = "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a}\nspec: {}\n"
        self.assertEqual(self.ask(FILES + policy).output, "no problems\n")
        ignored = ("--ignore-kind", "AuthorizationPolicy")
        self.assertEqual(self.ask(FILES + policy, *ignored).exit_code, 0)
        self.assertEqual(self.ask(FILES + policy, *ignored, "--strict").exit_code, 1)
        self.assertEqual(self.ask(FILES + policy, "--ignore-kind", "RequestAuthentication", "--strict").exit_code, 0)
        result = self.ask(FILES, "--ignore-kind", "AuthorisationPolicy")
        self.assertEqual(result.exit_code, 2)
        self.assertIn('did you mean "AuthorizationPolicy"?', result.output)

    def test_standard_input(self) -> None:
        """C{-} is standard input."""
        result = CliRunner().invoke(check, ["-"], input="kind: Gateway\n")
        self.assertEqual(result.exit_code, 1)
        self.assertIn("<stdin>:1:1: error", result.output)
