"""Tests of L{edgegate.cli.proxy_config}, by files; a gateway that runs is asked in tests/acceptance."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.proxy_config import proxy_config

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.example]}]
"""


class ProxyConfigTests(SynchronousTestCase):
    """What files say."""

    def setUp(self) -> None:
        """Write files."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        (self.folder / "gateway.yaml").write_text(FILES)

    def ask(self, *arguments: str) -> Result:
        """Run the command."""
        return CliRunner().invoke(proxy_config, [*arguments, "--config", str(self.folder)])

    def test_table(self) -> None:
        """A view is a table, under each of its names."""
        for name in ("listeners", "listener", "l"):
            result = self.ask(name, "--map-port", "80:8080")
            self.assertEqual(result.exit_code, 0, result.output)
            self.assertEqual(
                result.output,
                "ADDRESS   PORT   TYPE   MATCH   FILE\n::        8080   HTTP   plain   gateway.yaml:5\n",
            )

    def test_all(self) -> None:
        """All views follow each other, the empty ones too."""
        output = self.ask("all").output
        self.assertIn("VIRTUAL SERVICE", output)
        self.assertIn("\nno clusters found\n\nno endpoints found\n\nno secrets found\n", output)

    def test_json_and_yaml(self) -> None:
        """For machines: the rows of one view, or all by name."""
        (row,) = json.loads(self.ask("listeners", "-o", "json").output)
        self.assertEqual((row["port"], row["resource"]), (80, "Gateway default/gw"))
        self.assertEqual(
            list(json.loads(self.ask("all", "-o", "json").output)),
            ["listeners", "routes", "clusters", "endpoints", "secrets", "telemetry"],
        )
        self.assertTrue(self.ask("routes", "-o", "yaml").output.startswith("- name: http.80\n  domains: a.example\n"))

    def test_empty(self) -> None:
        """A folder that opens nothing has no listeners."""
        (self.folder / "gateway.yaml").write_text("")
        self.assertEqual(self.ask("listeners").output, "no listeners found\n")

    def test_broken(self) -> None:
        """Files with errors are told, and not shown."""
        (self.folder / "gateway.yaml").write_text("kind: Gateway\n")
        result = self.ask("listeners")
        self.assertEqual(result.exit_code, 1)
        self.assertIn("gateway.yaml:1:1: error", result.output)

    def test_unknown(self) -> None:
        """A view that there is none of is a usage error that names those there are."""
        result = self.ask("bogus")
        self.assertEqual(result.exit_code, 2)
        self.assertIn("'bogus' is none of listeners, routes", result.output)
