# Hot path: each new connection of TLS comes by here.
"""
Expensive work, of which a little is done in each turn, so that whoever is ready has a turn of their own in between.

A handshake of TLS takes as long as a dozen requests. Hundreds that come at once
must not make those wait who have connections already. Clients take turns: one
that begins many handshakes delays its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from time import monotonic
from typing import Final

from twisted.logger import Logger

log: Final = Logger(namespace=__name__)

SHARE: Final = 0.002
"""Seconds of such work in one turn: it ends with the first that goes beyond."""


class Pace:
    """
    Does some work at once, and the rest in the next turns.

    Whoever has waited for nothing lately need not wait for those that always do: so it is with the packets of
    FQ-CoDel (RFC 8290 section 4.2). But here one of the others comes after each of the new, for an attacker may have
    more addresses than there are turns.

    @ivar waiting: How much waits.
    """

    __slots__ = ("_left", "_lines", "_new", "_new_had_theirs", "waiting")

    def __init__(self) -> None:
        self._lines: dict[Hashable, deque[Callable[[], None]]] = {}
        self._new: dict[Hashable, deque[Callable[[], None]]] = {}
        self._left = SHARE
        self._new_had_theirs = False
        self.waiting = 0

    def takes(self) -> bool:
        """Whether there is time left in this turn, and nobody waits."""
        return not self.waiting and self._left > 0

    def do(self, work: Callable[[], None]) -> None:
        """Do some work now. What it raises is logged."""
        began = monotonic()
        try:
            work()
        except BaseException:
            # also what is to end a process, as in the reactor's own turns: what else waits goes on
            log.failure("work that was put off failed")
        finally:
            self._left -= monotonic() - began

    def put_off(self, work: Callable[[], None], whose: Hashable) -> None:
        """Have some work done in one of the next turns, behind what waits of the same client."""
        line = self._lines.get(whose)
        if line is None:
            line = self._new.get(whose)
        if line is None:
            line = self._new[whose] = deque()
        line.append(work)
        self.waiting += 1

    def turn(self) -> None:
        """A turn is over: begin the next with what waits."""
        self._left = SHARE
        while self.waiting and self._left > 0:
            work = self._next().popleft()
            self.waiting -= 1
            self.do(work)
        if not self.waiting:
            self._lines.clear()

    def _next(self) -> deque[Callable[[], None]]:
        """Return the line that is next, in which something waits: a new one, then one of the others, and so on."""
        lines, new = self._lines, self._new
        self._new_had_theirs = not self._new_had_theirs
        if not self._new_had_theirs or not new:
            while lines:
                whose = next(iter(lines))
                line = lines.pop(whose)
                if line:
                    lines[whose] = line
                    return line
        whose = next(iter(new))
        # also behind the others where it will be empty: until its turn would come it is not new again
        line = lines[whose] = new.pop(whose)
        return line
