"""When something is fetched again in the background: one call to come, by its schedule."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from edgegate.access.jwt.fetch_schedule import FetchSchedule


class FetchTimer:
    """Begins to fetch when it is time to; whoever fetches says what became of it."""

    def __init__(self, clock: IReactorTime, fetch: Callable[[], None]) -> None:
        self._clock = clock
        self._fetch = fetch
        self._schedule = FetchSchedule()
        self._call: IDelayedCall | None = None
        self._stopped = False

    def begun(self) -> None:
        """It is being fetched, for whatever reason: until the end of that is told nothing else begins."""
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def succeeded(self) -> None:
        """It was fetched."""
        self._wait(self._schedule.succeeded(self._clock.seconds()))

    def failed(self) -> None:
        """It could not be."""
        self._wait(self._schedule.failed())

    def early(self) -> bool:
        """See L{FetchSchedule.early}."""
        return self._schedule.early(self._clock.seconds())

    @property
    def outdated(self) -> bool:
        """See L{FetchSchedule.outdated}."""
        return self._schedule.outdated(self._clock.seconds())

    def stop(self) -> None:
        """Fetch no more."""
        self.begun()
        self._stopped = True

    def _wait(self, seconds: float) -> None:
        self.begun()
        if not self._stopped:
            self._call = self._clock.callLater(seconds, self._due)

    def _due(self) -> None:
        self._call = None
        self._fetch()
