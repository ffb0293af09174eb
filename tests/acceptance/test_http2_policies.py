"""What files say of connections of HTTP/2 to a backend, by nginx: it tells its own connections apart."""

from __future__ import annotations

import os
import signal
import socket

from tests.acceptance.manifests import EVERY_HOST, GATEWAY, filled
from tests.acceptance.processes import AcceptanceTestCase, free_ports, program
from tests.acceptance.served import Client

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: api}
spec:
  ports: [{name: web, port: 80, appProtocol: kubernetes.io/h2c}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: api-1, labels: {kubernetes.io/service-name: api}}
addressType: IPv4
ports: [{name: web, port: $backend}]
endpoints: [{addresses: [127.0.0.1]}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: api}
spec:
  host: api
  trafficPolicy: {connectionPool: {http: {$policy}}}
---
"""

ROUTE = EVERY_HOST + "  - route: [{destination: {host: api}}]\n    retries: {attempts: 0}\n"

NGINX = """\
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  server {
    listen 127.0.0.1:$port http2;
    location / { return 200 "$$server_protocol $$connection"; }
  }
}
"""


class HTTP2PolicyTests(AcceptanceTestCase):
    """A gateway in front of nginx, which speaks HTTP/2 alone, as a Service's C{appProtocol} says."""

    def serve(self, policy: str) -> Client:
        """Start both, and connect."""
        port, backend = free_ports(2)
        (self.folder / "etc").mkdir()
        (self.folder / "nginx.conf").write_text(filled(NGINX, port=backend))
        self.nginx = self.start(program("nginx"), "-p", str(self.folder), "-c", "nginx.conf")
        text = filled(GATEWAY + SERVICE + ROUTE, http=port, backend=backend, policy=policy)
        (self.folder / "etc" / "gw.yaml").write_text(text)
        self.gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", "--config", "etc", "--admin", "none")
        self.gateway.says("serving ")
        for _ in range(1000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", backend)) == 0:
                    break
        client = Client(port)
        self.addCleanup(client.close)
        return client

    def answers(self, client: Client, count: int) -> list[str]:
        """Ask; return the number of the connection that each request came on."""
        found = []
        for _ in range(count):
            protocol, number = client.ask("GET", "/", "api").body.decode().split()
            self.assertEqual(protocol, "HTTP/2.0")
            found.append(number)
        return found

    def test_one_connection(self) -> None:
        """One connection carries all, where nothing is said."""
        self.assertEqual(len(set(self.answers(self.serve("maxRetries: 3"), 10))), 1)

    def test_requests_per_connection(self) -> None:
        """C{maxRequestsPerConnection} has the next connection made after so many."""
        numbers = self.answers(self.serve("maxRequestsPerConnection: 3"), 9)
        self.assertEqual([numbers.count(number) for number in dict.fromkeys(numbers)], [3, 3, 3])

    def test_keep_alive(self) -> None:
        """C{http2KeepAlive} finds out that a backend has stopped without a word, and who waits is answered."""
        client = self.serve("http2KeepAlive: {interval: 1s, timeout: 1s}")
        self.answers(client, 1)
        process = self.nginx.process
        os.kill(process.pid, signal.SIGSTOP)
        try:
            answer = client.ask("GET", "/", "api")
        finally:
            os.kill(process.pid, signal.SIGCONT)
        self.assertEqual(answer.status, 503)
        self.assertEqual(len(self.answers(client, 3)), 3)
