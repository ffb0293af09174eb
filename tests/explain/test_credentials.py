"""Tests of L{edgegate.explain.credentials}."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.credentials import judge_api_keys, judge_basic_auth
from edgegate.explain.judgement import Verdict
from edgegate.http.exchange import Exchange
from edgegate.model.guards.credentials import APIKeys, BasicAuth, KeyLocation, KeyPlace
from tests.access.passwords.test_hashes import BCRYPT
from tests.http.conversation import ORIGIN, Conversation, to_web

PASSWORDS = BasicAuth("default/p", ORIGIN, ((b"ali", BCRYPT),), b"p", b"x-user")
KEYS = APIKeys(
    "default/k", ORIGIN, (KeyPlace(KeyLocation.HEADER, b"x-key"),), ((sha256(b"x").digest(), "one"),), b"k", b"x-client"
)


def asked(*fields: bytes) -> Exchange:
    """Return a request that was made."""
    talk = Conversation(to_web())
    client = talk.ask(b"GET / HTTP/1.1\r\nHost: web.example\r\n%b\r\n" % b"".join(each + b"\r\n" for each in fields))
    client.finish()
    return talk.ended[0]


class CredentialTests(SynchronousTestCase):
    """What is said of credentials offline."""

    def test_passwords(self) -> None:
        """Users are looked up; passwords are not checked."""
        for fields, verdict, words in (
            ((), Verdict.DENIED, "shows no name and password"),
            ((b"Authorization: Basic " + b64encode(b"bob:x"),), Verdict.DENIED, "no user has the name"),
            ((b"Authorization: Basic " + b64encode(b"ali:x"),), Verdict.UNKNOWN, "there is a user ali"),
        ):
            exchange = asked(*fields)
            found = judge_basic_auth(PASSWORDS, exchange)
            self.assertEqual(found.verdict, verdict)
            self.assertIn(words, found.words)
            self.assertEqual(found.refusal is not None, verdict is Verdict.DENIED)
            self.assertEqual((b"x-user", b"ali") in exchange.head.fields, verdict is Verdict.UNKNOWN)

    def test_keys(self) -> None:
        """Keys are looked up."""
        for fields, verdict, words in (
            ((), Verdict.DENIED, "shows no key"),
            ((b"X-Key: y",), Verdict.DENIED, "nobody's"),
            ((b"X-Key: x",), Verdict.ALLOWED, "that of one"),
        ):
            exchange = asked(*fields)
            found = judge_api_keys(KEYS, exchange)
            self.assertEqual(found.verdict, verdict)
            self.assertIn(words, found.words)
            self.assertEqual((b"x-client", b"one") in exchange.head.fields, verdict is Verdict.ALLOWED)
