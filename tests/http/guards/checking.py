"""A gateway whose requests meet guards that ask a service: the cluster C{mirror} of a conversation."""

from __future__ import annotations

from typing import Any

from edgegate.model.addresses import TCPAddress
from edgegate.model.authorizers import Authorizer, HeaderNames, Protocol
from edgegate.model.guards.authorization import Action, Attribute, Condition, Rule, Rules
from edgegate.model.guards.external_authorization import ExternalAuthorization
from edgegate.model.guards.guard import Guard
from edgegate.model.routes import HTTPRoute
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.client_counts import ClientCounts
from edgegate.overload.limits import NO_LIMIT
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener, VirtualHost
from tests.http.conversation import MIRROR, ORIGIN, Conversation, FakeStream, to_web

GET = b"GET /a?b HTTP/1.1\r\nHost: web.example\r\n"


def names(*exact: bytes, prefixes: tuple[bytes, ...] = ()) -> HeaderNames:
    """Make a list of names."""
    return HeaderNames(exact, prefixes)


def asking(name: str = "login", cluster: str = "mirror", paths: tuple[str, ...] = (), **what: Any) -> Guard:
    """
    Make a guard that asks about all requests but those for some paths.

    @param what: Fields of the service.
    """
    condition = Condition(Attribute.PATH, paths, negated=True)
    rule = Rule("ns[a]-policy[b]-rule[0]", operations=((condition,),) if paths else ())
    authorizer = Authorizer(
        name, what.pop("protocol", Protocol.HTTP), cluster, what.pop("authority", b"auth:1"), **what
    )
    return ExternalAuthorization(f"istio-system/{name}", ORIGIN, Rules(Action.CUSTOM, (rule,)), authorizer)


def guarded(*guards: Guard, routes: tuple[HTTPRoute, ...] = (), redirect: int | None = None) -> ConnectionInfo:
    """Make a client's connection to a gateway where guards stand on C{web.example}."""
    host = VirtualHost("web.example", routes or (to_web(),), redirect, guards)
    chain = FilterChain("http", ORIGIN, http=HostTable([(host.domain, host)]), guards=guards, guarded=True)
    listener = Listener("http", TCPAddress("::", 8080), 80, ORIGIN, plain=chain)
    peer, local = TCPAddress("192.0.2.7", 4711), TCPAddress("127.0.0.1", 8080)
    return ConnectionInfo(listener, chain, peer, local, counts=ClientCounts(peer.host, NO_LIMIT))


class Checking:
    """One client whose requests are asked about."""

    def __init__(self, *guards: Guard, talk: Conversation | None = None, **where: Any) -> None:
        self.talk = Conversation(to_web()) if talk is None else talk
        self.client = self.talk.client(guarded(*guards, **where))
        self._service: FakeStream | None = None
        self._backend: FakeStream | None = None

    def ask(self, request: bytes = GET, *fields: bytes, body: bytes = b"") -> None:
        """Send a request."""
        self.client.deliver(request + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + body)

    @property
    def service(self) -> FakeStream:
        """The connection to the service."""
        if self._service is None:
            self._service = self.talk.connect_to(MIRROR).accept()
        return self._service

    @property
    def backend(self) -> FakeStream:
        """That to the backend."""
        if self._backend is None:
            self._backend = self.talk.connect_to(TCPAddress("10.0.0.1", 80)).accept()
        return self._backend

    @property
    def asked(self) -> bool:
        """Whether the service was connected to."""
        return any(each.address == MIRROR for each in self.talk.connects)

    @property
    def passed(self) -> bool:
        """Whether the backend was."""
        return any(each.address != MIRROR for each in self.talk.connects)

    def answer(self, status: bytes, *fields: bytes, body: bytes = b"") -> None:
        """Have the service answer."""
        head = b"".join(field + b"\r\n" for field in (*fields, b"Content-Length: %d" % len(body)))
        self.service.deliver(b"HTTP/1.1 %b\r\n%b\r\n%b" % (status, head, body))

    def got(self) -> tuple[bytes, dict[bytes, bytes], bytes]:
        """Return what the client got: the status line, the fields, the body."""
        return parsed(self.client.take())

    def sent(self) -> tuple[bytes, dict[bytes, bytes], bytes]:
        """Return what the backend got."""
        return parsed(self.backend.take())


def parsed(message: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """Return the first line of a message, its fields, and what follows."""
    head, _, body = message.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    fields: dict[bytes, bytes] = {}
    for line in lines:
        name, _, value = line.partition(b": ")
        fields[name] = fields[name] + b" | " + value if name in fields else value
    return first, fields, body
