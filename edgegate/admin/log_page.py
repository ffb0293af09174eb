"""The page that follows the access log: a line for each request that ends, as long as somebody reads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from twisted.internet.interfaces import ITCPTransport
from twisted.web.server import NOT_DONE_YET, Request

from edgegate.admin.interfaces import Gateway
from edgegate.admin.pages import Page, answer, begin
from edgegate.admin.passing_view import PassingView
from edgegate.http.substitution_formatter import LONG_FLAGS
from edgegate.observe.log_tap import LINE, LogFilter
from edgegate.observe.tap import Tapped

MOST_FOLLOWERS = 4
"""Those who follow at once."""

MOST_LINES = 1_000_000
"""Lines after which one ends, at the most, where it is to end at all."""

RETRY = 10
"""Seconds after which whoever is one too many may try again."""

UNAUTHORISED = (
    "the access log shows what clients send: give the gateway an --admin-token-file, or a UNIX socket that only its "
    "owner can open (--admin /run/edgegate/admin.sock)\n"
)

_CLASS = re.compile("([1-5])xx")
_COMPARED = re.compile("(>=|<=|>|<)?(0|[1-5][0-9][0-9])")
_LOWEST, _HIGHEST = 100, 599
_NAMES = frozenset(("host", "route", "status", "flag", "lines", "format"))


class BadFilter(ValueError):
    """What was asked for can't be; says why."""


def parse_log(arguments: dict[bytes, list[bytes]]) -> tuple[LogFilter, int]:
    """
    Read what is asked for of a query or a form.

    @return: Which lines, and after how many it ends; 0: it does not.
    @raise BadFilter: It can't be read.
    """
    try:
        given = {name.decode(): values[-1].decode() for name, values in arguments.items()}
    except UnicodeDecodeError:
        raise BadFilter("it is no UTF-8") from None
    unknown = given.keys() - _NAMES
    if unknown:
        raise BadFilter(f"{min(unknown)!r} is none of {', '.join(sorted(_NAMES))}")
    form = given.get("format", "text")
    if form not in ("text", "json"):
        raise BadFilter(f"format: expected text or json, got {form!r}")
    wanted = LogFilter(
        host=given.get("host", "").lower(),
        route=given.get("route", ""),
        statuses=parse_statuses(given.get("status", "")),
        flags=parse_flags(given.get("flag", "")),
        json=form == "json",
    )
    lines = given.get("lines", "0")
    if not (lines.isascii() and lines.isdigit() and len(lines) <= len(str(MOST_LINES)) and int(lines) <= MOST_LINES):
        raise BadFilter(f"lines: expected a number up to {MOST_LINES}, 0 for no end, got {lines!r}")
    return wanted, int(lines)


def parse_statuses(text: str) -> tuple[int, int] | None:
    """
    Return the lowest and the highest status of C{404}, C{5xx}, C{>=500} or C{0}; L{None}: any.

    @raise BadFilter: It is none of these.
    """
    text = text.strip().lower()
    if not text:
        return None
    hundreds = _CLASS.fullmatch(text)
    if hundreds:
        return int(hundreds[1]) * 100, int(hundreds[1]) * 100 + 99
    compared = _COMPARED.fullmatch(text)
    if compared is not None:
        sign, number = compared[1], int(compared[2])
        if sign is None:
            return number, number
        above = sign.startswith(">")
        lowest, highest = (number + (sign == ">"), _HIGHEST) if above else (_LOWEST, number - (sign == "<"))
        if lowest <= highest:
            return lowest, highest
    raise BadFilter(f"status: expected 404, 5xx, >=500, <400, or 0 where nothing was answered; got {text!r}")


def parse_flags(text: str) -> frozenset[str]:
    """
    Return response flags that have commas between them.

    @raise BadFilter: One is none that this gateway shows.
    """
    flags = frozenset(each.strip().upper() for each in text.split(",") if each.strip())
    unknown = flags - LONG_FLAGS.keys()
    if unknown:
        raise BadFilter(f"flag: {min(unknown)!r} is none of {', '.join(sorted(LONG_FLAGS))}")
    return flags


class Log(Page):
    """POST follows the access log; GET says how many do."""

    changes = True

    def __init__(self, gateway: Gateway, allowed: bool) -> None:
        """
        @param allowed: Whether whoever gets here has shown that it may.
        """
        super().__init__()
        self._gateway = gateway
        self._allowed = allowed
        self._followers: set[PassingView] = set()

    def render_GET(self, request: Request) -> bytes:
        """Say how many there are."""
        words = f"{len(self._followers)} of {MOST_FOLLOWERS} follow\n"
        return answer(request, words if self._allowed else words + UNAUTHORISED)

    def render_POST(self, request: Request) -> bytes | int:
        """Show lines."""
        if not self._allowed:
            return answer(request, UNAUTHORISED, 403)
        try:
            wanted, lines = parse_log(request.args)
        except BadFilter as error:
            return answer(request, f"{error}\n", 400)
        if len(self._followers) >= MOST_FOLLOWERS:
            request.setHeader(b"retry-after", b"%d" % RETRY)
            return answer(request, f"{MOST_FOLLOWERS} follow already\n", 429)
        begin(request, b"application/x-ndjson" if wanted.json else b"text/plain; charset=utf-8")
        follower = Follower(request, wanted, lines, self._followers.discard)
        self._followers.add(follower)
        follower.begin(self._gateway)
        return NOT_DONE_YET


class Follower(PassingView):
    """One who follows. Before the next line it is told how many it has missed."""

    def __init__(self, request: Request, wanted: LogFilter, lines: int, over: Callable[[PassingView], None]) -> None:
        """
        @param lines: After which it ends, those that are missed included; 0: it does not.
        """
        super().__init__(request, over)
        self._wanted = wanted
        self._lines = lines
        self._missed = self._counted = 0

    def begin(self, gateway: Gateway) -> None:
        """Show lines from now on."""
        transport = self._request.transport
        if ITCPTransport.providedBy(transport):
            # of a machine that is gone nothing is heard
            transport.setTcpKeepAlive(True)
        self.show(gateway, self._wanted)

    def _passes(self, tapped: Tapped, lost: int) -> None:
        self._missed += lost + self._paused
        self._counted += lost + 1
        if not self._paused:
            line = str(tapped[LINE]).encode("utf-8", "backslashreplace")
            self._request.write(self._missing() + line)
        if self._lines and self._counted >= self._lines:
            self._finish(self._missing())

    def _missing(self) -> bytes:
        """Return what stands where lines are missing."""
        missed, self._missed = self._missed, 0
        if not missed:
            return b""
        if self._wanted.json:
            return json.dumps({"missed": missed}).encode() + b"\n"
        return b"# %d lines are missing here\n" % missed
