"""Tests of L{edgegate.downstream.tls_inspector}: connections that are told apart by their first bytes."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Hashable
from dataclasses import replace
from pathlib import Path

from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from edgegate.downstream.listener import NO_SERVER, DownstreamListener
from edgegate.downstream.listener_filter import ListenerFilter, Serving
from edgegate.downstream.proxy_protocol import ProxyProtocolRules
from edgegate.downstream.tls_inspector import HELD, NOT_ISSUED, PATIENCE, TLSInspector
from edgegate.model.guards.address_list import AddressList
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.poller import Poller, poller
from edgegate.net.ssl_request import GSSENC_REQUEST, SSL_REQUEST
from edgegate.observe.events import RejectedConnection
from edgegate.overload.idle import UNASKED
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener
from edgegate.tls.acme.challenges import ChallengeAnswers
from edgegate.tls.acme.hello_challenges import PATIENCE as STORE_PATIENCE
from edgegate.tls.acme.hello_challenges import HelloChallenges
from edgegate.tls.acme.store import CertificateStore, hello_name
from edgegate.tls.client_hello import UNRECOGNIZED_NAME, ClientHello
from edgegate.tls.context_seeker import NoContext, SetContext
from edgegate.tls.contexts import server_context
from edgegate.tls.sni import ContextMap
from tests.access.test_address_list import addresses
from tests.downstream.arriving import HERE, PLAIN, SECURE, SNI, STRICT, ArrivingCase, listener
from tests.net.pairs import Recorder, until
from tests.tls.acme.certificates import managed
from tests.tls.acme.test_challenges import Later
from tests.tls.acme.test_tls_alpn import DIGEST, authority
from tests.tls.handshakes import client_context, naming, only, secrets, server_tls
from tests.tls.hellos import real, records


def shake(sock: socket.socket, name: str, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    """Shake hands as a client."""
    context = context or client_context()
    context.check_hostname = False
    return context.wrap_socket(sock, server_hostname=name)


def post_quantum(name: str) -> SSL.Connection:
    """Return a client of today's OpenSSL, whose ClientHello is in its buffer."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    client = SSL.Connection(context, None)
    client.set_tlsext_host_name(name.encode())
    client.set_connect_state()
    with contextlib.suppress(SSL.WantReadError):
        client.do_handshake()
    return client


class FailingContext(SSL.Context):
    """One of which no connection can be made."""

    def __init__(self, kind: type[BaseException]) -> None:
        self._kind = kind

    def __getattribute__(self, name: str) -> object:
        """Raise what was asked for once OpenSSL's context is asked for."""
        if name == "_context":
            raise self._kind
        return super().__getattribute__(name)


class TLSInspectorTests(ArrivingCase):
    """What becomes of a connection."""

    async def test_secure(self) -> None:
        """A name finds its server, whose handshake is made; then HTTP begins."""
        port = self.open(listener(None, SNI))
        client = await deferToThread(shake, self.connect(), "A.example")
        self.addCleanup(client.close)
        await until(lambda: self.http.connections)
        downstream, _ = self.http.connections[0]
        self.assertIs(downstream.chain, SECURE)
        self.assertEqual((downstream.tls, downstream.server_name), (True, "a.example"))
        self.assertEqual(port.pending, set())

    async def test_passed_through(self) -> None:
        """A name whose TLS ends elsewhere is relayed with its ClientHello unread."""
        self.open(listener(None, SNI))
        hello = real("c.example")
        self.connect().sendall(hello)
        await until(lambda: self.tcp.sockets)
        downstream, sock = self.tcp.sockets[0]
        self.assertEqual((downstream.server_name, downstream.tls), ("c.example", False))
        sock.setblocking(True)
        self.assertEqual(sock.recv(65536), hello)

    async def test_cut_everywhere(self) -> None:
        """A hello with a post-quantum key is read wherever it is cut, its parts coming together or one by one."""
        port = self.open(listener(None, SNI))
        hello = post_quantum("c.example").bio_read(65536)
        self.assertGreater(len(hello), 1200)
        for cut in range(1, len(hello)):
            for slow in (True, False):
                client = self.connect()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.sendall(hello[:cut])
                if slow:
                    await until(lambda: any(each._peek._low > 1 for each in port.pending))
                client.sendall(hello[cut:])
                await until(lambda: self.tcp.sockets)
                downstream, sock = self.tcp.sockets.pop()
                client.close()
                with sock:
                    self.assertEqual((downstream.server_name, sock.recv(65536)), ("c.example", hello))
        self.assertEqual(self.observer.rejected, [])

    async def test_many_segments_and_records(self) -> None:
        """A hello that comes a byte at a time, in records of a few bytes each, is answered as any other."""
        self.open(listener(None, SNI))
        for size, step in ((16384, 1), (100, 50), (5, 7)):
            client = self.connect()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ours = post_quantum("a.example")
            hello = records(ours.bio_read(65536)[5:], size)
            for at in range(0, len(hello), step):
                client.sendall(hello[at : at + step])
                # nothing tells when the kernel has it
                await deferLater(reactor, 0.002)  # type: ignore[arg-type]
                self.clock.advance(0.001)
            client.setblocking(False)

            def shaken() -> bool:
                self.clock.advance(0.001)
                with contextlib.suppress(BlockingIOError):
                    ours.bio_write(client.recv(65536))  # noqa: B023
                try:
                    ours.do_handshake()  # noqa: B023
                except SSL.WantReadError:
                    return False
                finally:
                    with contextlib.suppress(SSL.WantReadError):
                        client.send(ours.bio_read(65536))  # noqa: B023
                return True

            await until(shaken)
            await until(lambda: self.http.connections)
            self.assertEqual(self.http.connections.pop()[0].server_name, "a.example")
        self.assertEqual(self.observer.rejected, [])

    async def test_nothing_in_common(self) -> None:
        """Who offers by ALPN only what is not spoken is told so."""
        chain = replace(SECURE, tls=naming(server_tls(alpn=(b"http/1.1",))))
        self.open(listener(None, HostTable([("a.example", chain)])))
        context = client_context()
        context.set_alpn_protocols(["h2"])
        with self.assertRaisesRegex(ssl.SSLError, "(?i)no.application.protocol"):
            await deferToThread(shake, self.connect(), "a.example", context)
        await until(lambda: self.observer.rejected)
        self.assertEqual(self.observer.rejected[0].reason, "no application protocol in common")

    async def test_error(self) -> None:
        """An error of ours as a handshake begins, whatever its kind, closes the connection, which counts no longer."""
        port = self.open(listener(None, SNI))
        for kind in (ZeroDivisionError, SystemExit):
            port.serving.contexts._table = HostTable([("a.example", (SECURE, FailingContext(kind)))])
            client = self.connect()
            client.sendall(real("a.example"))
            await until(lambda kind=kind: self.flushLoggedErrors(kind))  # type: ignore[misc]
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(await deferToThread(client.recv, 10), b"")
            self.assertEqual((port.pending, port.shaking, port.taken), (set(), {}, 0))

    async def test_error_after_the_end(self) -> None:
        """An error of ours behind the end of a handshake takes its connection from nobody who has it by then."""

        def fail(rejected: RejectedConnection) -> None:
            raise SystemExit

        self.observer.connection_rejected = fail  # type: ignore[method-assign]
        port = self.open(listener(None, HostTable([("a.example", STRICT)])))
        port.reactor = poller(reactor)  # type: ignore[arg-type]
        client = self.connect()
        held = client.dup()
        context = client_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
        with self.assertRaisesRegex(ssl.SSLError, "(?i)handshake.failure"):
            await deferToThread(shake, client, "a.example", context)
        await until(lambda: self.flushLoggedErrors(SystemExit))
        # who lets the client read its alert has the socket until the client has closed, too
        self.assertEqual((port.pending, port.taken), (set(), 1))
        held.close()
        await until(lambda: not port.taken)

    async def test_unknown_name(self) -> None:
        """A name that no server has, and none at all, get an alert, no certificate, and an entry in the log."""
        self.open(listener(None, SNI))
        for name in ("z.example", None):
            client = self.connect()
            client.sendall(real(name))
            self.assertEqual(await deferToThread(client.recv, 100), UNRECOGNIZED_NAME)
        told = [(each.server_name, each.unknown) for each in self.observer.rejected]
        self.assertEqual(told, [("z.example", True), ("", True)])

    async def test_refused_by_address(self) -> None:
        """Who may not come to a server is told to go before its handshake; to the others of the port he may."""
        guarded = replace(SECURE, guards=(AddressList("n/local", HERE, deny=addresses("127.0.0.0/8")),))
        port = self.open(listener(None, HostTable([("a.example", guarded), ("b.example", STRICT)])))
        client = self.connect()
        client.sendall(real("a.example"))
        self.assertEqual(await deferToThread(client.recv, 100), b"")
        (rejected,) = self.observer.rejected
        self.assertEqual((rejected.reason, rejected.server_name), ("address_list_denied[n/local]", "a.example"))
        self.assertEqual((port.pending, self.http.connections), (set(), []))

    async def test_withheld(self) -> None:
        """A host whose certificate is to be issued is refused with an alert, and the log says why."""
        resolved = server_tls()
        missing = replace(resolved.certificates[0], name="to be issued", withheld=True)
        chain = replace(SECURE, tls=naming(replace(resolved, certificates=(missing,))))
        self.open(listener(None, HostTable([("a.example", chain), ("b.example", STRICT)])))
        client = self.connect()
        client.sendall(real("a.example"))
        self.assertEqual(await deferToThread(client.recv, 100), UNRECOGNIZED_NAME)
        (rejected,) = self.observer.rejected
        self.assertEqual((rejected.reason, rejected.server_name, rejected.unknown), (NOT_ISSUED, "a.example", False))

    async def test_refused_at_once(self) -> None:
        """Where a list stands on all of a port, nothing is read of who may not come."""
        guards = (AddressList("n/local", HERE, deny=addresses("127.0.0.0/8")),)
        secure = HostTable([("a.example", replace(SECURE, guards=guards))])
        self.open(replace(listener(None, secure), first=guards))
        self.assertEqual(await deferToThread(self.connect().recv, 100), b"")
        (rejected,) = self.observer.rejected
        self.assertEqual((rejected.reason, rejected.server_name), ("address_list_denied[n/local]", ""))

    async def test_plain_beside(self) -> None:
        """What does not begin with TLS goes to the plain server where there is one."""
        self.open(listener(PLAIN, SNI))
        self.connect().sendall(b"GET / HTTP/1.1\r\n")
        await until(lambda: self.http.connections)
        self.assertIs(self.http.connections[0][0].chain, PLAIN)

    async def test_ssl_request(self) -> None:
        """A client of PostgreSQL asks for TLS first: its hello decides then, and what serves it knows how it came."""
        self.open(listener(None, SNI))
        for refused_first in (b"", GSSENC_REQUEST):
            client = self.connect()
            if refused_first:
                client.sendall(refused_first)
                self.assertEqual(await deferToThread(client.recv, 10), b"N")
            for byte in SSL_REQUEST:
                client.sendall(bytes((byte,)))
            self.assertEqual(await deferToThread(client.recv, 10), b"S")
            hello = real("c.example")
            client.sendall(hello)
            await until(lambda: self.tcp.sockets)
            downstream, sock = self.tcp.sockets.pop()
            self.addCleanup(sock.close)
            self.assertEqual((downstream.server_name, downstream.ssl_request), ("c.example", True))
            sock.setblocking(True)
            self.assertEqual(sock.recv(65536), hello)

    async def test_ssl_request_of_an_ended_server(self) -> None:
        """Where TLS ends here, hands are shaken behind the answer."""
        ended = replace(SECURE, http=None, tcp=())
        self.open(listener(None, HostTable([("a.example", ended)])))
        protocols: list[ConnectionInfo] = []
        self.port.dispatch.buildProtocol = lambda addr: (protocols.append(addr), Recorder())[1]  # type: ignore[assignment, method-assign, func-returns-value]
        client = self.connect()
        client.sendall(SSL_REQUEST)
        self.assertEqual(await deferToThread(client.recv, 10), b"S")
        secure = await deferToThread(shake, client, "a.example")
        await until(lambda: protocols)
        self.assertEqual((protocols[0].tls, protocols[0].ssl_request), (True, True))
        secure.close()

    async def test_ssl_request_refused(self) -> None:
        """Nothing may come before the answer, nothing in the clear behind it; each is asked once, where it is meant."""
        https = HostTable([("a.example", SECURE)])
        for table, first, answer, then, reason in (
            (SNI, SSL_REQUEST + b"Q", b"", b"", "data behind a request for encryption"),
            (SNI, SSL_REQUEST + real("c.example"), b"", b"", "data behind a request for encryption"),
            (SNI, SSL_REQUEST, b"S", b"GET / HTTP/1.1\r\n", "not TLS behind an SSLRequest"),
            (SNI, SSL_REQUEST, b"S", SSL_REQUEST, "not TLS behind an SSLRequest"),
            (SNI, GSSENC_REQUEST, b"N", GSSENC_REQUEST, "not TLS"),
            (SNI, b"\0\0\0\x10\x04\xd2\x16\x2e" + bytes(8), b"", b"", "not TLS"),
            (https, SSL_REQUEST, b"", b"", "not TLS"),
        ):
            self.open(listener(PLAIN if b"GET" in then else None, table))
            client = self.connect()
            client.sendall(first)
            if answer:
                self.assertEqual(await deferToThread(client.recv, 10), answer)
                client.sendall(then)
            self.assertEqual(await deferToThread(client.recv, 10), b"")
            await until(lambda: self.observer.rejected)
            self.assertEqual(self.observer.rejected.pop().reason, reason)
            self.port.close()
        self.assertEqual((self.http.connections, self.tcp.sockets), ([], []))

    async def test_ssl_request_and_silence(self) -> None:
        """One time is for the request and all behind it; a drain closes what is left."""
        port = self.open(listener(None, SNI))
        client = self.connect()
        client.sendall(SSL_REQUEST)
        self.assertEqual(await deferToThread(client.recv, 10), b"S")
        # it gives way to others as one does that has said nothing
        (silent,) = port.pending
        self.assertEqual(silent.idle_since(), self.clock.seconds() + UNASKED)
        self.clock.pump([0.5] * int(2 * PATIENCE + 6))
        self.assertEqual((port.pending, [each.reason for each in self.observer.rejected]), (set(), ["timeout"]))
        gone = self.connect()
        gone.sendall(SSL_REQUEST)
        self.assertEqual(await deferToThread(gone.recv, 10), b"S")
        port.abort()
        self.assertEqual(await deferToThread(gone.recv, 10), b"")

    async def test_http_in_the_clear(self) -> None:
        """HTTP where HTTPS is served is told so; anything else is just closed."""
        self.open(listener(None, SNI))
        client = self.connect()
        client.sendall(b"GET / HTTP/1.1\r\nhost: a.example\r\n\r\n")
        answer = await deferToThread(client.recv, 1000)
        self.assertIn(b"400 Bad Request", answer)
        client = self.connect()
        client.sendall(b"SSH-2.0-client\r\n")
        self.assertEqual(await deferToThread(client.recv, 1000), b"")
        self.assertEqual([each.reason for each in self.observer.rejected], ["HTTP in the clear", "not TLS"])

    async def test_malformed(self) -> None:
        """A ClientHello that is none gets C{decode_error}."""
        self.open(listener(None, SNI))
        client = self.connect()
        client.sendall(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\xff")
        self.assertEqual(await deferToThread(client.recv, 100), b"\x15\x03\x03\x00\x02\x02\x32")

    async def test_refused(self) -> None:
        """A handshake that fails is a rejected connection with OpenSSL's reason."""
        self.open(listener(None, SNI))
        context = only(client_context(), ssl.TLSVersion.TLSv1_2)
        context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
        with self.assertRaises(ssl.SSLError):
            await deferToThread(shake, self.connect(), "b.example", context)
        await until(lambda: self.observer.rejected)
        self.assertIn("no shared cipher", self.observer.rejected[0].reason)
        self.assertEqual(self.observer.rejected[0].server_name, "b.example")

    async def test_silence(self) -> None:
        """Who says nothing, or not enough, is left in the end."""
        port = self.open(listener(None, SNI))
        silent, slow = self.connect(), self.connect()
        slow.sendall(real("a.example"))
        await until(lambda: len(port.pending) == 2)
        self.clock.pump([0.5] * int(2 * PATIENCE + 6))
        self.assertEqual(port.pending, set())
        self.assertEqual({each.reason for each in self.observer.rejected}, {"timeout"})
        self.assertEqual(await deferToThread(silent.recv, 1), b"")

    async def test_quiet_gateway(self) -> None:
        """After hours without a connection the next one has its full time."""
        port = self.open(listener(None, SNI))
        self.clock.advance(7200.0)
        client = self.connect()
        client.sendall(real("a.example"))
        await until(lambda: any(isinstance(each, TLSInspector) and each._stream is not None for each in port.pending))
        self.clock.pump([0.5] * 10)
        self.assertEqual((self.observer.rejected, len(port.pending)), ([], 1))

    async def test_gone(self) -> None:
        """Who leaves before it has said enough is a rejected connection."""
        self.open(listener(None, SNI))
        client = self.connect()
        client.sendall(b"\x16")
        client.close()
        await until(lambda: self.observer.rejected)
        self.assertIn(self.observer.rejected[0].reason, ("closed", "reset"))

    async def test_reload_during_the_handshake(self) -> None:
        """A server that changes its terms while hands are shaken is not served to the client any more."""
        port = self.open(listener(None, SNI))
        client = self.connect()
        client.setblocking(False)
        secure = client_context().wrap_socket(client, server_hostname="a.example", do_handshake_on_connect=False)
        self.addCleanup(secure.close)
        with self.assertRaises(ssl.SSLWantReadError):
            secure.do_handshake()
        await until(lambda: port.pending)
        await until(lambda: any(isinstance(each, TLSInspector) and each._stream is not None for each in port.pending))
        other = listener(None, HostTable([("a.example", STRICT)]))
        port.serving = Serving(other, ContextMap(other, secrets()))

        def shaken() -> bool:
            try:
                secure.do_handshake()
            except ssl.SSLWantReadError:
                return False
            return True

        await until(shaken)
        await until(lambda: not port.pending)
        self.assertEqual(self.http.connections, [])
        rejected = [(each.reason, each.server_name) for each in self.observer.rejected]
        self.assertEqual(rejected, [(NO_SERVER, "a.example")])


class ChallengeTests(ArrivingCase):
    """Authorities that ask by TLS-ALPN-01 whether a host is ours."""

    def setUp(self) -> None:
        """Have a challenge be waited for."""
        super().setUp()
        self.later = Later()
        issuer = managed(Path(self.mktemp()).absolute()).issuer
        self.store = CertificateStore(issuer)
        answers = ChallengeAnswers(self.later)
        answers.storages = (issuer.storage,)
        self.hellos = HelloChallenges(answers, self.later, self.clock)

    def open(self, served: Listener, proxy_protocol: ProxyProtocolRules | None = None) -> DownstreamListener:
        """Open the port."""
        port = super().open(served, proxy_protocol)
        port.reactor = poller(reactor)  # type: ignore[arg-type]
        port.challenges = self.hellos
        return port

    def pending(self, *hosts: str) -> contextlib.ExitStack:
        """Have authorities be waited for until the test ends, or the stack is closed."""
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        for host in hosts:
            stack.enter_context(self.store.challenge(hello_name(host), DIGEST.hex()))
        return stack

    async def shake(self, name: str, *protocols: str, client: socket.socket | None = None) -> ssl.SSLSocket:
        """Shake hands, the store being looked at when it is to be."""
        shaken = deferToThread(shake, client or self.connect(), name, authority(*protocols))
        while not shaken.called:
            self.later.do()
            await deferLater(reactor, 0)  # type: ignore[arg-type]
        sock = await shaken
        self.addCleanup(sock.close)
        return sock

    def shown(self, sock: ssl.SSLSocket) -> bool:
        """Whether it was shown what an authority is to see."""
        certificate = sock.getpeercert(binary_form=True)
        assert certificate is not None
        return b"\x04\x20" + DIGEST in certificate

    async def test_answered(self) -> None:
        """It sees the certificate and is closed, on each server of the port and for hosts of none; nobody serves it."""
        port = self.open(listener(None, SNI))
        self.pending("a.example", "c.example", "elsewhere.example")
        for name in ("a.example", "A.Example", "c.example", "elsewhere.example"):
            sock = await self.shake(name, "acme-tls/1")
            self.assertTrue(self.shown(sock))
            self.assertEqual(sock.selected_alpn_protocol(), "acme-tls/1")
            self.assertEqual(await deferToThread(sock.recv, 10), b"")
            await until(lambda: not port.pending and not port.taken)
        self.assertEqual((self.http.connections, self.tcp.sockets, self.observer.rejected), ([], [], []))
        self.assertEqual(port.shaking, {})

    async def test_not_an_authority(self) -> None:
        """Who offers something beside it, or asks for what is not waited for, is a client like others."""
        served = replace(SECURE, tls=naming(server_tls(alpn=(b"http/1.1",))))
        self.open(listener(None, HostTable([("a.example", served), ("b.example", STRICT)])))
        pending = self.pending("a.example")
        sock = await self.shake("a.example", "acme-tls/1", "http/1.1")
        self.assertEqual((self.shown(sock), sock.selected_alpn_protocol()), (False, "http/1.1"))
        # a server that speaks none by ALPN
        self.assertFalse(self.shown(await self.shake("b.example", "acme-tls/1")))
        await until(lambda: len(self.http.connections) == 2)
        pending.close()
        with self.assertRaisesRegex(ssl.SSLError, "(?i)no.application.protocol"):
            await self.shake("a.example", "acme-tls/1")
        with self.assertRaises(ssl.SSLError):
            await self.shake("z.example", "acme-tls/1")
        await until(lambda: len(self.observer.rejected) == 2)
        self.assertEqual(
            [each.reason for each in self.observer.rejected],
            ["no application protocol in common", "unknown server name"],
        )

    async def test_passed_through(self) -> None:
        """What is not waited for reaches a backend, which may have challenges of its own, as it came."""
        self.open(listener(None, SNI))
        self.pending("a.example")
        hello = real("c.example", ["acme-tls/1"])
        self.connect().sendall(hello)
        await until(lambda: self.later.waiting)
        self.later.do()
        (downstream, sock) = self.tcp.sockets[0]
        self.assertEqual(downstream.server_name, "c.example")
        sock.setblocking(True)
        self.assertEqual(sock.recv(65536), hello)

    async def test_nobody_named(self) -> None:
        """Who names no host, or an address, is not looked for."""
        self.open(listener(None, SNI))
        for name in (None, "192.0.2.1"):
            client = self.connect()
            client.sendall(real(name, ["acme-tls/1"]))
            self.assertEqual(await deferToThread(client.recv, 100), UNRECOGNIZED_NAME)
        self.assertEqual(self.later.waiting, [])

    async def test_in_pieces(self) -> None:
        """A hello in pieces and records is one."""
        self.open(listener(None, SNI))
        self.pending("a.example")
        context = authority("acme-tls/1")
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        talk = context.wrap_bio(incoming, outgoing, server_hostname="a.example")
        with contextlib.suppress(ssl.SSLWantReadError):
            talk.do_handshake()
        hello = records(outgoing.read()[5:], 50)
        client = self.connect()
        client.sendall(hello[:70])
        (inspector,) = await self.waits()
        self.assertEqual(self.later.waiting, [])
        client.sendall(hello[70:])
        await until(lambda: self.later.waiting)
        self.assertIn(inspector, self.port.pending)
        self.later.do()
        incoming.write(await deferToThread(client.recv, 65536))
        while True:
            try:
                talk.do_handshake()
                break
            except ssl.SSLWantReadError:
                incoming.write(await deferToThread(client.recv, 65536))
        self.assertEqual(talk.selected_alpn_protocol(), "acme-tls/1")

    async def waits(self) -> set[ListenerFilter]:
        """Return what is looked at, once something is."""
        await until(lambda: self.port.pending)
        return set(self.port.pending)

    async def test_ended_meanwhile(self) -> None:
        """Who is closed while it waits for the store is not answered."""
        port = self.open(listener(None, SNI))
        self.pending("a.example")
        for end in (port.abort, lambda: next(iter(port.pending)).give_way()):
            client = self.connect()
            client.sendall(real("a.example", ["acme-tls/1"]))
            await until(lambda: self.later.waiting)
            end()
            self.assertEqual((port.pending, port.taken), (set(), 0))
            self.later.do()
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(await deferToThread(client.recv, 10), b"")
        self.assertEqual(port.taken, 0)

    async def test_slow_store(self) -> None:
        """Who waits for a store that does not answer goes on as if nothing were waited for."""
        self.open(listener(None, SNI))
        self.pending("c.example")
        hello = real("c.example", ["acme-tls/1"])
        self.connect().sendall(hello)
        await until(lambda: self.later.waiting)
        self.clock.advance(STORE_PATIENCE)
        self.assertEqual(len(self.tcp.sockets), 1)
        # nobody else waits for it, until it has answered
        self.connect().sendall(hello)
        await until(lambda: len(self.tcp.sockets) == 2)
        self.later.do()
        self.connect().sendall(hello)
        await until(lambda: self.later.waiting)

    async def test_reloaded_meanwhile(self) -> None:
        """What is not waited for goes on by what is served then."""
        port = self.open(listener(None, SNI))
        client = self.connect()
        client.sendall(real("a.example", ["acme-tls/1"]))
        await until(lambda: self.later.waiting)
        served = listener(PLAIN)
        port.serving = Serving(served, ContextMap(served, secrets()))
        self.later.do()
        self.assertEqual(await deferToThread(client.recv, 100), UNRECOGNIZED_NAME)

    async def test_many(self) -> None:
        """However many there are, one look at the store is for all."""
        port = self.open(listener(None, SNI))
        hello = real("c.example", ["acme-tls/1"])
        self.connect().sendall(hello)
        await until(lambda: self.later.waiting)
        for _ in range(50):
            self.connect().sendall(hello)
        await until(lambda: self.hellos._number == 51)
        self.assertEqual(len(self.later.waiting), 1)
        self.later.do(2)
        self.assertEqual((len(self.tcp.sockets), self.later.waiting, port.pending), (51, [], set()))

    async def test_normal(self) -> None:
        """Others are not looked for."""
        self.open(listener(None, SNI))
        self.pending("a.example")
        self.assertFalse(self.shown(await self.shake("a.example")))
        self.assertFalse(self.shown(await self.shake("a.example", "h2", "http/1.1")))
        self.assertEqual(self.hellos._made, {})


class Seeker:
    """Finds what the test says, at once or when it is told to."""

    def __init__(self) -> None:
        self.at_once: SSL.Context | NoContext | None = None
        self.sought: list[tuple[str, str, SetContext]] = []
        self.left = 0

    def seek(
        self, listener: str, chain: FilterChain, hello: ClientHello, client: Hashable, found: SetContext
    ) -> Seeker | None:
        """Remember what is sought."""
        self.sought.append((listener, hello.server_name, found))
        if self.at_once is not None:
            found(self.at_once)
            return None
        return self

    def leave(self) -> None:
        """Count."""
        self.left += 1


class HeldTests(ArrivingCase):
    """Connections whose context has to be looked for."""

    def setUp(self) -> None:
        """Open a port with a server whose certificates are on demand."""
        super().setUp()
        tls = replace(naming(server_tls()), credentials=(), on_demand="default/ca")
        self.chain = replace(SECURE, tls=tls, hosts=("*.example",))
        self.seeker = Seeker()
        self.open(listener(None, HostTable([("*.example", self.chain), ("b.example", STRICT)])))
        self.port.seeker = self.seeker
        self.before = self.port.serving
        self.context = server_context(server_tls())

    async def held(self, name: str = "a.example") -> Deferred[ssl.SSLSocket]:
        """Connect, and wait until it is held."""
        shaking = deferToThread(shake, self.connect(), name)
        await until(lambda: self.seeker.sought)
        return shaking

    async def test_found(self) -> None:
        """It is held until there is a context, and then served as any other, with its time for the handshake anew."""
        shaking = await self.held()
        self.clock.pump([1.0] * 25)
        name, server_name, found = self.seeker.sought[0]
        self.assertEqual((name, server_name, len(self.port.pending)), (self.port.listener.name, "a.example", 1))
        found(self.context)
        client = await shaking
        self.addCleanup(client.close)
        await until(lambda: self.http.connections)
        self.assertIs(self.http.connections[0][0].chain, self.chain)
        self.assertEqual((self.observer.rejected, self.port.pending, self.seeker.left), ([], set(), 0))

    async def test_at_once(self) -> None:
        """What is there already is served without a wait."""
        self.seeker.at_once = self.context
        client = await deferToThread(shake, self.connect(), "a.example")
        self.addCleanup(client.close)
        await until(lambda: self.http.connections)

    async def test_refused(self) -> None:
        """Where there is none the client is told by an alert."""
        self.seeker.at_once = NoContext("no such name", UNRECOGNIZED_NAME, unknown=True)
        with self.assertRaisesRegex(ssl.SSLError, "(?i)unrecognized.name"):
            await deferToThread(shake, self.connect(), "a.example")
        (rejected,) = self.observer.rejected
        self.assertEqual((rejected.reason, rejected.server_name, rejected.unknown), ("no such name", "a.example", True))

    async def test_too_long(self) -> None:
        """What is not found in time ends with an alert; what is found later is for nobody."""
        shaking = await self.held()
        self.clock.pump([1.0] * int(HELD + 3))
        with self.assertRaisesRegex(ssl.SSLError, "(?i)internal.error"):
            await shaking
        self.assertEqual((self.seeker.left, self.port.pending), (1, set()))
        self.seeker.sought[0][2](self.context)
        self.assertEqual((self.http.connections, len(self.observer.rejected)), ([], 1))

    async def test_gives_way(self) -> None:
        """One that is held for long gives way where there are too many connections."""
        shaking = await self.held()
        (held,) = self.port.pending
        self.assertLess(held.idle_since(), self.clock.seconds() + PATIENCE)
        held.give_way()
        with self.assertRaises((ssl.SSLError, OSError)):
            await shaking
        self.assertEqual(self.seeker.left, 1)
        self.seeker.sought[0][2](self.context)

    async def test_reload(self) -> None:
        """Who is held while the files are read anew is served on the terms of the newer ones, or told that none are."""
        for secure in (("a.example", STRICT), ("*.other", STRICT)):
            self.port.serving = self.before
            shaking = await self.held()
            other = listener(None, HostTable([secure]))
            self.port.serving = Serving(other, ContextMap(other, secrets()))
            self.seeker.sought.pop()[2](self.context)
            if secure[0] != "a.example":
                with self.assertRaisesRegex(ssl.SSLError, "(?i)unrecognized.name"):
                    await shaking
                self.assertEqual(self.http.connections, [])
                continue
            client = await shaking
            self.addCleanup(client.close)
            await until(lambda: self.http.connections)
            downstream, _ = self.http.connections.pop()
            self.assertEqual((downstream.listener, downstream.chain), (other, STRICT))

    async def test_reload_before_its_turn(self) -> None:
        """Whose handshake waits for its turn while its server changes its terms is served by nobody."""
        waiting: list[Callable[[], None]] = []

        class Crowded(Poller):
            """One that has no time now."""

            def paced(self, work: Callable[[], None], whose: Hashable) -> bool:
                """Put it off."""
                waiting.append(work)
                return False

        self.port.reactor = Crowded(reactor)  # type: ignore[arg-type]
        shaking = deferToThread(shake, self.connect(), "b.example")
        await until(lambda: waiting)
        other = listener(None, HostTable([("b.example", SECURE)]))
        self.port.serving = Serving(other, ContextMap(other, secrets()))
        waiting[0]()
        client = await shaking
        self.addCleanup(client.close)
        await until(lambda: self.observer.rejected)
        self.assertEqual((self.observer.rejected[0].reason, self.http.connections), (NO_SERVER, []))

    async def test_others(self) -> None:
        """A name whose context is there is not sought, nor one that no server takes."""
        client = await deferToThread(shake, self.connect(), "b.example")
        self.addCleanup(client.close)
        with self.assertRaises(ssl.SSLError):
            await deferToThread(shake, self.connect(), "a.other")
        self.assertEqual(self.seeker.sought, [])

    async def test_nobody_seeks(self) -> None:
        """Where nobody looks for contexts the client is told that there is none."""
        self.port.seeker = None
        with self.assertRaisesRegex(ssl.SSLError, "(?i)internal.error"):
            await deferToThread(shake, self.connect(), "a.example")
