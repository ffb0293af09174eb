"""Tests of L{edgegate.tls.acme.client}; whole conversations are in tests.acceptance.test_certificates."""

from __future__ import annotations

import json
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from acme import challenges, errors, messages
from cryptography import x509
from josepy.b64 import b64decode
from requests import Response
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.tls import KeyPair
from edgegate.tls.acme import client
from edgegate.tls.acme.client import Authority, ends_with, renewal_name
from edgegate.tls.acme.issuing import NotIssued, Window
from edgegate.tls.acme.network import MOST_NONCES
from edgegate.tls.acme.solvers.solver import NotAnswered
from edgegate.tls.acme.store import CertificateStore, challenge_answer
from edgegate.tls.secrets import BadKeyMaterial, load_key_pair
from tests.tls.acme.certificates import made, managed

DIRECTORY = {
    "newNonce": "https://ca.example/nonce",
    "newAccount": "https://ca.example/account",
    "newOrder": "https://ca.example/order",
}


def answer(status: int, body: object = b"", **headers: str) -> Response:
    """Make an answer of an authority."""
    made = Response()
    made.status_code = status
    made._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    made.headers.update({"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}})
    return made


def problem(kind: str, status: int = 400, **headers: str) -> Response:
    """Make an answer that says what is wrong."""
    found = answer(status, {"type": f"urn:ietf:params:acme:error:{kind}", "detail": "so\nit is"}, **headers)
    found.headers["Content-Type"] = "application/problem+json"
    return found


class ClientTests(SynchronousTestCase):
    """Conversations with an authority that is not there."""

    def setUp(self) -> None:
        self.certificate = managed(Path(self.mktemp()).absolute())
        self.authority = Authority(CertificateStore(self.certificate.issuer), self.certificate.issuer)
        self.answers: dict[str, list[Response | Exception]] = {"/dir": [answer(200, DIRECTORY)]}
        self.asked: list[str] = []
        outer = self

        def request(session: object, method: str, url: str, **more: Any) -> Response:
            path = url.removeprefix("https://ca.example")
            outer.asked.append(path)
            if path == "/nonce":
                return answer(200, Replay_Nonce="AAAA")
            known = outer.answers[path]
            found = known.pop(0) if len(known) > 1 else known[0]
            if isinstance(found, Exception):
                raise found
            return found

        self.patch(client.client.requests.Session, "request", request)

    def refused(self) -> NotIssued:
        """Ask for a certificate that is not issued, and return why."""
        return self.assertRaises(NotIssued, self.authority.issue, self.certificate)  # type: ignore[no-any-return]

    def test_away(self) -> None:
        """An authority that is not there, or is none, is no reason to break."""
        for wrong in (
            errors.TimeoutError("late"),
            client.RequestException("refused"),
            answer(200, b"<html>"),
            answer(200, []),
            answer(200, {"newNonce": 1}),
            answer(502, b"bad gateway"),
            answer(200, b"\xff\xfe"),
        ):
            self.answers["/dir"] = [wrong]
            self.refused()

    def test_reason(self) -> None:
        """Why it can't be reached is told, and nothing of the library's objects."""
        pool = "HTTPSConnectionPool(host='ca.example', port=443): Read timed out. (read timeout=30)"
        self.answers["/dir"] = [client.RequestException(pool)]
        self.assertEqual(str(self.refused()), "the authority can't be reached: Read timed out. (read timeout=30)")
        self.answers["/dir"] = [client.RequestException()]
        self.assertEqual(str(self.refused()), "the authority can't be reached: RequestException")

    def test_rate_limit(self) -> None:
        """What it says of when to come again is told, with its words in one line."""
        self.answers["/account"] = [problem("rateLimited", 429, Retry_After="3600")]
        error = self.refused()
        self.assertEqual(error.retry_after, 3600.0)
        self.assertEqual(str(error), "urn:ietf:params:acme:error:rateLimited: so it is")

    def test_nonces(self) -> None:
        """A nonce that it does not know is no failure, but not for ever."""
        refused = problem("badNonce", Replay_Nonce="BBBB")
        self.answers["/account"] = [refused] * 5 + [problem("unauthorized")]
        self.assertIn("unauthorized", str(self.refused()))
        self.answers["/account"] = [refused]
        self.asked.clear()
        self.refused()
        self.assertEqual(self.asked.count("/account"), MOST_NONCES)

    def test_account_is_kept(self) -> None:
        """The account is made once, and used again."""
        made_ = answer(201, {"status": "valid"}, Location="https://ca.example/account/1", Replay_Nonce="CCCC")
        self.answers["/account"] = [made_]
        self.answers["/order"] = [problem("unauthorized")]
        self.refused()
        self.refused()
        self.assertEqual((self.asked.count("/account"), self.asked.count("/order")), (1, 2))
        account = CertificateStore(self.certificate.issuer).account()
        assert account is not None
        self.assertEqual(account.url, "https://ca.example/account/1")

    def test_window(self) -> None:
        """The renewal window is that of RFC 9773 section 4.2; not all authorities have it."""
        pair = made(self.certificate, 0, 9e9)
        self.assertIsNone(self.authority.window(pair))
        self.answers["/dir"] = [answer(200, {**DIRECTORY, "renewalInfo": "https://ca.example/ari/"})]
        window = {"suggestedWindow": {"start": "2025-01-02T04:00:00Z", "end": "2025-01-03T04:00:00Z"}}
        self.answers["/ari/AQID.AIA"] = [answer(200, window, Retry_After="21600")]
        self.assertEqual(self.authority.window(pair), Window(1735790400.0, 1735876800.0, 21600.0))
        self.answers["/ari/AQID.AIA"] = [answer(200, {"suggestedWindow": 1})]
        self.assertRaises(NotIssued, self.authority.window, pair)

    def test_renewal_name(self) -> None:
        """A serial number whose first bit is set has a byte more, as in DER (RFC 9773 section 4.1)."""
        leaf = load_key_pair(made(self.certificate, 0, 10))[0][0]
        self.assertEqual(leaf.serial_number, 0x80)
        self.assertEqual(renewal_name(leaf), "AQID.AIA")

    def test_chain(self) -> None:
        """A chain is known by who issued its last certificate."""
        pair = made(self.certificate, 0, 10)
        self.assertTrue(ends_with(pair, "an authority"))
        self.assertFalse(ends_with(pair, "another"))

    def test_challenges(self) -> None:
        """The challenge that is preferred is answered while the stack is open, whatever else the authority offers."""
        key = client._jwk(client.Account(client.key_pem(client.new_key_of_account())))
        token = "t" * 42 + "A"
        said = [
            {"type": "of-tomorrow-01", "url": "https://ca.example/0"},
            {"type": "tls-alpn-01", "url": "https://ca.example/1", "token": token},
            {"type": "http-01", "url": "https://ca.example/2", "token": token},
        ]
        told: list[tuple[str, object]] = []

        class Network:
            pass

        class Acme:
            def answer_challenge(self, body: messages.ChallengeBody, response: Any) -> None:
                told.append((body.uri, response.to_json()))

        def authorization(status: str, challenges: list[dict[str, str]]) -> messages.AuthorizationResource:
            fields = {"identifier": {"type": "dns", "value": "shop.example.com"}, "status": status}
            body = messages.Authorization.from_json({**fields, "challenges": challenges})
            return messages.AuthorizationResource(body=body, uri="x")

        network = Network()
        network.key = key  # type: ignore[attr-defined]
        prove = partial(self.authority._prove, Acme(), network)  # type: ignore[arg-type]
        storage = self.certificate.issuer.storage
        with ExitStack() as answered:
            prove(authorization("pending", said), "shop.example.com", answered)
            found = challenge_answer(storage, token)
            expected = challenges.HTTP01(token=b64decode(token)).key_authorization(key)
            self.assertEqual((found or b"").decode(), expected)
        self.assertIsNone(challenge_answer(storage, token))
        self.assertEqual(told, [("https://ca.example/2", {})])
        with ExitStack() as answered:
            prove(authorization("valid", said), "shop.example.com", answered)
            pending = authorization("pending", said[:2])
            error = self.assertRaises(NotAnswered, prove, pending, "shop.example.com", answered)
        self.assertIn("does not offer HTTP-01, but of-tomorrow-01, tls-alpn-01", str(error))
        self.assertEqual(len(told), 1)

    def test_presentable(self) -> None:
        """What the gateway could not present counts as not issued: it is neither kept nor asked for again at once."""
        pair = made(self.certificate, 0, 9e9)

        class Finalized:
            def finalize_order(self, *_: object, **__: object) -> messages.OrderResource:
                return messages.OrderResource(fullchain_pem=pair.chain.decode())

        finalized = partial(self.authority._finalized, Finalized(), messages.OrderResource(), self.certificate)  # type: ignore[arg-type]
        self.authority._key = pair.key
        self.assertEqual(finalized(), pair)

        def refuse(_: KeyPair) -> None:
            raise BadKeyMaterial("shop", "too weak")

        self.patch(client, "check_presentable", refuse)
        self.assertRaises(BadKeyMaterial, finalized)

    def test_refusal(self) -> None:
        """What the authority found is told where it is a challenge's, else what it holds the host for."""
        body = messages.Authorization(
            identifier=messages.Identifier(typ=messages.IDENTIFIER_FQDN, value="a.example"),
            status=messages.STATUS_INVALID,
            challenges=(),
        )
        refused = client._refusal(messages.AuthorizationResource(body=body, uri="x"))
        self.assertEqual(refused, "the authority holds the host for invalid")
        self.assertEqual(len(client._words(ValueError("x" * 10_000))), 503)
        self.assertEqual(client._words(ValueError()), "ValueError")
        self.assertIsNotNone(x509)
