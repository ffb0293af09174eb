"""The systemd unit, judged by systemd's own tools and by what systemd would do with the gateway's exit statuses."""

from __future__ import annotations

import os
import re
import signal
import socket
import tempfile
import time
from pathlib import Path

from edgegate.tap import EX_CONFIG
from tests.acceptance.processes import BIN, PATIENCE, ROOT, AcceptanceTestCase, Running, free_ports
from tests.acceptance.served import Client

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
        """systemd has nothing to say against it, nor against its sockets."""
        units = [self.unit]
        for each in UNIT.parent.glob("*.socket"):
            units.append(self.folder / each.name)
            units[-1].write_text(each.read_text())
        self.assertEqual(len(units), 3)
        done = self.ask("systemd-analyze", "verify", *map(str, units))
        # other units of the machine may be told of, too
        self.assertNotIn("edgegate", done.stdout + done.stderr)
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


FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - port: {{number: {port}, name: http, protocol: HTTP}}
    bind: 127.0.0.1
    hosts: ["*"]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: vs}}
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
  - directResponse: {{status: 200, body: {{string: served}}}}
"""

OPTIONS = ("-n", "--pidfile=", "edgegate", "--config=etc", "--no-watch", "--admin=none", "--access-log=none")


class ServiceManagerTestCase(AcceptanceTestCase):
    """A gateway with one port, under a service manager that is the test."""

    def setUp(self) -> None:
        """Write its files."""
        super().setUp()
        self.port, self.other = free_ports(2)
        (self.folder / "etc").mkdir()
        self.write(self.port)

    def write(self, port: int) -> None:
        """Have the files say a port."""
        (self.folder / "etc/gw.yaml").write_text(FILES.format(port=port))

    def status(self, port: int) -> int:
        """Ask once, and return the status of the answer."""
        client = Client(port)
        self.addCleanup(client.close)
        return client.ask("GET", "/", "a.example").status


class NotifyTests(ServiceManagerTestCase):
    """What systemd is told, by the socket that it would give."""

    def setUp(self) -> None:
        """Listen where systemd would."""
        super().setUp()
        path = Path(tempfile.mkdtemp()) / "notify"
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.bind(str(path))
        self.manager.settimeout(PATIENCE)
        self.variables = (f"NOTIFY_SOCKET={path}", "WATCHDOG_USEC=1000000")

    def begin(self) -> Running:
        """Start the gateway."""
        return self.start("env", *self.variables, "twistd", *OPTIONS)

    def told(self) -> dict[str, str]:
        """Return what comes next that is not the watchdog's."""
        while True:
            pairs = (line.partition("=") for line in self.manager.recv(4096).decode().split("\n"))
            found = {name: value for name, _, value in pairs}
            if "WATCHDOG" not in found:
                return found

    def test_life(self) -> None:
        """It is ready when its port serves, tells of reloads, good and bad, and of its end, which is a good one."""
        gateway = self.begin()
        self.assertEqual(self.told(), {"READY": "1", "STATUS": "serving on 1 port"})
        self.assertEqual(self.status(self.port), 200)
        for text, status in (("", "serving on 0 ports"), ("kind: Gateway\n", "; the last reload was refused")):
            (self.folder / "etc/gw.yaml").write_text(text)
            before = time.monotonic_ns() // 1000
            gateway.process.send_signal(signal.SIGHUP)
            begun, over = self.told(), self.told()
            self.assertEqual(begun["RELOADING"], "1")
            self.assertTrue(before <= int(begun["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000)
            self.assertEqual(over["READY"], "1")
            self.assertIn(status, over["STATUS"])
        gateway.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.told(), {"STOPPING": "1", "STATUS": "draining", "EXTEND_TIMEOUT_USEC": "45000000"})
        self.assertEqual(gateway.ends(), 0)

    def test_never_ready(self) -> None:
        """A gateway whose port is taken never says that it is ready."""
        with socket.create_server(("127.0.0.1", self.port)):
            self.assertEqual(self.begin().ends(), 1)
        self.manager.setblocking(False)
        self.assertRaises(BlockingIOError, self.manager.recv, 4096)

    def test_watchdog(self) -> None:
        """One that lives says so all the time; one that does not is silent, and says by which stack it was ended."""
        gateway = self.begin()
        self.told()
        for _ in range(3):
            self.assertEqual(self.manager.recv(4096), b"WATCHDOG=1")
        os.kill(gateway.process.pid, signal.SIGSTOP)
        self.manager.settimeout(1.5)
        silent = False
        while not silent:
            try:
                self.manager.recv(4096)
            except TimeoutError:
                silent = True
        gateway.process.send_signal(signal.SIGABRT)
        gateway.process.send_signal(signal.SIGCONT)
        self.assertEqual(gateway.ends(), -signal.SIGABRT)
        self.assertIn("Fatal Python error: Aborted", gateway.output)
        self.assertIn(" in mainLoop\n", gateway.output)


class SocketActivationTests(ServiceManagerTestCase):
    """A gateway that systemd's own tool starts with sockets."""

    def begin(self, names: str, *ports: int, more: tuple[str, ...] = ()) -> Running:
        """Have it started by the first connection to one of the ports."""
        sockets = [f"--listen=127.0.0.1:{port}" for port in ports]
        activate = self.start("systemd-socket-activate", *sockets, f"--fdname={names}", "twistd", *OPTIONS, *more)
        activate.says(f"Listening on 127.0.0.1:{ports[-1]}")
        return activate

    def test_by_name(self) -> None:
        """
        The connection that starts it is served, on the socket whose name is the port of the files; what no Gateway uses
        is told.
        """
        self.write(80)
        gateway = self.begin("80:spare", self.port, self.other)
        self.assertEqual(self.status(self.port), 200)
        gateway.says(f"serving HTTP on 127.0.0.1:{self.port} for")
        gateway.says(f"socket 'spare' on 127.0.0.1:{self.other} was passed to the gateway, and no Gateway uses it")

    def test_by_address(self) -> None:
        """
        Where the name says nothing the address does. A port that leaves the files and comes back has its socket again,
        and what has connected meanwhile is served then.
        """
        self.by_address()

    def by_address(self, *more: str) -> None:
        """Have ports come and go."""
        gateway = self.begin("edgegate.socket:edgegate.socket", self.port, self.other, more=more)
        self.assertEqual(self.status(self.port), 200)
        self.write(self.other)
        gateway.process.send_signal(signal.SIGHUP)
        gateway.says("reloaded in")
        self.assertEqual(self.status(self.other), 200)
        waiting = Client(self.port)
        self.addCleanup(waiting.close)
        self.write(self.port)
        gateway.process.send_signal(signal.SIGHUP)
        gateway.says("reloaded in", 2)
        self.assertEqual(waiting.ask("GET", "/", "a.example").status, 200)
        self.assertEqual(gateway.stop(), 0)

    def test_by_address_with_workers(self) -> None:
        """The same with workers."""
        self.by_address("--workers=2")

    def test_by_name_with_workers(self) -> None:
        """With workers, too, a name says which port a socket is for, and what no Gateway uses is told."""
        self.write(80)
        gateway = self.begin("80:spare", self.port, self.other, more=("--workers=2",))
        self.assertEqual(self.status(self.port), 200)
        gateway.says(f"socket 'spare' on 127.0.0.1:{self.other} was passed to the gateway, and no Gateway uses it")

    def test_no_stream(self) -> None:
        """A socket that nobody can connect to is an error at the start, by its name."""
        gateway = self.start(
            "systemd-socket-activate",
            "--datagram",
            f"--listen=127.0.0.1:{self.port}",
            "--fdname=80",
            "twistd",
            *OPTIONS,
        )
        gateway.says("Listening on")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"x", ("127.0.0.1", self.port))
        self.assertEqual(gateway.ends(), 1)
        self.assertIn("not started: '80' (descriptor 3), which the service manager has passed, is no", gateway.output)
