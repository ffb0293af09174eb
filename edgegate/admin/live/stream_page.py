"""
The live stream: server-sent events (HTML's C{text/event-stream}) for whoever looks, once a second.

As long as nobody looks nothing is counted, read or kept for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.task import CooperativeTask, LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

from edgegate.admin.interfaces import Gateway
from edgegate.admin.live.board import Board
from edgegate.admin.live.events import Events
from edgegate.admin.live.parts import Part
from edgegate.admin.live.view import SORT, SORTS, TOP, Asked
from edgegate.admin.pages import Page, answer, begin, same_origin
from edgegate.server.turns import in_turns

log = Logger(namespace=__name__)

MOST_WATCHERS = 8
"""Who may look at one time."""

MOST_ROWS = 500
"""Rows of a table, at the most."""

LONGEST_FILTER = 200
"""Characters."""

INTERVAL = 1.0
"""Seconds from one event to the next."""

OFFSET = 0.2
"""Seconds from when processes tell to when that is shown."""

KIND = b"text/event-stream; charset=utf-8"


class BadParameter(ValueError):
    """What was asked for can't be; says why."""


def parse_asked(arguments: dict[bytes, list[bytes]]) -> Asked:
    """
    Read what a query asks for.

    @raise BadParameter: It can't be read.
    """
    given = {name.decode("latin-1"): values[-1] for name, values in arguments.items()}
    unknown = given.keys() - {"top", "filter", "sort", "once"}
    if unknown:
        raise BadParameter(f"{min(unknown)!r} is none of top, filter, sort and once")
    top, sort, once = (given.get(name, b"").decode("latin-1") for name in ("top", "sort", "once"))
    if top and not (top.isascii() and top.isdigit() and len(top) <= len(str(MOST_ROWS)) and 1 <= int(top) <= MOST_ROWS):
        raise BadParameter(f"top: expected a number from 1 to {MOST_ROWS}, got {top!r}")
    if sort and sort not in SORTS:
        raise BadParameter(f"sort: expected one of {', '.join(SORTS)}, got {sort!r}")
    if once not in ("", "0", "1"):
        raise BadParameter(f"once: expected 0 or 1, got {once!r}")
    text = given.get("filter", b"").decode("utf-8", "replace").strip().lower()
    if len(text) > LONGEST_FILTER:
        raise BadParameter(f"filter: expected {LONGEST_FILTER} characters at the most, got {len(text)}")
    return Asked(int(top) if top else TOP, text, sort or SORT, once == "1")


class Streaming(Page):
    """The page."""

    def __init__(self, clock: IReactorTime, gateway: Gateway) -> None:
        super().__init__()
        self._clock = clock
        self._gateway = gateway
        self._watchers: list[Watcher] = []
        self._looking: _Looking | None = None

    def render_GET(self, request: Request) -> bytes | int:
        """Stream what happens."""
        if not same_origin(request):
            # a page of another one could not read it, but have it made
            return answer(request, "another origin must not ask for this\n", 403)
        try:
            asked = parse_asked(request.args)
        except BadParameter as error:
            return answer(request, f"{error}\n", 400)
        if len(self._watchers) >= MOST_WATCHERS:
            request.setHeader(b"retry-after", b"5")
            return answer(request, f"{MOST_WATCHERS} look already\n", 503)
        begin(request, KIND)
        if request.method == b"HEAD":
            return b""
        watcher = Watcher(request, asked, self._gone)
        self._watchers.append(watcher)
        watcher.begin()
        if self._looking is None:
            self._looking = _Looking(self._clock, self._gateway, self._watchers)
            self._looking.start()
        else:
            self._looking.look_for_new()
        return NOT_DONE_YET

    def _gone(self, watcher: Watcher) -> None:
        self._watchers.remove(watcher)
        looking = self._looking
        if looking is not None and not self._watchers:
            self._looking = None
            looking.stop()


class _Looking:
    """What goes on as long as anybody looks: the board, and the making of events."""

    def __init__(self, clock: IReactorTime, gateway: Gateway, watchers: list[Watcher]) -> None:
        """
        @param watchers: Those who look; they come and go.
        """
        self._clock = clock
        self._gateway = gateway
        self._watchers = watchers
        self._board = Board(clock.seconds)
        self._ended = False
        self._task: CooperativeTask[Iterator[object]] | None = None
        self._stop: Callable[[], None] = _nothing
        self._ticking = LoopingCall(self._tick)
        self._ticking.clock = clock
        self._first = clock.callLater(OFFSET, self._begin_ticking)

    def start(self) -> None:
        """Begin to look."""
        self._stop = self._gateway.watch(self._take, self._lost)

    def stop(self) -> None:
        """Look no more."""
        self._ended = True
        self._stop()
        if self._first.active():
            self._first.cancel()
        if self._ticking.running:
            self._ticking.stop()

    def look_for_new(self) -> None:
        """Send those who have come the first event, once there is something to send."""
        if self._board.complete and any(each.events.is_new for each in self._watchers):
            self._make([each for each in self._watchers if each.events.is_new], ())

    def _begin_ticking(self) -> None:
        self._ticking.start(INTERVAL, now=False)

    def _take(self, worker: int, part: Part) -> None:
        self._board.take(worker, part)
        self.look_for_new()

    def _lost(self, worker: int) -> None:
        self._board.lost(worker)

    def _tick(self) -> None:
        self._board.remember_limits()
        self._make(list(self._watchers), self._board.add_up())

    def _make(self, watchers: list[Watcher], before: Iterator[None] | tuple[()]) -> None:
        """Make the next event for some, unless events are being made still."""
        if self._task is None:
            task = self._task = in_turns(self._clock, self._steps(watchers, before))
            task.whenDone().addErrback(_failed).addBoth(self._made)

    def _made(self, result: object) -> None:
        self._task = None

    def _steps(self, watchers: list[Watcher], before: Iterator[None] | tuple[()]) -> Iterator[None]:
        yield from before
        for watcher in watchers:
            if self._ended:
                return
            yield from watcher.look(self._gateway, self._board)


@implementer(IPushProducer)
class Watcher:
    """
    One who looks.

    @ivar events: What it is sent.
    """

    def __init__(self, request: Request, asked: Asked, gone: Callable[[Watcher], None]) -> None:
        """
        @param gone: Called once, when it looks no more.
        """
        self.events = Events(asked)
        self._request = request
        self._gone = gone
        self._paused = self._ended = False

    def begin(self) -> None:
        """Send what comes first."""
        request = self._request
        request.notifyFinish().addErrback(lambda _: self._end())
        request.write(b"retry: 2000\n\n")
        request.registerProducer(self, True)

    def look(self, gateway: Gateway, board: Board) -> Iterator[None]:
        """Make the next event and send it, in steps."""
        if self._ended:
            return
        if self._paused:
            # it gets all anew once it reads again, and nothing is made for it meanwhile
            self.events.start_anew()
            return
        last = self.events.asked.once and not self.events.is_new
        for made in self.events.next(gateway, board):
            if self._ended:
                return
            if made is not None:
                self._send(*made)
            yield
        if last or getattr(self._request.transport, "disconnecting", False):
            self._finish()

    def pauseProducing(self) -> None:
        """It does not read."""
        self._paused = True

    def resumeProducing(self) -> None:
        """It reads again."""
        self._paused = False

    def stopProducing(self) -> None:
        """It is gone."""
        self._end()

    def _send(self, name: str, content: dict[str, object]) -> None:
        data = msgspec.json.encode(content)
        head = f"event: {name}\nid: {content['sequence']}\ndata: ".encode()
        self._request.write(head + data + b"\n\n")

    def _finish(self) -> None:
        if not self._ended:
            self._end()
            self._request.unregisterProducer()
            self._request.finish()

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self._gone(self)


def _nothing() -> None:
    pass


def _failed(failure: Failure) -> None:
    log.failure("what happens at the moment can't be shown", failure)
