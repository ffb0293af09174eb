"""The demo on ports of a test's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edgegate.demo.running import PORTS
from tests.acceptance.processes import READY, ROOT, AcceptanceTestCase, Running, free_ports, replaced

GATEWAY_PORTS = (8080, 8081, 8443, 8444, 31400, 31401)
"""What C{etc/} opens."""


class CoolstoreTestCase(AcceptanceTestCase):
    """
    Tests with a copy of C{etc/} that has free ports in the place of the demo's.

    @ivar ports: The demo's number of a port -> the number in the copy.
    """

    def setUp(self) -> None:
        """Copy the files and make the certificates."""
        super().setUp()
        numbers = (*GATEWAY_PORTS, *PORTS.values())
        self.ports = dict(zip(numbers, free_ports(len(numbers)), strict=True))
        for folder in ("etc", "etc/tests"):
            self.write(folder, {path.name: path.read_text() for path in (ROOT / folder).glob("*.yaml")})

    def write(self, folder: str, files: Mapping[str, str]) -> Path:
        """Write files into a folder, their port numbers replaced."""
        made = self.folder / folder
        made.mkdir(exist_ok=True)
        for name, text in files.items():
            (made / name).write_text(replaced(text, self.ports))
        return made

    def open_coolstore(self, config: str = "etc", *options: str) -> Running:
        """Start the demo's backends with the real gateway in front of them, and wait until it serves."""
        if not (self.folder / "etc/certs").exists():
            self.certificates()
        running = self.run_demo(config, *options)
        running.says(READY)
        return running

    def run_demo(self, config: str = "etc", *options: str) -> Running:
        """Start the demo."""
        backends = [f"--port={name}={self.ports[port]}" for name, port in PORTS.items()]
        command = ["-m", "edgegate.demo", "--quiet", "--config", config, "--certs", "etc/certs", *backends]
        return self.start("python", *command, "--", *options)
