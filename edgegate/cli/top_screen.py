"""The screen of C{edgegate top}: a table that is painted anew each second, and the keys that change it."""

from __future__ import annotations

import os
import sys
import termios
import tty
from collections.abc import Callable
from typing import Any

import click
import treq
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater, react
from twisted.python.failure import Failure
from zope.interface import implementer

from edgegate.cli.admin_client import Admin, begin, explained
from edgegate.cli.live_events import EventParser, LiveTables
from edgegate.cli.live_query import SORTS, check, path_of
from edgegate.cli.top_table import BY, cells, columns, footer, headline

TIMEOUT = 10.0
"""Seconds that a gateway may take to answer."""

PAUSE = 2.0
"""Seconds until a gateway that was lost is asked again."""

HELP = "1 hosts  2 routes  3 clusters  4 endpoints   sort: r rps  e errors  p p99  n name   space holds   q ends"

_QUIT = "qQ\x03\x04\x1b"


class Screen:
    """
    What is shown, and how keys change that.

    @ivar by: What rows are of.
    @ivar sort: Which rows are the first.
    @ivar held: Whether it stays as it is.
    @ivar lost: Why nothing comes, in words; empty: it does.
    """

    def __init__(self, by: str, sort: str) -> None:
        self.by = by
        self.sort = sort
        self.held = False
        self.lost = ""
        self.tables = LiveTables()

    def press(self, key: str) -> bool:
        """Take a key; return whether other rows are to be asked for."""
        if key == " ":
            self.held = not self.held
        elif key in "1234":
            self.by = tuple(BY)[int(key) - 1]
        else:
            sort = next((each for each in SORTS if each[0] == key.lower()), self.sort)
            changed, self.sort = sort != self.sort, sort
            return changed
        return False

    def painted(self) -> Group:
        """Return what is to be painted."""
        table = Table(expand=True, box=None, header_style="bold", pad_edge=False)
        shown = columns(self.tables, self.by)
        for column in shown:
            table.add_column(
                column.title, justify="right" if column.right else "left", overflow="ellipsis", no_wrap=True
            )
        for row in cells(self.tables, self.by):
            table.add_row(
                *[Text(cell, style=_style(column.title, cell)) for column, cell in zip(shown, row, strict=True)]
            )
        state = self.lost or ("held" if self.held else "")
        lines = [Text(headline(self.tables) if self.tables.events else "waiting for the gateway", style="bold")]
        lines += [Text(state, style="reverse")] if state else []
        return Group(*lines, table, Text(footer(self.tables, self.by)), Text(HELP, style="dim"))


def _style(title: str, cell: str) -> str:
    """Return how a cell is painted. What it says is in its text: colour only points there."""
    if title in ("ERR", "ERR/S") and cell not in ("-", "0%", "0.0"):
        return "bold red"
    if title == "HEALTH" and cell != "healthy":
        return "bold red"
    if title == "HEALTHY" and cell.partition("/")[0] != cell.partition("/")[2]:
        return "bold red"
    return ""


class StreamProtocol(Protocol):
    """
    Takes the events of a stream.

    @ivar over: Fires when there are no more; fails where what came is no such stream.
    """

    def __init__(self, take: Callable[[str, dict[str, Any]], None]) -> None:
        self.over: Deferred[None] = Deferred()
        self._take = take
        self._parser = EventParser()
        self._broken: Failure | None = None

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """Take what has come."""
        if self._broken is not None:
            return
        try:
            for event in self._parser.feed(data):
                self._take(*event)
        except (ValueError, KeyError, TypeError, AttributeError):
            self._broken = Failure(
                click.ClickException("the gateway's live data can't be read: is it of this version?")
            )
            self.stop()

    def stop(self) -> None:
        """Want no more."""
        if self.transport is not None:
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        """There is no more."""
        if not self.over.called:
            self.over.callback(None) if self._broken is None else self.over.errback(self._broken)


@implementer(IReadDescriptor)
class Keys:
    """The keys of a terminal."""

    def __init__(self, descriptor: int, press: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._press = press

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def doRead(self) -> None:  # noqa: N802
        """Keys were pressed, or the terminal is gone."""
        for key in os.read(self._descriptor, 64).decode("latin-1") or "q":
            self._press(key)

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802
        """The terminal is gone."""
        self._press("q")

    def logPrefix(self) -> str:  # noqa: N802
        """Return what the log calls this."""
        return "keys"


class Top:
    """Streams to the screen until somebody ends it."""

    def __init__(self, reactor: Any, admin: Admin, screen: Screen, text: str, rows: int, live: Live) -> None:
        self._reactor = reactor
        self._admin = admin
        self._screen = screen
        self._text = text
        self._rows = rows
        self._live = live
        self._stream: StreamProtocol | None = None
        self._wait: Deferred[None] | None = None
        self._ended = False
        self._anew = False

    async def run(self) -> None:
        """
        Show what happens; a gateway that is lost is asked again.

        @raise click.ClickException: Nothing can be shown, from the first.
        """
        while not self._ended:
            self._anew = False
            try:
                await self._follow()
                wanted = self._anew or self._ended
                self._screen.lost = "" if wanted else "the gateway has gone: it is asked again"
            except click.ClickException as error:
                if not self._screen.tables.events:
                    raise
                self._screen.lost = error.message
            self._paint()
            if not (self._ended or self._anew):
                self._wait = deferLater(self._reactor, PAUSE)
                self._wait.addErrback(lambda _: None)
                await self._wait

    def press(self, key: str) -> None:
        """A key was pressed."""
        if key in _QUIT:
            self._ended = True
            self._stop()
        elif self._screen.press(key):
            self._anew = True
            self._stop()
        self._paint()

    async def _follow(self) -> None:
        screen = self._screen
        with explained(self._admin):
            path = path_of(screen.sort, self._text, self._rows)
            response = await begin(self._reactor, self._admin, "GET", path, TIMEOUT)
        if response.code != 200:
            check(response.code, await treq.text_content(response, "utf-8"))
        self._stream = stream = StreamProtocol(self._take)
        response.deliverBody(stream)
        if self._ended:
            stream.stop()
        await stream.over
        self._stream = None

    def _take(self, name: str, content: dict[str, Any]) -> None:
        screen = self._screen
        screen.lost = ""
        screen.tables.take(name, content)
        if not screen.held:
            self._paint()

    def _stop(self) -> None:
        if self._stream is not None:
            self._stream.stop()
        if self._wait is not None:
            self._wait.cancel()

    def _paint(self) -> None:
        self._live.update(self._screen.painted(), refresh=True)


def run(admin: Admin, by: str, sort: str, text: str, rows: int) -> None:
    """
    Show the screen until somebody ends it.

    @raise click.ClickException: Nothing can be shown.
    """
    failed: list[click.ClickException] = []
    console = Console()
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)

    async def main(reactor: Any) -> None:
        top = Top(reactor, admin, Screen(by, sort), text, rows, live)
        keys = Keys(descriptor, top.press)
        reactor.addReader(keys)
        try:
            await top.run()
        except click.ClickException as error:
            failed.append(error)
        finally:
            reactor.removeReader(keys)

    try:
        # raw, so that Ctrl-C is a key like the others and the screen is left in good order
        tty.setraw(descriptor, termios.TCSADRAIN)
        with Live(console=console, screen=True, auto_refresh=False) as live:
            react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
    except SystemExit as end:
        if end.code:
            raise
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
    if failed:
        raise failed[0]
