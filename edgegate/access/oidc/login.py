"""
One login: what goes to the provider, what is kept with the client meanwhile, and what comes back.

OpenID Connect Core 1.0 section 3.1 with PKCE (RFC 7636) and the issuer in the answer (RFC 9207).
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from typing import Final
from urllib.parse import parse_qsl, urlencode

from edgegate.access.jwt.json_object import json_object

LONGEST_RETURN: Final = 700
"""Bytes of the target that a client comes back to; to a longer one it does not, but to C{/}."""
LONGEST_ANSWER: Final = 8 << 10
"""Bytes of the query that a provider sends a client back with."""
LASTS: Final = 600
"""Seconds that a user has for it."""
MOST_LOGINS: Final = 3
"""Logins that one client may be at, as with several tabs."""


class BadAnswer(ValueError):
    """A provider's answer through the client is none, or belongs to no login of this client's."""


@dataclass(frozen=True, slots=True)
class Login:
    """
    A login that has begun.

    @ivar state: Tells it from all others.
    @ivar nonce: What the id token must say.
    @ivar verifier: Proves to the provider who has begun it (RFC 7636).
    @ivar target: Path and query that the client has asked for.
    @ivar began: In seconds since 1970.
    """

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    target: str
    began: int

    @classmethod
    def new(cls, target: bytes, now: float, random: Callable[[int], bytes]) -> Login:
        """Begin one."""
        text = target.decode("latin-1")
        kept = text if text.startswith("/") and len(text) <= LONGEST_RETURN else "/"
        return cls(_random(random, 18), _random(random, 18), _random(random, 32), kept, int(now))

    def packed(self) -> bytes:
        """Return it as bytes."""
        values = [self.state, self.nonce, self.verifier, self.target, self.began]
        return json.dumps(values, separators=(",", ":")).encode()

    def lasts(self, now: float) -> bool:
        """Whether it is not over."""
        return -LASTS <= now - self.began <= LASTS

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier: S256."""
        return _text(sha256(self.verifier.encode("ascii")).digest())


def unpacked_login(content: bytes) -> Login | None:
    """Return what was packed."""
    try:
        login = Login(*json_object(b'{"login":%b}' % content)["login"])
    except (ValueError, TypeError):
        return None
    return login if isinstance(login.began, int) else None


def authorization_url(endpoint: str, client: str, scopes: Sequence[str], redirect_uri: str, login: Login) -> bytes:
    """Return where a client goes to log in."""
    query = urlencode(
        {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": redirect_uri,
            "scope": " ".join(scopes),
            "state": login.state,
            "nonce": login.nonce,
            "code_challenge": login.challenge,
            "code_challenge_method": "S256",
        }
    )
    return with_query(endpoint, query)


def with_query(url: str, query: str) -> bytes:
    """Return a URL with more in its query."""
    return f"{url}{'&' if '?' in url else '?'}{query}".encode("ascii")


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What a provider says through the client.

    @ivar code: Empty: there is an error.
    @ivar error: Of OAuth, such as C{access_denied}.
    @ivar issuer: Who says so; empty: it does not say.
    """

    state: str
    code: str = field(repr=False)
    error: str
    issuer: str


def parse_answer(query: bytes) -> Answer:
    """
    Read the query that a client comes back with.

    @raise BadAnswer: It is none.
    """
    if len(query) > LONGEST_ANSWER:
        raise BadAnswer("too long")
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=32
        )
    except ValueError:
        raise BadAnswer("no query") from None
    known = ("state", "code", "error", "iss")
    values = [pair for pair in pairs if pair[0] in known]
    found = dict(values)
    if len(found) != len(values):
        raise BadAnswer("a parameter twice")
    answer = Answer(*(found.get(name, "") for name in known))
    if not answer.state or bool(answer.code) == bool(answer.error):
        raise BadAnswer("it has no state, or neither a code nor an error")
    return answer


def belongs(answer: Answer, login: Login | None, issuer: str, says_issuer: bool, now: float) -> bool:
    """
    Whether an answer is to a login of this client's, and from this provider.

    @param login: What the client's cookie says; L{None}: it has none for this state.
    @param says_issuer: Whether the provider always says who it is.
    """
    if login is None or not login.lasts(now):
        return False
    if not compare_digest(answer.state.encode(), login.state.encode()):
        return False
    return answer.issuer == issuer if answer.issuer or says_issuer else True


def _random(random: Callable[[int], bytes], length: int) -> str:
    return _text(random(length))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
