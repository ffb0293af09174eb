"""A gateway that is started by root, and gives up root's rights once its ports are open."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import tempfile
from pathlib import Path

from twisted.trial.unittest import SkipTest

from tests.acceptance.processes import AcceptanceTestCase
from tests.acceptance.served import Client
from tests.acceptance.test_unit import FILES

NOBODY = 65534


def low_ports() -> tuple[int, int]:
    """Return two ports that only root may bind, and nobody has bound."""
    first = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if os.getuid() != 0 or not first.exists() or int(first.read_text()) < 1024:
        raise SkipTest("asks for root, and for ports that only root may bind")
    found = []
    for port in range(700, 1000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
            if len(found) == 2:
                break
    return found[0], found[1]


class PrivilegesTests(AcceptanceTestCase):
    """C{twistd --uid}."""

    def test_dropped(self) -> None:
        """
        A low port is served by a process without rights. A reload that asks for another is refused, with what can be
        done about it, and what runs goes on; it ends in good order.
        """
        port, other = low_ports()
        # the folder of the tests may be in one that is root's alone
        files = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, files)
        files.chmod(0o755)
        (files / "gw.yaml").write_text(FILES.format(port=port))
        rights = ("--uid", str(NOBODY), "--gid", str(NOBODY))
        options = (f"--config={files}", "--no-watch", "--admin=none", "--access-log=access.log")
        gateway = self.start("twistd", *rights, "-n", "--pidfile=", "edgegate", *options)
        gateway.says("serving HTTP")
        status = Path(f"/proc/{gateway.process.pid}/status").read_text()
        self.assertIn(f"Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}", status)
        self.assertIsNotNone(re.search(r"^CapEff:\t0+$", status, re.MULTILINE))
        (files / "gw.yaml").write_text(FILES.format(port=other))
        gateway.process.send_signal(signal.SIGHUP)
        gateway.says(f"cannot bind 127.0.0.1:{other}: Permission denied (a port below 1024 asks for a right")
        gateway.says("reload refused")
        # so has the process that reads where there is much; where nobody may run this Python the gateway itself does
        (files / "gw.yaml").write_text(FILES.format(port=port))
        (files / "roots.yaml").write_text("# nothing\n" * 100_000)
        (files / "roots.yaml").chmod(0o600)
        gateway.process.send_signal(signal.SIGHUP)
        gateway.says("roots.yaml:1:1: error: can't be read: Permission denied")
        (files / "roots.yaml").chmod(0o644)
        gateway.process.send_signal(signal.SIGHUP)
        gateway.says("reloaded in")
        self.assertRegex(gateway.output, r"another process reads the files|no other process can read the files \(Perm")
        client = Client(port)
        self.addCleanup(client.close)
        self.assertEqual(client.ask("GET", "/", "a.example").status, 200)
        self.assertEqual(gateway.stop(), 0)
        self.assertIn('"GET / HTTP/1.1" 200', (self.folder / "access.log").read_text())
