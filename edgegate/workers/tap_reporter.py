"""The taps of a worker: what it is told to show, and tells the supervisor."""

from __future__ import annotations

from collections.abc import Callable

from edgegate.net.peer import Peer
from edgegate.observe.log_lines import Line
from edgegate.observe.log_tap import LogTap, tap_of
from edgegate.observe.tap import Tap, Tapped
from edgegate.server.data_plane import DataPlane
from edgegate.workers.messages import BeginTap, EndTap, TappedRequest


class TapReporter:
    """Begins and ends them."""

    def __init__(self, data_plane: DataPlane, supervisor: Peer, lines: Callable[[bool], Line]) -> None:
        """
        @param lines: See L{tap_of}.
        """
        self._data_plane = data_plane
        self._supervisor = supervisor
        self._lines = lines
        self._taps: dict[int, Tap | LogTap] = {}

    def begin(self, begin: BeginTap) -> None:
        """Show requests."""
        lost = 0

        def show(tapped: Tapped) -> bool:
            nonlocal lost
            # what is served goes on: a supervisor that does not read sees less
            taken = self._supervisor.offer(TappedRequest(begin.number, tapped, lost))
            lost = 0 if taken else lost + 1
            return taken

        tap = self._taps[begin.number] = tap_of(begin.wanted, show, self._lines)
        self._data_plane.add_tap(tap)

    def end(self, end: EndTap) -> None:
        """Show none any more."""
        tap = self._taps.pop(end.number, None)
        if tap is not None:
            self._data_plane.remove_tap(tap)
