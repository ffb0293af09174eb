"""Files of all kinds, in folders that come and go, under the real gateway."""

from __future__ import annotations

import os
import shutil
import signal

from tests.acceptance.processes import AcceptanceTestCase, Running, free_ports, program

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: {name}}}
spec:
  servers:
  - {{port: {{number: {port}, name: http, protocol: HTTP}}, hosts: ["*"], tls: {{httpsRedirect: true}}}}
"""


class FilesTests(AcceptanceTestCase):
    """A gateway whose folder is named relative to where it was started."""

    def setUp(self) -> None:
        """Make the folders, with one port in the files."""
        super().setUp()
        self.work = self.folder / "work"
        self.ports = free_ports(3)
        self.write("etc/gateway.yaml", 0)

    def write(self, name: str, port: int) -> None:
        """Write a file that opens a port."""
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(FILES.format(name=f"gw{port}", port=self.ports[port]))

    def open_gateway(self, *options: str) -> Running:
        """Start the gateway."""
        running = Running(
            [program("twistd"), "-n", "--pidfile=", "edgegate", "--config=etc", "--admin=none", *options], self.work
        )
        self.addCleanup(lambda: running.process.poll() is None and running.stop())
        running.says("serving HTTP on")
        return running

    def hang_up(self, gateway: Running, words: str, count: int = 1) -> None:
        """Have the files read again, and wait for what is said of it."""
        gateway.process.send_signal(signal.SIGHUP)
        gateway.says(words, count)

    def test_folders(self) -> None:
        """Folders within the folder are read, and noticed when they come and go."""
        gateway = self.open_gateway()
        (self.work / "etc/teams/one").mkdir(parents=True)
        self.write("etc/teams/one/shop.yaml", 1)
        gateway.says(f"listener [::]:{self.ports[1]} added (teams/one/shop.yaml:6)")
        (self.work / "etc/teams/one").rename(self.work / "etc/.one")
        gateway.says(f"listener [::]:{self.ports[1]} removed")
        self.assertEqual(gateway.stop(), 0)

    def test_working_directory_goes(self) -> None:
        """Where the folder goes with the one that the gateway was started in, what runs goes on, until it is back."""
        gateway = self.open_gateway()
        shutil.rmtree(self.work)
        gateway.says("reload refused")
        self.hang_up(gateway, "etc:1:1: error: can't be read: No such file or directory", 2)
        self.write("etc/gateway.yaml", 0)
        self.write("etc/more.yaml", 1)
        gateway.says(f"listener [::]:{self.ports[1]} added (more.yaml:6)")
        self.write("etc/sub/more.yaml", 2)
        gateway.says(f"listener [::]:{self.ports[2]} added (sub/more.yaml:6)")
        self.assertEqual(gateway.stop(), 0)
        self.assertNotIn("Traceback", gateway.output)

    def test_pipe(self) -> None:
        """A pipe among the files refuses a reload, and holds up neither the next one nor the end."""
        for options in ((), ("--no-watch",)):
            self.write("etc/gateway.yaml", 0)
            gateway = self.open_gateway(*options)
            os.mkfifo(self.work / "etc/pipe.yaml")
            self.hang_up(gateway, "pipe.yaml:1:1: error: can't be read: it is a named pipe, not a file")
            gateway.says("reload refused")
            (self.work / "etc/pipe.yaml").unlink()
            self.write("etc/gateway.yaml", 1)
            self.hang_up(gateway, f"listener [::]:{self.ports[1]} added")
            os.mkfifo(self.work / "etc/pipe.yaml")
            self.assertEqual(gateway.stop(), 0)
            (self.work / "etc/pipe.yaml").unlink()

    def test_check(self) -> None:
        """C{edgegate check} waits for no pipe either, and tells of files that it does not read."""
        os.mkfifo(self.work / "etc/pipe.yaml")
        checked = self.ask("edgegate", "check", "work/etc")
        self.assertEqual(checked.returncode, 1)
        self.assertIn("pipe.yaml:1:1: error: can't be read: it is a named pipe, not a file [EG001]\n", checked.stdout)
        (self.work / "etc/pipe.yaml").unlink()
        (self.work / "etc/gateway.yaml").rename(self.work / "etc/gateway.yaml.off")
        checked = self.ask("edgegate", "check", "work/etc")
        self.assertIn("gateway.yaml.off:1:1: warning: not read", checked.stdout)
        self.assertEqual(checked.returncode, 0)
