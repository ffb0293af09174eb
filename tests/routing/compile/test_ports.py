"""Tests of L{edgegate.routing.compile.ports}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from tests.istio.translate.compiling import compiled, gateway


def errors(*servers: str, binds: tuple[str, ...] = (), severity: str = "error", **port_map: int) -> list[str]:
    """The errors, or other problems, of the ports of a Gateway whose servers bind these addresses."""
    text = gateway("gw", *servers)
    lines = text.split("\n")
    for number, bind in enumerate(binds):
        at = next(index for index, line in enumerate(lines) if f"name: p{number}," in line)
        lines[at] = lines[at].replace(", hosts", f', bind: "{bind}", hosts')
    mapping = {int(key[1:]): value for key, value in port_map.items()}
    _, problems = compiled("\n".join(lines), port_map=mapping)
    return [
        problem
        for problem in problems
        if f" {severity}: " in problem and "connection" not in problem and "404" not in problem
    ]


class PortsTests(SynchronousTestCase):
    """Which servers can share a port."""

    def test_shared(self) -> None:
        """HTTP servers share a port, TCP servers do, and plain and TLS servers."""
        self.assertEqual(errors("80 HTTP a.example", "80 GRPC b.example"), [])
        self.assertEqual(errors("80 TCP a.example", "80 MONGO b.example"), [])
        self.assertEqual(errors("80 HTTP a.example", "80 TLS a.example {mode: PASSTHROUGH}"), [])

    def test_one_kind_of_traffic(self) -> None:
        """
        Of TCP and HTTP on a port the earlier server wins, and the later is left out whole with a warning that names
        both places.
        """
        two = "80 HTTP a.example", "80 TCP a.example"
        self.assertEqual(errors(*two), [])
        (warning,) = errors(*two, severity="warning")
        self.assertIn("in.yaml:8:6: warning: spec.servers[1].port: port 80 can't carry TCP beside the HTTP of", warning)
        self.assertIn("Gateway default/gw at in.yaml:7; that one is served, and this server is left out", warning)
        snapshot, _ = compiled(gateway("gw", *two))
        (listener,) = snapshot.listeners
        assert listener.plain is not None
        self.assertIsNotNone(listener.plain.http)

    def test_sni(self) -> None:
        """Each SNI name belongs to one server of a port; a wildcard and a name below it are two."""
        tls = "TLS {} {{mode: PASSTHROUGH}}".format
        self.assertEqual(errors(f"443 {tls('*.example')}", f"443 {tls('a.example')}", f"443 {tls('*')}"), [])
        self.assertEqual(errors(f"443 {tls('a.example')}", f"444 {tls('a.example')}"), [])

    def test_sni_twice(self) -> None:
        """A server that wants an SNI name of an earlier one is left out, with all its hosts, as Istio does."""
        servers = [
            f"443 TLS {hosts} {{mode: PASSTHROUGH}}" for hosts in ("a.example", "b.example,A.example", "*.example")
        ]
        self.assertEqual(errors(*servers), [])
        (warning,) = errors(*servers, severity="warning")
        self.assertIn("spec.servers[1].hosts[1]", warning)
        self.assertIn("at in.yaml:7", warning)
        snapshot, _ = compiled(gateway("gw", *servers))
        (listener,) = snapshot.listeners
        self.assertEqual([pattern for pattern, _ in listener.secure.items()], ["a.example", "*.example"])

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
        (warning,) = errors(*two, binds=("unix:///a", "unix:///a"), severity="warning")
        self.assertIn("can't carry HTTP beside the TCP", warning)

    def test_mapped(self) -> None:
        """Ports of the files that are mapped to one are one port; those that any port will do for are not."""
        two = "80 HTTP a.example", "8080 HTTP b.example"
        self.assertEqual(errors(*two, p80=8080), [])
        for port_map, count in (
            ({80: 8080}, 1),
            ({80: 81, 8080: 81}, 1),
            ({80: 0, 8080: 0}, 2),
            ({80: 8080, 8080: 80}, 2),
        ):
            snapshot, _ = compiled(gateway("gw", *two), port_map=port_map)
            self.assertEqual(len(snapshot.listeners), count, port_map)

    def test_mapped_kinds(self) -> None:
        """What can't share a port can't share one that is mapped."""
        (warning,) = errors("80 HTTP a.example", "81 TCP a.example", severity="warning", p80=8080, p81=8080)
        self.assertIn("spec.servers[1].port: port 81 can't carry TCP beside the HTTP of", warning)
        (error,) = errors("80 HTTP a.example", "81 HTTP b.example", binds=("0.0.0.0", "127.0.0.1"), p81=80)
        self.assertIn("127.0.0.1:81 and 0.0.0.0:80, which --map-port makes 127.0.0.1:80 and 0.0.0.0:80,", error)

    def test_number_is_kept(self) -> None:
        """What is bound is another port, but the files' number stays; of two the first."""
        snapshot, _ = compiled(gateway("gw", "80 HTTP a.example"), port_map={80: 8080})
        (listener,) = snapshot.listeners
        self.assertEqual((listener.bind, listener.port, listener.name), (TCPAddress("::", 8080), 80, "[::]:80"))
        snapshot, _ = compiled(gateway("gw", "81 HTTP a.example", "80 HTTP b.example"), port_map={80: 82, 81: 82})
        (listener,) = snapshot.listeners
        self.assertEqual((listener.bind, listener.port, listener.name), (TCPAddress("::", 82), 81, "[::]:81"))
