"""Backends that are found by DNS, through the real gateway and a real name server."""

from __future__ import annotations

import time

from tests.acceptance.manifests import GATEWAY, filled
from tests.acceptance.names import Names
from tests.acceptance.processes import AcceptanceTestCase, free_ports
from tests.acceptance.traffic import Traffic

FILES = (
    GATEWAY
    + """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
  - route: [{destination: {host: shop.test}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: shop}
spec:
  hosts: [shop.test]
  ports: [{number: $backend, name: http, protocol: HTTP}]
  resolution: $resolution
"""
)
ONE, TWO, THREE = "127.0.0.1", "127.0.0.2", "127.0.0.3"

CLIENTS = 10
"""Kept connections, of 20 requests a second each."""

SOON = 5.0
"""Seconds in which a change of a name whose answers are good for a second must have come through."""


class DNSTests(AcceptanceTestCase):
    """A name server that the gateway is told to ask, and three backends on one port of three addresses."""

    def setUp(self) -> None:
        """Start the backends and the name server."""
        super().setUp()
        self.names = Names()
        self.addCleanup(self.names.stop)
        self.traffic = traffic = Traffic()
        self.stopped = False
        self.addCleanup(self.stop)
        self.http, self.backend = free_ports(2)
        for body, host in ((b"one", ONE), (b"two", TWO), (b"three", THREE)):
            traffic.backend(body, host, self.backend)

    def serve(self, *hosts: str, resolution: str = "DNS") -> None:
        """Start the gateway; the name has these addresses."""
        self.names.addresses["shop.test"] = hosts
        (self.folder / "etc").mkdir()
        said = filled(FILES, http=self.http, backend=self.backend, resolution=resolution)
        (self.folder / "etc" / "shop.yaml").write_text(said)
        options = ("--config=etc", "--no-watch", "--admin=none", f"--dns-server=127.0.0.1:{self.names.port}")
        self.gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", *options)
        self.gateway.says("serving HTTP")

    def load(self) -> None:
        """Keep the gateway busy: about 200 requests a second on kept connections, and some on new ones."""
        self.traffic.keep(CLIENTS, self.http, "shop.test")
        self.traffic.come(20, self.http, "shop.test")

    def stop(self) -> None:
        """Let the clients end."""
        if not self.stopped:
            self.stopped = True
            self.traffic.stop()

    def test_moves(self) -> None:
        """A name that moves to another backend takes its traffic along in a few seconds, and no request notices."""
        self.serve(ONE)
        self.load()
        self.traffic.hears(b"one", 200)
        self.assertEqual(set(self.traffic.answers), {b"one"})
        self.names.addresses["shop.test"] = (TWO,)
        start = time.monotonic()
        self.traffic.hears(b"two", CLIENTS)
        self.assertLess(time.monotonic() - start, SOON)
        before = self.traffic.answers[b"one"]
        self.traffic.hears(b"two", 400)
        self.stop()
        self.assertLessEqual(self.traffic.answers[b"one"] - before, CLIENTS)
        self.assertEqual(self.traffic.failures, [])

    def test_dies(self) -> None:
        """When the name server dies, or says that there is no such name, traffic goes on to where it went."""
        self.serve(ONE, TWO)
        self.load()
        self.traffic.hears(b"one", 50)
        del self.names.addresses["shop.test"]
        self.gateway.says("shop.test does not resolve, 2 address(es) are kept")
        self.names.stop()
        for body in (b"one", b"two"):
            self.traffic.hears(body, 200)
        self.stop()
        self.assertEqual(self.traffic.failures, [])

    def test_all_addresses(self) -> None:
        """Every address of a name is used, and one that comes later is too."""
        self.serve(ONE, TWO)
        self.load()
        for body in (b"one", b"two"):
            self.traffic.hears(body, 100)
        self.names.addresses["shop.test"] = (THREE, TWO, ONE)
        for body in (b"one", b"two", b"three"):
            self.traffic.hears(body, 100)
        self.stop()
        self.assertEqual(self.traffic.failures, [])

    def test_one_at_a_time(self) -> None:
        """With DNS_ROUND_ROBIN the first address is used alone; when another is first, who is connected stays so."""
        self.serve(ONE, TWO, resolution="DNS_ROUND_ROBIN")
        self.load()
        self.traffic.hears(b"one", 200)
        self.assertEqual(set(self.traffic.answers), {b"one"})
        self.names.addresses["shop.test"] = (TWO, ONE)
        self.names.is_asked(4)
        self.traffic.hears(b"one", 100)
        self.stop()
        self.assertEqual(self.traffic.failures, [])
        self.gateway.stop()
        for body, host in ((b"one", ONE), (b"two", TWO)):
            logged = sum(f'"{host}:{self.backend}"' in line for line in self.gateway.lines)
            self.assertEqual(logged, self.traffic.answers[body], "the log tells where each request went")

    def test_not_found(self) -> None:
        """A name that does not exist is answered with 503; once it exists it is served."""
        self.serve()
        del self.names.addresses["shop.test"]
        url = ("curl", "-s", "-m", "20", "-w", " %{http_code}", f"http://127.0.0.1:{self.http}/")
        self.assertTrue(self.ask(*url).stdout.endswith(" 503"))
        self.names.addresses["shop.test"] = (ONE,)
        self.gateway.says("shop.test resolves again")
        self.assertEqual(self.ask(*url).stdout, "one 200")
