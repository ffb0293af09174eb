"""The page that explains a request: what the files in force make of it. Nothing is sent, and nothing changed."""

from __future__ import annotations

import json
from collections import deque

from twisted.internet.interfaces import IReactorTime
from twisted.web.server import Request

from edgegate.admin.interfaces import Gateway
from edgegate.admin.pages import Page, answer, answer_later
from edgegate.admin.views import EXPLAIN, Row

MOST = 2
"""Requests that are explained in a second: it is done where others are served."""

_KEYS = ("method", "url", "headers", "source")

USAGE = (
    "POST explains a request, by the fields of a form, which is its body:\n"
    "url=https://shop.example.com/cart method=GET headers=x-user: qa source=192.0.2.1\n"
)


class Explaining(Page):
    """POST explains a request. It is no GET since a question, with its headers, is nothing for an address."""

    changes = True

    def __init__(self, clock: IReactorTime, gateway: Gateway) -> None:
        """
        @param clock: Tells when somebody may ask again.
        """
        super().__init__()
        self._clock = clock
        self._gateway = gateway
        self._asked: deque[float] = deque(maxlen=MOST)

    def render_GET(self, request: Request) -> bytes:
        """Say how to ask."""
        return answer(request, USAGE)

    def render_POST(self, request: Request) -> bytes | int:
        """Explain."""
        if b"?" in request.uri:
            # what stands in an address is kept in histories and logs
            return answer(request, f"a question is nothing for an address\n{USAGE}", 400)
        asked: dict[str, str] = {}
        for name, values in request.args.items():
            try:
                key, value = name.decode("ascii"), values[-1].decode("utf-8")
            except UnicodeDecodeError:
                return answer(request, f"{name!r}: no UTF-8\n", 400)
            if key not in _KEYS:
                return answer(request, f"{key!r} is none of {', '.join(_KEYS)}\n", 400)
            asked[key] = value
        if not asked.get("url"):
            return answer(request, USAGE, 400)
        now = self._clock.seconds()
        if len(self._asked) == MOST and now - self._asked[0] < 1.0:
            request.setHeader(b"retry-after", b"1")
            return answer(request, f"{MOST} requests are explained in a second: ask again\n", 429)
        self._asked.append(now)

        def body(rows: list[Row]) -> bytes:
            if not rows:
                return answer(request, "no worker serves\n", 503)
            error = rows[0].get("error")
            return answer(request, rows[0]) if error is None else answer(request, f"{error}\n", 400)

        return answer_later(request, self._gateway.rows(EXPLAIN, json.dumps(asked)).addCallback(body))
