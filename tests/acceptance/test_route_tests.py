"""The demo's tests, by the real command: with the certificates that the demo has."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from xml.etree.ElementTree import parse

from twisted.trial.unittest import SynchronousTestCase

from tests.acceptance.processes import ENVIRONMENT, ROOT, program


class RouteTestsTests(SynchronousTestCase):
    """C{edgegate test} on a copy of etc/."""

    def edgegate(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command."""
        command = [program("edgegate"), *arguments]
        return subprocess.run(command, cwd=self.folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)

    def test_demo(self) -> None:
        """All is as the demo's tests expect, they hit all routes, and a change of a route is a miss with its place."""
        self.folder = Path(self.mktemp())
        shutil.copytree(ROOT / "etc", self.folder / "etc", ignore=shutil.ignore_patterns("certs"))
        made = self.edgegate("certs", "--demo", "--dir", "etc/certs")
        self.assertEqual(made.returncode, 0, made.stderr)
        passed = self.edgegate("test", "--config", "etc", "--coverage", "--fail-under", "100", "--junit", "r.xml")
        self.assertEqual(passed.returncode, 0, passed.stdout + passed.stderr)
        self.assertIn("cases, all as expected\nroutes        100.0 %  5 of 5\n", passed.stdout)
        suite = parse(self.folder / "r.xml").getroot()[0]
        self.assertEqual((suite.get("name"), suite.get("failures")), ("etc/tests/coolstore.yaml", "0"))
        routes = self.folder / "etc" / "coolstore.yaml"
        before, _, after = routes.read_text().rpartition("host: catalog")
        routes.write_text(f"{before}host: apiserver{after}")
        missed = self.edgegate("test", "--config", "etc")
        self.assertEqual(missed.returncode, 1, missed.stdout + missed.stderr)
        self.assertIn("to: wanted catalog:80\n      there is apiserver.default:80\n", missed.stdout)
        self.assertIn(", 3 missed\n", missed.stdout)
