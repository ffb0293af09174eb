"""The pages of the last requests, where the gateway keeps them (C{--recent-requests}): a list, and the story of one."""

from __future__ import annotations

from twisted.web.resource import Resource
from twisted.web.server import Request

from edgegate.admin.interfaces import Gateway
from edgegate.admin.pages import Page, Refusal, answer, answer_later, wants_json
from edgegate.admin.tables import table
from edgegate.admin.views import REQUESTS, Row
from edgegate.http.recent_requests import MOST_ID

MOST_SHOWN = 100
"""Requests that are listed, of all processes together."""

OFF = "no requests are kept: start the gateway with --recent-requests N, such as 1000\n"

FORBIDDEN = (
    "these pages show what clients send: give the gateway an --admin-token-file, or a UNIX socket that only its owner "
    "can open (--admin /run/edgegate/admin.sock)\n"
)


class Requests(Page):
    """The last requests; what is below is the story of those of an id."""

    isLeaf = False

    def __init__(self, gateway: Gateway, kept: bool, allowed: bool) -> None:
        """
        @param kept: Whether there are any.
        @param allowed: Whether whoever gets here has shown that it may.
        """
        super().__init__()
        self._gateway = gateway
        self._kept = kept
        self._allowed = allowed

    def getChildWithDefault(self, path: bytes, request: Request) -> Resource:
        """Return the page of an id."""
        if request.postpath:
            return Refusal(404, "no such page\n")
        if not path:
            return self
        if not self._kept:
            return Refusal(404, OFF)
        return Story(self._gateway, path) if self._allowed else Refusal(403, FORBIDDEN)

    def render_GET(self, request: Request) -> bytes | int:
        """List them, the last one first."""
        if not self._kept:
            return answer(request, OFF)
        if not self._allowed:
            return answer(request, FORBIDDEN, 403)

        def body(rows: list[Row]) -> bytes:
            shown = sorted(rows, key=lambda row: str(row["time"]), reverse=True)[:MOST_SHOWN]
            return answer(request, shown if wants_json(request) else table(REQUESTS, shown))

        return answer_later(request, self._gateway.rows(REQUESTS).addCallback(body))


class Story(Page):
    """The story of the requests of an id, as JSON: mostly it is one, but clients behind trusted proxies choose ids."""

    def __init__(self, gateway: Gateway, request_id: bytes) -> None:
        super().__init__()
        self._gateway = gateway
        self._request_id = request_id

    def render_GET(self, request: Request) -> bytes | int:
        """Tell it; 404 where it is not there, or no more."""
        request_id = self._request_id.decode("latin-1")
        if len(request_id) > MOST_ID:
            return answer(request, f"an id has at most {MOST_ID} bytes\n", 400)

        def body(rows: list[Row]) -> bytes:
            if not rows:
                return answer(request, "none of the requests that are kept has this id\n", 404)
            return answer(request, sorted(rows, key=lambda row: str(row["time"]), reverse=True))

        return answer_later(request, self._gateway.rows(REQUESTS, request_id).addCallback(body))
