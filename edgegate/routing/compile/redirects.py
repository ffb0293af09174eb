"""Where servers that redirect to HTTPS send clients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from edgegate.model.patterns import PatternIndex
from edgegate.model.servers import Server

HTTPS_PORT = 443


class RedirectPorts:
    """
    Finds the port of the HTTPS server for a host.

    Ports are those of the files: C{--map-port} stands for a Service in front,
    which clients see.
    """

    def __init__(self, servers: Iterable[Server]) -> None:
        self._servers: PatternIndex[int] = PatternIndex()
        for server in servers:
            if server.https:
                for host in server.hosts:
                    self._servers.add(host.pattern, server.number)

    def of(self, pattern: str) -> int:
        """Return 443 where an HTTPS server for this host stands there or none stands anywhere, else the lowest port."""
        ports = {port for _, port in self._servers.covering(pattern)}
        return HTTPS_PORT if not ports or HTTPS_PORT in ports else min(ports)

    def exceptions(self, pattern: str) -> Iterator[tuple[str, int]]:
        """Yield the narrower hosts of a wildcard that have an HTTPS server on another port than the wildcard itself."""
        usual = self.of(pattern)
        for narrower in dict.fromkeys(below for below, _ in self._servers.below(pattern)):
            port = self.of(narrower)
            if port != usual:
                yield narrower, port
