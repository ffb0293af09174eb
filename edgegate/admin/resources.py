"""The pages of the admin listener."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import cast
from urllib.parse import quote

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import globalLogPublisher
from twisted.web.resource import Resource
from twisted.web.server import Request

from edgegate.admin import metrics_page
from edgegate.admin.address import CONFIG, PID
from edgegate.admin.dashboard import Front, StaticFiles, wants_html
from edgegate.admin.explain_page import Explaining
from edgegate.admin.interfaces import Gateway
from edgegate.admin.live.stream_page import Streaming
from edgegate.admin.log_page import Log
from edgegate.admin.logging_page import Logging
from edgegate.admin.options import AdminOptions
from edgegate.admin.pages import Page, Refusal, answer, answer_later, same_origin, wants_json
from edgegate.admin.requests_page import Requests
from edgegate.admin.tables import table
from edgegate.admin.tap_page import Tapping
from edgegate.admin.token import TokenFile
from edgegate.admin.views import Row
from edgegate.server.log_levels import LogLevels
from edgegate.server.reload import Outcome, Reload
from edgegate.server.upgrade import Upgrade
from edgegate.version import described

PAGES = {
    "ready": "whether others should send requests",
    "live": "whether the process lives",
    "listeners": "the servers on the open ports",
    "routes": "the routes of each server, in the order in which they are tried",
    "clusters": "the clusters and their endpoints",
    "certs": "the certificates",
    "metrics": "what was counted and measured, for Prometheus; stats/prometheus is the same",
    "overload": "how near the limits are, and how often they were reached",
    "config_dump": "all of this but the limits, as JSON; ?resource=routes is one of it",
    "logging": "how much the service log tells; POST changes it: ?level=warn, ?namespace=edgegate.upstream&level=error",
    "tap": "POST shows requests as they end: ?host=shop.example&path=/cart&method=GET&status=5xx&flag=UF",
    "explain": "POST explains what the files in force make of a request, by a form: url, method, headers, source",
    "requests": "the last requests, where --recent-requests keeps them; requests/ID is the story of one",
    "log": "POST follows the access log: ?host=shop.example&route=cart&status=5xx&flag=UF&format=json&lines=10",
    "stream": "what happens now, each second, as server-sent events: ?top=50&filter=shop&sort=rps",
    "reload": "what came of the last reload; POST reloads",
    "upgrade": "POST has a new process serve in the place of this one",
    "drain": "whether the gateway is ending; POST has it end",
    "quitquitquit": "POST ends the gateway at once, where --admin-quit allows it",
}

_LAST_RELOAD = "last_reload"
_DUMPED = ("listeners", "routes", "clusters", "endpoints", "secrets", "telemetry", _LAST_RELOAD)

_LOOPBACK = frozenset((b"localhost", b"127.0.0.1", b"[::1]", b"::1"))

_MUST_NOT_QUIT = "off: the gateway was started without --admin-quit; POST /drain ends it in good order\n"

_OPEN = frozenset((b"ready", b"live"))
"""Pages that are shown without a token: probes have none."""

_FILES = b"dashboard"
"""Where the files of the dashboard are, which asks for the token itself."""


def root(
    clock: IReactorTime, gateway: Gateway, local: bool, options: AdminOptions, token: TokenFile | None
) -> Resource:
    """
    Return the root of the pages.

    @param clock: Tells how long a tap may take.
    @param local: The listener is a UNIX socket: its file says who may ask, whatever the Host.
    @param token: Says who may ask, whatever the Host.
    """
    shown = Root(gateway, local, token)
    static = StaticFiles()
    shown.putChild(b"", Front(static, _index))
    shown.putChild(_FILES, static)
    shown.putChild(b"ready", Ready(gateway))
    shown.putChild(b"live", Text(lambda: "live\n"))
    shown.putChild(b"listeners", Rows("listeners", gateway))
    shown.putChild(b"routes", Rows("routes", gateway))
    shown.putChild(b"clusters", Clusters(gateway))
    shown.putChild(b"certs", Rows("secrets", gateway, "certs"))
    shown.putChild(b"overload", Rows("overload", gateway))
    shown.putChild(b"config_dump", Dump(gateway))
    for path, page in metrics_page.pages(gateway).items():
        shown.putChild(path, page)
    shown.putChild(b"logging", Logging(LogLevels(globalLogPublisher)))
    shown.putChild(b"tap", Tapping(clock, gateway, local or token is not None, options.redacted))
    shown.putChild(b"explain", Explaining(clock, gateway))
    shown.putChild(b"requests", Requests(gateway, options.keeps_requests, local or token is not None))
    shown.putChild(b"log", Log(gateway, local or token is not None))
    shown.putChild(b"stream", Streaming(clock, gateway))
    shown.putChild(b"reload", Reloading(gateway))
    shown.putChild(b"upgrade", Upgrading(gateway))
    shown.putChild(b"drain", Draining(gateway))
    shown.putChild(b"quitquitquit", Quitting(gateway, options.may_quit))
    return shown


class Root(Resource):
    """
    Lets in who asks for a loopback name only: a page of the web, which a browser on this machine shows, can have a name
    of its own lead here, but not one of these (DNS rebinding). And no other page must post here, not even one of
    another port of this machine.

    Where there is a token, who has it is let in, by whatever name: no page of the web has it. Without it there is
    nothing but whether the gateway is well.

    Who is let in learns which gateway it is that answers: there may be several on a machine.
    """

    def __init__(self, gateway: Gateway, local: bool, token: TokenFile | None) -> None:
        super().__init__()
        self._gateway = gateway
        self._local = local
        self._token = token

    def getChildWithDefault(self, path: bytes, request: Request) -> Resource:
        """Return a page, or the one that refuses."""
        if self._token is not None:
            if not self._token.lets_in(request.getHeader(b"authorization")):
                return self._without_token(path, request)
        elif not self._local and _host(request.getHeader(b"host") or b"") not in _LOOPBACK:
            return Refusal(400, "the Host must be a loopback name\n")
        if request.method != b"GET" and not same_origin(request):
            return Refusal(403, "another origin must not ask for this\n")
        request.setHeader(PID, b"%d" % os.getpid())
        request.setHeader(CONFIG, quote(os.fsencode(self._gateway.config)).encode())
        child = cast("Resource | None", self.children.get(path))
        if child is None or (request.postpath and child.isLeaf):
            return Refusal(404, "no such page; there are:\n" + _index())
        changes = isinstance(child, Page) and child.changes
        if request.method not in ((b"GET", b"HEAD", b"POST") if changes else (b"GET", b"HEAD")):
            return Refusal(405, "method not allowed\n")
        return child

    def _without_token(self, path: bytes, request: Request) -> Resource:
        """Return what is shown to who has no token, or another."""
        if request.method in (b"GET", b"HEAD") and _is_open(path, request):
            return cast(Resource, self.children[path])
        request.setHeader(b"www-authenticate", b'Bearer realm="edgegate"')
        return Refusal(401, "the token of --admin-token-file is missing or another: Authorization: Bearer TOKEN\n")


class Text(Page):
    """A page of text."""

    def __init__(self, text: Callable[[], str]) -> None:
        super().__init__()
        self._text = text

    def render_GET(self, request: Request) -> bytes:
        """Show it."""
        return answer(request, self._text())


class Ready(Page):
    """Whether others should send requests: 503 before that, and while the gateway ends."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self._gateway = gateway

    def render_GET(self, request: Request) -> bytes:
        """Tell it by the status, for probes."""
        if self._gateway.ready:
            return answer(request, "ready\n")
        why = ": the first certificates are to be issued" if self._gateway.waiting else ""
        return answer(request, f"not ready{why}\n", 503)


class Rows(Page):
    """A view, as a table or as JSON."""

    def __init__(self, view: str, gateway: Gateway, columns: str = "") -> None:
        """
        @param columns: Whose columns the table has; empty: the view's own.
        """
        super().__init__()
        self._view = view
        self._gateway = gateway
        self._columns = columns or view

    def render_GET(self, request: Request) -> int:
        """Show it."""

        def body(rows: list[Row]) -> bytes:
            return answer(request, rows if wants_json(request) else table(self._columns, rows))

        return answer_later(request, self._gateway.rows(self._view).addCallback(body))


class Clusters(Page):
    """Clusters and their endpoints."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self._gateway = gateway

    def render_GET(self, request: Request) -> int:
        """Show them."""
        return answer_later(request, Deferred.fromCoroutine(self._body(request)))

    async def _body(self, request: Request) -> bytes:
        clusters, endpoints = await self._gateway.rows("clusters"), await self._gateway.rows("endpoints")
        if wants_json(request):
            return answer(request, {"clusters": clusters, "endpoints": endpoints})
        return answer(request, f"{table('clusters', clusters)}\n{table('endpoints', endpoints)}")


class Dump(Page):
    """Everything, or what C{?resource=} names."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self._gateway = gateway

    def render_GET(self, request: Request) -> bytes | int:
        """Show it."""
        named = [name.decode("utf-8", "replace") for name in request.args.get(b"resource", ())]
        wanted = named or _DUMPED
        if not set(wanted) <= set(_DUMPED):
            return answer(request, f"a resource is one of {', '.join(_DUMPED)}\n", 400)
        return answer_later(request, Deferred.fromCoroutine(self._body(request, wanted)))

    async def _body(self, request: Request, wanted: Sequence[str]) -> bytes:
        dump: dict[str, object] = {}
        for name in _DUMPED:
            if name in wanted:
                last = name == _LAST_RELOAD
                dump[name] = reload_row(self._gateway.last_reload) if last else await self._gateway.rows(name)
        return answer(request, dump)


class Reloading(Page):
    """The last reload; POST makes another."""

    changes = True

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self._gateway = gateway

    def render_GET(self, request: Request) -> bytes:
        """Show what came of the last one."""
        return self._answer(request, self._gateway.last_reload, 200)

    def render_POST(self, request: Request) -> int:
        """Reload, and show what came of it: 422 where the files were refused."""

        def body(reload: Reload) -> bytes:
            return self._answer(request, reload, 422 if reload.outcome is Outcome.REFUSED else 200)

        return answer_later(request, self._gateway.reload().addCallback(body))

    def _answer(self, request: Request, reload: Reload, status: int) -> bytes:
        row = reload_row(reload)
        return answer(request, row if wants_json(request) else reload_text(reload), status)


class Upgrading(Page):
    """POST has a new process of the program serve in the place of this one."""

    changes = True

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self._gateway = gateway

    def render_GET(self, request: Request) -> bytes:
        """Say which version serves."""
        return answer(request, f"{described()}, pid {os.getpid()}\n")

    def render_POST(self, request: Request) -> int:
        """Upgrade, and say what came of it: 422 where this process goes on."""

        def body(upgrade: Upgrade) -> bytes:
            return answer(request, "".join(f"{line}\n" for line in upgrade.lines), 200 if upgrade.succeeded else 422)

        return answer_later(request, self._gateway.upgrade().addCallback(body))


class Draining(Page):
    """Whether the gateway is ending; POST has it end, as SIGTERM does."""

    changes = True

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self._gateway = gateway

    def render_GET(self, request: Request) -> bytes:
        """Show how far it is."""
        serves, count = self._gateway.ready or self._gateway.waiting, self._gateway.connections
        state = "serving" if serves else "draining"
        if wants_json(request):
            return answer(request, {"state": state, "connections": count})
        return answer(request, f"{state}, {count} connections\n")

    def render_POST(self, request: Request) -> bytes:
        """Have it end; who asks twice is told how far it is."""
        self._gateway.end()
        return self.render_GET(request)


class Quitting(Page):
    """POST ends the gateway at once, what is under way included, where that is allowed."""

    changes = True

    def __init__(self, gateway: Gateway, allowed: bool) -> None:
        super().__init__()
        self._gateway = gateway
        self._allowed = allowed

    def render_GET(self, request: Request) -> bytes:
        """Say what POST does."""
        return answer(request, "POST ends the gateway at once\n" if self._allowed else _MUST_NOT_QUIT)

    def render_POST(self, request: Request) -> bytes:
        """End."""
        if not self._allowed:
            return answer(request, _MUST_NOT_QUIT, 403)
        # what ends is not to wait
        self._gateway.hurry()
        self._gateway.end()
        return answer(request, "ending\n")


def reload_row(reload: Reload) -> dict[str, object]:
    """Return what came of a reload, for JSON."""
    return {
        "outcome": reload.outcome.value,
        "at": reload.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "seconds": round(reload.seconds, 3),
        "changes": list(reload.changes),
        "problems": [str(problem) for problem in reload.problems],
    }


def reload_text(reload: Reload) -> str:
    """Return what came of a reload, in lines."""
    at = reload.at.isoformat(timespec="seconds").replace("+00:00", "Z")
    lines = [f"{reload.outcome.value} at {at}", *reload.changes, *map(str, reload.problems)]
    return "".join(f"{line}\n" for line in lines)


def _is_open(path: bytes, request: Request) -> bool:
    """Whether a page is shown to whoever asks."""
    if path == _FILES:
        return True
    return not request.postpath and (path in _OPEN or (path == b"" and wants_html(request)))


def _host(text: bytes) -> bytes:
    """Return the host of C{host:port}."""
    if text.startswith(b"["):
        return text.partition(b"]")[0].lower() + b"]"
    return text.partition(b":")[0].lower()


def _index() -> str:
    width = max(map(len, PAGES))
    return "".join(f"/{name.ljust(width)}  {what}\n" for name, what in PAGES.items())
