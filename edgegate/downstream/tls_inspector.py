# Hot path: runs for each new connection on a port that speaks TLS.
"""
A connection on its way from accept() to its filter chain: its ClientHello is looked at, its server chosen by SNI, its
handshake made on that server's own context.

Where that context has to be looked for first (a L{ContextSeeker} may ask a store, or an authority), the connection is
held: its ClientHello stays in the kernel, nothing is read and nobody watches the socket, until L{TLSInspector._hold} is
told the context, or why there is none. A connection whose context is there knows nothing of it.
"""

from __future__ import annotations

from enum import Enum
from math import inf
from time import monotonic

from OpenSSL import SSL

from edgegate.downstream.listener_filter import CROWDED, ListenerFilterCallbacks
from edgegate.model.addresses import Address
from edgegate.net.accepted_socket import AcceptedSocket
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.lingering_close import LingeringClose
from edgegate.net.peek import Peek
from edgegate.net.poller import paced
from edgegate.net.ssl_request import SSL_REQUEST, UNWILLING, WILLING, asked
from edgegate.net.tls_stream import TLSStream
from edgegate.net.wheel import Deadline
from edgegate.observe.events import RejectedConnection
from edgegate.overload.connections import client_of
from edgegate.overload.idle import UNASKED, UNFINISHED
from edgegate.routing.snapshot import FilterChain, Listener
from edgegate.tls.acme.tls_alpn import OFFERED
from edgegate.tls.client_hello import (
    INTERNAL_ERROR,
    UNRECOGNIZED_NAME,
    ClientHello,
    MalformedHello,
    NotTLS,
    alert,
    parse,
)
from edgegate.tls.context_seeker import NoContext, SoughtContext
from edgegate.tls.verification import forwarded_client_cert, refusal

PATIENCE = 10.0
"""Seconds from accept() to the end of the handshake."""

HELD = 30.0
"""Seconds for which a connection is held until there is a context for it; then the patience begins anew."""

DECODE_ERROR = alert(50)

NOT_ISSUED = "no certificate yet"
"""
What the log says of a connection for a host whose certificate is to be issued. It gets the alert that nginx sends with
C{ssl_reject_handshake}: a client that comes again may be served.
"""

_METHODS = (b"GET ", b"HEAD", b"POST", b"PUT ", b"DELE", b"OPTI", b"PATC", b"CONN", b"TRAC")

_WORDS = b"this port is served under https only\n"

_SPEAK_TLS = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n"
    b"server: edgegate\r\n\r\n%b" % (len(_WORDS), _WORDS)
)


class _Speech(Enum):
    """What the first bytes are."""

    UNKNOWN = "unknown"
    TLS = "TLS"
    MALFORMED = "malformed"
    HTTP = "HTTP"
    REQUEST = "request for encryption"
    OTHER = "other"


class TLSInspector:
    """
    One connection that is being told apart. It owns the socket until it hands it on.

    It ends in exactly one of: handed on, passed through, told to go.

    @ivar peer: The client's address.
    """

    __slots__ = (
        "_asked",
        "_began",
        "_deadline",
        "_granted",
        "_held",
        "_hello",
        "_listener",
        "_local",
        "_peek",
        "_since",
        "_socket",
        "_sought",
        "_speech",
        "_stream",
        "peer",
    )

    def __init__(
        self, listener: ListenerFilterCallbacks, sock: AcceptedSocket, peer: Address, local: Address, since: float
    ) -> None:
        """
        @param since: When it was accepted, in the clock's seconds.
        """
        self._listener = listener
        self._socket = sock
        self.peer = peer
        self._local = local
        self._hello = ClientHello("", ())
        self._speech = _Speech.UNKNOWN
        self._stream: TLSStream | None = None
        self._asked: list[bytes] = []
        self._granted = self._held = False
        self._sought: SoughtContext | None = None
        self._began = monotonic()
        self._since = since
        self._deadline = Deadline(listener.wheel, self._too_slow)
        self._peek = self._looking()

    def start(self) -> None:
        """Begin to look."""
        self._peek.start(self._left())

    def abort(self) -> None:
        """Close at once."""
        self._leave()
        if self._stream is not None:
            self._stream.abandon()
        else:
            self._peek.cancel()
            self._peek.settle()
            self._socket.close()

    def idle_since(self) -> float:
        """See L{edgegate.overload.idle.Idle}."""
        if self._stream is not None or self._held:
            return self._since + UNFINISHED
        return self._since + UNASKED if self._speech is _Speech.UNKNOWN else inf

    def give_way(self) -> bool:
        """Close in favour of others."""
        self.abort()
        self._tell(CROWDED)
        return True

    # Looking ----------------------------------------------------------------------------------------------------------

    def _looking(self) -> Peek:
        listener = self._listener
        return Peek(
            listener.reactor, listener.wheel, self._socket, self._look, self._seen, self._not_seen, handed_on=True
        )

    def _look(self, data: bytes) -> int | None:
        """Return how many bytes are needed to tell; L{None}: enough."""
        try:
            found = parse(data)
        except NotTLS:
            return self._look_for_request(data)
        except MalformedHello:
            self._speech = _Speech.MALFORMED
            return None
        if isinstance(found, int):
            return found
        self._hello = found
        self._speech = _Speech.TLS
        return None

    def _look_for_request(self, data: bytes) -> int | None:
        """It is no TLS: see whether it asks for TLS, as PostgreSQL does, where that may be meant."""
        found = None if self._granted or not self._listener.serving.relays_tls else asked(data)
        if isinstance(found, int):
            return found
        if found is not None and found not in self._asked:
            self._asked.append(found)
            self._speech = _Speech.REQUEST
        else:
            self._speech = _Speech.HTTP if data.startswith(_METHODS) else _Speech.OTHER
        return None

    def _seen(self) -> None:
        listener = self._listener
        if self._speech is _Speech.TLS:
            if self._hello.alpn == OFFERED:
                self._ask()
            else:
                self._choose()
        elif self._speech is _Speech.MALFORMED:
            self._tell_to_go("malformed ClientHello", DECODE_ERROR)
        elif self._speech is _Speech.REQUEST:
            self._answer(self._asked[-1])
        elif self._granted:
            # whoever sent it in the clear, the client's side takes it for something inside TLS
            self._tell_to_go("not TLS behind an SSLRequest", b"")
        elif listener.listener.plain is not None:
            self._peek.settle()
            self._leave()
            listener.serve_socket(listener.listener.plain, self._socket, self.peer, self._local)
        elif self._speech is _Speech.HTTP and listener.serving.speaks_https:
            self._tell_to_go("HTTP in the clear", _SPEAK_TLS)
        else:
            self._tell_to_go("not TLS", b"")

    def _answer(self, request: bytes) -> None:
        """Say whether we are willing to encrypt in the way that is asked for, and look at what comes next."""
        taken = self._peek.take(len(request) + 1)
        if len(taken) > len(request):
            # Nothing may come before our answer: it could have been put there by another than who shakes hands.
            self._tell_to_go("data behind a request for encryption", b"")
            return
        self._granted = request == SSL_REQUEST
        if taken != request or not self._peek.reply(WILLING if self._granted else UNWILLING):
            self._peek.settle()
            self._not_seen("reset")
            return
        # what comes next is awaited as the first bytes are
        self._speech = _Speech.UNKNOWN
        self._peek = self._looking()
        self._peek.start(self._left())

    def _not_seen(self, reason: str) -> None:
        self._leave()
        self._socket.close()
        self._tell(reason)

    def _too_slow(self) -> None:
        if self._held:
            # it may go on without this one: whoever comes again gets what was found
            self._tell_to_go("no certificate in time", INTERNAL_ERROR)
            return
        self.abort()
        self._tell("timeout")

    # Answering authorities --------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        """
        Only authorities offer this: see whether one is waited for that asks for the name (TLS-ALPN-01, RFC 8737),
        before all that files say of it, and whoever would serve it.
        """
        challenges, name = self._listener.challenges, self._hello.server_name
        client = client_of(self.peer)
        if challenges is None or not challenges.may_know(name, client):
            self._choose()
            return
        self._deadline.start(self._left())
        # nobody watches the socket meanwhile
        self._peek.settle()
        challenges.find(name, client, self._answered)

    def _answered(self, context: SSL.Context | None) -> None:
        # it may have ended while it waited
        if self in self._listener.pending:
            if context is None:
                self._choose()
            else:
                self._wait_for_turn(None, context)

    # Choosing ---------------------------------------------------------------------------------------------------------

    def _choose(self) -> None:
        listener = self._listener
        contexts = listener.serving.contexts
        found = contexts.lookup(self._hello.server_name, self._local)
        if found is None:
            if contexts.withholds(self._hello.server_name, self._local):
                self._tell_to_go(NOT_ISSUED, UNRECOGNIZED_NAME)
            else:
                self._tell_to_go("unknown server name", UNRECOGNIZED_NAME, unknown=True)
            return
        chain, context = found
        if chain.guards:
            refusal = listener.address_lists.refusal(chain.guards, self.peer, chain.http is None)
            if refusal:
                self._tell_to_go(refusal, b"")
                return
        if context is not None:
            self._wait_for_turn(chain, context)
        elif chain.tls is not None:
            self._hold(chain)
        else:
            self._peek.settle()
            self._leave()
            name = self._hello.server_name
            listener.serve_socket(chain, self._socket, self.peer, self._local, name, self._granted)

    def _hold(self, chain: FilterChain) -> None:
        """Hold the connection until its context is found: that may take its time."""
        listener = self._listener
        served = listener.listener
        if listener.seeker is None:
            self._tell_to_go("no certificate", INTERNAL_ERROR)
            return
        # nobody watches the socket meanwhile
        self._peek.settle()
        self._held = True
        self._deadline.start(HELD)

        def found(context: SSL.Context | NoContext) -> None:
            self._held, self._sought = False, None
            if self not in listener.pending:
                return
            if isinstance(context, NoContext):
                self._tell_to_go(context.reason, context.words, context.unknown)
            else:
                self._since = listener.wheel.clock.seconds()
                if listener.listener is served:
                    self._wait_for_turn(chain, context)
                else:
                    # the files were read anew meanwhile: they may have other terms for the name, or none
                    self._choose()

        sought = listener.seeker.seek(served.name, chain, self._hello, client_of(self.peer), found)
        if self._held:
            self._sought = sought

    def _wait_for_turn(self, chain: FilterChain | None, context: SSL.Context) -> None:
        """Shake hands now, or when there is time for it; what it costs most is made then."""
        # what has the chain: another may be in force by then
        served = self._listener.listener

        def begin() -> None:
            # it may have ended while it waited
            if self in self._listener.pending:
                try:
                    self._shake_hands(served, chain, context)
                except BaseException:
                    # unless it has ended, or another has it
                    if self in self._listener.pending:
                        self.abort()
                    raise

        self._deadline.start(self._left())
        if not paced(self._listener.reactor, begin, client_of(self.peer)):
            # nobody watches the socket meanwhile
            self._peek.settle()

    def _shake_hands(self, served: Listener, chain: FilterChain | None, context: SSL.Context) -> None:
        """
        Shake hands.

        @param served: Has the chain.
        @param chain: Serves what comes then; L{None}: nothing does, an authority has seen what it wanted.
        """
        listener = self._listener
        stream = TLSStream(listener.reactor, listener.wheel, self._socket, self._local, self.peer, context)
        self._stream = stream

        def done() -> None:
            self._leave()
            if chain is None:
                stream.abandon()
                return
            certificate = None
            if chain.tls is not None and chain.tls.rules.verification is not None:
                certificate = stream.connection.get_peer_certificate(as_cryptography=True)
            downstream = ConnectionInfo(
                served,
                chain,
                self.peer,
                self._local,
                self._hello.server_name,
                tls=True,
                alpn=stream.alpn if self._hello.alpn else b"",
                client_certificate=forwarded_client_cert(certificate) if certificate is not None else b"",
                ssl_request=self._granted,
                secured=stream.connection,
                entry=listener,
                counts=self._socket.counts,
                meter=listener.meter,
                introducer=self._socket.introducer,
            )
            listener.serve_stream(stream, downstream)

        def failed(reason: str) -> None:
            self._leave()
            self._tell(refusal(stream.connection) or reason)

        listener.shakes_hands(self)
        stream.handshake(done, failed)

    # ------------------------------------------------------------------------------------------------------------------

    def _tell_to_go(self, reason: str, words: bytes, unknown: bool = False) -> None:
        self._peek.settle()
        self._leave()
        listener = self._listener
        LingeringClose(listener.reactor, listener.wheel, self._socket, words)
        self._tell(reason, unknown)

    def _tell(self, reason: str, unknown: bool = False) -> None:
        name = self._hello.server_name
        self._listener.observer.connection_rejected(
            RejectedConnection(self.peer, self._local, reason, name, unknown, self._began)
        )

    def _left(self) -> float:
        """Return the seconds that are left of its patience."""
        return max(PATIENCE - (self._listener.wheel.clock.seconds() - self._since), 0.0)

    def _leave(self) -> None:
        self._deadline.end()
        sought, self._sought = self._sought, None
        if sought is not None:
            self._held = False
            sought.leave()
        self._listener.settled(self)
