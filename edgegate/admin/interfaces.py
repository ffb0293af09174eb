"""What the admin listener asks of the gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred

from edgegate.admin.live.parts import Part
from edgegate.admin.views import Row
from edgegate.observe.log_tap import Wanted
from edgegate.observe.metrics.measured import Measured
from edgegate.observe.tap import Tapped
from edgegate.server.reload import Reload
from edgegate.server.reload_history import ReloadHistory
from edgegate.server.upgrade import Upgrade


class Gateway(Protocol):
    """A gateway that can be looked into: of this process (L{edgegate.admin.local}), or of several."""

    @property
    def config(self) -> str:
        """The path of its files, absolute; C{-} for standard input."""

    @property
    def ready(self) -> bool:
        """Whether others should send requests."""

    @property
    def waiting(self) -> bool:
        """Whether requests are served, and only the first certificates are missing for it to be ready."""

    @property
    def connections(self) -> int:
        """Clients' connections that are open."""

    @property
    def last_reload(self) -> Reload:
        """What came of the last reading of the files."""

    def reload(self) -> Deferred[Reload]:
        """Read the files again; fires with what came of it, never with a failure."""

    def upgrade(self) -> Deferred[Upgrade]:
        """Have a new process of the program serve in the place of this one; fires with what came of it."""

    def end(self) -> None:
        """Have the process end in good order: what is under way may go on for a while."""

    def measure(self) -> Deferred[Measured]:
        """Return its metrics."""

    def hurry(self) -> None:
        """End what is under way at once, now or as the process ends."""

    def tap(self, wanted: Wanted, show: Callable[[Tapped], None]) -> Callable[[], None]:
        """Show requests as they end, or lines of the access log; return what ends it, which may be called twice."""

    @property
    def history(self) -> ReloadHistory:
        """What came of the last readings of the files."""

    @property
    def serving_workers(self) -> frozenset[int]:
        """What L{watch} calls the processes that serve the files in force."""

    def watch(self, take: Callable[[int, Part], None], lost: Callable[[int], None]) -> Callable[[], None]:
        """
        Have each process that serves tell what it does.

        @param take: Takes what tells a process from all others that live, and what it tells.
        @param lost: Takes the first of these for one that is gone.
        @return: Ends it; may be called twice.
        """

    def rows(self, view: str, of: str = "") -> Deferred[list[Row]]:
        """
        Return the rows of a view: C{listeners}, C{routes}, C{clusters}, C{endpoints}, C{secrets}, C{overload},
        C{requests} or C{explain}.

        @param of: Of C{requests}, the id of those whose stories are told; empty: the last ones are listed. Of
            C{explain}, what is asked; see L{edgegate.admin.explain_view.explained}.
        """
