"""Tests for L{edgegate.http.operators}: what the command operators in headers' values stand for."""

from __future__ import annotations

import os
import platform
from time import time
from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.answer import AnswerHead
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.forwarded import Client
from edgegate.http.operators import MEANINGS, Message, identity_fields, rendered
from edgegate.http.request import refused_head
from edgegate.net.addresses import Downstream
from edgegate.routing.headers import OPERATORS, Template
from edgegate.routing.snapshot import ServerTLS, TCPAddress, UNIXAddress
from tests.http.conversation import https_chain, plain, secure, to_web
from tests.http.test_exchange import FakeChannel

CERTIFICATE = b'Hash=ab12;Cert="-----BEGIN%20";Subject="CN=shop,O=x";URI=spiffe://a;DNS=shop.example'


class OperatorsTests(SynchronousTestCase):
    """Values of an exchange."""

    def setUp(self) -> None:
        """Make an exchange that has asked a backend."""
        self.channel = FakeChannel()
        self.channel.client = Client(self.channel.downstream, 0)
        head = refused_head()
        head.method, head.target, head.path, head.authority = b"GET", b"/a?b=c", b"/a", b"web.example:80"
        head.fields = [(b"x-a", b"1"), (b"x-a", b"2"), (b"x-long", b"0123456789")]
        self.exchange = Exchange(cast(Any, self.channel), head)
        self.exchange.identity = self.channel.client.lines(head)
        self.exchange.route = to_web()
        self.exchange.cluster = "outbound|80||web"
        self.exchange.upstream = TCPAddress("10.0.0.1", 80)
        self.exchange.upstream_local = TCPAddress("10.0.0.254", 40000)

    def value(self, text: str, answer: AnswerHead | None = None) -> bytes:
        """Return what a text stands for in the request, or in its answer."""
        fields: list[Field] = [*self.exchange.head.fields, *identity_fields(self.exchange.identity)]
        message = Message(fields if answer is None else answer.fields, answer)
        return rendered(Template.parse(text), self.exchange, message)

    def test_all(self) -> None:
        """Each operator that is understood has a meaning."""
        self.assertEqual(set(MEANINGS), set(OPERATORS))

    def test_connection(self) -> None:
        """Addresses of both sides of the connection."""
        for text, value in (
            ("%DOWNSTREAM_REMOTE_ADDRESS%", b"192.0.2.7:4711"),
            ("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", b"192.0.2.7"),
            ("%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%", b"192.0.2.7"),
            ("%DOWNSTREAM_LOCAL_ADDRESS%", b"127.0.0.1:8080"),
            ("%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%", b"127.0.0.1"),
            ("%DOWNSTREAM_LOCAL_PORT%", b"80"),
            ("%PROTOCOL%", b"HTTP/1.1"),
            ("%REQUESTED_SERVER_NAME%", b""),
            ("%HOSTNAME%", platform.node().encode()),
        ):
            self.assertEqual(self.value(text), value, text)

    def test_client_behind_proxies(self) -> None:
        """The client is who trusted proxies say it is."""
        self.exchange.head.forwarded_for = [b"198.51.100.1, 203.0.113.9"]
        self.exchange.identity = Client(self.channel.downstream, 2).lines(self.exchange.head)
        self.assertEqual(self.value("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"), b"198.51.100.1")
        self.assertEqual(self.value("%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"), b"192.0.2.7")

    def test_request(self) -> None:
        """Fields of the request, the first of several, and its line."""
        for text, value in (
            ("%REQ(X-A)%", b"1"),
            ("%REQ(x-no?X-A)%", b"1"),
            ("%REQ(x-no)%", b""),
            ("%REQ(:path)%", b"/a?b=c"),
            ("%REQ(:METHOD)%", b"GET"),
            ("%REQ(:authority)%", b"web.example:80"),
            ("%REQ(host)%", b"web.example:80"),
            ("%REQ(:scheme)%", b"http"),
            ("%REQ(x-forwarded-for)%", b"192.0.2.7"),
            ("%REQ(x-long):4%", b"0123"),
            ("<%REQ(x-a)%|%REQ(x-long):2%> 5%%", b"<1|01> 5%"),
        ):
            self.assertEqual(self.value(text), value, text)
        self.assertRegex(self.value("%STREAM_ID%"), rb"^[0-9a-f-]{36}$")
        self.assertEqual(self.value("%STREAM_ID%"), self.value("%REQ(x-request-id)%"))

    def test_upstream(self) -> None:
        """The route, the cluster and the backend that was asked; empty where there was none."""
        for text, value in (
            ("%ROUTE_NAME%", b"r"),
            ("%UPSTREAM_CLUSTER%", b"outbound|80||web"),
            ("%UPSTREAM_HOST%", b"10.0.0.1:80"),
            ("%UPSTREAM_REMOTE_ADDRESS%", b"10.0.0.1:80"),
            ("%UPSTREAM_LOCAL_ADDRESS%", b"10.0.0.254:40000"),
        ):
            self.assertEqual(self.value(text), value, text)
        self.exchange.upstream = self.exchange.upstream_local = self.exchange.route = None
        self.assertEqual(self.value("%UPSTREAM_HOST%%UPSTREAM_LOCAL_ADDRESS%%ROUTE_NAME%"), b"")

    def test_answer(self) -> None:
        """Fields and status of an answer; in a request there is none."""
        answer = AnswerHead(404, b"", [(b"x-b", b"b"), (b"x-a", b"of the answer")])
        self.exchange.mark("DI")
        for text, value, before in (
            ("%RESPONSE_CODE%", b"404", b""),
            ("%RESP(X-No?X-B)%", b"b", b""),
            ("%REQ(x-a)%", b"1", b"1"),
            ("%RESPONSE_FLAGS%", b"DI", b"DI"),
        ):
            self.assertEqual(self.value(text, answer), value, text)
            self.assertEqual(self.value(text), before, text)

    def test_start_time(self) -> None:
        """When the request came: strftime's letters, seconds since the epoch, parts of a second."""
        self.assertRegex(self.value("%START_TIME%"), rb"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertTrue(abs(int(self.value("%START_TIME(%s)%")) - time()) < 60)
        self.assertRegex(self.value("%START_TIME(%Y.%6f.%f)%"), rb"^\d{4}\.\d{6}\.\d{9}$")

    def test_environment(self) -> None:
        """Variables of the gateway's environment."""
        os.environ["EDGEGATE_TEST"] = "here"
        self.addCleanup(os.environ.pop, "EDGEGATE_TEST")
        self.assertEqual(self.value("%ENVIRONMENT(EDGEGATE_TEST)%"), b"here")
        self.assertEqual(self.value("%ENVIRONMENT(EDGEGATE_TEST_NOT)%"), b"")

    def test_certificate(self) -> None:
        """Parts of the certificate of a client; nothing where there is none."""
        chain = https_chain("a.example", ServerTLS(()))
        told = secure({"a.example": chain}, "a.example")
        self.channel.downstream = Downstream(
            told.listener, told.chain, told.peer, told.local, "a.example", tls=True, client_certificate=CERTIFICATE
        )
        for text, value in (
            ("%DOWNSTREAM_PEER_FINGERPRINT_256%", b"ab12"),
            ("%DOWNSTREAM_PEER_CERT%", b"-----BEGIN%20"),
            ("%DOWNSTREAM_PEER_SUBJECT%", b"CN=shop,O=x"),
            ("%DOWNSTREAM_PEER_URI_SAN%", b"spiffe://a"),
            ("%DOWNSTREAM_PEER_DNS_SAN%", b"shop.example"),
            ("%REQUESTED_SERVER_NAME%", b"a.example"),
        ):
            self.assertEqual(self.value(text), value, text)
        self.channel.downstream = plain()
        self.assertEqual(self.value("%DOWNSTREAM_PEER_SUBJECT%"), b"")

    def test_forged_certificate(self) -> None:
        """A subject that looks like other parts of a certificate is none of them."""
        told = plain()
        self.channel.downstream = Downstream(
            told.listener,
            told.chain,
            told.peer,
            told.local,
            client_certificate=b'Hash=ab;Subject="CN=\\";URI=spiffe://forged;DNS=\\"x";URI=spiffe://a',
        )
        self.assertEqual(self.value("%DOWNSTREAM_PEER_URI_SAN%|%DOWNSTREAM_PEER_DNS_SAN%"), b"spiffe://a|")

    def test_unix_socket(self) -> None:
        """A client on a UNIX socket has a path for an address."""
        told = plain()
        self.channel.downstream = Downstream(told.listener, told.chain, UNIXAddress("/run/a"), told.local)
        self.assertIn(b"/run/a", self.value("%DOWNSTREAM_REMOTE_ADDRESS%"))

    def test_no_line_ends(self) -> None:
        """Whatever a value comes from, no line can end in it, and no blank stands at its ends."""
        os.environ["EDGEGATE_TEST"] = " a\r\nset-cookie: b\x7f\t"
        self.addCleanup(os.environ.pop, "EDGEGATE_TEST")
        self.assertEqual(self.value("%ENVIRONMENT(EDGEGATE_TEST)%"), b"aset-cookie: b")
