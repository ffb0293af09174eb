"""Manifests that many acceptance tests serve: C{$name} stands for what only the test knows, a port most often."""

from __future__ import annotations

from string import Template

GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  servers:
  - {port: {number: $http, name: http, protocol: HTTP}, hosts: ["*"]}
---
"""
"""Every host, on one port."""


EVERY_HOST = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all}
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
"""
"""What begins the routes of all hosts."""

ONE_BACKEND = (
    EVERY_HOST
    + """\
  - route: [{destination: {host: 127.0.0.1, port: {number: $backend}}}]
"""
)
"""Every request to one port of this machine."""


RELAYED = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: tcp}
spec:
  servers:
  - {port: {number: $tcp, name: tcp, protocol: TCP}, hosts: ["*"]}
  - {port: {number: $open, name: open, protocol: TCP}, hosts: ["*"]}
  - {port: {number: $tls, name: tls, protocol: TLS}, hosts: ["*"], tls: {mode: PASSTHROUGH}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: tcp}
spec:
  hosts: ["*"]
  gateways: [tcp]
  tcp: [{route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]}]
  tls:
  - match: [{sniHosts: ["*"]}]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
---
"""
"""Every connection to two ports of TCP and one of TLS that is passed through, to one port of this machine."""


def static_service(name: str, hosts: str, *backends: str, port: int = 80, protocol: str = "HTTP") -> str:
    """
    Return a ServiceEntry whose endpoints are all on this machine.

    @param hosts: Separated by commas.
    @param backends: The names of their ports.
    """
    endpoints = ", ".join(f"{{address: 127.0.0.1, ports: {{p: ${backend}}}}}" for backend in backends)
    return f"""\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}}}
spec:
  hosts: [{hosts}]
  resolution: STATIC
  ports: [{{number: {port}, name: p, protocol: {protocol}}}]
  endpoints: [{endpoints}]
---
"""


def filled(text: str, **values: object) -> str:
    """Return a text with its C{$name}s replaced, each of which needs a value."""
    return Template(text).substitute(values)
