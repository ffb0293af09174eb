"""Tests of L{edgegate.access.grpc_check}, by Envoy's own descriptors."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.grpc_check import CheckedRequest, check_request, peer, verdict_of
from edgegate.access.verdict import Action, Outcome
from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.model.authorizers import Authorizer, Protocol
from tests.protobuf.envoy import AUTH, message_class

CORE = "envoy.config.core.v3"
AUTHORIZER = Authorizer("opa", Protocol.GRPC, "outbound|9191||opa", status_on_error=503)
CLIENT, LOCAL = TCPAddress("192.0.2.7", 4711), TCPAddress("2001:db8::1", 443)


def written(request: CheckedRequest | None, server_name: str = "", packed: bool = False, name: bytes = b"") -> Any:
    """Return the attributes of a check, as Envoy's code reads them."""
    message = check_request(peer(CLIENT, name), peer(LOCAL, b""), server_name, request, packed)
    return message_class(f"{AUTH}.CheckRequest").FromString(message).attributes


def asked(**what: Any) -> CheckedRequest:
    """Make a request."""
    fields = [(b"accept", b"a"), (b"x-a", b"1"), (b"x-a", b"2"), (b"x-envoy-auth-partial-body", b"true")]
    found = CheckedRequest(b"PUT", b"/a?b", b"shop.example:8443", fields)
    for name, value in what.items():
        setattr(found, name, value)
    return found


def option(name: str, value: str, **what: Any) -> Any:
    """Make a header that an answer says."""
    header = message_class(f"{CORE}.HeaderValue")(key=name, value=value)
    return message_class(f"{CORE}.HeaderValueOption")(header=header, **what)


def answer(code: int = 0, **what: Any) -> bytes:
    """Make an answer."""
    message = message_class(f"{AUTH}.CheckResponse")(status={"code": code}, **what)
    return bytes(message.SerializeToString())


class CheckRequestTests(SynchronousTestCase):
    """What is asked."""

    def test_connection(self) -> None:
        """Of a connection both ends are told, and what its client asked for by SNI."""
        found = written(None, "shop.example", name=b"spiffe://td/ns/a/sa/b")
        self.assertEqual(found.source.address.socket_address.address, "192.0.2.7")
        self.assertEqual(found.source.address.socket_address.port_value, 4711)
        self.assertEqual(found.source.principal, "spiffe://td/ns/a/sa/b")
        self.assertEqual(found.destination.address.socket_address.address, "2001:db8::1")
        self.assertEqual((found.destination.principal, found.tls_session.sni), ("", "shop.example"))
        self.assertFalse(found.HasField("request"))

    def test_unix(self) -> None:
        """The end of a UNIX socket is a path."""
        message = check_request(peer(UNIXAddress("/run/x"), b""), peer(LOCAL, b""), "", None)
        found = message_class(f"{AUTH}.CheckRequest").FromString(message).attributes
        self.assertIn("/run/x", found.source.address.pipe.path)

    def test_request(self) -> None:
        """Of a request all headers are told, with the request line among them."""
        found = written(asked(id=b"i", scheme=b"https", protocol="HTTP/2", length=-1, time=1_500_000_000)).request
        self.assertEqual((found.time.seconds, found.time.nanos), (1, 500_000_000))
        http = found.http
        self.assertEqual(
            (http.id, http.method, http.path, http.host, http.scheme, http.protocol, http.size),
            ("i", "PUT", "/a?b", "shop.example:8443", "https", "HTTP/2", -1),
        )
        self.assertEqual(
            dict(http.headers),
            {
                "accept": "a",
                "x-a": "1,2",
                ":authority": "shop.example:8443",
                ":method": "PUT",
                ":path": "/a?b",
                ":scheme": "https",
            },
        )

    def test_bodies(self) -> None:
        """A body is told as text or as bytes, and whether it is whole; without one none is."""
        for packed in (False, True):
            http = written(asked(body=b"\xff\xc3\xa4", partial=False, length=3), packed=packed).request.http
            self.assertEqual((http.body, http.raw_body), ("", b"\xff\xc3\xa4") if packed else ("!\u00e4", b""))
            self.assertEqual((http.headers["x-envoy-auth-partial-body"], http.size), ("false", 3))
        self.assertNotIn("x-envoy-auth-partial-body", written(asked()).request.http.headers)

    def test_no_text(self) -> None:
        """What is no UTF-8 in a header or a path becomes what is (Envoy)."""
        request = CheckedRequest(b"GET", b"/\xff", b"h", [(b"x", b"a\xffb")])
        http = written(request).request.http
        self.assertEqual((http.path, http.headers["x"]), ("/!", "a!b"))

    @given(st.binary(max_size=40), st.binary(max_size=300), st.integers(0, 2**62))
    def test_any_bytes(self, value: bytes, body: bytes, length: int) -> None:
        """Whatever clients send, the message can be read."""
        request = CheckedRequest(b"GET", b"/" + value, value, [(b"x", value)])
        request.body, request.partial, request.length = body, True, length
        self.assertEqual(written(request, packed=True).request.http.raw_body, body)


class CheckResponseTests(SynchronousTestCase):
    """What is answered."""

    def test_allowed(self) -> None:
        """Code 0 allows, with changes of headers and query."""
        found = verdict_of(
            AUTHORIZER,
            answer(
                ok_response={
                    "headers": [
                        option("X-User", "jane"),
                        option("x-more", "a", append={"value": True}),
                        option("x-over", "b", append={"value": False}),
                        option("x-absent", "c", append_action=1),
                        option("x-there", "d", append_action=3),
                    ],
                    "headers_to_remove": ["X-Old", ":path", "Host"],
                    "response_headers_to_add": [option("set-cookie", "a=1"), option("x-b", "2", append_action=2)],
                    "query_parameters_to_set": [{"key": "a", "value": "b"}],
                    "query_parameters_to_remove": ["token"],
                }
            ),
        )
        self.assertIs(found.outcome, Outcome.ALLOWED)
        self.assertEqual(
            found.request,
            [
                (b"x-user", b"jane", Action.OVERWRITE_IF_EXISTS_OR_ADD),
                (b"x-more", b"a", Action.APPEND_IF_EXISTS_OR_ADD),
                (b"x-over", b"b", Action.OVERWRITE_IF_EXISTS_OR_ADD),
                (b"x-absent", b"c", Action.ADD_IF_ABSENT),
                (b"x-there", b"d", Action.OVERWRITE_IF_EXISTS),
            ],
        )
        self.assertEqual(found.removed, frozenset({b"x-old"}))
        self.assertEqual(
            found.response,
            [
                (b"set-cookie", b"a=1", Action.APPEND_IF_EXISTS_OR_ADD),
                (b"x-b", b"2", Action.OVERWRITE_IF_EXISTS_OR_ADD),
            ],
        )
        self.assertEqual((found.query_set, found.query_removed), ([(b"a", b"b")], frozenset({b"token"})))
        # that nothing is said is code 0, too
        self.assertIs(verdict_of(AUTHORIZER, b"").outcome, Outcome.ALLOWED)

    def test_denied(self) -> None:
        """Another code refuses, with 403 where nothing else is said, or what is said is no status of a response."""
        for said, status in (({}, 403), ({"status": {"code": 401}}, 401), ({"status": {"code": 100}}, 403)):
            found = verdict_of(AUTHORIZER, answer(7, denied_response={**said, "body": "no"}))
            self.assertEqual((found.outcome, found.status, found.body), (Outcome.DENIED, status, b"no"))
        found = verdict_of(AUTHORIZER, answer(7))
        self.assertEqual((found.outcome, found.status, found.body), (Outcome.DENIED, 403, b""))
        headers = [option("Location", "/login"), option("x y", "z"), option("x", "a\nb"), option("set-cookie", "a=1")]
        found = verdict_of(AUTHORIZER, answer(-1, denied_response={"headers": headers}))
        self.assertEqual(found.fields, [(b"location", b"/login"), (b"set-cookie", b"a=1")])

    def test_denied_badly(self) -> None:
        """A code that refuses does so, whatever follows: it must not become a failure that lets pass."""
        found = verdict_of(AUTHORIZER, answer(7) + b"\x12\x01\x08")
        self.assertEqual((found.outcome, found.status), (Outcome.DENIED, 403))

    def test_failed(self) -> None:
        """What is no answer, or says of itself that it is an error, is a failure."""
        for message, words in (
            (b"\x08", "no CheckResponse"),
            (answer(13, error_response={}), "error_response"),
            (answer(ok_response={"headers": [option("bad name", "x")]}), "a header that there can't be"),
            (answer(ok_response={"headers": [option("x", "a\r\nb")]}), "a header that there can't be"),
            (answer(ok_response={"response_headers_to_add": [option("", "a")]}), "a header that there can't be"),
            (answer(ok_response={"headers": [{}]}), "a header that there can't be"),
        ):
            found = verdict_of(AUTHORIZER, message)
            self.assertEqual((found.outcome, found.status), (Outcome.FAILED, 503))
            self.assertIn(words, found.words)

    def test_error_response(self) -> None:
        """A service may say what clients get where it can't decide."""
        said = {"status": {"code": 502}, "body": "later", "headers": [option("retry-after", "3")]}
        found = verdict_of(AUTHORIZER, answer(13, error_response=said))
        self.assertEqual((found.outcome, found.status, found.body), (Outcome.FAILED, 502, b"later"))
        self.assertEqual(found.fields, [(b"retry-after", b"3")])

    def test_older_metadata(self) -> None:
        """Metadata of ok_response, where it stood before, comes first."""
        message = message_class(f"{AUTH}.CheckResponse")()
        message.dynamic_metadata.update({"a": "new"})
        message.ok_response.dynamic_metadata.update({"a": "old"})
        self.assertEqual(verdict_of(AUTHORIZER, message.SerializeToString()).metadata, {"a": "old"})

    def test_raw_value(self) -> None:
        """A value may be said as bytes."""
        header = {"key": "x", "raw_value": b"\xff"}
        found = verdict_of(AUTHORIZER, answer(ok_response={"headers": [{"header": header}]}))
        self.assertEqual(found.request, [(b"x", b"\xff", Action.OVERWRITE_IF_EXISTS_OR_ADD)])

    def test_metadata(self) -> None:
        """What else is said is what JSON would make of it."""
        said = {"a": "b", "n": 1.5, "t": True, "l": [1.0, "x", {"y": None}], "o": {"p": "q"}}
        message = message_class(f"{AUTH}.CheckResponse")()
        message.dynamic_metadata.update(said)
        self.assertEqual(verdict_of(AUTHORIZER, message.SerializeToString()).metadata, said)

    def test_deep_metadata(self) -> None:
        """Metadata is so deep at the most."""
        said: dict[str, Any] = {}
        for _ in range(40):
            said = {"a": said}
        message = message_class(f"{AUTH}.CheckResponse")()
        message.dynamic_metadata.update(said)
        self.assertIs(verdict_of(AUTHORIZER, message.SerializeToString()).outcome, Outcome.FAILED)
        message.status.code = 7
        self.assertIs(verdict_of(AUTHORIZER, message.SerializeToString()).outcome, Outcome.DENIED)

    @given(st.binary(max_size=100))
    def test_any_bytes(self, message: bytes) -> None:
        """Whatever comes, there is a verdict."""
        self.assertIn(verdict_of(AUTHORIZER, message).outcome, list(Outcome))
