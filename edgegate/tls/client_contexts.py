"""
OpenSSL contexts for connections to backends, one for all clusters that are spoken to on the same terms.

A context is kept as long as the files say the same of it, and with it the
sessions that may be resumed. New certificates make another context.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from OpenSSL import SSL, crypto
from twisted.logger import Logger

from edgegate.errors import CERTIFICATE_MISNAMED, CERTIFICATE_REFUSED, TLS_FAILED, Fault
from edgegate.model.addresses import Address, is_ip_address
from edgegate.model.tls import KeyPair, TLSVersion, UpstreamTLS
from edgegate.observe.log_throttle import LogThrottle
from edgegate.tls.backend_names import is_for, shown_names
from edgegate.tls.contexts import (
    DEFAULT_CIPHERS,
    MODE_ENABLE_PARTIAL_WRITE,
    MODE_NO_AUTO_CHAIN,
    TLS13_CIPHERS,
    use_certificates,
)
from edgegate.tls.verification import MAX_DEPTH, UNREADABLE, reason_of_code, trust

log = Logger(namespace=__name__)

MAX_SESSIONS = 1024
"""Sessions that one context keeps, each for one endpoint and name; of more the oldest is forgotten."""


@dataclass(slots=True)
class _Verdict:
    """
    What one connection demands of its backend, and what came of it.

    @ivar refusal: Why the certificate was refused; empty if it was not.
    """

    names: tuple[str, ...]
    refusal: str = ""
    fault: Fault = TLS_FAILED


class ClientContext:
    """
    What is shared by all connections to backends on the same terms.

    Files that lie behind the system's authorities are read once: whoever
    changes them has the gateway started anew.

    @ivar tls: The terms.
    @ivar pair: What is shown to backends.
    @ivar context: OpenSSL's.
    """

    __slots__ = ("context", "log_throttle", "max_sessions", "pair", "sessions", "tls")

    def __init__(self, tls: UpstreamTLS, pair: KeyPair | None = None, max_sessions: int = MAX_SESSIONS) -> None:
        """
        Read key material, which takes its time: may be called in a thread.

        @param pair: What the terms' credential names.
        @param max_sessions: Sessions that are kept; the oldest is forgotten for the next one.

        @raise edgegate.tls.secrets.BadKeyMaterial: A certificate, key, authority or revocation list is of no use.
        """
        self.tls = tls
        self.pair = pair
        self.max_sessions = max_sessions
        self.context = client_context(tls, pair)
        self.sessions: dict[tuple[Address, str], SSL.Session] = {}
        self.log_throttle = LogThrottle()

    def __repr__(self) -> str:
        return f"<ClientContext for {self.tls.sni or 'the host asked for'}: {len(self.sessions)} sessions>"


@dataclass(frozen=True, slots=True)
class Handshakes:
    """
    Terms on which handshakes with the endpoints of a cluster are made.

    They are L{edgegate.net.connection_options.ClientTerms}.

    @ivar name: What the backend is asked for, by SNI where it is no IP address; empty: nothing.
    @ivar alpn: The protocols that are offered.
    @ivar cluster: What the log calls the backend.
    """

    shared: ClientContext
    name: str
    alpn: tuple[bytes, ...] = ()
    cluster: str = field(default="", compare=False)

    @property
    def context(self) -> SSL.Context:
        """Verifies the backend's certificate."""
        return self.shared.context

    def prepare(self, connection: SSL.Connection, address: Address) -> None:
        """Ask for the name, and offer to resume the endpoint's last session."""
        name = self.name
        names = self.shared.tls.names or ((name,) if name else ())
        connection.set_app_data(_Verdict(names))
        if name and not is_ip_address(name):
            connection.set_tlsext_host_name(name.encode("ascii"))
        if self.alpn:
            connection.set_alpn_protos(list(self.alpn))
        session = self.shared.sessions.get((address, name))
        if session is not None:
            connection.set_session(session)

    def keep(self, connection: SSL.Connection, address: Address) -> None:
        """Keep the session of a connection that was answered on."""
        session = connection.get_session()
        sessions = self.shared.sessions
        key = (address, self.name)
        sessions.pop(key, None)
        if session is not None:
            if len(sessions) >= self.shared.max_sessions:
                del sessions[next(iter(sessions))]
            sessions[key] = session

    def refused(self, connection: SSL.Connection, address: Address, reason: str, now: float) -> Fault:
        """Log why a connection came to nothing, and return the fault. A session that was offered is forgotten."""
        self.shared.sessions.pop((address, self.name), None)
        verdict = cast(_Verdict, connection.get_app_data())
        why = verdict.refusal or reason
        # not by the words: a backend that thinks of new names must not fill the log
        held_back = self.shared.log_throttle.due((self.cluster, address, verdict.fault), now)
        if held_back is not None:
            log.warn(  # noqa: G010
                "TLS with {address} of {cluster} failed: {reason}{again}",
                address=str(address),
                cluster=self.cluster,
                reason=why,
                again=f" (and {held_back} times before that)" if held_back else "",
            )
        return verdict.fault


def client_context(tls: UpstreamTLS, pair: KeyPair | None = None) -> SSL.Context:
    """
    Make a context for connections to backends: TLS 1.2 and 1.3, with what is strong, as Envoy's clients.

    @param pair: What is shown to backends; L{None}: nothing.
    @raise edgegate.tls.secrets.BadKeyMaterial: A certificate, key, authority or revocation list is of no use.
    """
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS | MODE_NO_AUTO_CHAIN)
    context.clear_mode(MODE_ENABLE_PARTIAL_WRITE)
    # sessions are kept by endpoint, which OpenSSL's own cache knows nothing of
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_min_proto_version(TLSVersion.TLSV1_2.value)
    context.set_max_proto_version(TLSVersion.TLSV1_3.value)
    context.set_cipher_list(":".join(DEFAULT_CIPHERS).encode("ascii"))
    context.set_tls13_ciphersuites(":".join(TLS13_CIPHERS).encode("ascii"))
    if pair is not None:
        use_certificates(context, (pair,))
    if tls.verified:
        if tls.authorities is None:
            context.set_default_verify_paths()
        trust(context, tls.authorities, tls.revocations)
        context.set_verify(SSL.VERIFY_PEER, _verified)
        context.set_verify_depth(MAX_DEPTH)
    return context


def _verified(connection: SSL.Connection, certificate: crypto.X509, error: int, depth: int, good: int) -> bool:
    """Decide on one certificate of a backend's chain; called by OpenSSL, its issuers' first."""
    verdict = cast(_Verdict, connection.get_app_data())
    if not good:
        verdict.refusal = f"its certificate is refused: {reason_of_code(error, depth)}"
        verdict.fault = CERTIFICATE_REFUSED
        return False
    if depth:
        return True
    try:
        leaf = certificate.to_cryptography()
        if is_for(leaf, verdict.names):
            return True
        wanted = " or ".join(verdict.names) or "a name, and none is known that it should be for"
        verdict.refusal = f"its certificate is for {shown_names(leaf)}, not for {wanted}"
        verdict.fault = CERTIFICATE_MISNAMED
    except UNREADABLE:
        verdict.refusal = "its certificate can't be read"
        verdict.fault = CERTIFICATE_REFUSED
    return False
