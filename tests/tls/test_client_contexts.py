"""Tests of L{edgegate.tls.client_contexts}: handshakes in memory with a server's context of ours."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from OpenSSL import SSL
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CERTIFICATE_MISNAMED, CERTIFICATE_REFUSED, TLS_FAILED, Fault
from edgegate.model.addresses import TCPAddress
from edgegate.model.tls import ClientVerification, KeyPair, TLSRules, TLSVersion, UpstreamTLS
from edgegate.tls import client_contexts
from edgegate.tls.authority import Authority, Issued
from edgegate.tls.client_contexts import ClientContext, Handshakes
from edgegate.tls.contexts import server_context
from edgegate.tls.secrets import BadKeyMaterial
from tests.tls.handshakes import AUTHORITY, CLIENTS, NOW, SERVER, carry, pair, server_tls

TRUSTED = UpstreamTLS(authorities=AUTHORITY.own.chain_pem)
THERE = TCPAddress("192.0.2.1", 443)


class Ended(Exception):
    """A handshake that came to nothing, in the client's words."""


class HandshakeCase(SynchronousTestCase):
    """Handshakes of which both sides are at hand."""

    def setUp(self) -> None:
        """Listen to the log."""
        self.said: list[str] = []

        def listen(event: dict[str, object]) -> None:
            if event.get("log_namespace") == client_contexts.__name__:
                self.said.append(str(event["reason"]))

        globalLogPublisher.addObserver(listen)  # type: ignore[arg-type]
        self.addCleanup(globalLogPublisher.removeObserver, listen)  # type: ignore[arg-type]

    def shake(
        self, terms: Handshakes, server: SSL.Context | None = None, issued: Issued = SERVER, now: float = 0.0
    ) -> tuple[SSL.Connection, SSL.Connection]:
        """
        Shake hands, and let the server say something.

        @return: The client's side and the server's.
        """
        server = server or server_context(server_tls(issued, alpn=(b"http/1.1",)))
        client, other = SSL.Connection(terms.context, None), SSL.Connection(server, None)
        client.set_connect_state()
        other.set_accept_state()
        terms.prepare(client, THERE)
        for _ in range(6):
            for side, opposite in ((client, other), (other, client)):
                try:
                    side.do_handshake()
                except SSL.WantReadError:
                    pass
                except SSL.Error as error:
                    self.fault = terms.refused(client, THERE, str(error), now)
                    raise Ended(self.said[-1:]) from None
                carry(side, opposite)
        other.send(b"hello")
        carry(other, client)
        self.assertEqual(client.recv(100), b"hello")
        terms.keep(client, THERE)
        return client, other

    def refused(
        self, terms: Handshakes, issued: Issued = SERVER, server: SSL.Context | None = None
    ) -> tuple[Fault, str]:
        """Shake hands in vain; return what that means, and what the log said."""
        self.assertRaises(Ended, self.shake, terms, server, issued)
        return self.fault, self.said[-1]


class NamesTests(HandshakeCase):
    """Whose certificate is taken."""

    def test_right_name(self) -> None:
        """The name that is asked for."""
        client, server = self.shake(Handshakes(ClientContext(TRUSTED), "a.example", (b"http/1.1",)))
        self.assertEqual((server.get_servername(), client.get_alpn_proto_negotiated()), (b"a.example", b"http/1.1"))
        self.assertEqual(client.get_protocol_version_name(), "TLSv1.3")

    def test_wrong_name(self) -> None:
        """A certificate for somebody else is refused, and the log says whose it is."""
        found = self.refused(Handshakes(ClientContext(TRUSTED), "shop.example"))
        words = "its certificate is for a.example, b.example, not for shop.example"
        self.assertEqual(found, (CERTIFICATE_MISNAMED, words))

    def test_no_name(self) -> None:
        """Without a name that it should be for, no certificate will do."""
        fault, _ = self.refused(Handshakes(ClientContext(TRUSTED), ""))
        self.assertEqual(fault, CERTIFICATE_MISNAMED)

    def test_listed_names(self) -> None:
        """Where names are listed, one of them counts, not the one that is asked for."""
        for names, good in ((("z.example", "b.example"), True), (("z.example",), False)):
            terms = Handshakes(ClientContext(replace(TRUSTED, names=names)), "a.example")
            if good:
                self.assertEqual(self.shake(terms)[1].get_servername(), b"a.example")
            else:
                self.assertEqual(self.refused(terms)[0], CERTIFICATE_MISNAMED)

    def test_address(self) -> None:
        """An IP address is verified, but never asked for by SNI."""
        issued = AUTHORITY.server(["192.0.2.1"])
        _, server = self.shake(Handshakes(ClientContext(TRUSTED), "192.0.2.1"), issued=issued)
        self.assertIsNone(server.get_servername())
        fault, _ = self.refused(Handshakes(ClientContext(TRUSTED), "192.0.2.2"), issued)
        self.assertEqual(fault, CERTIFICATE_MISNAMED)

    def test_not_verified(self) -> None:
        """C{insecureSkipVerify}: whatever is shown is taken."""
        stranger = Authority.new("Stranger").server(["z.example"])
        self.shake(Handshakes(ClientContext(UpstreamTLS(verified=False)), "a.example"), issued=stranger)


class TrustTests(HandshakeCase):
    """Whose authority is believed."""

    def test_unknown_authority(self) -> None:
        """A certificate of another authority."""
        stranger = Authority.new("Stranger").server(["a.example"])
        fault, words = self.refused(Handshakes(ClientContext(TRUSTED), "a.example"), stranger)
        self.assertEqual(fault, CERTIFICATE_REFUSED)
        self.assertIn("unable to get issuer cert", words)

    def test_expired(self) -> None:
        """A certificate that was good once."""
        old = AUTHORITY.server(["a.example"], NOW - timedelta(days=30), timedelta(days=10))
        fault, words = self.refused(Handshakes(ClientContext(TRUSTED), "a.example"), old)
        self.assertEqual((fault, words), (CERTIFICATE_REFUSED, "its certificate is refused: cert has expired"))

    def test_clients_certificate(self) -> None:
        """A certificate that is a client's is no server's."""
        client = AUTHORITY.client("a.example", ["a.example"])
        self.assertEqual(self.refused(Handshakes(ClientContext(TRUSTED), "a.example"), client)[0], CERTIFICATE_REFUSED)

    def test_revoked(self) -> None:
        """A certificate that its authority took back."""
        listed = replace(TRUSTED, revocations=AUTHORITY.revocations([SERVER.certificate]))
        fault, words = self.refused(Handshakes(ClientContext(listed), "a.example"))
        self.assertEqual((fault, words), (CERTIFICATE_REFUSED, "its certificate is refused: cert revoked"))
        self.shake(Handshakes(ClientContext(replace(TRUSTED, revocations=AUTHORITY.revocations())), "a.example"))

    def test_system(self) -> None:
        """Without authorities in the files the system's count."""
        path = Path(self.mktemp())
        path.write_bytes(AUTHORITY.own.chain_pem)
        self.assertEqual(self.refused(Handshakes(ClientContext(UpstreamTLS()), "a.example"))[0], CERTIFICATE_REFUSED)
        self.addCleanup(os.environ.pop, "SSL_CERT_FILE")
        os.environ["SSL_CERT_FILE"] = str(path.absolute())
        self.shake(Handshakes(ClientContext(UpstreamTLS()), "a.example"))

    def test_useless(self) -> None:
        """What can't be used is said before anything is served."""
        for terms in (
            UpstreamTLS(authorities=b""),
            UpstreamTLS(authorities=b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"),
            replace(TRUSTED, revocations=b"none"),
        ):
            self.assertRaises(BadKeyMaterial, ClientContext, terms)
        pair = KeyPair("shop.crt", SERVER.chain_pem, CLIENTS.own.key_pem)
        self.assertRaises(BadKeyMaterial, ClientContext, TRUSTED, pair)

    def test_old_versions(self) -> None:
        """TLS 1.1 is not spoken."""
        rules = TLSRules(TLSVersion.TLSV1_0, TLSVersion.TLSV1_1)
        fault, _ = self.refused(
            Handshakes(ClientContext(TRUSTED), "a.example"), server=server_context(server_tls(rules=rules))
        )
        self.assertEqual(fault, TLS_FAILED)


class ClientCertificateTests(HandshakeCase):
    """What the gateway shows for itself."""

    def server(self) -> SSL.Context:
        """A server that demands a certificate."""
        verification = ClientVerification(True, CLIENTS.own.chain_pem)
        return server_context(server_tls(rules=TLSRules(verification=verification)))

    def test_shown(self) -> None:
        """A certificate that is demanded is shown."""
        own = pair(CLIENTS.client("gateway"))
        _, server = self.shake(Handshakes(ClientContext(TRUSTED, own), "a.example"), self.server())
        certificate = server.get_peer_certificate()
        assert certificate is not None
        self.assertEqual(certificate.get_subject().CN, "gateway")

    def test_missing(self) -> None:
        """Without one the backend refuses."""
        self.assertEqual(
            self.refused(Handshakes(ClientContext(TRUSTED), "a.example"), server=self.server())[0], TLS_FAILED
        )


class SessionsTests(HandshakeCase):
    """Handshakes that are cut short."""

    def test_resumed(self) -> None:
        """The second connection to an endpoint resumes the session of the first, in both versions of TLS."""
        for rules in (TLSRules(), TLSRules(maximum=TLSVersion.TLSV1_2)):
            server = server_context(server_tls(rules=rules))
            terms = Handshakes(ClientContext(TRUSTED), "a.example")
            first, _ = self.shake(terms, server)
            second, _ = self.shake(terms, server)
            self.assertEqual([reused(each) for each in (first, second)], [False, True], rules)

    def test_apart(self) -> None:
        """No session is resumed for another name, nor on other terms."""
        server = server_context(server_tls())
        context = ClientContext(TRUSTED)
        self.shake(Handshakes(context, "a.example"), server)
        for other in (Handshakes(context, "b.example"), Handshakes(ClientContext(TRUSTED), "a.example")):
            self.assertFalse(reused(self.shake(other, server)[0]))

    def test_bounded(self) -> None:
        """Of many names the oldest are forgotten."""
        context = ClientContext(TRUSTED, max_sessions=1)
        for name in ("a.example", "b.example"):
            self.shake(Handshakes(context, name))
        self.assertEqual(list(context.sessions), [(THERE, "b.example")])

    def test_forgotten(self) -> None:
        """After a failure the next handshake is a whole one."""
        context = ClientContext(TRUSTED)
        terms = Handshakes(context, "a.example")
        self.shake(terms)
        stranger = Authority.new("Stranger").server(["a.example"])
        self.refused(terms, stranger)
        self.assertEqual(context.sessions, {})


class LogTests(HandshakeCase):
    """What is said of failures."""

    def test_seldom(self) -> None:
        """The same failure is told once in a while."""
        terms = Handshakes(ClientContext(TRUSTED), "shop.example", cluster="outbound|443||shop.example")
        for now in (0.0, 1.0, 2.0, 60.0):
            self.assertRaises(Ended, self.shake, terms, None, SERVER, now)
        self.assertEqual(len(self.said), 2)


def reused(connection: SSL.Connection) -> bool:
    """Whether a session was resumed, which pyOpenSSL does not tell."""
    return bool(SSL._lib.SSL_session_reused(connection._ssl))
