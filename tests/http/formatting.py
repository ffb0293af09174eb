"""An exchange of which tests ask what operators stand for."""

from __future__ import annotations

from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.forwarded import Client
from edgegate.http.request import refused_head
from edgegate.http.response import ResponseHead
from edgegate.http.substitution_formatter import Message, rendered
from edgegate.model.addresses import TCPAddress
from edgegate.model.headers import Template
from tests.http.conversation import to_web
from tests.http.test_exchange import FakeDownstream

BACKEND = cast(Any, object())
"""Stands for the connection that a response came on."""


class FormatterCase(SynchronousTestCase):
    """Tests of values of an exchange."""

    def setUp(self) -> None:
        """Make an exchange that has asked a backend."""
        self.stream = FakeDownstream()
        self.stream.client = Client(self.stream.downstream, 0)
        head = refused_head()
        head.method, head.target, head.path, head.authority = b"GET", b"/a?b=c", b"/a", b"web.example:80"
        head.fields = [(b"x-a", b"1"), (b"x-a", b"2"), (b"x-long", b"0123456789"), (b"x-empty", b"")]
        self.exchange = Exchange(cast(Any, self.stream), head, {})
        self.exchange.identity_fields()
        self.exchange.route = to_web()
        self.exchange.cluster = "outbound|80||web"
        self.exchange.upstream = TCPAddress("10.0.0.1", 80)
        self.exchange.upstream_local = TCPAddress("10.0.0.254", 40000)

    def value(self, text: str, answer: ResponseHead | None = None, backend: Any = BACKEND) -> bytes:
        """Return what a text stands for in the request, or in the response of a backend or of nobody."""
        fields: list[Field] = [*self.exchange.head.fields, *self.exchange.identity_fields()]
        message = Message(fields) if answer is None else Message(answer.fields, answer, backend)
        return rendered(Template.parse(text), self.exchange, message)
