"""
What a file of tests may hold: edgegate's own form, as structs.

A key of C{expect} that is not given is not compared. How each is compared is in L{edgegate.route_tests.checks}.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, ClassVar

from msgspec import Meta, field

from edgegate.istio.kinds.base import Duration, Spec

Port = Annotated[int, Meta(ge=1, le=65535)]
Status = Annotated[int, Meta(ge=0, le=599)]
OneOrMore = str | tuple[str, ...]


class TimeLimit(Duration):
    """A time in seconds, or C{none}, which is infinite."""

    __slots__ = ()

    NONE: ClassVar[str] = "none"

    @classmethod
    @lru_cache(maxsize=1024)
    def parse(cls, text: str) -> Duration:
        """
        Read Go's notation, or C{none}.

        @raise ValueError: It is neither.
        """
        if text == cls.NONE:
            return cls("inf")
        try:
            return cls(Duration.parse(text))
        except ValueError as error:
            raise ValueError(f"{error}, or none") from None


class Expectation(Spec, frozen=True, kw_only=True):
    """
    What is expected of the answer to a request. Texts that are empty stand for nothing: no route, no backend.

    @ivar route: The name of the route that takes it.
    @ivar at: Where that route is said: C{shop.yaml}, C{shop.yaml:41}, or C{VirtualService shop/cart}.
    @ivar domain: The host pattern of the virtual host.
    @ivar to: The destination: C{HOST[:PORT][/SUBSET]}, or a cluster's name.
    @ivar share: Percent of the requests by destination, or by subset.
    @ivar mirrors: The destinations that get a copy, in any order; an empty list: none does.
    @ivar path: Of the request that the backend gets, with its query where that is given.
    @ivar authority: The C{Host} that the backend gets.
    @ivar sets: Headers that the backend gets, by name.
    @ivar removes: Headers that the backend does not get.
    @ivar timeout: Of the route, in seconds.
    @ivar retries: How often the request is tried again at most.
    @ivar delay: Seconds for which the route holds requests, or some of them.
    @ivar abort: The status that the route answers requests with on purpose, or some of them.
    @ivar status: That the gateway itself answers with; 0: the backend answers.
    @ivar flag: The response flag in the access log; C{-}: none.
    @ivar location: Where the gateway's answer leads to.
    @ivar body: Of the gateway's own answer.
    @ivar answer: Headers of the response, by name: of the gateway's own, or those that a backend's gets.
    @ivar misdirected: Whether it is answered 421.
    @ivar tls: C{refused}, or C{accepted}.
    @ivar policy: C{allowed}: no policy refuses it; C{denied}: one does; or the one that does: C{NAME},
        C{NAMESPACE/NAME} or C{KIND NAMESPACE/NAME}.
    """

    route: str | None = None
    at: str | None = None
    domain: str | None = None
    to: str | None = None
    share: dict[str, float] = {}
    mirrors: tuple[str, ...] | None = None
    path: str | None = None
    authority: str | None = None
    sets: dict[str, str] = {}
    removes: tuple[str, ...] = ()
    timeout: TimeLimit | None = None
    retries: Annotated[int, Meta(ge=0, le=2147483647)] | None = None
    delay: TimeLimit | None = None
    abort: Status | None = None
    status: Status | None = None
    flag: str | None = None
    location: str | None = None
    body: str | None = None
    answer: dict[str, str] = {}
    misdirected: bool | None = None
    tls: str | None = None
    policy: str | None = None


class Expected(Expectation, frozen=True, kw_only=True):
    """
    What is expected, and what is not.

    @ivar none_of: What must not be the answer.
    """

    none_of: Expectation | None = field(default=None, name="not")


class Test(Spec, frozen=True, kw_only=True):
    """
    A test: one request or several, and what is expected of each.

    @ivar request: C{METHOD URL}, or a URL to GET.
    @ivar sni: The name in the ClientHello, where it is not the URL's; empty: none.
    @ivar alpn: C{h2} or C{http/1.1}; the latter where nothing is said.
    @ivar cert: Whether the client has a certificate that is trusted.
    @ivar source: The client's address.
    @ivar port: That is connected to, where it is not the URL's.
    @ivar body: Bytes of the request's body.
    """

    name: str | None = None
    request: OneOrMore
    headers: dict[str, OneOrMore] = {}
    sni: str | None = None
    alpn: str | None = None
    cert: bool | None = None
    source: str | None = None
    port: Port | None = None
    body: Annotated[int, Meta(ge=0, le=2**62)] | None = None
    expect: Expected


class TestFile(Spec, frozen=True, kw_only=True):
    """A document of tests."""

    tests: tuple[Test, ...]
