"""What looks at connections before they are relayed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from edgegate.access.state import GuardStates
from edgegate.errors import Fault
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.wheel import TimerWheel
from edgegate.upstream.registry import ClusterRegistry


class Waiting:
    """
    A guard has asked somebody, and will say later.

    @ivar cancel: Called where the connection is gone before, at most once: nobody wants to know.
    """

    __slots__ = ("cancel",)

    def __init__(self, cancel: Callable[[], object] = lambda: None) -> None:
        self.cancel = cancel


WAITING: Final = Waiting()

Decided = Callable[[Fault | None], None]
"""Is told why a connection is refused; L{None}: it passes."""


@dataclass(frozen=True, slots=True)
class ConnectionEnvironment:
    """What guards of connections may need. See L{edgegate.http.environment.HTTPEnvironment} for those of requests."""

    access: GuardStates
    clusters: ClusterRegistry
    wheel: TimerWheel


class ConnectionFilter(ABC):
    """A guard, for all connections of the filter chains that it stands on."""

    __slots__ = ()

    name: str

    @abstractmethod
    def judge(self, connection: ConnectionInfo, decided: Decided) -> Fault | Waiting | None:
        """
        Return why a connection is refused, or L{None}: it passes.

        Where somebody has to be asked, return a L{Waiting}, and call C{decided} once, within a bounded time; by then
        the connection may be gone. What is raised refuses the connection.
        """
