"""Real handshakes in memory: a server's context of ours against Python's ssl or against pyOpenSSL."""

from __future__ import annotations

import contextlib
import ssl
import warnings
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from OpenSSL import SSL

from edgegate.model.tls import KeyPair, ServerTLS, TLSRules
from edgegate.tls.authority import Authority, Issued
from edgegate.tls.secret_store import Secrets
from edgegate.tls.secrets import ResolvedTLS

NOW = datetime.now(timezone.utc)
AUTHORITY = Authority.new("Servers' authority")
CLIENTS = Authority.new("Clients' authority")
SERVER = AUTHORITY.server(["a.example", "b.example"])
_NAMED: list[KeyPair] = []
RSA_KEY = rsa.generate_private_key(65537, 2048)
RSA_SERVER = AUTHORITY.server(["a.example", "b.example"], key=RSA_KEY)


def pair(issued: Issued, name: str = "") -> KeyPair:
    """What was issued, as a server's certificate, with a name of its own where none is given."""
    return KeyPair(name or f"{issued.certificate.serial_number}.crt", issued.chain_pem, issued.key_pem)


def server_tls(*issued: Issued, rules: TLSRules | None = None, alpn: tuple[bytes, ...] = ()) -> ResolvedTLS:
    """A server's TLS, with an ECDSA certificate where none is given."""
    return ResolvedTLS(tuple(pair(each) for each in issued or (SERVER,)), rules or TLSRules(), alpn)


def naming(tls: ResolvedTLS) -> ServerTLS:
    """The same as a Snapshot says it, which only names key material: L{secrets} has it."""
    _NAMED.extend(tls.certificates)
    return ServerTLS(tuple(each.credential for each in tls.certificates), tls.rules, tls.alpn)


def secrets() -> Secrets:
    """What all servers of this process name."""
    return Secrets(_NAMED)


def client_context(folder: str | None = None, certificate: Issued | None = None) -> ssl.SSLContext:
    """
    A client of Python's ssl that trusts the servers' authority.

    @param folder: Does not exist; where the client's certificate is put, which ssl reads from a file only.
    """
    context = ssl.create_default_context(cadata=AUTHORITY.own.chain_pem.decode("ascii"))
    if folder is not None and certificate is not None:
        path = Path(folder)
        path.write_bytes(certificate.key_pem + certificate.chain_pem)
        context.load_cert_chain(path)
    return context


def only(context: ssl.SSLContext, version: ssl.TLSVersion) -> ssl.SSLContext:
    """Make a client speak one version only."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of TLS 1.0 and 1.1
        context.minimum_version = version
        context.maximum_version = version
    return context


@dataclass
class Talk:
    """
    How a handshake ended, after which the server greeted the client.

    @ivar refused: What ended it on the client's side; empty if it succeeded.
    @ivar failed: What ended it on the server's side; empty if it succeeded.
    """

    server: SSL.Connection
    client: ssl.SSLObject
    refused: str = ""
    failed: str = ""


def shake(
    context: SSL.Context,
    client: ssl.SSLContext,
    name: str = "a.example",
    session: ssl.SSLSession | None = None,
) -> Talk:
    """Let a client of Python's ssl shake hands with a context."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    talk = Talk(
        SSL.Connection(context, None),
        client.wrap_bio(incoming, outgoing, server_hostname=name, session=session),
    )
    talk.server.set_accept_state()
    ready = greeted = False
    for _ in range(20):
        if not talk.refused:
            try:
                if not ready:
                    talk.client.do_handshake()
                    ready = True
                assert talk.client.read(100) == b"welcome"
                break
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as error:
                talk.refused = str(error)
        if outgoing.pending:
            talk.server.bio_write(outgoing.read())
        if not talk.failed and not greeted:
            try:
                talk.server.do_handshake()
                talk.server.send(b"welcome")
                greeted = True
            except SSL.WantReadError:
                pass
            except SSL.Error as error:
                talk.failed = str(error)
        try:
            incoming.write(talk.server.bio_read(65536))
        except SSL.WantReadError:
            if talk.failed or talk.refused:
                break
    return talk


def connect(
    context: SSL.Context, client: SSL.Context, session: SSL.Session | None = None
) -> tuple[SSL.Connection, ...]:
    """
    Let a client of pyOpenSSL shake hands with a context.

    @return: The server's side and the client's.

    @raise SSL.Error: The client was refused.
    """
    one, other = SSL.Connection(context, None), SSL.Connection(client, None)
    one.set_accept_state()
    other.set_connect_state()
    other.set_tlsext_host_name(b"a.example")
    if session is not None:
        other.set_session(session)
    error: SSL.Error | None = None
    for _ in range(20):
        done = 0
        for side in (other, one):
            try:
                side.do_handshake()
                done += 1
            except SSL.WantReadError:
                pass
            except SSL.Error as failure:
                error = error or failure
            carry(side, one if side is other else other)
        if done == 2 or error:
            break
    if error:
        raise error
    one.send(b"welcome")
    carry(one, other)
    assert other.recv(100) == b"welcome"
    return one, other


def carry(source: SSL.Connection, target: SSL.Connection) -> None:
    """Take what one side has to send to the other."""
    with contextlib.suppress(SSL.WantReadError):
        target.bio_write(source.bio_read(65536))
