"""What gateways of one process and of several have in common: how far they are, reloads, and their end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Generic, cast

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFDSet, IReactorTime

from edgegate.model.addresses import Address
from edgegate.net.inherited_sockets import InheritedSockets
from edgegate.net.sockets import descriptor_of
from edgegate.server.first_certificates import Awaited, FirstCertificates
from edgegate.server.handover import Handed, Role
from edgegate.server.reload import Reload
from edgegate.server.reload_coordinator import R, ReloadCoordinator
from edgegate.server.reload_history import ReloadHistory
from edgegate.server.signals import stop
from edgegate.server.unused_sockets import UnusedSockets
from edgegate.server.upgrade import Upgrades
from edgegate.sources.source import Watched


class Phase(Enum):
    """How far a gateway is."""

    CLOSED = "no port is open yet"
    SERVING = "its ports are open"
    LEFT = "a new process serves its ports"
    ENDING = "it ends, or has ended"


class Lifecycle(MultiService, ABC, Generic[R]):
    """
    A gateway that reads its files again, whose place a new process can take, and that ends in good order.

    @ivar upgrades: Has new processes serve in the place of this one.
    @ivar first_certificates: What it waits for before it is ready.
    """

    _history: ReloadHistory
    _reloads: ReloadCoordinator[R]

    def __init__(self, reactor: IReactorFDSet, config: str, inherited: InheritedSockets | None) -> None:
        """
        @param config: The path of its files, absolute; C{-} for standard input.
        @param inherited: Listening sockets that are open already, for ports of the files.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        self._reactor = reactor
        self._config = config
        self._phase = Phase.CLOSED
        self._inherited = InheritedSockets() if inherited is None else inherited
        self.upgrades = Upgrades(reactor, self)
        self.first_certificates = FirstCertificates(cast(IReactorTime, reactor), self._awaited)

    @property
    def ready(self) -> bool:
        """
        Whether others should send requests: they are served, be it by a new process, the first certificates are there
        or not waited for any more, and the gateway is not ending.
        """
        return self._serves and not self.first_certificates.waiting

    @property
    def waiting(self) -> bool:
        """Whether requests are served, and only its first certificates are missing for it to be ready."""
        return self._serves and self.first_certificates.waiting

    @property
    @abstractmethod
    def _serves(self) -> bool:
        """Whether requests are served: by this process, or by a new one in its place."""

    @abstractmethod
    def _awaited(self) -> Iterable[Awaited]:
        """Return the certificates that are missing."""

    @property
    def config(self) -> str:
        """The path of its files, absolute; C{-} for standard input."""
        return self._config

    @property
    @abstractmethod
    def ports(self) -> Mapping[Address, int]:
        """The descriptors of its ports, by what they are bound for."""

    @property
    def open_ports(self) -> int:
        """How many ports are open."""
        return len(self.ports)

    @property
    def binds(self) -> list[Address]:
        """What its ports are bound for."""
        return list(self.ports)

    def end(self) -> None:
        """Have the process end in good order, as SIGTERM does: the reactor stops once C{stopService} is through."""
        if self._phase is not Phase.ENDING:
            self._phase = Phase.ENDING
            stop(self._reactor)

    # A new process; see L{edgegate.server.upgrade.Leaving} ------------------------------------------------------------

    def hold(self) -> str:
        """Have nothing change until L{resume}, or return why that can't be."""
        if self._phase is not Phase.SERVING:
            return "the gateway does not serve yet, or ends"
        return "" if self._reloads.hold() else "the files are just being read again"

    def resume(self) -> None:
        """Go on as before."""
        self._reloads.resume()

    def handed(self) -> list[Handed]:
        """Return its listening sockets: those of its ports, and those of its service manager, be they used or not."""
        passed = [Handed(Role.PASSED, each.address, descriptor_of(each.socket), each.name) for each in self._inherited]
        return passed + [Handed(Role.PORT, bind, descriptor) for bind, descriptor in self.ports.items()]

    @abstractmethod
    def hand_over(self, serves: Iterable[Address]) -> None:
        """Leave the ports to a new process, and have this one end once its connections have."""

    # New files --------------------------------------------------------------------------------------------------------

    def reload(self) -> Deferred[Reload]:
        """See L{ReloadCoordinator.reload}."""
        return self._reloads.reload()

    def files_changed(self) -> None:
        """See L{ReloadCoordinator.files_changed}."""
        self._reloads.files_changed()

    @property
    def last_reload(self) -> Reload:
        """What came of the last reading of the files; at first of the one at the start."""
        return self._reloads.last

    @property
    def history(self) -> ReloadHistory:
        """What came of the last readings of the files."""
        return self._history

    @property
    def followers(self) -> list[Callable[[Watched], None]]:
        """Called after each reading, with where a change would be seen; see L{ReloadCoordinator}. More may be added."""
        return self._reloads.followers

    @property
    def reporters(self) -> list[Callable[[Reload | None], None]]:
        """Called with L{None} when files begin to be read again, and with what came of it. More may be added."""
        return self._reloads.reporters

    def _reload_by(self, reloads: ReloadCoordinator[R]) -> None:
        """Comes once, before any of these."""
        self._reloads = reloads
        self._history = ReloadHistory(reloads.last)
        self.reporters.append(self._history.add)
        self.reporters.append(lambda _: self.first_certificates.look())
        unused = UnusedSockets(self._inherited)
        self.followers.append(lambda watched: unused.look(self.ports))
