"""A small name server on 127.0.0.1, of UDP and TCP on one port, whose answers a test changes while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail, gatherResults, succeed
from twisted.internet.error import CannotListenError
from twisted.names import dns, server
from twisted.names.error import DomainError
from twisted.python.failure import Failure

Answer = tuple[list[dns.RRHeader], list[dns.RRHeader], list[dns.RRHeader]]


def address(name: str, host: str, ttl: int = 60) -> dns.RRHeader:
    """Return an A or AAAA record."""
    record = dns.Record_AAAA(host, ttl) if ":" in host else dns.Record_A(host, ttl)
    return dns.RRHeader(name, record.TYPE, dns.IN, ttl, record)


def alias(name: str, target: str, ttl: int = 60) -> dns.RRHeader:
    """Return a CNAME record."""
    return dns.RRHeader(name, dns.CNAME, dns.IN, ttl, dns.Record_CNAME(target, ttl))


class Datagrams(dns.DNSDatagramProtocol):
    """Cuts off what a datagram does not hold, as servers of old clients must."""

    noisy = False

    def writeMessage(self, message: dns.Message, address: tuple[str, int]) -> None:
        message.maxSize = 512
        super().writeMessage(message, address)


class NameServer:
    """
    Knows some records, and that no other name exists.

    @ivar records: All that it knows; of a name that it knows there are no others.
    @ivar asked: The names and types that it was asked for.
    @ivar silent: Whether it does not answer.
    """

    def __init__(self, reactor: Any) -> None:
        self.records: list[dns.RRHeader] = []
        self.asked: list[tuple[str, int]] = []
        self.silent = False
        self._reactor = reactor
        self._ports: list[Any] = []
        self.port = 0

    def start(self, port: int = 0) -> int:
        """Listen, and return the port."""
        factory = server.DNSServerFactory(clients=[self])
        factory.noisy = False
        protocol = Datagrams(factory, self._reactor)
        for _ in range(20):
            tcp = self._reactor.listenTCP(port, factory, interface="127.0.0.1")
            self.port = tcp.getHost().port
            try:
                udp = self._reactor.listenUDP(self.port, protocol, interface="127.0.0.1")
            except CannotListenError:
                tcp.stopListening()
                continue
            self._ports = [tcp, udp]
            return self.port
        raise AssertionError("no port is free for both UDP and TCP")

    def stop(self) -> Deferred[Any]:
        """Listen no more."""
        ports, self._ports = self._ports, []
        return gatherResults([succeed(None).addCallback(lambda _, each=each: each.stopListening()) for each in ports])

    def say(self, name: str, *hosts: str, ttl: int = 60) -> None:
        """Know these addresses of a name from now on, and nothing else of it."""
        self.records = [each for each in self.records if str(each.name) != name]
        self.records.extend(address(name, host, ttl) for host in hosts)

    def query(self, query: dns.Query, timeout: Sequence[int] | None = None) -> Deferred[Answer]:
        """Answer, as twisted.names asks for it; aliases are followed."""
        name = str(query.name)
        self.asked.append((name, query.type))
        if self.silent:
            return Deferred()
        found: list[dns.RRHeader] = []
        while True:
            known = [each for each in self.records if str(each.name).lower() == name.lower()]
            chosen = [each for each in known if each.type in (query.type, dns.CNAME)]
            found.extend(chosen)
            if not chosen or chosen[0].type != dns.CNAME:
                break
            name = str(chosen[0].payload.name)
        if not known and not found:
            return fail(Failure(DomainError(name)))
        return succeed((found, [], []))
