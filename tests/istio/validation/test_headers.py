"""Tests of L{edgegate.istio.validation.headers}."""

from __future__ import annotations

from tests.istio.validation.cases import ROUTE, CasesTestCase, routing


class HeadersTests(CasesTestCase):
    """Changes to headers, at a route and at its destinations."""

    def operations(self, cases: list[tuple[str, str]], severity: str = "error") -> None:
        """Check what a route's headers say, and what a destination's do."""
        specs = []
        for text, words in cases:
            specs.append((routing(f"{{route: {ROUTE}, headers: {{{text}}}}}"), words))
            own = f"[{{destination: {{host: web.example}}, headers: {{{text}}}}}]"
            specs.append((routing(f"{{route: {own}}}"), words))
        self.check("VirtualService", specs, severity)

    def test_values(self) -> None:
        """A value is text with operators; what is wrong with it is said, with a hint where there is one."""
        self.operations(
            [
                ("request: {set: {x-a: '%REQ(x-b)% at 100%%'}}", ""),
                ("response: {add: {x-a: '%RESP(x-b):9%, %START_TIME(%Y)%'}}", ""),
                ("request: {add: {x-a: '50% off'}}", "write %% for a percent sign"),
                ("request: {add: {x-a: '%PROTOCOLL%'}}", 'did you mean "PROTOCOL"?'),
                ("request: {add: {x-a: '%REQ%'}}", "%REQ% needs an argument, as in %REQ(name)%"),
                ("request: {add: {x-a: '%PROTOCOL(1)%'}}", "%PROTOCOL% has no argument"),
                ("request: {add: {x-a: '%req(x-b)%'}}", 'unknown operator %req%; did you mean "REQ"?'),
                ("response: {add: {x-a: '%RESPONSE_CODE:2%'}}", "%RESPONSE_CODE% can't be cut: leave :2 out"),
                ("response: {add: {x-a: '%GRPC_STATUS(TEXT)%'}}", "TEXT is none of CAMEL_STRING"),
                (r'request: {set: {x-a: "a\r\nx-b: c"}}', "a character that no header can have"),
                (r'request: {set: {x-a: "a\x01"}}', "a character that no header can have"),
                (r'request: {set: {x-a: "a\tb é"}}', ""),
            ]
        )

    def test_empty_operators(self) -> None:
        """An operator that stands for nothing at this gateway is told of, with the reason."""
        nested = '{"operators": [{"command": "REQ", "param": "x-b"}, {"command": "TRAILER", "param": "x-c"}]}'
        self.operations(
            [
                ("request: {set: {x-a: '%REQ(x-b)%'}}", ""),
                ("request: {set: {x-a: '%METADATA(ROUTE:a:b)%'}}", "stands for nothing here: there is no metadata"),
                ("response: {set: {x-a: 'a%FILTER_STATE(b)%'}}", "%FILTER_STATE% stands for nothing here"),
                (f"response: {{set: {{x-a: '%COALESCE({nested})%'}}}}", "%TRAILER% stands for nothing here"),
            ],
            "warning",
        )

    def test_names(self) -> None:
        """Names are names of headers."""
        self.operations(
            [
                ("request: {remove: [x-a, X_B]}", ""),
                ("request: {remove: ['x a']}", "is no name of a header"),
                ("response: {set: {'x:a': b}}", "is no name of a header"),
                ("response: {add: {'': b}}", "is no name of a header"),
            ]
        )

    def test_authority(self) -> None:
        """The authority is set, once, in requests, to something that is one."""
        self.operations(
            [
                ("request: {set: {':authority': 'b.example:81'}}", ""),
                ("request: {add: {Host: b.example}}", ""),
                ("request: {set: {host: 'b example'}}", "is no host"),
                ("request: {set: {host: 'http://b'}}", "is no host"),
                ("request: {set: {host: b}, add: {Host: c}}", "can be set once"),
                ("request: {remove: [Host]}", "can only be set, in requests"),
                ("response: {remove: [host]}", "can only be set, in requests"),
                ("response: {add: {':authority': a}}", "can only be set, in requests"),
            ]
        )

    def test_without_effect(self) -> None:
        """What can't be changed is said."""
        self.operations(
            [
                ("request: {set: {Connection: close}}", "belongs to each connection"),
                ("response: {remove: [transfer-encoding]}", "belongs to each connection"),
                ("response: {set: {server: mine}}", "set last by the gateway"),
                ("request: {set: {server: mine}}", ""),
            ],
            "warning",
        )
