"""
What a Snapshot makes of a question: the way of its connection and request up to a route, or to why there is none.

Each step is taken by the function that takes it in the gateway.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from edgegate.errors import BODY_TOO_LARGE, NO_ROUTE, Fault
from edgegate.explain.address_list import judged_first
from edgegate.explain.guards import JUDGES, Judges, judged, judged_connection
from edgegate.explain.judgement import Judgement, Verdict
from edgegate.explain.question import Heads, Question
from edgegate.explain.recorded import RecordedStream
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Underscores, request_roles
from edgegate.http.h1.head_parser import METHODS, HeadParser
from edgegate.http.h2.errors import Malformed
from edgegate.http.h2.request_heads import RequestHeads
from edgegate.http.limits import Limits
from edgegate.http.request import RequestHead, RequestRefused
from edgegate.http.selection import guards_of, owner, selected
from edgegate.http.target import PathNormalisation
from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.claims import claims_of
from edgegate.model.guards.jwt import METADATA, PAYLOAD
from edgegate.model.routes import HTTPRoute, TCPRoute
from edgegate.net.addresses import ConnectionInfo
from edgegate.routing.snapshot import FilterChain, Listener, Snapshot, VirtualHost
from edgegate.tcp.routes import route_of


class Refusal(Enum):
    """Why a connection is not served, or a request gets no answer, so that no route of requests is looked at."""

    NO_LISTENER = "nothing listens on this port"
    UNKNOWN_NAME = "no server of this port has this SNI name"
    NO_NAME = "no SNI name was sent, and no server of this port is for all names"
    HTTP_IN_THE_CLEAR = "the port speaks TLS: a request in the clear is answered 400"
    NOT_TLS = "the port speaks TLS alone: what is not TLS is closed"
    NOT_PLAIN = "the port does not speak TLS: a ClientHello is no request"
    DENIED = "a policy closes the connection"
    NO_CERTIFICATE = "the server asks for a client certificate, and the client has none"
    NO_REQUEST = "the port speaks HTTP: what is no request is answered 400"
    MALFORMED = "the request breaks HTTP/2: its stream is reset (PROTOCOL_ERROR)"
    NO_ROUTE = "no route takes the connection: it is closed"


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What becomes of a question. What comes behind a step that ended it is L{None}.

    @ivar chain: That the listener chose by SNI.
    @ivar refusal: Why the connection is not served.
    @ivar connection: As the gateway knows it.
    @ivar asked: The request as the conditions of routes see it, once its head was read. It is never answered.
    @ivar owner: The chain that the request's host belongs to; over TLS it may be another than the SNI name's.
    @ivar virtual_host: That the request's host chose.
    @ivar route: That takes it.
    @ivar fault: With what the gateway itself answers.
    @ivar redirect_port: Of the https URL that the request is sent to (C{tls.httpsRedirect}).
    @ivar guards: What guards make of it, up to the one that refuses it: first those of its virtual host, where nothing
        else is looked at then, then those of its route.
    """

    question: Question
    listener: Listener | None = None
    chain: FilterChain | None = None
    refusal: Refusal | None = None
    connection: ConnectionInfo | None = None
    asked: Exchange | None = None
    owner: FilterChain | None = None
    virtual_host: VirtualHost | None = None
    route: HTTPRoute | TCPRoute | None = None
    fault: Fault | None = None
    redirect_port: int | None = None
    guards: tuple[Judgement, ...] = ()

    @property
    def denied(self) -> Judgement | None:
        """The judgement of the guard that refuses it."""
        last = self.guards[-1] if self.guards else None
        return last if last is not None and last.verdict is Verdict.DENIED else None

    @property
    def routed(self) -> bool:
        """Whether the routes of the virtual host are asked: nothing has answered the request before."""
        if self.denied is not None and self.route is None:
            return False
        return self.virtual_host is not None and self.redirect_port is None and self.fault in (None, NO_ROUTE)


class Decider:
    """
    Decides questions by one Snapshot. A port is that of the files, or where none has it the one that is bound.

    @ivar snapshot: By which it does.
    @ivar trusted_hops: How many proxies in front say who the client is.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        trusted_hops: int | None = None,
        paths: PathNormalisation | None = None,
        limits: Limits | None = None,
        policies: bool = True,
        judges: Judges = JUDGES,
    ) -> None:
        """
        @param judges: What they are asked by.
        @param policies: Whether guards are asked; else all let everybody pass.
        @param trusted_hops: As C{--trusted-hops}; L{None}: as the files say, or 0.
        @param paths: As C{--path-normalization}; L{None}: as the files say, or its default.
        @param limits: Of a gateway that runs; L{None}: the defaults, and what the files say of underscores.
        """
        proxy = snapshot.proxy
        self._policies = policies
        self._judges = judges
        self.snapshot = snapshot
        self.trusted_hops = (proxy.trusted_hops or 0) if trusted_hops is None else trusted_hops
        paths = paths or PathNormalisation(proxy.paths or PathNormalisation.BASE.value)
        limits = limits or Limits(underscores=Underscores(proxy.underscores or Underscores.ALLOW.value))
        roles = request_roles(self.trusted_hops > 0, limits.underscores)
        self._heads = Heads(HeadParser(limits, paths, roles), RequestHeads(METHODS, paths, roles), limits)
        self._body_bytes = limits.body_bytes
        self._listeners: dict[int, Listener] = {}
        for listener in snapshot.listeners:
            self._listeners.setdefault(listener.port, listener)
        for listener in snapshot.listeners:
            if isinstance(listener.bind, TCPAddress):
                self._listeners.setdefault(listener.bind.port, listener)

    def decide(self, question: Question) -> Decision:
        """Return what becomes of a question."""
        listener = self._listeners.get(question.port)
        if listener is None:
            return Decision(question, refusal=Refusal.NO_LISTENER)
        found = chain_of(listener, question)
        if isinstance(found, Refusal):
            return Decision(question, listener, refusal=found)
        connection = _connected(question, listener, found)
        decided = self._opened(Decision(question, listener, found), connection)
        if decided.refusal is not None:
            return decided
        if found.http is None:
            return _relayed(replace(decided, connection=connection), connection, self._policies)
        if not question.method:
            return replace(decided, refusal=Refusal.NO_REQUEST, connection=connection)
        return self._request(question, listener, found, connection)

    def _opened(self, decided: Decision, connection: ConnectionInfo) -> Decision:
        """Go on with a connection up to the end of its handshake of TLS, where it has one."""
        chain = connection.chain
        if chain.tls is None:
            return decided
        if chain.guards and self._policies:
            decided = replace(decided, guards=tuple(judged_first(chain.guards, connection, self.trusted_hops)))
            if decided.denied is not None:
                return replace(decided, refusal=Refusal.DENIED)
        verification = chain.tls.rules.verification
        if verification is not None and verification.required and not decided.question.certificate:
            return replace(decided, refusal=Refusal.NO_CERTIFICATE)
        return decided

    def exchange(self, connection: ConnectionInfo, head: RequestHead) -> Exchange:
        """Return an exchange with nobody; its stream is a L{RecordedStream}."""
        return Exchange(RecordedStream(connection, self.trusted_hops), head, {})

    def _request(
        self, question: Question, listener: Listener, chain: FilterChain, connection: ConnectionInfo
    ) -> Decision:
        try:
            head = self._heads.head(question)
        except RequestRefused as refused:
            return Decision(question, listener, chain, None, connection, fault=refused.fault)
        except Malformed:
            return Decision(question, listener, chain, Refusal.MALFORMED, connection)
        asked = self.exchange(connection, head)
        belongs = owner(connection, head.host)
        host = None if belongs is None or belongs.http is None else belongs.http.lookup(head.host)
        decided = Decision(question, listener, chain, None, connection, asked, belongs, host)
        if head.length > self._body_bytes:
            return replace(decided, fault=BODY_TOO_LARGE)
        if question.claims:
            asked.note(METADATA, {PAYLOAD: claims_of(question.claims)})
        if chain.guarded and self._policies:
            decided = replace(decided, guards=tuple(judged(guards_of(connection, head.host), asked, self._judges)))
        return decided if decided.denied is not None else self._routed(decided, connection, asked)

    def _routed(self, decided: Decision, connection: ConnectionInfo, asked: Exchange) -> Decision:
        """Go on with a request that the guards of its virtual host let pass."""
        found = selected(connection, asked.head, asked, self.trusted_hops)
        if isinstance(found, HTTPRoute):
            asked.route = found
            guards = tuple(judged(found.guards, asked, self._judges)) if self._policies else ()
            return replace(decided, route=found, guards=(*decided.guards, *guards))
        if isinstance(found, Fault):
            return replace(decided, fault=found)
        return replace(decided, redirect_port=found)


def _connected(question: Question, listener: Listener, chain: FilterChain) -> ConnectionInfo:
    """Return a connection as the gateway knows it."""
    verified = chain.tls is not None and chain.tls.rules.verification is not None
    return ConnectionInfo(
        listener,
        chain,
        question.peer,
        question.local or _bound(listener),
        question.server_name,
        tls=chain.tls is not None,
        alpn=question.alpn if chain.tls is not None else b"",
        client_certificate=question.certificate if verified else b"",
    )


def _relayed(decided: Decision, connection: ConnectionInfo, policies: bool) -> Decision:
    """Go on with a connection that is relayed."""
    if policies:
        decided = replace(decided, guards=tuple(judged_connection(connection.chain.guards, connection)))
    if decided.denied is not None:
        return replace(decided, refusal=Refusal.DENIED)
    route = route_of(connection)
    return replace(decided, refusal=Refusal.NO_ROUTE if route is None else None, route=route)


def decide(snapshot: Snapshot, question: Question) -> Decision:
    """Return what a Snapshot makes of one question; for many make a L{Decider}."""
    return Decider(snapshot).decide(question)


def chain_of(listener: Listener, question: Question) -> FilterChain | Refusal:
    """Return the filter chain of a connection, or why there is none."""
    if not question.tls:
        if listener.plain is not None:
            return listener.plain
        https = any(chain.http is not None for _, chain in listener.secure.items())
        return Refusal.HTTP_IN_THE_CLEAR if question.method and https else Refusal.NOT_TLS
    if not len(listener.secure):
        # what is plain is relayed whatever it is, but a ClientHello is no request of HTTP
        plain = listener.plain
        return plain if plain is not None and plain.http is None else Refusal.NOT_PLAIN
    found = chain_by_name(listener, question.server_name)
    if found is None:
        return Refusal.UNKNOWN_NAME if question.server_name else Refusal.NO_NAME
    return found


def chain_by_name(listener: Listener, server_name: str) -> FilterChain | None:
    """
    Return the chain for an SNI name, as L{edgegate.tls.sni.ContextMap} does.

    @param server_name: Empty: none was sent.
    """
    found = listener.secure.lookup(server_name)
    if found is None and not server_name:
        chains = {id(chain): chain for _, chain in listener.secure.items()}
        only = next(iter(chains.values()))
        return only if len(chains) == 1 and only.tls is not None else None
    return found


def _bound(listener: Listener) -> Address:
    """Return an address that a client connects to where it is not said: the listener's, or one that it stands for."""
    bind = listener.bind
    if isinstance(bind, TCPAddress) and bind.host in ("0.0.0.0", "::"):
        return TCPAddress("127.0.0.1", bind.port)
    return bind
