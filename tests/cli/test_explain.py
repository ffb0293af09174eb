"""Tests of L{edgegate.cli.explain}, by files; a gateway that runs is asked in tests/acceptance."""

from __future__ import annotations

import json
import os
import re
import shlex
import time
from pathlib import Path

from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.explain import explain
from tests.access.jwt.tokens import ISSUER, believed, good
from tests.explain.test_advice import service
from tests.explain.test_explanation import FILES
from tests.istio.translate.compiling import gateway
from tests.tls.handshakes import CLIENTS, SERVER

TOKENS = f"""\
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {{name: idp, namespace: istio-system}}
spec: {{jwtRules: [{{issuer: "{ISSUER}"}}]}}
"""

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explain.md"


class ExplainTests(SynchronousTestCase):
    """What the command says, and how it ends."""

    def setUp(self) -> None:
        """Write a folder."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        (self.folder / "in.yaml").write_text(FILES)

    def ask(self, *arguments: str) -> Result:
        """Run the command."""
        return CliRunner().invoke(explain, [*arguments, "--config", str(self.folder)])

    def test_served(self) -> None:
        """A request that is served is 0, with its tree."""
        result = self.ask(
            "GET", "http://shop.example/cart/1", "-H", "x-user: qa", "--body", "5", "--source", "10.1.2.3"
        )
        self.assertEqual(result.exit_code, 0, result.output)
        self.assertIn("yes: route cart", result.output)
        self.assertIn("with x-forwarded-for: 10.1.2.3", result.output)

    def test_not_served(self) -> None:
        """One that gets an error is 1, with the line to look at."""
        result = self.ask("http://shop.example/cart")
        self.assertEqual(result.exit_code, 1, result.output)
        self.assertIn("the request has no x-user", result.output)

    def test_keys(self) -> None:
        """With the keys that a gateway would fetch a token is verified; without them that is said."""
        (self.folder / "tokens.yaml").write_text(TOKENS)
        keys = Path(self.mktemp())
        keys.write_text(believed())
        asked = ("http://shop.example/cart/1", "-H", f"Authorization: Bearer {good(time.time()).decode()}")
        self.assertIn("the keys that could tell whose it is are fetched", self.ask(*asked).output)
        self.assertIn("its token of alice@example.com is valid", self.ask(*asked, "--jwks", str(keys)).output)
        keys.write_text("<html>")
        result = self.ask(*asked, "--jwks", str(keys))
        self.assertEqual(result.exit_code, 2)
        self.assertIn("no key set (RFC 7517): no object of JSON", result.output)

    def test_connections(self) -> None:
        """Connections have no method."""
        self.assertEqual(self.ask("tcp://127.0.0.1:90").exit_code, 0)
        self.assertEqual(self.ask("tls://a.example:90").exit_code, 0)

    def test_json(self) -> None:
        """For programs."""
        result = self.ask("GET", "http://shop.example/old", "-o", "json", "--port", "80")
        found = json.loads(result.output)
        self.assertEqual((found["answer"]["status"], found["question"]["port"]), (301, 80))

    def test_usage(self) -> None:
        """What is no question is 2, and so are files in error."""
        for arguments in (
            ("ftp://a.example/",),
            (),
            ("GET", "http://a.example/", "--request-id", "an-id"),
            ("GET", "http://a.example/", "more"),
            ("GET", "http://a.example/", "-H", "nothing"),
            ("GET", "http://a.example/", "--source", "nobody"),
            ("GET", "http://a.example/", "--sni", "a b"),
        ):
            self.assertEqual(self.ask(*arguments).exit_code, 2, arguments)
        (self.folder / "bad.yaml").write_text("kind: Gateway\n")
        result = self.ask("http://shop.example/cart")
        self.assertEqual(result.exit_code, 2)
        self.assertIn("nothing is served, so nothing can be explained", result.stderr)


class DocumentationTests(SynchronousTestCase):
    """The page about the command."""

    def test_outputs(self) -> None:
        """Its commands print what it shows. With C{EDGEGATE_DOCS=write} what they print is put there."""
        text = PAGE.read_text()
        folder = Path(self.mktemp())
        (folder / "shop").mkdir(parents=True)
        (folder / "shop" / "shop.yaml").write_text(text.partition("```yaml\n")[2].partition("```")[0])
        blocks = re.findall(r"```console\n\$ edgegate (.*)\n((?:.*\n)*?)```", text)
        self.assertEqual(len(blocks), 3)
        for command, shown in blocks:
            name, *arguments = shlex.split(command)
            self.assertEqual((name, arguments[-2:]), ("explain", ["--config", "shop"]))
            result = CliRunner().invoke(explain, [*arguments[:-1], str(folder / "shop")])
            if os.environ.get("EDGEGATE_DOCS") == "write":
                text = text.replace(f"$ edgegate {command}\n{shown}", f"$ edgegate {command}\n{result.stdout}")
            else:
                self.assertEqual(result.stdout, shown)
        if text != PAGE.read_text():
            PAGE.write_text(text)


class TLSTests(SynchronousTestCase):
    """Certificates of both sides, by files."""

    def setUp(self) -> None:
        """Write a folder in which one server shows a certificate for another name, and one asks for a client's."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        for name, data in {
            "server.crt": SERVER.chain_pem,
            "server.key": SERVER.key_pem,
            "ca.crt": CLIENTS.own.chain_pem,
            "client.crt": CLIENTS.client("client").chain_pem,
        }.items():
            (self.folder / name).write_bytes(data)
        pair = "serverCertificate: server.crt, privateKey: server.key"
        text = gateway(
            "gw",
            f"443 HTTPS a.example {{mode: SIMPLE, {pair}}}",
            f"443 HTTPS other.test {{mode: SIMPLE, {pair}}}",
            f"443 HTTPS b.example {{mode: MUTUAL, caCertificates: ca.crt, {pair}}}",
        )
        (self.folder / "in.yaml").write_text(text + service("a", "*", "{directResponse: {status: 200}}"))

    def ask(self, *arguments: str) -> Result:
        """Run the command."""
        return CliRunner().invoke(explain, [*arguments, "--config", str(self.folder)])

    def test_server(self) -> None:
        """The certificate that is shown, and that it is for another name."""
        result = self.ask("https://a.example/")
        self.assertEqual(result.exit_code, 0, result.output)
        self.assertIn("certificate server.crt for a.example, b.example\n", result.output)
        self.assertNotIn("look at", result.output)
        result = self.ask("https://other.test/")
        self.assertIn("certificate server.crt is for a.example, b.example, not for other.test", result.output)

    def test_clients(self) -> None:
        """A client's certificate that is missing, good, or another authority's."""
        self.assertEqual(self.ask("https://b.example/").exit_code, 1)
        good, bad = (str(self.folder / name) for name in ("client.crt", "server.crt"))
        result = self.ask("https://b.example/", "--client-cert", good)
        self.assertEqual(result.exit_code, 0, result.output)
        result = self.ask("https://b.example/", "--client-cert", bad)
        self.assertEqual(result.exit_code, 1)
        self.assertIn("the TLS handshake fails: unable to get local issuer certificate", result.output)
        self.assertIn("the client's certificate does not satisfy the server", result.output)
        result = self.ask("https://b.example/", "--client-cert", str(self.folder / "in.yaml"))
        self.assertEqual(result.exit_code, 2)
