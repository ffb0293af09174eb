"""Tests of L{edgegate.tls.contexts}, with real handshakes."""

from __future__ import annotations

import contextlib
import socket
import ssl
from threading import Thread

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.tls import ClientVerification, TLSRules, TLSVersion
from edgegate.tls.contexts import openssl_cipher, server_context
from edgegate.tls.secrets import BadKeyMaterial
from tests.tls.handshakes import (
    AUTHORITY,
    CLIENTS,
    RSA_KEY,
    RSA_SERVER,
    SERVER,
    carry,
    client_context,
    connect,
    only,
    server_tls,
    shake,
)

MUTUAL = TLSRules(verification=ClientVerification(True, CLIENTS.own.chain_pem))


class VersionsTests(SynchronousTestCase):
    """Which versions of TLS a server speaks."""

    def version(self, rules: TLSRules, version: ssl.TLSVersion, certificate: str = "ecdsa") -> str | None:
        """What a client agrees upon that speaks one version; L{None} where it is refused."""
        client = only(client_context(), version)
        if version < ssl.TLSVersion.TLSv1_2:
            client.set_ciphers("ALL:@SECLEVEL=0")
        tls = server_tls(SERVER if certificate == "ecdsa" else RSA_SERVER, rules=rules)
        talk = shake(server_context(tls), client)
        return None if talk.refused else talk.client.version()

    def test_default(self) -> None:
        """TLS 1.2 and 1.3, as Istio has it, and nothing older."""
        rules = TLSRules()
        self.assertEqual(self.version(rules, ssl.TLSVersion.TLSv1_2), "TLSv1.2")
        self.assertEqual(self.version(rules, ssl.TLSVersion.TLSv1_3), "TLSv1.3")
        self.assertIsNone(self.version(rules, ssl.TLSVersion.TLSv1_1))
        self.assertIsNone(self.version(rules, ssl.TLSVersion.TLSv1))

    def test_old_versions(self) -> None:
        """C{minProtocolVersion: TLSV1_0} really serves clients of TLS 1.0 and 1.1, with either kind of key."""
        if not (ssl.HAS_TLSv1 and ssl.HAS_TLSv1_1):
            self.skipTest("this Python's ssl has no TLS 1.0 and 1.1 to try it with")
        rules = TLSRules(minimum=TLSVersion.TLSV1_0)
        for certificate in ("ecdsa", "rsa"):
            self.assertEqual(self.version(rules, ssl.TLSVersion.TLSv1, certificate), "TLSv1")
            self.assertEqual(self.version(rules, ssl.TLSVersion.TLSv1_1, certificate), "TLSv1.1")
            self.assertEqual(self.version(rules, ssl.TLSVersion.TLSv1_3, certificate), "TLSv1.3")

    def test_one_one(self) -> None:
        """The minimum is a minimum below 1.2 too."""
        if not (ssl.HAS_TLSv1 and ssl.HAS_TLSv1_1):
            self.skipTest("this Python's ssl has no TLS 1.0 and 1.1 to try it with")
        rules = TLSRules(minimum=TLSVersion.TLSV1_1)
        self.assertIsNone(self.version(rules, ssl.TLSVersion.TLSv1))
        self.assertEqual(self.version(rules, ssl.TLSVersion.TLSv1_1), "TLSv1.1")

    def test_maximum(self) -> None:
        """C{maxProtocolVersion} keeps newer versions out."""
        rules = TLSRules(maximum=TLSVersion.TLSV1_2)
        self.assertEqual(self.version(rules, ssl.TLSVersion.TLSv1_2), "TLSv1.2")
        self.assertIsNone(self.version(rules, ssl.TLSVersion.TLSv1_3))

    def test_minimum(self) -> None:
        """A server of TLS 1.3 alone refuses 1.2, whatever cipher suites it names."""
        for ciphers in ((), ("ECDHE-ECDSA-AES128-GCM-SHA256",), ("NONSENSE",)):
            rules = TLSRules(minimum=TLSVersion.TLSV1_3, ciphers=ciphers)
            self.assertIsNone(self.version(rules, ssl.TLSVersion.TLSv1_2))
            self.assertEqual(self.version(rules, ssl.TLSVersion.TLSv1_3), "TLSv1.3")

    def test_alert(self) -> None:
        """A client that is too old is told so."""
        talk = shake(server_context(server_tls()), only(client_context(), ssl.TLSVersion.TLSv1_1))
        self.assertNotEqual(talk.refused, "")


class CiphersTests(SynchronousTestCase):
    """Which cipher suites a server uses."""

    def cipher(self, ciphers: tuple[str, ...], offered: str = "ALL", rules: TLSRules | None = None) -> str | None:
        """What a client of TLS 1.2 agrees upon; L{None} where it is refused."""
        client = only(client_context(), ssl.TLSVersion.TLSv1_2)
        client.set_ciphers(offered)
        talk = shake(server_context(server_tls(rules=rules or TLSRules(ciphers=ciphers))), client)
        found = talk.client.cipher()
        return None if talk.refused or found is None else found[0]

    def test_default(self) -> None:
        """Only suites with forward secrecy and authenticated encryption, the server's order first."""
        self.assertEqual(self.cipher(()), "ECDHE-ECDSA-AES128-GCM-SHA256")
        self.assertIsNone(self.cipher((), "ECDHE-ECDSA-AES128-SHA256:AES128-SHA"))

    def test_default_order(self) -> None:
        """A client that puts ChaCha20 first has no AES in hardware, and is heeded."""
        offered = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256"
        self.assertEqual(self.cipher((), offered), "ECDHE-ECDSA-CHACHA20-POLY1305")

    def test_listed(self) -> None:
        """C{cipherSuites} replaces the default, in its own order."""
        listed = ("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256")
        self.assertEqual(self.cipher(listed), listed[0])
        self.assertIsNone(self.cipher(listed[:1], listed[1]))

    def test_iana_names(self) -> None:
        """Suites may be called by their registered names."""
        listed = ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",)
        self.assertEqual(self.cipher(listed), "ECDHE-ECDSA-AES256-GCM-SHA384")
        for iana, ours in {
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
            "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
            "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256": "ECDHE-RSA-AES128-SHA256",
            "TLS_RSA_WITH_AES_256_GCM_SHA384": "AES256-GCM-SHA384",
            "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA",
            "TLS_RSA_WITH_3DES_EDE_CBC_SHA": "DES-CBC3-SHA",
            "ECDHE-RSA-AES128-SHA": "ECDHE-RSA-AES128-SHA",
            "TLS_AES_128_GCM_SHA256": "TLS_AES_128_GCM_SHA256",
        }.items():
            self.assertEqual(openssl_cipher(iana), ours)

    def test_unknown_are_left_out(self) -> None:
        """Unknown suites beside known ones do no harm, nor does OpenSSL's language of cipher strings."""
        listed = ("NONSENSE", "TLS_AES_128_GCM_SHA256", "ALL:@SECLEVEL=0", "ECDHE-ECDSA-AES256-GCM-SHA384")
        self.assertEqual(self.cipher(listed), listed[-1])
        self.assertIsNone(self.cipher(listed, "ECDHE-ECDSA-AES128-GCM-SHA256"))

    def test_none_known(self) -> None:
        """Where nothing is left, the server is not made."""
        for listed in (("NONSENSE",), ("TLS_AES_128_GCM_SHA256",), ("@SECLEVEL=0",)):
            tls = server_tls(rules=TLSRules(ciphers=listed))
            error = self.assertRaises(BadKeyMaterial, server_context, tls)
            self.assertEqual(str(error), f"cipherSuites: OpenSSL knows none of {listed[0]} for TLS 1.2")

    def test_tls13(self) -> None:
        """TLS 1.3 has suites of its own, of which the cheapest comes first."""
        talk = shake(server_context(server_tls()), client_context())
        self.assertEqual(talk.client.cipher(), ("TLS_AES_128_GCM_SHA256", "TLSv1.3", 128))


class CertificatesTests(SynchronousTestCase):
    """Which certificates clients are shown."""

    def chain(self, context: SSL.Context, ciphers: bytes) -> list[str]:
        """The common names that a client is shown."""
        client = SSL.Context(SSL.TLS_CLIENT_METHOD)
        client.set_max_proto_version(SSL.TLS1_2_VERSION)
        client.set_cipher_list(ciphers)
        _, connection = connect(context, client)
        shown = connection.get_peer_cert_chain(as_cryptography=True)
        return [str(certificate.subject.rdns[0].rfc4514_string()) for certificate in shown or ()]

    def test_two_certificates(self) -> None:
        """Of an RSA and an ECDSA certificate, a client gets the one that it understands."""
        context = server_context(server_tls(RSA_SERVER, SERVER))
        for kind in ("RSA", "ECDSA"):
            client = only(client_context(), ssl.TLSVersion.TLSv1_2)
            client.set_ciphers(f"ECDHE-{kind}-AES128-GCM-SHA256")
            talk = shake(context, client)
            self.assertEqual(talk.refused, "")
            expected = RSA_SERVER if kind == "RSA" else SERVER
            shown = talk.client.getpeercert()
            assert shown is not None
            self.assertEqual(int(str(shown["serialNumber"]), 16), expected.certificate.serial_number)

    def test_chain(self) -> None:
        """Intermediate certificates of the file are sent, and nothing else."""
        issued = AUTHORITY.intermediate("Below").server(["a.example"])
        shown = self.chain(server_context(server_tls(issued)), b"ALL")
        self.assertEqual(shown, ["CN=a.example", "CN=Below"])

    def test_two_chains(self) -> None:
        """Each of two certificates has the issuers of its own file."""
        one = AUTHORITY.intermediate("Below, ECDSA").server(["a.example"])
        other = AUTHORITY.intermediate("Below, RSA").server(["a.example"], key=RSA_KEY)
        for tls in (server_tls(one, other), server_tls(other, one)):
            context = server_context(tls)
            self.assertEqual(self.chain(context, b"ECDHE-ECDSA-AES128-GCM-SHA256")[1:], ["CN=Below\\, ECDSA"])
            self.assertEqual(self.chain(context, b"ECDHE-RSA-AES128-GCM-SHA256")[1:], ["CN=Below\\, RSA"])

    def test_chain_is_not_filled_up(self) -> None:
        """The authorities of clients are never sent as issuers of the server."""
        rules = TLSRules(verification=ClientVerification(False, AUTHORITY.own.chain_pem))
        self.assertEqual(self.chain(server_context(server_tls(rules=rules)), b"ALL"), ["CN=a.example"])

    def test_two_of_a_kind(self) -> None:
        """Two ECDSA certificates on one server would hide one another."""
        tls = server_tls(SERVER, AUTHORITY.server(["a.example"]))
        error = self.assertRaises(BadKeyMaterial, server_context, tls)
        self.assertIn("one RSA and one ECDSA", str(error))

    def test_useless_certificate(self) -> None:
        """What can't be served is refused with the name that the user gave it."""
        tls = server_tls()
        broken = type(tls)((type(tls.certificates[0])("shop.crt", SERVER.chain_pem, RSA_SERVER.key_pem),))
        error = self.assertRaises(BadKeyMaterial, server_context, broken)
        self.assertEqual(str(error), "shop.crt: the private key does not belong to the certificate")


class ALPNTests(SynchronousTestCase):
    """The protocol inside."""

    def agreed(self, server: tuple[bytes, ...], client: list[str]) -> str | None:
        """What both sides agree upon."""
        context = client_context()
        if client:
            context.set_alpn_protocols(client)
        talk = shake(server_context(server_tls(alpn=server)), context)
        self.assertEqual((talk.refused, talk.failed), ("", ""))
        self.assertEqual(talk.server.get_alpn_proto_negotiated().decode(), talk.client.selected_alpn_protocol() or "")
        return talk.client.selected_alpn_protocol()

    def test_servers_preference(self) -> None:
        """The server's order decides."""
        self.assertEqual(self.agreed((b"h2", b"http/1.1"), ["http/1.1", "h2"]), "h2")
        self.assertEqual(self.agreed((b"http/1.1",), ["http/1.0", "http/1.1"]), "http/1.1")

    def test_older(self) -> None:
        """HTTP/1.0 is spoken where HTTP/1.1 is, and nowhere else."""
        self.assertEqual(self.agreed((b"http/1.1",), ["http/1.0"]), "http/1.0")
        self.assertEqual(self.agreed((b"h2",), ["http/1.0", "h2"]), "h2")

    def test_no_overlap(self) -> None:
        """Without a common protocol the handshake fails, and the client is told why (RFC 7301 section 3.2)."""
        context = server_context(server_tls(alpn=(b"http/1.1",)))
        for _ in range(2):
            client = client_context()
            client.set_alpn_protocols(["h2", "http/1.1x"])
            talk = shake(context, client)
            self.assertIn("no application protocol", talk.refused.lower())
            self.assertIn("no application protocol in common", talk.failed)
        self.assertEqual(shake(context, client_context()).refused, "")

    def test_not_asked(self) -> None:
        """A client or a server without ALPN is served."""
        self.assertIsNone(self.agreed((b"h2", b"http/1.1"), []))
        self.assertIsNone(self.agreed((), ["h2"]))


class SessionsTests(SynchronousTestCase):
    """Sessions are taken up on the server where they began, and nowhere else."""

    versions = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)

    def test_resumed(self) -> None:
        """A client comes back to its server without a full handshake, in each version."""
        context = server_context(server_tls())
        for version in self.versions:
            client = only(client_context(), version)
            first = shake(context, client)
            second = shake(context, client, session=first.client.session)
            self.assertEqual((first.client.session_reused, second.client.session_reused), (False, True), version)

    def test_another_server(self) -> None:
        """A server that is alike in everything but its identity makes a new session."""
        one, other = server_context(server_tls(), "one"), server_context(server_tls(), "other")
        for version in self.versions:
            client = only(client_context(), version)
            first = shake(one, client)
            self.assertFalse(shake(other, client, session=first.client.session).client.session_reused)

    def test_mutual_server(self) -> None:
        """A session of an open server never lets a client without a certificate into a mutual one (CVE-2025-23419)."""
        for version in self.versions:
            for name in ("a.example", "b.example"):
                client = only(client_context(), version)
                first = shake(server_context(server_tls()), client)
                assert first.client.session is not None
                talk = shake(server_context(server_tls(rules=MUTUAL)), client, name, first.client.session)
                self.assertNotEqual(talk.refused, "")
                self.assertNotEqual(talk.failed, "")

    def test_mutual_server_with_openssl(self) -> None:
        """The same with OpenSSL on the client's side, which hands over any session it is given."""
        for version in (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION):
            client = SSL.Context(SSL.TLS_CLIENT_METHOD)
            client.set_min_proto_version(version)
            client.set_max_proto_version(version)
            _, connection = connect(server_context(server_tls()), client)
            session = connection.get_session()
            self.assertRaises(SSL.Error, connect, server_context(server_tls(rules=MUTUAL)), client, session)

    def test_another_authority(self) -> None:
        """A session that one authority's certificate began is worth nothing where another authority is asked for."""
        other = TLSRules(verification=ClientVerification(True, AUTHORITY.own.chain_pem))
        for version in self.versions:
            client = only(client_context(self.mktemp(), CLIENTS.client("c")), version)
            first = shake(server_context(server_tls(rules=MUTUAL)), client)
            self.assertEqual(first.refused, "")
            talk = shake(server_context(server_tls(rules=other)), client, session=first.client.session)
            self.assertNotEqual(talk.refused, "")

    def test_certificate_is_known_again(self) -> None:
        """A resumed connection of a mutual server still has the client's certificate."""
        context = server_context(server_tls(rules=MUTUAL))
        issued = CLIENTS.client("c")
        for version in self.versions:
            client = only(client_context(self.mktemp(), issued), version)
            talk = shake(context, client, session=shake(context, client).client.session)
            self.assertTrue(talk.client.session_reused)
            self.assertEqual(talk.server.get_peer_certificate(as_cryptography=True), issued.certificate)

    def test_on_sockets(self) -> None:
        """The same with Python's ssl on a real pair of sockets."""

        def serve(context: SSL.Context, sock: socket.socket) -> None:
            connection = SSL.Connection(context, sock)
            connection.set_accept_state()
            try:
                connection.do_handshake()
                connection.sendall(b"welcome")
            except SSL.Error:
                pass
            finally:
                sock.close()

        def call(context: SSL.Context, session: ssl.SSLSession | None = None) -> ssl.SSLSession | None:
            ours, theirs = socket.socketpair()
            theirs.settimeout(30)
            thread = Thread(target=serve, args=(context, ours))
            thread.start()
            try:
                with client.wrap_socket(theirs, server_hostname="a.example", session=session) as stream:
                    self.assertEqual(stream.recv(100), b"welcome")
                    return stream.session
            finally:
                theirs.close()
                thread.join()

        client = client_context()
        open_server = server_context(server_tls())
        session = call(open_server)
        self.assertIsNotNone(call(open_server, session))
        self.assertRaises(OSError, call, server_context(server_tls(rules=MUTUAL)), session)


class RenegotiationTests(SynchronousTestCase):
    """What clients may not ask for."""

    def test_refused(self) -> None:
        """A client that asks for renegotiation does not get it."""
        client = SSL.Context(SSL.TLS_CLIENT_METHOD)
        client.set_max_proto_version(SSL.TLS1_2_VERSION)
        ours, theirs = connect(server_context(server_tls()), client)
        self.assertTrue(theirs.renegotiate())
        for _ in range(3):
            for side, other in ((theirs, ours), (ours, theirs)):
                with contextlib.suppress(SSL.Error):
                    side.do_handshake() if side is theirs else side.recv(100)
                carry(side, other)
        self.assertEqual(ours.total_renegotiations(), 0)


class ModesTests(SynchronousTestCase):
    """How a context is set up for streams that write what they can."""

    def test_modes(self) -> None:
        """Writes go on from moving buffers until all is written, and buffers are given back when a connection idles."""
        mode = server_context(server_tls()).set_mode(0)
        partial_write, moving_buffer, no_auto_chain, release_buffers = 0x1, 0x2, 0x8, 0x10
        wanted = moving_buffer | no_auto_chain | release_buffers
        self.assertEqual(mode & (wanted | partial_write), wanted)
