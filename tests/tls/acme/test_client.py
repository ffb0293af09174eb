"""Tests of L{edgegate.tls.acme.client}; whole conversations are in tests.acceptance.test_certificates."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from typing import Any

from acme import challenges, errors, messages
from cryptography import x509
from josepy.b64 import b64decode
from requests import Response
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.certificates import KeyType
from edgegate.model.tls import KeyPair
from edgegate.tls.acme import client
from edgegate.tls.acme.client import Authority, ends_with, renewal_name
from edgegate.tls.acme.issuing import NotIssued, Window
from edgegate.tls.acme.keys import new_key
from edgegate.tls.acme.network import MOST_NONCES, Network
from edgegate.tls.acme.revocation import Unknown
from edgegate.tls.acme.solvers.solver import NotAnswered
from edgegate.tls.acme.store import Account, CertificateStore, challenge_answer
from edgegate.tls.authority import key_pem
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


class ConversationTestCase(SynchronousTestCase):
    """An authority that is not there."""

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


class ClientTests(ConversationTestCase):
    """Conversations about what is to be issued."""

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
            answer(200, b"[" * 100_000),
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

    def test_lost_account(self) -> None:
        """A key of the account that can't be read is told of, and neither replaced nor used."""
        store = CertificateStore(self.certificate.issuer)
        for key in (b"", b"garbage", key_pem(new_key(KeyType.RSA_2048)), key_pem(new_key(KeyType.ECDSA_P384))):
            store.put_account(Account(key, "https://ca.example/account/1"))
            self.assertIn("the key of the account", str(self.refused()))
            self.assertEqual(store.account(), Account(key, "https://ca.example/account/1"))
        self.assertEqual(self.asked, [])

    def test_account_without_use(self) -> None:
        """An account that was revoked is no reason to make another: the authority's words are told."""
        self.answers["/account"] = [
            answer(201, {"status": "valid"}, Location="https://ca.example/1", Replay_Nonce="CC")
        ]
        for kind in ("unauthorized", "badPublicKey", "rateLimited"):
            date = format_datetime(datetime.now(timezone.utc) + timedelta(hours=3), usegmt=True)
            self.answers["/order"] = [problem(kind, 403, Retry_After=date)]
            error = self.refused()
            self.assertEqual(str(error), f"urn:ietf:params:acme:error:{kind}: so it is")
            self.assertTrue(10000 < error.retry_after <= 10800, error.retry_after)
        self.assertEqual(self.asked.count("/account"), 1)

    def test_order_stays(self) -> None:
        """An order that is never more than processed ends, with words for it."""
        self.patch(client, "PATIENCE", 0.0)
        self.authority._key = b""
        acme = client.client.ClientV2(client.client.ClientV2, None)  # type: ignore[arg-type]
        acme.begin_finalization = lambda order: order  # type: ignore[method-assign]
        order = messages.OrderResource(uri="https://ca.example/order/1")
        error = self.assertRaises(NotIssued, self.authority._finalized, acme, order, self.certificate)
        self.assertEqual(str(error), "the authority has not issued it within 0 s")

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

    def test_without_names(self) -> None:
        """Where certificates of an authority have no name, or two lists of them, that is told."""
        names = x509.SubjectAlternativeName.oid
        for wrong in (x509.ExtensionNotFound("none", names), x509.DuplicateExtension("two", names), IndexError("none")):

            def log_in(*_: object, wrong: Exception = wrong) -> None:
                raise wrong

            self.patch(self.authority, "_log_in", log_in)
            self.assertIn("what is not understood", str(self.refused()))

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

        class Acme:
            def answer_challenge(self, body: messages.ChallengeBody, response: Any) -> None:
                told.append((body.uri, response.to_json()))

        def authorization(status: str, challenges: list[dict[str, str]]) -> messages.AuthorizationResource:
            fields = {"identifier": {"type": "dns", "value": "shop.example.com"}, "status": status}
            body = messages.Authorization.from_json({**fields, "challenges": challenges})
            return messages.AuthorizationResource(body=body, uri="x")

        network = Network(key, None)
        self.addCleanup(network.session.close)
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

    def test_presentable_alone(self) -> None:
        """A chain of one certificate is one, and so is one that is valid only from tomorrow on."""
        for begin in (0, time.time() + 86400):
            pair = made(self.certificate, begin, 9e9)

            class Finalized:
                chain = pair.chain.decode()

                def finalize_order(self, *_: object, **__: object) -> messages.OrderResource:
                    return messages.OrderResource(fullchain_pem=self.chain)

            self.authority._key = pair.key
            found = self.authority._finalized(Finalized(), messages.OrderResource(), self.certificate)  # type: ignore[arg-type]
            self.assertEqual(found, pair)

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


class RevokeTests(ConversationTestCase):
    """Revocations (RFC 8555 section 7.6)."""

    def setUp(self) -> None:
        super().setUp()
        self.answers["/dir"] = [answer(200, {**DIRECTORY, "revokeCert": "https://ca.example/revoke"})]
        made_ = answer(201, {"status": "valid"}, Location="https://ca.example/account/1", Replay_Nonce="CCCC")
        self.answers["/account"] = [made_]
        self.signed: list[dict[str, Any]] = []
        ask = client.client.requests.Session.request
        outer = self

        def request(session: object, method: str, url: str, **more: Any) -> Response:
            if url.endswith("/revoke"):
                body = json.loads(more["data"])
                outer.signed.append(
                    {name: json.loads(urlsafe_b64decode(body[name] + "==")) for name in ("protected", "payload")}
                )
            return ask(session, method, url, **more)  # type: ignore[arg-type]

        self.patch(client.client.requests.Session, "request", request)
        self.revoked = answer(200, b"", Replay_Nonce="DDDD")

    def test_by_the_account(self) -> None:
        """The account asks, with the reason; what was revoked already is so."""
        pair = made(self.certificate, 0, 9e9)
        self.answers["/revoke"] = [self.revoked, problem("alreadyRevoked", Replay_Nonce="EEEE")]
        self.authority.revoke(pair, 4)
        self.authority.revoke(pair, 4)
        first = self.signed[0]
        self.assertEqual((first["protected"]["kid"], first["payload"]["reason"]), ("https://ca.example/account/1", 4))

    def test_by_the_key(self) -> None:
        """Where it is not the account's, as after that was lost, the certificate's own key asks."""
        for kind, algorithm in (
            (KeyType.ECDSA_P256, "ES256"),
            (KeyType.ECDSA_P384, "ES384"),
            (KeyType.RSA_2048, "RS256"),
        ):
            pair = made(self.certificate, 0, 9e9, kind)
            self.answers["/revoke"] = [problem("unauthorized", 403, Replay_Nonce="EEEE"), self.revoked]
            self.authority.revoke(pair, 1)
            last = self.signed[-1]["protected"]
            self.assertEqual((last["alg"], "kid" in last), (algorithm, False))

    def test_is_revoked(self) -> None:
        """The list that the certificate names is asked, and what is wrong with it told."""
        pair = made(self.certificate, 0, 9e9)
        answers: list[bool | Exception] = [True, False, Unknown("404")]

        def is_revoked(asked: KeyPair) -> bool:
            self.assertEqual(asked, pair)
            found = answers.pop(0)
            if isinstance(found, Exception):
                raise found
            return found

        self.patch(client, "is_revoked", is_revoked)
        self.assertTrue(self.authority.is_revoked(pair))
        self.assertFalse(self.authority.is_revoked(pair))
        self.assertEqual(str(self.assertRaises(NotIssued, self.authority.is_revoked, pair)), "404")

    def test_refused_revocation(self) -> None:
        """What the authority says against it is told; so it is where nobody may ask for it."""
        pair = made(self.certificate, 0, 9e9)
        for kinds in (["badRevocationReason"], ["unauthorized", "unauthorized"], ["rateLimited"]):
            self.answers["/revoke"] = [problem(kind, 403, Replay_Nonce="EEEE") for kind in kinds]
            error = self.assertRaises(NotIssued, self.authority.revoke, pair, 1)
            self.assertIn(kinds[-1], str(error))
        self.answers["/dir"] = [answer(200, DIRECTORY)]
        self.assertRaises(NotIssued, self.authority.revoke, pair, 1)
