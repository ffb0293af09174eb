"""Tests of L{edgegate.routing.compiler.ports}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.routing.snapshot import TCPAddress
from tests.routing.compiler.compiling import compiled, gateway


def errors(*servers: str, binds: tuple[str, ...] = (), **port_map: int) -> list[str]:
    """The errors of a Gateway whose servers bind these addresses."""
    text = gateway("gw", *servers)
    lines = text.split("\n")
    for number, bind in enumerate(binds):
        at = next(index for index, line in enumerate(lines) if f"name: p{number}," in line)
        lines[at] = lines[at].replace(", hosts", f', bind: "{bind}", hosts')
    mapping = {int(key[1:]): value for key, value in port_map.items()}
    _, problems = compiled("\n".join(lines), port_map=mapping)
    return [problem for problem in problems if " error: " in problem]


class PortsTests(SynchronousTestCase):
    """Which servers can share a port."""

    def test_shared(self) -> None:
        """HTTP servers share a port, TCP servers do, and plain and TLS servers."""
        self.assertEqual(errors("80 HTTP a.example", "80 GRPC b.example"), [])
        self.assertEqual(errors("80 TCP a.example", "80 MONGO b.example"), [])
        self.assertEqual(errors("80 HTTP a.example", "80 TLS a.example {mode: PASSTHROUGH}"), [])
        self.assertEqual(len(errors("80 HTTP a.example", "80 TCP a.example")), 1)

    def test_sni(self) -> None:
        """Each SNI name belongs to one server of a port; a wildcard and a name below it are two."""
        tls = "TLS {} {{mode: PASSTHROUGH}}".format
        self.assertEqual(errors(f"443 {tls('*.example')}", f"443 {tls('a.example')}", f"443 {tls('*')}"), [])
        self.assertEqual(errors(f"443 {tls('a.example')}", f"444 {tls('a.example')}"), [])
        (error,) = errors(f"443 {tls('a.example')}", f"443 {tls('A.example')}")
        self.assertIn("spec.servers[1].hosts[0]", error)
        self.assertIn("at in.yaml:7", error)

    def test_addresses(self) -> None:
        """A wildcard address takes its port from all others of its kind."""
        two = "80 TCP a.example", "80 TCP b.example"
        for binds, count in (
            (("127.0.0.1", "127.0.0.2"), 0),
            (("0.0.0.0", "::1"), 0),
            (("0.0.0.0", "127.0.0.1"), 1),
            (("0.0.0.0", "::"), 1),
            (("::", "127.0.0.1"), 1),
        ):
            self.assertEqual(len(errors(*two, binds=binds)), count, binds)

    def test_unix(self) -> None:
        """UNIX sockets are told apart by their paths; their port number is 0."""
        two = "0 TCP a.example", "0 HTTP b.example"
        self.assertEqual(errors(*two, binds=("unix:///a", "unix:///b")), [])
        (error,) = errors(*two, binds=("unix:///a", "unix:///a"))
        self.assertIn("can't carry HTTP beside the TCP", error)

    def test_mapped(self) -> None:
        """Ports that are mapped must not meet others; the one that any port will do for meets none."""
        two = "80 HTTP a.example", "8080 HTTP b.example"
        (error,) = errors(*two, p80=8080)
        self.assertIn("--map-port", error)
        self.assertEqual(errors(*two, p80=0, p8080=0), [])
        self.assertEqual(errors(*two, p80=8080, p8080=80), [])

    def test_number_is_kept(self) -> None:
        """What is bound is another port, but the files' number stays."""
        snapshot, _ = compiled(gateway("gw", "80 HTTP a.example"), port_map={80: 8080})
        (listener,) = snapshot.listeners
        self.assertEqual((listener.bind, listener.port, listener.name), (TCPAddress("::", 8080), 80, "[::]:80"))
