"""A clock whose turns are told apart, as a reactor's are."""

from __future__ import annotations

from twisted.internet.task import Clock


class TurningClock(Clock):
    """What is to be called at once is called in the next turn, not in the one that asks for it."""

    def turn(self) -> bool:
        """Call what is due; return whether anything was."""
        due = [call for call in self.calls if call.getTime() <= self.rightNow]
        for call in due:
            self.calls.remove(call)
            call.called = 1
            call.func(*call.args, **call.kw)
        return bool(due)
