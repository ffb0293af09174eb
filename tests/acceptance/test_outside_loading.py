"""A large folder that the real gateway reads again: another process does, whatever becomes of that."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
from pathlib import Path

from tests.acceptance.processes import AcceptanceTestCase, Running, free_ports
from tests.acceptance.traffic import Traffic

GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - {{port: {{number: {http}, name: http, protocol: HTTP}}, hosts: ["*"]}}
  - port: {{number: {https}, name: https, protocol: HTTPS}}
    hosts: [shop.example]
    tls: {{mode: SIMPLE, serverCertificate: certs/shop.example.crt, privateKey: certs/shop.example.key}}
"""
SERVICE = """\
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop-{number}}}
spec:
  hosts: [{host}]
  gateways: [gw]
  http:
  - match: [{{uri: {{prefix: /{number}/}}}}]
    directResponse: {{status: 418}}
  - route: [{{destination: {{host: 127.0.0.1, port: {{number: {backend}}}}}}}]
"""
HOSTS = 1000
READS = re.compile(r"another process reads the files \(pid (\d+)\)")


class OutsideLoadingTests(AcceptanceTestCase):
    """Reloads of much."""

    def setUp(self) -> None:
        """Start a backend, write many hosts, and serve them."""
        super().setUp()
        self.certificates("shop.example")
        self.http, self.https = free_ports(2)
        self.traffic = Traffic()
        self.addCleanup(self.traffic.stop)
        self.backends = [self.traffic.backend(b"A"), self.traffic.backend(b"B")]
        self.write(0)
        self.gateway = self.start(
            "twistd", "-n", "--pidfile=", "edgegate", "--config=etc", "--no-watch", "--access-log=none"
        )
        self.gateway.says("serving HTTPS")
        self.traffic.keep(2, self.http, "shop.example")
        self.traffic.keep(2, self.https, "shop.example", tls=True)
        self.traffic.hears(b"A", 4)

    def write(self, backend: int) -> None:
        """Write the files."""
        services = [SERVICE.format(number=0, host="shop.example", backend=self.backends[backend])]
        for number in range(1, HOSTS):
            services.append(SERVICE.format(number=number, host=f"shop-{number}.example", backend=self.backends[0]))
        text = GATEWAY.format(http=self.http, https=self.https) + "".join(services)
        (self.folder / "etc" / "gateway.yaml").write_text(text)

    def reload(self, count: int) -> int:
        """Have the files read, and return the process that reads them."""
        self.gateway.process.send_signal(signal.SIGHUP)
        self.gateway.says("another process reads the files", count)
        return int(READS.findall(self.gateway.output)[-1])

    def test_reload(self) -> None:
        """Another process reads them: changes, none, and a mistake; it has nothing of this one, and leaves nothing."""
        gateway = self.gateway
        self.write(1)
        reader = self.reload(1)
        self.assertNotEqual(reader, gateway.process.pid)
        self.assertEqual(inherited(reader), [])
        gateway.says("reloaded in")
        self.traffic.hears(b"B", 8)
        self.assertRegex(
            gateway.output, r"reload: routes of server http\.\d+ of listener .* changed \(gateway.yaml:6\)"
        )
        self.assertGone(reader)
        self.assertEqual(children(gateway), [])
        self.assertGone(self.reload(2), gateway, "reload: nothing has changed")
        with (self.folder / "etc" / "gateway.yaml").open("a") as file:
            file.write("---\nkind: [\n")
        self.assertGone(self.reload(3), gateway, "reload refused")
        line = (self.folder / "etc" / "gateway.yaml").read_text().count("\n") + 1
        self.assertIn(f"gateway.yaml:{line}:1: error:", gateway.output)
        self.write(0)
        self.reload(4)
        gateway.says("reloaded in", 2)
        self.traffic.hears(b"A", 8)
        # a small one is read by the gateway itself
        (self.folder / "etc" / "gateway.yaml").write_text(GATEWAY.format(http=self.http, https=self.https))
        self.reload(5)
        gateway.says("reloaded in", 3)
        self.traffic.stop()
        self.write(1)
        (self.folder / "etc" / "gateway.yaml").write_text(GATEWAY.format(http=self.https, https=self.http))
        gateway.process.send_signal(signal.SIGHUP)
        gateway.says("reloaded in", 4)
        self.assertEqual(len(READS.findall(gateway.output)), 5)
        self.assertEqual(gateway.stop(), 0)

    def test_killed(self) -> None:
        """One that is killed in its middle has the reload refused, and what is served goes on; the next one reads."""
        self.write(1)
        os.kill(self.reload(1), signal.SIGKILL)
        self.gateway.says("edgegate:1:1: error: the process that read the files was killed by SIGKILL")
        self.gateway.says("reload refused: what was served before goes on")
        self.traffic.hears(b"A", 4)
        self.assertEqual(children(self.gateway), [])
        self.reload(2)
        self.gateway.says("reloaded in")
        self.traffic.hears(b"B", 8)
        self.traffic.stop()
        self.assertEqual(self.traffic.failures, [])
        self.assertEqual(self.gateway.stop(), 0)

    def test_end(self) -> None:
        """The end of the gateway is the end of the process that reads for it."""
        self.write(1)
        self.traffic.stop()
        reader = self.reload(1)
        self.assertEqual(self.gateway.stop(), 0)
        self.assertGone(reader)
        self.assertNotIn("Traceback", self.gateway.output)

    def test_gateway_killed(self) -> None:
        """So it is where the gateway has no time for that."""
        self.write(1)
        self.traffic.stop()
        reader = self.reload(1)
        self.gateway.process.kill()
        self.gateway.process.wait()
        self.assertGone(reader)

    def assertGone(self, pid: int, gateway: Running | None = None, says: str = "") -> None:
        """Assert that a process ends, after what the gateway says of its outcome, if anything."""
        if gateway is not None:
            gateway.says(says)
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            # where it is nobody's child that this one could wait for
            descriptor = os.pidfd_open(pid)
            self.addCleanup(os.close, descriptor)
            self.assertTrue(ended(descriptor))


def ended(pidfd: int) -> bool:
    """Return whether a process has ended within a while."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(30_000))


def inherited(pid: int) -> list[str]:
    """Return the sockets that a process has."""
    found = []
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(str(each.readlink()))
    return [name for name in found if name.startswith("socket:")]


def children(gateway: Running) -> list[str]:
    """Return the processes that the gateway has made and that are there in whatever state."""
    found = []
    for thread in Path(f"/proc/{gateway.process.pid}/task").iterdir():
        # one that has ended has left its own to another
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += (thread / "children").read_text().split()
    return found
