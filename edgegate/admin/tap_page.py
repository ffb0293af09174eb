"""The page that shows requests as they pass: a line of JSON for each, until there were enough or it was long enough."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.web.server import NOT_DONE_YET, Request

from edgegate.admin.interfaces import Gateway
from edgegate.admin.pages import Page, answer, begin
from edgegate.admin.passing_view import PassingView
from edgegate.observe.tap import TapFilter, Tapped

MOST_REQUESTS = 1000
"""Requests that one tap shows at the most."""

MOST_SECONDS = 300
"""Seconds that one may take."""

MOST_TAPS = 4
"""Taps at once."""

REQUESTS, SECONDS = 10, 30
"""Where nothing is said of it."""

_STATUS = re.compile("0|[1-5]xx|[1-5][0-9][0-9]")

FORBIDDEN = (
    "a tap shows what clients send: give the gateway an --admin-token-file, or a UNIX socket that only its owner can "
    "open (--admin /run/edgegate/admin.sock)\n"
)


class BadTap(ValueError):
    """What was asked for can't be; says why."""


@dataclass(frozen=True, slots=True)
class TapRequest:
    """What was asked for: which requests, and for how many seconds."""

    wanted: TapFilter
    seconds: int


def parse_tap(arguments: dict[bytes, list[bytes]], redacted: frozenset[bytes]) -> TapRequest:
    """
    Read what is asked for of a query or a form.

    @raise BadTap: It can't be read.
    """
    for name, values in arguments.items():
        if not (name.isascii() and values[-1].isascii()):
            raise BadTap(f"{name.decode('ascii', 'backslashreplace')}: expected ASCII, got {values[-1]!r}")
    given = {name.decode("ascii"): values[-1].decode("ascii") for name, values in arguments.items()}
    unknown = given.keys() - {"host", "path", "method", "status", "flag", "requests", "seconds"}
    if unknown:
        raise BadTap(f"{min(unknown)!r} is none of host, path, method, status, flag, requests and seconds")
    status = given.get("status", "").lower()
    if status and _STATUS.fullmatch(status) is None:
        raise BadTap(f"status: expected 503, 5xx, or 0 where no response began; got {status!r}")
    wanted = TapFilter(
        host=given.get("host", "").lower(),
        path=given.get("path", ""),
        method=given.get("method", "").upper(),
        status=status,
        flag=given.get("flag", "").upper(),
        requests=_number(given, "requests", REQUESTS, MOST_REQUESTS),
        redacted=redacted,
    )
    return TapRequest(wanted, _number(given, "seconds", SECONDS, MOST_SECONDS))


def _number(given: dict[str, str], name: str, default: int, most: int) -> int:
    text = given.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        raise BadTap(f"{name}: expected a number from 1 to {most}, got {text!r}")
    return int(text)


class Tapping(Page):
    """POST shows requests; GET says how many do."""

    changes = True

    def __init__(self, clock: IReactorTime, gateway: Gateway, allowed: bool, redacted: frozenset[bytes]) -> None:
        """
        @param allowed: Whether whoever gets here has shown that it may.
        """
        super().__init__()
        self._clock = clock
        self._gateway = gateway
        self._allowed = allowed
        self._redacted = redacted
        self._views: set[PassingView] = set()

    def render_GET(self, request: Request) -> bytes:
        """Say how many there are."""
        words = f"{len(self._views)} of {MOST_TAPS} taps\n"
        return answer(request, words if self._allowed else words + FORBIDDEN)

    def render_POST(self, request: Request) -> bytes | int:
        """Show them."""
        if not self._allowed:
            return answer(request, FORBIDDEN, 403)
        try:
            asked = parse_tap(request.args, self._redacted)
        except BadTap as error:
            return answer(request, f"{error}\n", 400)
        if len(self._views) >= MOST_TAPS:
            request.setHeader(b"retry-after", b"%d" % SECONDS)
            return answer(request, f"{MOST_TAPS} taps run already\n", 429)
        begin(request, b"application/x-ndjson")
        view = TapView(self._clock, request, asked, self._views.discard)
        self._views.add(view)
        view.begin(self._gateway)
        return NOT_DONE_YET


class TapView(PassingView):
    """
    One tap, from the request for it to its last line.

    A reader that is slow misses requests, and so does one of a gateway whose supervisor is: it is told how many.
    """

    def __init__(
        self, clock: IReactorTime, request: Request, asked: TapRequest, over: Callable[[PassingView], None]
    ) -> None:
        super().__init__(request, over)
        self._clock = clock
        self._asked = asked
        self._shown = self._missed = 0
        self._timer: IDelayedCall

    def begin(self, gateway: Gateway) -> None:
        """Show requests from now on."""
        self._timer = self._clock.callLater(self._asked.seconds, self._last, "seconds")
        self.show(gateway, self._asked.wanted)

    def _passes(self, tapped: Tapped, lost: int) -> None:
        self._missed += lost + self._paused
        if not self._paused:
            self._shown += 1
            self._request.write(_line(tapped))
        if self._shown + self._missed >= self._asked.wanted.requests:
            self._last("requests")

    def _last(self, why: str) -> None:
        self._finish(_line({"end": why, "requests": self._shown, "missed": self._missed}))

    def _end(self) -> None:
        if self._timer.active():
            self._timer.cancel()
        super()._end()


def _line(value: Tapped) -> bytes:
    return json.dumps(value).encode("ascii") + b"\n"
