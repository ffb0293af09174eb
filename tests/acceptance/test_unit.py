"""The systemd unit, judged by systemd's own tools and by what systemd would do with the gateway's exit statuses."""

from __future__ import annotations

import re

from edgegate.tap import EX_CONFIG
from tests.acceptance.processes import BIN, ROOT, AcceptanceTestCase

UNIT = ROOT / "etc" / "systemd" / "edgegate.service"

MOST_EXPOSED = 2.0
"""What `systemd-analyze security` may say at most, of 10."""


class UnitTests(AcceptanceTestCase):
    """C{etc/systemd/edgegate.service}."""

    def setUp(self) -> None:
        """Copy it, for an edgegate that is installed where this one is."""
        super().setUp()
        self.unit = self.folder / UNIT.name
        self.unit.write_text(UNIT.read_text().replace("/opt/edgegate/bin", str(BIN)))

    def settings(self, name: str) -> list[str]:
        """Return what the unit says of a name."""
        return re.findall(rf"^{name}=(.*)$", self.unit.read_text(), re.MULTILINE)

    def test_verify(self) -> None:
        """systemd has nothing to say against it."""
        done = self.ask("systemd-analyze", "verify", str(self.unit))
        # other units of the machine may be told of, too
        self.assertNotIn(UNIT.name, done.stdout + done.stderr)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_security(self) -> None:
        """A gateway that was taken over could do little to the machine."""
        done = self.ask("systemd-analyze", "--no-pager", "security", "--offline=true", str(self.unit))
        found = re.search(r"exposure level for edgegate\.service: ([0-9.]+)", done.stdout)
        assert found is not None, done.stdout + done.stderr
        self.assertLessEqual(float(found[1]), MOST_EXPOSED, done.stdout)

    def test_broken_files(self) -> None:
        """
        Files that are broken are not tried again and again: the status that forbids it is the main process's own, and
        no command comes before it whose status would count instead.
        """
        self.assertEqual(self.settings("RestartPreventExitStatus"), [str(EX_CONFIG)])
        self.assertEqual(self.settings("ExecStartPre"), [])
        (command,) = self.settings("ExecStart")
        (self.folder / "broken.yaml").write_text("kind: Gateway\n")
        done = self.ask(*command.replace("/etc/edgegate", str(self.folder)).split())
        self.assertEqual(done.returncode, EX_CONFIG, done.stdout + done.stderr)
        self.assertIn("broken.yaml:1:1: error", done.stdout + done.stderr)

    def test_restart(self) -> None:
        """
        A gateway that fails for a while, since its port is taken say, is started again for as long as that lasts:
        slowly enough that systemd (five starts in ten seconds) does not give up.
        """
        self.assertEqual(self.settings("Restart"), ["on-failure"])
        (seconds,) = self.settings("RestartSec")
        self.assertGreater(int(seconds) * 5, 10)
        # it would be no failure to systemd: a reload that comes before anyone listens to it
        self.assertEqual(self.settings("RestartForceExitStatus"), ["SIGHUP"])
