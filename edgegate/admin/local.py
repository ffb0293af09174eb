"""What a data plane shows of itself: the views of the admin listener, by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import cast

from twisted.internet.defer import Deferred, succeed

from edgegate.admin import views
from edgegate.admin.live.parts import Part
from edgegate.admin.live.reader import LiveReader
from edgegate.admin.overload_view import overload
from edgegate.admin.telemetry_view import telemetry
from edgegate.admin.views import EXPLAIN, REQUESTS, Row
from edgegate.model.addresses import Address
from edgegate.observe.log_lines import Line
from edgegate.observe.log_tap import Wanted, tap_of
from edgegate.observe.metrics.measured import Measured
from edgegate.observe.tap import Tapped
from edgegate.routing.snapshot import Listener
from edgegate.server.data_plane import DataPlane
from edgegate.server.reload import Reload
from edgegate.server.reload_history import ReloadHistory
from edgegate.server.service import GatewayService
from edgegate.server.upgrade import Upgrade


def _listeners(plane: DataPlane) -> list[Row]:
    def bound(listener: Listener) -> Address | None:
        port = plane.ports.get(listener.bind)
        return None if port is None else port.local

    return views.listeners(plane.snapshot, bound)


def _requests(plane: DataPlane, request_id: str) -> list[Row]:
    recent = plane.recent
    if recent is None:
        return []
    # JSON that is as deep as a story is
    return cast("list[Row]", recent.found(request_id) if request_id else recent.latest(MOST_LISTED))


_VIEWS: dict[str, Callable[[DataPlane], list[Row]]] = {
    "listeners": _listeners,
    "routes": lambda plane: views.routes(plane.snapshot),
    "clusters": lambda plane: views.clusters(plane.snapshot),
    "endpoints": lambda plane: views.endpoints(plane.snapshot, plane.clusters),
    "secrets": lambda plane: views.secrets(
        plane.snapshot, plane.secrets.secrets, datetime.now(timezone.utc), plane.certificates.statuses
    ),
    "telemetry": lambda plane: telemetry(plane.snapshot),
    "overload": lambda plane: overload(plane.figures()),
}

MOST_LISTED = 100
"""Requests that are listed of each process."""

_NUMBER = 0
"""What the only process is called."""


def rows(plane: DataPlane, view: str, of: str = "") -> list[Row]:
    """
    Return the rows of a view, such as C{listeners}, by its name: a part of C{/config_dump}, C{overload}, C{requests} or
    C{explain}.

    @param of: See L{edgegate.admin.interfaces.Gateway.rows}.
    """
    if view == REQUESTS:
        return _requests(plane, of)
    if view == EXPLAIN:
        # most gateways are never asked
        from edgegate.admin.explain_view import explained  # noqa: PLC0415

        return [explained(plane, of)]
    return _VIEWS[view](plane)


class LocalGateway:
    """A gateway of this process; an L{edgegate.admin.interfaces.Gateway}."""

    def __init__(self, service: GatewayService, lines: Callable[[bool], Line]) -> None:
        """
        @param lines: See L{tap_of}.
        """
        self._service = service
        self._lines = lines

    @property
    def config(self) -> str:
        """The path of its files, absolute; C{-} for standard input."""
        return self._service.config

    @property
    def ready(self) -> bool:
        """Whether others should send requests."""
        return self._service.ready

    @property
    def waiting(self) -> bool:
        """Whether requests are served, and only the first certificates are missing for it to be ready."""
        return self._service.waiting

    @property
    def connections(self) -> int:
        """Clients' connections that are open."""
        return self._service.connections

    @property
    def last_reload(self) -> Reload:
        """What came of the last reading of the files."""
        return self._service.last_reload

    def reload(self) -> Deferred[Reload]:
        """Read the files again."""
        return self._service.reload()

    def upgrade(self) -> Deferred[Upgrade]:
        """Have a new process serve in the place of this one."""
        return self._service.upgrades.upgrade()

    def end(self) -> None:
        """Have the process end in good order."""
        self._service.end()

    def measure(self) -> Deferred[Measured]:
        """Return its metrics."""
        return self._service.measure()

    def hurry(self) -> None:
        """End what is under way at once, now or as the process ends."""
        self._service.hurry()

    def tap(self, wanted: Wanted, show: Callable[[Tapped], None]) -> Callable[[], None]:
        """Show requests as they end, or lines of the access log; return what ends it."""

        def shown(tapped: Tapped) -> bool:
            show(tapped)
            return True

        plane, tap = self._service.data_plane, tap_of(wanted, shown, self._lines)
        plane.add_tap(tap)
        return lambda: plane.remove_tap(tap)

    @property
    def history(self) -> ReloadHistory:
        """What came of the last readings of the files."""
        return self._service.history

    @property
    def serving_workers(self) -> frozenset[int]:
        """This process."""
        return frozenset((_NUMBER,))

    def watch(self, take: Callable[[int, Part], None], lost: Callable[[int], None]) -> Callable[[], None]:
        """Tell what is done; return what ends it."""

        def tell(part: Part) -> bool:
            take(_NUMBER, part)
            return True

        reader = LiveReader(self._service.clock, self._service.data_plane, tell)
        reader.start()
        return reader.stop

    def rows(self, view: str, of: str = "") -> Deferred[list[Row]]:
        """Return the rows of a view, at once."""
        return succeed(rows(self._service.data_plane, view, of))
